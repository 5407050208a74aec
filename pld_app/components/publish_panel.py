"""A prompt version as a model on Ollama: what it was published as, reading it back, publishing it."""

from __future__ import annotations

import streamlit as st

from pld_app import session, students
from pld_app.components.permitted import allowed
from pld_app.components.remark import draw_remark
from pld_app.components.text import plain
from pld_core.errors import PldError
from pld_core.models import PromptVersion
from pld_core.permissions import Step
from pld_core.publishing import PublishedModel, model_name, unmarked


def draw_publications(version: PromptVersion) -> None:
    """Draw what a version was published as, each with its digest, and the form that publishes it."""
    app = session.app()
    with st.expander("As a model on Ollama", icon=":material/publish:", key="publications"):
        for made in app.store.prompts.publications(version.prompt.task, version.number):
            _draw_published(version, made)
        _draw_form(version)


def _draw_published(version: PromptVersion, made: PublishedModel) -> None:
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{plain(made.model)}**, made of {plain(made.student)}")
        st.code(made.digest, language=None, wrap_lines=True)
        settings = ", ".join(f"{name} {value}" for name, value in sorted(made.parameters.items()))
        st.caption(plain(f"{settings} · on {', '.join(made.hosts)}"))
        if made.notice:
            draw_remark("red", plain(made.notice))
        if caution := unmarked(made, students.exception_of(session.app(), version)):
            draw_remark("red", plain(caution))
        if st.button("Read it back", key=f"verify_{made.model}_{made.digest}"):
            _draw_read_back(version, made)


def _draw_read_back(version: PromptVersion, made: PublishedModel) -> None:
    try:
        problem = students.read_back(session.app(), version, made)
    except PldError as error:
        problem = str(error)
    if problem:
        st.error(plain(problem), icon=":material/error:")
    else:
        draw_remark("green", ":material/check_circle: The servers hold this prompt, word for word, under this digest.")


def _draw_form(version: PromptVersion) -> None:
    student = session.app().settings.ollama_student
    st.caption(
        f"Makes a model of {plain(student)} that always has this prompt, and reads it back. Production does not move."
    )
    exception = students.exception_of(session.app(), version)
    if exception is not None:
        draw_remark("red", "The model's name and its licence text will state the exception.")
    key = f"publish_{version.prompt.task}_{version.number}"
    name = st.text_input("Name of the model", model_name(version, exception), key=f"{key}_name")
    reason = st.text_input("Reason", key=f"{key}_reason", help="It goes on the record.")
    if not st.button("Publish", key="publish", **allowed(Step.PUBLISH)):
        return
    try:
        with st.spinner("The server makes the model …"):
            students.publish(session.app(), version, student, name, reason)
    except PldError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    st.rerun()
