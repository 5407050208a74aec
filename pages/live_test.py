"""Live test: one input, one student, up to three prompts side by side; the answers as they come, and what they cost."""

from collections.abc import Sequence

import streamlit as st

from pld_app import session
from pld_app.components.effective_prompt import draw_effective_prompt, draw_window
from pld_app.components.finding_list import draw_all_findings
from pld_app.components.frame import current_task
from pld_app.components.permitted import allowed
from pld_app.components.student_choice import draw_student
from pld_app.components.test_batch import draw_batch
from pld_app.components.test_input import Question, draw_input
from pld_app.components.test_prompts import Manner, draw_manner, draw_prompts
from pld_app.components.test_round import draw_round
from pld_app.components.test_trial import draw_trial
from pld_app.components.text import plain
from pld_app.live_prompts import AskedPrompt
from pld_app.live_testing import LiveQuestion
from pld_core.model_ports import BackendStatus
from pld_core.models import Task
from pld_core.permissions import Step

ONE, MANY, MARKED = "One question", "Many at once", "Findings"


def draw(task: Task) -> None:
    st.title(f"Live test: {plain(task.title)}")
    versions = session.app().store.prompts.listed(task.name)
    if not versions:
        st.info("There is no prompt version to test yet. Approve a rule, then compile.")
        st.page_link("pages/prompt.py", label="Go to Prompt", icon=":material/description:")
        return
    how = st.segmented_control("Ask", [ONE, MANY, MARKED], default=ONE, required=True, key="ask_how")
    if how == MANY:
        draw_batch(task, versions)
    elif how == MARKED:
        draw_all_findings(task)
    else:
        _draw_one(task)


def _draw_one(task: Task) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        question = draw_input(task)
    with right:
        student = draw_student("test_student")
        draw_window(task, student)
        prompts = draw_prompts(task)
        manner = draw_manner()
        with st.container(horizontal=True, vertical_alignment="center"):
            may = allowed(Step.ASK, student.ready and bool(prompts))
            pressed = st.button("Ask the student", type="primary", key="ask", shortcut="Ctrl+Enter", **may)
            stop = st.empty()
        trial = draw_trial(task, prompts, student.ready)
    wanted = trial or (prompts if pressed else ())
    if wanted:
        session.begin_round(_round(task, wanted, student, question, manner))
        stop.button("Stop", key="stop", icon=":material/stop:")
    shown = session.last_round(task.name)
    if shown is None:
        st.info("The answers appear here: label, raw text, rules cited, time and tokens.")
    else:
        draw_round(task, shown, bool(wanted))
    stop.empty()
    if prompts:
        draw_effective_prompt(task, prompts[0], student, question)


def _round(
    task: Task, wanted: Sequence[AskedPrompt], student: BackendStatus, question: Question, manner: Manner
) -> session.LiveRound:
    asked = [LiveQuestion(one, student.name, question.values, manner.temperature) for one in wanted]
    columns = tuple(session.LiveColumn(one.repeated(manner.times)) for one in asked)
    return session.LiveRound(task.name, student.name, question.gold, columns)


if (chosen := current_task()) is not None:
    draw(chosen)
