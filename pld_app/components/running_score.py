"""Proposals added up one by one: ordering that for a round that is over, with its cost, and the running score."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pld_app import session
from pld_app.components.job_progress import order_job
from pld_app.components.permitted import allowed
from pld_app.components.proposal_card import action_words
from pld_app.components.text import count
from pld_app.greedy_orders import KIND, GreedyOrder
from pld_app.proposal_view import ShownProposal
from pld_core.conflicts.records import Resolution, RoundRecord
from pld_core.conflicts.running_score import ScoreStep, running_score
from pld_core.errors import InvalidInput
from pld_core.greedy_order import greedy_most
from pld_core.permissions import Step


def draw_running_score(
    loop: Resolution, rounds: Sequence[RoundRecord], number: int, found: Sequence[ShownProposal]
) -> None:
    """Draw what the proposals of a round come to when they are added up, or the button that orders it.

    Nothing is drawn for a round with fewer than two proposals that could be added up.
    """
    steps = running_score(rounds[number].trials)
    if steps:
        _draw_steps(steps, {one.hash: _name(one) for one in found})
        return
    try:
        most = greedy_most(session.app().store, loop, rounds, number)
    except InvalidInput:
        # There is nothing to add up: a button that is always refused helps nobody.
        return
    order = GreedyOrder(loop.order.task, loop.id, number)
    with st.expander("Add up the proposals one by one"):
        st.markdown(
            "Shows which of them still help once others are in: the one with most gain first, and each that brings no "
            "further gain is left out again. It changes no rule and not what the loop found."
        )
        st.caption(f"It takes **at most {count(most, 'question')} to the student** and none to the teacher.")
        st.button(
            "Add them up",
            key=f"greedy_{loop.id}_{number}",
            **allowed(Step.RESOLVE, not _is_going_on(order)),
            **session.as_shown(f"loop_{order.task}", order_job, KIND, order.task, order.as_json()),
        )


def _name(one: ShownProposal) -> str:
    """Return what tells a proposal from others: rules that are named, else the title of the new one."""
    return action_words(one) if one.said.rules else f"{action_words(one)}: {one.said.texts[0].text.title}"


def _is_going_on(order: GreedyOrder) -> bool:
    jobs = session.app().store.jobs.recent(order.task, 50)
    return any(
        job.kind == KIND and not job.state.is_final and GreedyOrder.from_json(job.task, job.params) == order
        for job in jobs
    )


def _draw_steps(steps: Sequence[ScoreStep], words: dict[str, str]) -> None:
    with st.expander("Added up one by one: the running score", expanded=True):
        rows = [_row(place, step, words) for place, step in enumerate(steps, start=1)]
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
        st.caption(
            "Each step is the sum of what stayed in before it and one more proposal, against the rules without any "
            "change, on the whole validation split."
        )


def _row(place: int, step: ScoreStep, words: dict[str, str]) -> dict[str, object]:
    found = step.tried.result.comparison
    row: dict[str, object] = {
        "step": place,
        "adds": words.get(step.added, "another proposal"),
        "then": "stays in" if step.stays else "left out again",
    }
    if found is not None:
        row["macro F1"] = f"{found.after:.3f}"
        row["change (95 % interval)"] = f"{found.difference:+.3f} ({found.low:+.3f} to {found.high:+.3f})"
        row["fixes"], row["breaks"] = found.fixed, found.broken
    return {**row, "prompt tokens": step.tried.tokens}
