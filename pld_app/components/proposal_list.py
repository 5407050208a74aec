"""The proposals of a round, a page at a time, those that wait for a person first."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pld_app import proposal_view, session
from pld_app.components.proposal_card import draw_proposal
from pld_app.components.running_score import draw_running_score
from pld_app.components.text import count, plain
from pld_app.proposal_view import ShownProposal, Standing
from pld_core.conflicts.records import Resolution, RoundRecord
from pld_core.models import Task

PAGE_SIZE = 5
OPEN, DECIDED, ALL = "To decide", "Decided", "All"


def draw_proposals(task: Task, loop: Resolution, rounds: Sequence[RoundRecord]) -> None:
    """Draw the choice of a round and of what is shown of it, and the cards."""
    st.header("Proposals")
    numbers = [one.number for one in rounds if one.proposals]
    if not numbers:
        st.info("This loop has no proposal yet: a round lists its proposals when it is over.")
        _draw_silent(rounds)
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        number = st.segmented_control(
            "Round", numbers, default=numbers[0], required=True, key=f"proposal_round_{loop.id}"
        )
        found = proposal_view.shown_round(session.app(), loop, rounds, number or numbers[0])
        waiting = [one for one in found if one.outcome is None]
        parts = {OPEN: waiting, DECIDED: [one for one in found if one.outcome], ALL: list(found)}
        shown = st.segmented_control(
            "Show",
            list(parts),
            format_func=lambda name: f"{name} ({len(parts[name]):,})",
            default=OPEN,
            required=True,
            key=f"proposal_show_{loop.id}",
        )
    st.caption(_summary(found))
    record = rounds[number or numbers[0]]
    draw_running_score(loop, rounds, record.number, found)
    _draw_silent([record])
    _draw_page(task, f"{loop.id}_{number}_{shown}", parts[shown or OPEN])


def _draw_page(task: Task, key: str, chosen: Sequence[ShownProposal]) -> None:
    if not chosen:
        st.info("Every proposal of this round is decided." if key.endswith(OPEN) else "Nothing is decided here yet.")
        return
    pages = -(-len(chosen) // PAGE_SIZE)
    page = st.pagination(pages, key=f"proposal_page_{key}") if pages > 1 else 1
    first = (min(page, pages) - 1) * PAGE_SIZE
    for one in chosen[first : first + PAGE_SIZE]:
        draw_proposal(task, one)


def _summary(found: Sequence[ShownProposal]) -> str:
    having = {standing: sum(one.standing is standing for one in found) for standing in Standing}
    several = {Standing.PASSES: "pass", Standing.HELD: "do not pass", Standing.KEEP: "change nothing"}
    parts = [
        f"{number:,} {standing.value if number == 1 else several.get(standing, standing.value)}"
        for standing, number in having.items()
        if number
    ]
    return f"{count(len(found), 'proposal')}: {', '.join(parts)}"


def _draw_silent(rounds: Sequence[RoundRecord]) -> None:
    """Say for which conflicts the teacher gave no reply that could be used."""
    problems = [group.problem for one in rounds for group in one.groups if group.problem]
    if problems:
        with st.expander(f"{count(len(problems), 'answer')} of the teacher could not be used"):
            for problem in problems:
                st.caption(plain(problem))
