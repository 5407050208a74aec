"""Choosing a teacher for one piece of work: those that are named anywhere, or another by its name."""

from __future__ import annotations

import streamlit as st

from pld_app import extracting, session
from pld_app.components.not_ready import draw_not_ready
from pld_app.components.remark import draw_remark
from pld_app.components.text import plain
from pld_app.settings import Settings
from pld_core.errors import PldError
from pld_core.model_ports import BackendStatus
from pld_core.models import Task


@st.cache_data(ttl=10, show_spinner=False, max_entries=32)
def look_at_teacher(settings: Settings, name: str) -> BackendStatus:
    """Ask the teacher's server whether it is there; kept for 10 seconds unless settings change."""
    return extracting.teacher_status(settings, name)


def draw_teacher(task: Task, first: str, key: str) -> tuple[str, bool]:
    """Draw the choice of a teacher; return its name, and whether it can be asked.

    Args:
        first: chosen until somebody chooses another.
    """
    own = session.app().settings.teacher
    # A name that somebody typed stays among those to choose from.
    named = (first, task.teacher, own.conflicts, own.synthesis, own.extraction, session.widget(key))
    name = st.selectbox(
        "Teacher",
        list(dict.fromkeys(one for one in named if one)),
        key=key,
        accept_new_options=True,
        help="It proposes repairs; it changes nothing. Type another one's name, such as ollama:gemma3:4b.",
        persist_state="session",
    )
    if not name:
        draw_remark("red", "Choose a teacher.")
        return "", False
    try:
        status = look_at_teacher(session.app().settings, name)
    except PldError as error:
        draw_remark("red", plain(str(error)))
        return name, False
    if status.ready:
        st.caption(plain(status.caution or "It can be asked now."))
        return name, True
    draw_not_ready(status)
    st.button("Look again", key=f"again_{key}", on_click=look_at_teacher.clear)
    return name, False
