"""Home: tasks with their progress, jobs, and what to do next."""

import streamlit as st

from pld_app import session
from pld_app.components.job_progress import draw_jobs
from pld_app.components.task_card import draw_task, offer_demos
from pld_core.models import SYSTEM


def draw() -> None:
    st.title("pld-review")
    st.caption(
        "A teacher model wrote reasoning rules from labelled examples. Read each rule beside its evidence, decide, "
        "compile what you approved into the student's prompt, and test it."
    )
    app = session.app()
    tasks = app.store.tasks.all()
    for task in tasks:
        draw_task(task)
    offer_demos()
    st.header("Jobs")
    draw_jobs(limit=5)
    if not tasks and any(event.actor != SYSTEM.name for event in app.store.events.page()):
        st.caption("This workspace has a history: see the Audit page.")


draw()
