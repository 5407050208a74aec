"""Letting the teacher judge overlapping rules: how many pairs are open, what it takes, told before it starts."""

from __future__ import annotations

import streamlit as st

from pld_app import pair_work, session
from pld_app.components.job_progress import draw_jobs, newest_jobs, order_job
from pld_app.components.permitted import allowed
from pld_app.components.remark import draw_remark
from pld_app.components.text import count, plain
from pld_app.pair_work import PairOrder
from pld_core.errors import PldError
from pld_core.models import Task
from pld_core.permissions import Step
from pld_core.pricing import money

KIND = "judge_pairs"
OPEN = "pair_form_open"


def draw_pair_form(task: Task, todo: int) -> None:
    """Draw the button that opens the form, or the form; then its newest job. Nothing is asked before it starts.

    Args:
        todo: how many pairs no teacher judged yet.
    """
    words = f"Let the teacher judge {count(todo, 'pair')}"
    if todo and not session.flag(OPEN):
        why = "Shows what it takes before it starts. It is a note beside the pair: no rule changes."
        st.button(
            f"{words}…", key="pairs_open", **allowed(Step.JUDGE_PAIRS, help=why), on_click=session.flip, args=(OPEN,)
        )
    elif todo:
        with st.container(border=True):
            possible = _draw_estimate(task)
            with st.container(horizontal=True):
                st.button(
                    words,
                    key="pairs_start",
                    type="primary",
                    **allowed(Step.JUDGE_PAIRS, possible),
                    on_click=_start,
                    args=(task,),
                )
                st.button("Not now", key="pairs_close", on_click=session.flip, args=(OPEN,))
    if newest_jobs(task.name, KIND, 1):
        draw_jobs(task.name, KIND, limit=1)


def _draw_estimate(task: Task) -> bool:
    """Say what it takes, and return whether it can be started."""
    app = session.app()
    try:
        found = pair_work.estimated(app, PairOrder(task.name)).estimate
    except PldError as error:
        draw_remark("red", plain(str(error)))
        return False
    cost = "no price is set" if found.cost is None else f"about {money(found.cost, app.settings.teacher.currency)}"
    st.markdown(
        f"**{count(found.calls, 'call')} to the teacher**, about {found.input_tokens:,} tokens in and "
        f"{found.output_tokens:,} out: {plain(cost)}, a rule of thumb. Its own caps hold."
    )
    return True


def _start(task: Task) -> None:
    session.flip(OPEN)
    order_job(KIND, task.name, PairOrder(task.name).as_json())
