"""Choosing a student: which ones are there, and what to do about one that is not."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pld_app import session, wiring
from pld_app.components.not_ready import draw_not_ready
from pld_app.components.remark import draw_remark
from pld_app.components.text import plain
from pld_app.context_sizing import sized
from pld_app.settings import Settings
from pld_app.student_words import fact_words
from pld_core.model_ports import BackendStatus

EMBEDDED = "embedded"


@st.cache_data(ttl=10, show_spinner=False, max_entries=32)
def _status(settings: Settings, name: str) -> BackendStatus:
    """Ask a backend whether it is there; kept for 10 seconds unless settings change."""
    return wiring.student_status(settings, name)


def student_statuses() -> dict[str, BackendStatus]:
    """Return the students that can be chosen, that of the settings among them, each with its state."""
    app = session.app()
    settings = sized(app.settings, app.store)
    names = list(settings.students)
    if settings.student not in names:
        names.insert(0, settings.student)
    return {name: _status(settings, name) for name in names}


def draw_student(key: str, statuses: Mapping[str, BackendStatus] | None = None) -> BackendStatus:
    """Draw the choice of a student with its state; the command that helps, and the embedded student as a way out.

    Args:
        statuses: the students that can be chosen, where the page has asked for them already.
    """
    settings, found = session.app().settings, student_statuses() if statuses is None else statuses
    names = list(found)
    if session.widget(key) not in names:
        ready = [name for name in names if found[name].ready]
        session.preset(key, settings.student if found[settings.student].ready or not ready else ready[0])
    name = st.selectbox(
        "Student",
        names,
        format_func=lambda n: f"{found[n].title} ({'ready' if found[n].ready else 'not ready'})",
        key=key,
        persist_state="session",
    )
    status = found[name]
    if status.ready:
        st.caption(plain(f"{status.model} · {fact_words(status)}"))
        if status.caution:
            draw_remark("orange", f"{plain(status.caution)}")
        return status
    draw_not_ready(status)
    with st.container(horizontal=True):
        st.button("Look again", key=f"again_{key}", on_click=_status.clear)
        if name != EMBEDDED and found.get(EMBEDDED) and found[EMBEDDED].ready:
            st.button("Use the embedded student", key=f"embedded_{key}", on_click=session.preset, args=(key, EMBEDDED))
    if name != EMBEDDED and EMBEDDED in found:
        st.caption(plain(found[EMBEDDED].caution))
    return status
