"""What the student's model reads: prompt and input in the model's own template, and whether they fit its window."""

from __future__ import annotations

import streamlit as st

from pld_app import session, students
from pld_app.components.permitted import allowed
from pld_app.components.remark import draw_remark
from pld_app.components.test_input import Question
from pld_app.components.text import plain
from pld_app.context_sizing import fit_words, need_of, sized
from pld_app.live_prompts import AskedPrompt
from pld_core.errors import PldError
from pld_core.model_ports import BackendStatus
from pld_core.models import Task
from pld_core.permissions import Step

OLLAMA = students.OLLAMA


def draw_window(task: Task, student: BackendStatus) -> None:
    """Draw how the task fits the context window that Ollama is asked for; nothing for other students."""
    if not student.name.startswith(OLLAMA):
        return
    app = session.app()
    need, settings = need_of(app.store, task), sized(app.settings, app.store)
    words = plain(fit_words(settings, need))
    if need.total > (student.context_size or need.total):
        draw_remark("orange", words)
    else:
        st.caption(words)


def draw_effective_prompt(task: Task, asked: AskedPrompt, student: BackendStatus, question: Question) -> None:
    """Draw a switch for the text that the model reads of a prompt, asked of its server; nothing is generated."""
    if not student.name.startswith(OLLAMA):
        return
    if not st.toggle("Show what the model reads", key="show_effective", **allowed(Step.ASK, student.ready)):
        return
    st.caption(
        f"With {plain(asked.name)}. Prompt and input in the model's own template. That of Gemma 3 has no place for a "
        "system text: the prompt then stands at the head of the question."
    )
    try:
        text = students.effective_prompt(session.app(), task, asked.prompt, student.name, question.values)
    except PldError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    st.code(text, language=None, wrap_lines=True, height=300)
