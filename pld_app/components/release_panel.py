"""Releasing a prompt version: where the labels are, then gates, what changes, signature; moves so far, the way back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from pld_app import session
from pld_app.components.gate_list import draw_gates
from pld_app.components.release_changes import draw_changes
from pld_app.components.release_sign import draw_rollback, draw_sign
from pld_app.components.remark import Colour, draw_remark
from pld_app.components.text import moment, plain, short_hash
from pld_core.models import PromptVersion, Task
from pld_core.releases import BreakGlass, Release, ReleaseLabel, holders_of


def draw_release(task: Task, version: PromptVersion) -> None:
    """Draw the way of a version into production, step by step."""
    releases = session.app().store.releases
    moves = releases.history(task.name)[::-1]
    holders = {held.label: held for held in holders_of(moves)}
    st.header("Release")
    _draw_holders(holders)
    gates = releases.gates(task.name, version.number)
    left, right = st.columns([55, 45], gap="medium")
    with left, st.container(border=True, key="release_gates"):
        draw_gates(task, version, gates)
    with right:
        with st.container(border=True, key="release_changes"):
            draw_changes(task, version, holders.get(ReleaseLabel.PRODUCTION))
        with st.container(border=True, key="release_sign"):
            draw_sign(task, version, gates, holders)
    _draw_history(task, moves)


def _draw_holders(holders: dict[ReleaseLabel, Release]) -> None:
    now = datetime.now(UTC).isoformat()
    for column, label in zip(st.columns(2), (ReleaseLabel.PRODUCTION, ReleaseLabel.CANDIDATE), strict=True):
        with column, st.container(border=True, key=f"holder_{label.value}", gap="xxsmall"):
            held = holders.get(label)
            where = f"version {held.version} · {short_hash(held.sha256)}" if held else "on no version"
            st.markdown(f"**{label.value.capitalize()}**: {where}")
            if held:
                st.caption(f"Since {moment(held.at)}, by {plain(held.by)}: {plain(held.reason)}")
                draw_exception(held.break_glass, now)


def draw_exception(exception: BreakGlass | None, now: str) -> None:
    """Draw that a label stands on a version with red gates, until when and why; in red once that has ended."""
    if exception is None:
        return
    colour: Colour = "red" if exception.is_expired(now) else "orange"
    words = exception.words(now)
    draw_remark(colour, f"**{words[:1].upper()}{words[1:]}.** {plain(exception.reason)}")


def _draw_history(task: Task, moves: Sequence[Release]) -> None:
    now = datetime.now(UTC).isoformat()
    with st.expander(f"Every move of the labels ({len(moves):,}), and the way back", expanded=False):
        if not moves:
            st.caption("No label was moved yet.")
            return
        rows = [
            {
                "when": moment(move.at),
                "who": move.by,
                "label": move.label.value,
                "version": move.version,
                "how": move.kind.value,
                "reason": move.reason,
                "exception": f"{move.break_glass.words(now)} ({move.break_glass.reason})" if move.break_glass else "",
            }
            for move in reversed(moves)
        ]
        st.dataframe(rows, hide_index=True)
        draw_rollback(task, moves)
