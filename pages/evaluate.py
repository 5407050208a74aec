"""Evaluate: run a prompt version over a split with a student, and read the figures."""

import streamlit as st

from pld_app import session
from pld_app.components.frame import current_task
from pld_app.components.job_progress import draw_jobs, order_job
from pld_app.components.permitted import allowed
from pld_app.components.run_view import draw_runs
from pld_app.components.student_choice import draw_student
from pld_app.components.text import plain
from pld_core.models import Split, Task
from pld_core.permissions import Step


def draw(task: Task) -> None:
    st.title(f"Evaluate: {plain(task.title)}")
    app = session.app()
    versions = app.store.prompts.all(task.name)
    if not versions:
        st.info("There is no prompt version to evaluate yet. Approve a rule, then compile.")
        st.page_link("pages/prompt.py", label="Go to Prompt", icon=":material/description:")
        return
    left, right = st.columns([4, 6], gap="medium")
    with left, st.container(border=True):
        st.markdown("**New run over the validation split**")
        number = st.selectbox("Prompt version", [v.number for v in versions], key=f"run_version_{task.name}")
        student = draw_student("run_student")
        size = app.store.tasks.counts(task.name).examples.get(Split.VALIDATION, 0)
        st.caption(f"{size:,} examples, one call each. The worker does it; you can leave this page.")
        params = {"prompt": number, "student": student.name, "split": Split.VALIDATION.value}
        st.button(
            "Start the run",
            type="primary",
            key="start_run",
            **allowed(Step.EVALUATE, student.ready and size > 0),
            on_click=order_job,
            args=("evaluate", task.name, params),
        )
    with right:
        draw_jobs(task.name, "evaluate", limit=3)
    draw_runs(task)


if (chosen := current_task()) is not None:
    draw(chosen)
