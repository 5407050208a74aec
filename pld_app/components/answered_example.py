"""An example that a student answered: what it said where that is no label, and the example itself."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.evidence_card import draw_example
from pld_app.components.text import plain
from pld_core.errors import NotFound
from pld_core.models import Answer, Task


def draw_answered_example(task: Task, example_hash: str, *answers: Answer) -> None:
    """Draw each answer that holds no label word for word, then the example, or that it is not there any more."""
    for answer in answers:
        if answer.label is None:
            st.code(answer.raw or answer.problem, language=None, wrap_lines=True)
    try:
        draw_example(session.app().store.tasks.example(task.name, example_hash))
    except NotFound as error:
        st.caption(plain(str(error)))
