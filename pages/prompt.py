"""Prompt: what would be compiled, the versions, where each rule in them comes from, and how two of them differ."""

import streamlit as st

from pld_app import session
from pld_app.components.frame import current_task
from pld_app.components.prompt_compare import draw_compare
from pld_app.components.prompt_files import draw_verify
from pld_app.components.prompt_form import draw_form
from pld_app.components.prompt_view import draw_table, draw_version
from pld_app.components.publish_panel import draw_publications
from pld_app.components.release_panel import draw_release
from pld_app.components.text import count, moment, plain, short_hash
from pld_core.models import Task


def draw(task: Task) -> None:
    st.title(f"Prompt: {plain(task.title)}")
    st.caption("Only approved revisions are compiled. Building a version moves nothing into production.")
    draw_form(task)
    versions = session.app().store.prompts.all(task.name)
    if versions:
        st.header("Versions")
        draw_table(versions)
        labels = {
            v.number: f"Version {v.number} · {count(len(v.prompt.rules), 'rule')} · {moment(v.created_at)} · "
            f"{short_hash(v.prompt.sha256)}"
            for v in versions
        }
        number = st.selectbox("Version", list(labels), format_func=lambda n: labels[n], key=f"version_{task.name}")
        version = next(v for v in versions if v.number == number)
        draw_version(version)
        draw_release(task, version)
        draw_publications(version)
    else:
        st.info("Nothing is compiled yet.")
    if len(versions) > 1:
        draw_compare(task, versions)
    draw_verify()


if (chosen := current_task()) is not None:
    draw(chosen)
