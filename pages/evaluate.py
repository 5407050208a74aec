"""Evaluate: run prompt versions over splits with students, and read the figures."""

import streamlit as st

from pld_app import session
from pld_app.components.frame import current_task
from pld_app.components.job_progress import draw_jobs
from pld_app.components.repeat_list import draw_repeats
from pld_app.components.report_button import draw_report_button
from pld_app.components.run_form import NEW, draw_run_form
from pld_app.components.run_grid import draw_grid
from pld_app.components.run_view import draw_runs
from pld_app.components.student_choice import student_statuses
from pld_app.components.test_lock import draw_looks
from pld_app.components.text import plain
from pld_core.models import Task

# So many jobs are shown. A docstring here would be drawn on the page.
AT_ONCE = 4


def draw(task: Task) -> None:
    st.title(f"Evaluate: {plain(task.title)}")
    app = session.app()
    versions = app.store.prompts.listed(task.name)
    if not versions:
        st.info("There is no prompt version to evaluate yet. Approve a rule, then compile.")
        st.page_link("pages/prompt.py", label="Go to Prompt", icon=":material/description:")
        return
    students = student_statuses()
    has_run = bool(app.store.runs.all(task.name))
    # Once there is a run its figures come first: the way to another one folds down to a line, and jobs to what is new.
    if has_run:
        with st.expander(NEW, icon=":material/add:"):
            draw_run_form(task, versions, students)
        draw_jobs(task.name, "evaluate", AT_ONCE, ended=1, none="")
        draw_runs(task)
    else:
        left, right = st.columns([4, 6], gap="medium")
        with left:
            draw_run_form(task, versions, students)
        with right:
            draw_jobs(task.name, "evaluate", AT_ONCE)
    draw_looks(task)
    draw_grid(task, versions, students)
    draw_repeats(task)
    if not has_run:
        draw_runs(task)
    draw_report_button(task)


if (chosen := current_task()) is not None:
    draw(chosen)
