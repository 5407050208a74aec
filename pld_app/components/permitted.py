"""Buttons that know roles: greyed out, with the reason, for whom the step is not permitted."""

from __future__ import annotations

from typing import TypedDict

from pld_app import session
from pld_core.permissions import PERMITTED, Step, permits, role_words


class Control(TypedDict):
    """What a button or a field is told."""

    disabled: bool
    help: str | None


def allowed(step: Step, possible: bool = True, help: str = "") -> Control:  # noqa: A002 - Streamlit's word
    """Return whether a widget rests, and what it says of itself.

    The store refuses the step as well; this only says so before the click.

    Args:
        step: what the widget does.
        possible: whether it can be done at all now.
        help: what the widget says otherwise.
    """
    if not permits(session.app().actor, step):
        return Control(disabled=True, help=f"That takes the role {role_words(PERMITTED[step])}.")
    return Control(disabled=not possible, help=help or None)
