"""Letting the teacher judge overlapping rules: how many pairs are open, what it takes, told before it starts."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pld_app import pair_work, session
from pld_app.components.job_progress import draw_jobs, newest_jobs, order_job
from pld_app.components.permitted import allowed
from pld_app.components.remark import draw_remark
from pld_app.components.text import count, plain
from pld_app.pair_work import PairEstimate, PairOrder
from pld_core.canonical import hash_json
from pld_core.conflicts.pairs import JudgedPair
from pld_core.errors import PldError
from pld_core.models import Task
from pld_core.permissions import Step
from pld_core.pricing import money
from pld_core.records import RuleFilter

KIND = "judge_pairs"
OPEN = "pair_form_open"
AT_ONCE = 100
"""Of more pairs than this, somebody says how many are to be judged."""


def draw_pair_form(task: Task, pairs: Sequence[JudgedPair]) -> None:
    """Draw the button that opens the form, or the form; then its newest job. Nothing is asked before it starts.

    Args:
        pairs: all that overlap; those that no teacher judged yet are asked about.
    """
    jobs = newest_jobs(task.name, KIND, 1)
    if all(job.state.is_final for job in jobs):
        _draw_order(task, [one for one in pairs if one.judgement is None])
    draw_jobs(task.name, KIND, limit=1, none="")


def _draw_order(task: Task, still_open: Sequence[JudgedPair]) -> None:
    todo = len(still_open)
    if todo and not session.flag(OPEN):
        why = "Shows what it takes before it starts. It is a note beside the pair: no rule changes."
        st.button(
            f"Let the teacher judge {count(todo, 'pair')}…",
            key="pairs_open",
            **allowed(Step.JUDGE_PAIRS, help=why),
            on_click=session.flip,
            args=(OPEN,),
        )
    elif todo:
        with st.container(border=True):
            order = PairOrder(task.name, _draw_limit(todo))
            possible = _draw_estimate(task, order, still_open)
            with st.container(horizontal=True):
                st.button(
                    f"Let the teacher judge {count(order.limit or todo, 'pair')}",
                    key="pairs_start",
                    type="primary",
                    **allowed(Step.JUDGE_PAIRS, possible),
                    **session.as_shown("pairs_limit", _start, order),
                )
                st.button("Not now", key="pairs_close", on_click=session.flip, args=(OPEN,))


@st.cache_data(ttl=600, show_spinner="Counting calls…", max_entries=16)
def _estimated(workspace: str, order: PairOrder, state: tuple[object, ...]) -> PairEstimate:
    """Estimate once for each order and state of the pairs."""
    del workspace, state  # part of the cache key only
    return pair_work.estimated(session.app(), order)


def _state(task: Task, still_open: Sequence[JudgedPair]) -> tuple[object, ...]:
    """Return what an estimate depends on: the pairs, the texts of their rules, and the teacher."""
    app = session.app()
    rules = app.store.rules.queue(task.name, RuleFilter(overlapping=True), actor=app.actor)
    pairs = hash_json([[one.pair.low, one.pair.high] for one in still_open])
    return (pairs, hash_json([rule.head for rule in rules]), task.teacher, str(app.settings.teacher))


def _draw_limit(todo: int) -> int | None:
    """Draw how many of many pairs are to be judged, and return it; None where there are few."""
    if todo <= AT_ONCE:
        return None
    most = st.number_input("Pairs at most, the closest first", 1, None, AT_ONCE, step=AT_ONCE, key="pairs_limit")
    return min(int(most), todo)


def _draw_estimate(task: Task, order: PairOrder, still_open: Sequence[JudgedPair]) -> bool:
    """Say what it takes, and return whether it can be started."""
    app = session.app()
    try:
        found = _estimated(str(app.settings.workspace), order, _state(task, still_open)).estimate
    except PldError as error:
        draw_remark("red", plain(str(error)))
        return False
    cost = "no price is set" if found.cost is None else f"about {money(found.cost, app.settings.teacher.currency)}"
    st.markdown(
        "The teacher reads both rules of a pair beside training examples that match both, and says whether they "
        "contradict each other, and why. It is a note: **no rule changes by it.**"
    )
    st.markdown(
        f"**{count(found.calls, 'call')} to the teacher**, about {found.input_tokens:,} tokens in and "
        f"{found.output_tokens:,} out: {plain(cost)}, a rule of thumb. The caps on the Settings page hold."
    )
    return True


def _start(order: PairOrder) -> None:
    session.flip(OPEN)
    order_job(KIND, order.task, order.as_json())
