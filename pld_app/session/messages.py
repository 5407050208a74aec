"""Messages that outlive one rerun, and steps outside a panel, with taking them back."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pld_core.errors import PldError

NOTICE, COMPLAINT = "_notice", "_complaint"
UNDO, UNDO_DEPTH = "_undo", 20


def notify(text: str) -> None:
    """Show a short message on the next run."""
    st.session_state[NOTICE] = text


def take_notice() -> str:
    return str(st.session_state.pop(NOTICE, ""))


def complain(error: PldError) -> None:
    """Show on the next run what went wrong with a step that has no panel."""
    st.session_state[COMPLAINT] = str(error)


def take_complaint() -> str:
    return str(st.session_state.pop(COMPLAINT, ""))


def step(action: Callable[[], str], *, undo: Callable[[], str] | None = None) -> None:
    """Run a step that needs no panel, as a widget's callback: say what it did, or why it was refused.

    `undo` takes it back and returns the message for the person; steps without it cannot be taken back.
    """
    try:
        message = action()
    except PldError as error:
        complain(error)
        return
    if undo is not None:
        remember_undo(undo)
    if message:
        notify(message)


def remember_undo(undo: Callable[[], str]) -> None:
    steps: list[Callable[[], str]] = st.session_state.setdefault(UNDO, [])
    steps.append(undo)
    del steps[:-UNDO_DEPTH]


def can_undo() -> bool:
    return bool(st.session_state.get(UNDO))


def undo_last() -> None:
    """Take back the last step of this session that is not signed; what cannot be taken back any more is left out."""
    steps: list[Callable[[], str]] = st.session_state.get(UNDO, [])
    if steps:
        step(steps.pop())
