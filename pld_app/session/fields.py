"""What keyed widgets and switches hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st


def widget(key: str) -> str:
    """Return the text that a keyed widget holds, empty if it holds none."""
    return str(st.session_state.get(key) or "")


def picked(key: str) -> str | None:
    """Return the text that a keyed choice holds, None if nothing is chosen; an empty text is a choice."""
    found = st.session_state.get(key)
    return None if found is None else str(found)


def text_or(key: str, otherwise: str) -> str:
    """Return the text that a keyed widget holds, `otherwise` if it is not on the screen yet."""
    return str(st.session_state.get(key, otherwise))


def ticked(key: str) -> bool:
    """Return whether a keyed checkbox is ticked."""
    return bool(st.session_state.get(key))


def number(key: str, otherwise: float = 0.0) -> float:
    """Return the number that a keyed widget holds."""
    found = st.session_state.get(key)
    return float(found) if isinstance(found, int | float) else otherwise


def chosen(key: str) -> tuple[str, ...]:
    """Return the texts that a keyed widget for several holds."""
    return tuple(str(value) for value in st.session_state.get(key) or ())


def edits(key: str) -> Mapping[str, Any]:
    """Return what was edited in a table: `edited_rows`, `added_rows`, `deleted_rows`."""
    found = st.session_state.get(key)
    return found if isinstance(found, Mapping) else {}


def holds(*keys: str) -> bool:
    """Return whether each of these keyed widgets has a value in this session."""
    return all(key in st.session_state for key in keys)


def preset(key: str, value: object) -> None:
    """Give a keyed widget its value before it is drawn."""
    st.session_state[key] = value


def preset_once(key: str, value: object) -> None:
    """Give a keyed widget its first value; what somebody chose or typed stays."""
    st.session_state.setdefault(key, value)


def changed(key: str, value: object) -> bool:
    """Return whether a choice is another one than on the run before: what was chosen once is not applied for ever."""
    before = st.session_state.get(f"_seen_{key}")
    st.session_state[f"_seen_{key}"] = value
    return bool(before != value)


def forget(*keys: str) -> None:
    """Drop what keyed widgets hold, such as a draft that was saved."""
    for key in keys:
        st.session_state.pop(key, None)


def forget_edit(revision_hash: str) -> None:
    """Drop what the fields of an edit of this revision hold."""
    for key in [k for k in st.session_state if str(k).startswith("edit_") and str(k).endswith(revision_hash)]:
        del st.session_state[key]


def flag(key: str) -> bool:
    """Return whether a switch of this session is on."""
    return bool(st.session_state.get(key))


def flip(key: str) -> None:
    st.session_state[key] = not flag(key)
