"""Every change of a policy as a table: when, who, what, why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import streamlit as st

from pld_app.components.text import moment


class Change(Protocol):
    """A change that was recorded: by whom, when in UTC, and why."""

    @property
    def by(self) -> str: ...
    @property
    def at(self) -> str: ...
    @property
    def reason(self) -> str: ...


def draw_changes(history: Sequence[Change], what: Iterable[Sequence[str]]) -> None:
    """Draw changes, each with the lines that say what it changed, in the same order."""
    rows = [
        {"when": moment(change.at), "who": change.by, "what": "; ".join(lines), "reason": change.reason}
        for change, lines in zip(history, what, strict=True)
    ]
    st.dataframe(rows, hide_index=True)
