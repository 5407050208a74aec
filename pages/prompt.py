"""Prompt: what would be compiled, the versions, and where each rule in them comes from."""

import streamlit as st

from pld_app import session
from pld_app.components.frame import current_task
from pld_app.components.prompt_view import draw_candidates, draw_version
from pld_app.components.release_panel import draw_release
from pld_app.components.text import count, moment, plain, short_hash
from pld_core.models import Task


def draw(task: Task) -> None:
    st.title(f"Prompt: {plain(task.title)}")
    st.caption("Only approved revisions are compiled. Building a version moves nothing into production.")
    draw_candidates(task)
    versions = session.app().store.prompts.all(task.name)
    if not versions:
        st.info("Nothing is compiled yet.")
        return
    st.header("Versions")
    labels = {
        v.number: f"Version {v.number} · {count(len(v.prompt.rules), 'rule')} · {moment(v.created_at)} · "
        f"{short_hash(v.prompt.sha256)}"
        for v in versions
    }
    number = st.selectbox("Version", list(labels), format_func=lambda n: labels[n], key=f"version_{task.name}")
    version = next(v for v in versions if v.number == number)
    draw_version(version)
    draw_release(task, version)


if (chosen := current_task()) is not None:
    draw(chosen)
