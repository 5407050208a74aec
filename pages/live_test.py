"""Live test: one input, one student, one prompt version; the answer as it comes, and what it cost."""

import streamlit as st

from pld_app import session
from pld_app.components.effective_prompt import draw_effective_prompt, draw_window
from pld_app.components.finding_list import draw_all_findings
from pld_app.components.frame import current_task
from pld_app.components.permitted import allowed
from pld_app.components.student_choice import draw_student
from pld_app.components.test_batch import draw_batch
from pld_app.components.test_input import draw_input
from pld_app.components.test_result import ask_and_draw
from pld_app.components.text import count, moment, plain
from pld_core.models import Task
from pld_core.permissions import Step

ONE, MANY, MARKED = "One question", "Many at once", "Findings"


def draw(task: Task) -> None:
    st.title(f"Live test: {plain(task.title)}")
    versions = session.app().store.prompts.all(task.name)
    if not versions:
        st.info("There is no prompt version to test yet. Approve a rule, then compile.")
        st.page_link("pages/prompt.py", label="Go to Prompt", icon=":material/description:")
        return
    how = st.segmented_control("Ask", [ONE, MANY, MARKED], default=ONE, required=True, key="ask_how")
    if how == MANY:
        draw_batch(task, versions)
        return
    if how == MARKED:
        draw_all_findings(task)
        return
    left, right = st.columns([50, 50], gap="medium")
    with left:
        labels = {
            v.number: f"Version {v.number}, {count(len(v.prompt.rules), 'rule')}, {moment(v.created_at)}"
            for v in versions
        }
        key = f"test_version_{task.name}"
        number = st.selectbox("Prompt version", list(labels), format_func=lambda n: labels[n], key=key)
        student = draw_student("test_student")
        draw_window(task, student)
        question = draw_input(task)
    with right:
        asked = st.button(
            "Ask the student", type="primary", key="ask", shortcut="Ctrl+Enter", **allowed(Step.ASK, student.ready)
        )
        version = next(v for v in versions if v.number == number)
        ask_and_draw(task, version, student, question, asked)
        draw_effective_prompt(task, version, student, question)


if (chosen := current_task()) is not None:
    draw(chosen)
