"""A button is about what stood on the screen: its press does nothing where an entry came in together with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

import streamlit as st

from pld_app.session.messages import complain
from pld_core.errors import NotAllowed

CHANGED = (
    "An entry changed as you pressed. Nothing was started or saved. Read what the page says now, then press again."
)
Beginnings = str | tuple[str, ...]


class Pressed(TypedDict):
    """What a button is told."""

    on_click: Callable[[], None]


def as_shown(entries: Beginnings, action: Callable[..., None], *args: object, but: Beginnings = ()) -> Pressed:
    """Return what a button does whose arguments come from fields: `action`, if the fields are as they were drawn.

    The press also takes the person out of the field they were in, so the field's new value comes with the press, and
    the arguments were made of the old one. Only fields that are there both times count: whether a field is there
    follows from others.

    Args:
        entries: how the keys of the fields begin.
        but: how keys among these begin that are no entries: those of buttons, which hold a value while their press
            is worked on, and those of texts that `action` reads for itself, such as a reason.
    """
    drawn = _held(entries, but)

    def press() -> None:
        now = _held(entries, but)
        if any(now[key] != drawn[key] for key in now.keys() & drawn.keys()):
            complain(NotAllowed(CHANGED))
        else:
            action(*args)

    return Pressed(on_click=press)


def _held(entries: Beginnings, but: Beginnings) -> dict[str, object]:
    keys = map(str, st.session_state)
    return {key: st.session_state[key] for key in keys if key.startswith(entries) and not key.startswith(but)}
