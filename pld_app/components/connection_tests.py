"""Testing the connection to each model: a button a model, what is wrong in words, and whether its key is set."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from pld_app import embedding, extracting, session, wiring
from pld_app.components.remark import draw_remark
from pld_app.components.text import moment, plain
from pld_app.context_sizing import sized
from pld_app.embedder_settings import EMBEDDER_KEY_VARIABLE
from pld_app.settings import KEY_VARIABLE, Settings
from pld_app.settings_view import keys_set
from pld_app.student_words import fact_words
from pld_app.teacher_settings import TEACHER_KEY_VARIABLE
from pld_core.errors import PldError
from pld_core.model_ports import BackendStatus

Look = Callable[[Settings, str], BackendStatus]


@dataclass(frozen=True)
class CheckResult:
    """What a test of a connection found, and with which settings."""

    ready: bool
    problem: str
    fix: str
    at: str
    took_ms: int
    settings: Settings
    facts: str = ""


def draw_student_tests(settings: Settings) -> None:
    """Draw the tests of all students that can be chosen."""
    names = dict.fromkeys((*settings.students, settings.student), "")
    _draw_tests("student", names, _sized_status, settings)
    _draw_key(KEY_VARIABLE, "")


def _sized_status(settings: Settings, name: str) -> BackendStatus:
    """Look with the context window that questions get."""
    return wiring.student_status(sized(settings, session.app().store), name)


def draw_teacher_tests(settings: Settings) -> None:
    """Draw the tests of the teachers of the settings, each once."""
    names: dict[str, str] = {}
    own = settings.teacher
    for purpose, name in (("extraction", own.extraction), ("synthesis", own.synthesis), ("conflicts", own.conflicts)):
        if name:
            names[name] = f"{names[name]}, {purpose}" if name in names else purpose
    if names:
        _draw_tests("teacher", names, extracting.teacher_status, settings)
    else:
        st.info("No teacher is set. Name one for extraction and save; then it can be tested here.")
    _draw_key(TEACHER_KEY_VARIABLE, f"Without it {KEY_VARIABLE} is used, if teacher and students have one server.")


def draw_embedder_test(settings: Settings) -> None:
    """Draw the test of the embedder of the settings."""
    name = embedding.embedder_name(settings)
    _draw_tests("embedder", {name: ""}, embedding.embedder_status, settings)
    if not embedding.is_built_in(name):
        _draw_key(EMBEDDER_KEY_VARIABLE, "Without it the teacher's or students' key is used, if it is their server.")


def _draw_tests(whose: str, names: Mapping[str, str], look: Look, settings: Settings) -> None:
    st.markdown("**Test the connection**")
    st.caption("A test asks for the list of models, with the saved settings. It sends no text and costs nothing.")
    for at, (name, purpose) in enumerate(names.items()):
        with st.container(border=True):
            title, button = st.columns([7, 3], vertical_alignment="center")
            title.markdown(f"**{plain(name)}**" + (f" :gray[{plain(purpose)}]" if purpose else ""))
            key = f"{whose}:{name}"
            if button.button("Test", key=f"test_{whose}_{at}", width="stretch"):
                with st.spinner("Asking the server …"):
                    session.remember_check(key, _check(look, settings, name))
            _draw_result(session.last_check(key), settings)


def _check(look: Look, settings: Settings, name: str) -> CheckResult:
    started, at = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    try:
        status = look(settings, name)
        ready, problem, fix = status.ready, status.problem, status.fix
        facts = fact_words(status) if ready else ""
    except PldError as error:
        ready, problem, fix, facts = False, str(error), "", ""
    return CheckResult(ready, problem, fix, at, round((time.monotonic() - started) * 1000), settings, facts)


def _draw_result(result: object, settings: Settings) -> None:
    if not isinstance(result, CheckResult):
        st.caption("Not tested yet.")
    elif result.settings != settings:
        st.caption("Settings were changed since the last test.")
    else:
        if result.ready:
            draw_remark("green", ":material/check_circle: It can be asked.")
            if result.facts:
                st.caption(plain(result.facts))
        else:
            st.warning(plain(result.problem), icon=":material/power_off:")
            if result.fix:
                st.caption("Run this in a terminal, then test again:")
                st.code(result.fix, language=None, wrap_lines=True)
        st.caption(f"Tested {moment(result.at)}, {result.took_ms:,} ms")


def _draw_key(variable: str, otherwise: str) -> None:
    st.markdown("**Key**")
    if keys_set()[variable]:
        st.markdown(f":small[:green[:material/key: {plain(variable)} is set.] It is used and never shown.]")
        return
    st.caption(
        f":material/key_off: {plain(variable)} is not set. {plain(otherwise)} A key is read from the environment only: "
        "set it where the app is started, then start the app again."
    )
    st.code(f"export {variable}=<your key>", language=None)
