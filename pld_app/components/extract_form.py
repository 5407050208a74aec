"""Ordering an extraction: which teacher, whether it is there, what the run would take, and its cap."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from pld_app import extracting, session
from pld_app.components.extract_estimate import draw_estimate, estimate_of
from pld_app.components.job_progress import order_job
from pld_app.components.text import count, plain
from pld_app.extracting import PROBE, ExtractOrder
from pld_app.settings import FILE_NAME, Settings
from pld_core.errors import PldError
from pld_core.models import Task
from pld_core.ports import BackendStatus

SCRIPTED = "scripted:"
EXAMPLE = '[teacher]\nextraction = "openai:gpt-4.1-mini"   # or "ollama:gemma3:4b"'


@st.cache_data(ttl=10, show_spinner=False, max_entries=32)
def _status(settings: Settings, name: str) -> BackendStatus:
    """Ask the teacher's server whether it is there; kept for 10 seconds unless settings change."""
    return extracting.teacher_status(settings, name)


def draw_no_teacher() -> None:
    """Say exactly what to set, and where, so that there is a teacher."""
    folder = session.app().settings.workspace
    st.warning("This task has no teacher yet, so nothing can be extracted.", icon=":material/power_off:")
    st.page_link("pages/settings.py", label="Name one on the Settings page", icon=":material/settings:")
    st.markdown("Or in the settings file of the workspace:")
    st.code(f"{folder / FILE_NAME}", language=None, wrap_lines=True)
    st.code(EXAMPLE, language=None)
    st.caption(
        "Or set PLD\\_TEACHER in the environment. A key goes into the environment only, as PLD\\_TEACHER\\_API\\_KEY. "
        "After a change of the environment, start the app again; a change of the file is in force at once."
    )


def draw_form(task: Task, teacher: str, training: int, failed: int) -> ExtractOrder:
    """Draw the teacher, the caps, the estimate and the buttons that order a job; return the order as it stands."""
    st.markdown("**New run over the training split**")
    ready = _draw_teacher(task, teacher)
    own = session.app().settings.teacher
    if estimate_of(task, training, failed, own.in_flight).calls == 0:
        _draw_nothing_left(training, failed)
        return _draw_caps(task, teacher) if failed else ExtractOrder(task.name)
    order = _draw_caps(task, teacher)
    found = estimate_of(task, training, failed, order.in_flight or own.in_flight)
    draw_estimate(found, training, teacher, order)
    going_on = is_going_on(task)
    closed = going_on or not ready
    with st.container(horizontal=True):
        st.button(
            f"Start: {count(found.calls, 'call')}",
            type="primary",
            key="start_extract",
            disabled=closed,
            on_click=order_job,
            args=("extract", task.name, order.as_json()),
        )
        if not found.measured and not teacher.startswith(SCRIPTED):
            few = min(PROBE, found.calls)
            st.button(
                f"Measure with {count(few, 'call')}",
                key="probe_extract",
                disabled=closed,
                help="They are real calls and paid for; their answers are kept, so none is paid for twice.",
                on_click=order_job,
                args=("extract", task.name, {**order.as_json(), "limit": PROBE}),
            )
    if going_on:
        st.caption("A run is going on. The next can be ordered when it has ended.")
    else:
        st.caption("The worker does it; you can leave this page. Nothing is sent before you start.")
    return order


def is_going_on(task: Task) -> bool:
    """Return whether an extraction of the task is queued or running."""
    jobs = session.app().store.jobs.recent(task.name, 50)
    return any(job.kind == "extract" and not job.state.is_final for job in jobs)


def is_ready(teacher: str) -> bool:
    """Return whether the teacher could be asked at the last look."""
    try:
        return bool(teacher) and _status(session.app().settings, teacher).ready
    except PldError:
        return False


def _draw_teacher(task: Task, teacher: str) -> bool:
    """Draw which teacher it is and whether it can be asked; return the latter."""
    whose = "set for this task" if task.teacher else "from the settings, as this task names none"
    if teacher.startswith(SCRIPTED):
        st.markdown(f"Teacher **{plain(teacher)}** :gray[{whose}]")
        st.caption("A scripted teacher: replies written for this demo. It is free and sends nothing anywhere.")
    else:
        st.markdown(f"Teacher **{plain(teacher)}** :gray[{whose}]")
    try:
        status = _status(session.app().settings, teacher)
    except PldError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return False
    if status.ready:
        st.caption(":green[:material/check_circle: It can be asked now.]")
        return True
    st.warning(plain(status.problem), icon=":material/power_off:")
    if status.fix:
        st.caption("Run this in a terminal, then look again:")
        st.code(status.fix, language=None)
    st.button("Look again", key="teacher_again", on_click=_status.clear)
    return False


def _draw_caps(task: Task, teacher: str) -> ExtractOrder:
    own = session.app().settings.teacher
    calls, cost, flight = st.columns(3, vertical_alignment="bottom")
    max_calls = calls.number_input(
        "Cap in calls", 1, value=own.max_calls, step=1, key=f"cap_calls_{task.name}", placeholder="none"
    )
    priced = own.price(teacher)
    is_paid = priced is None or bool(priced.input or priced.output)
    max_cost = cost.number_input(
        f"Cap in {plain(own.currency)}",
        0.000001,
        value=None if own.max_cost is None or priced is None else float(own.max_cost),
        step=1.0,
        format="%g",
        key=f"cap_cost_{task.name}",
        placeholder="none" if priced else "no price set",
        disabled=not priced or not is_paid,
    )
    in_flight = flight.number_input("Calls at a time", 1, value=own.in_flight, step=1, key=f"in_flight_{task.name}")
    return ExtractOrder(
        task.name,
        max_calls=max_calls,
        max_cost=None if max_cost is None else Decimal(str(max_cost)),
        in_flight=int(in_flight),
    )


def _draw_nothing_left(training: int, failed: int) -> None:
    if failed:
        st.info(f"Nothing is left to ask but {count(failed, 'failure')}, which stay as they are until asked again.")
    else:
        have = "training example has its instruction" if training == 1 else "training examples have their instruction"
        st.success(f"All {training:,} {have}.", icon=":material/check_circle:")
        st.page_link("pages/clusters.py", label="Go to Clusters", icon=":material/bubble_chart:")
