"""Data: how many examples, which ones, one in full, and import."""

import streamlit as st

from pld_app import session
from pld_app.components.example_list import draw_counts, draw_examples
from pld_app.components.frame import current_task
from pld_app.components.import_form import draw_import
from pld_app.components.text import plain
from pld_core.models import Task


def draw(task: Task) -> None:
    st.title(f"Data: {plain(task.title)}")
    left, right = st.columns([6, 4], gap="medium")
    with left:
        draw_counts(task)
    with right, st.expander("Guideline and labels", expanded=False):
        st.caption(f"Guideline, version {task.guideline_version}")
        st.text(task.guideline or "(none)")
        for label in task.labels:
            st.markdown(f"**{plain(label.name)}** {plain(label.description or '(no description)')}")
    draw_examples(task)


if session.app().store.tasks.all():
    if (chosen := current_task()) is not None:
        draw(chosen)
else:
    st.title("Data")
    st.info("No data yet. Import a file here, or build a demo task on the Home page.")
draw_import()
