"""The page's address: what a page can be linked to by, and what survives F5."""

from __future__ import annotations

import streamlit as st

TASK_IN_ADDRESS = "_task_in_address"


def address(name: str) -> str:
    """Return a value of the page's address, empty if it is not there."""
    return str(st.query_params.get(name, ""))


def set_address(name: str, value: str) -> None:
    """Put a value into the page's address, so that the page can be linked to and survives F5."""
    if value:
        st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]


def task_linked_to() -> str:
    """Return the task in the address if a link put it there, empty if it is the one that we wrote ourselves."""
    named = address("task")
    return named if named != st.session_state.get(TASK_IN_ADDRESS) else ""


def note_task_in_address(task: str) -> None:
    """Write the chosen task into the address, and remember that we did."""
    if address("task") != task:
        set_address("task", task)
    st.session_state[TASK_IN_ADDRESS] = task
