"""Ordering an extraction: which teacher, whether it is there, and what the run would take."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pld_app import session
from pld_app.components.extract_caps import ENTRIES, draw_order
from pld_app.components.extract_estimate import draw_estimate, estimate_of
from pld_app.components.job_progress import order_job
from pld_app.components.not_ready import draw_not_ready
from pld_app.components.permitted import allowed
from pld_app.components.remark import draw_remark
from pld_app.components.teacher_choice import look_at_teacher
from pld_app.components.text import count, plain
from pld_app.extract_order import Delivery, ExtractOrder
from pld_app.extracting import PROBE
from pld_app.settings import FILE_NAME
from pld_app.teacher_settings import PAID
from pld_core.errors import PldError
from pld_core.extraction import TEMPLATE
from pld_core.models import Task
from pld_core.permissions import Step
from pld_core.templates import template

SCRIPTED = "scripted:"
EXAMPLE = '[teacher]\nextraction = "openai:gpt-4.1-mini"   # or "ollama:gemma3:4b"'


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
    if estimate_of(task, training, failed, ExtractOrder(task.name)).calls == 0:
        _draw_nothing_left(task, training, failed)
        return draw_order(task, teacher) if failed else ExtractOrder(task.name)
    order = draw_order(task, teacher)
    found = estimate_of(task, training, failed, order)
    draw_estimate(found, training, teacher, order)
    going_on = is_going_on(task)
    closed = going_on or not ready or not can_deliver(teacher, order)
    few = replace(order, limit=PROBE, delivery=Delivery.NOW)
    with st.container(horizontal=True):
        st.button(
            f"Submit: {count(found.calls, 'call')}"
            if order.delivery is Delivery.BATCH
            else f"Start: {count(found.calls, 'call')}",
            type="primary",
            key="start_extract",
            **allowed(Step.EXTRACT, not closed),
            **session.as_shown(ENTRIES, order_job, "extract", task.name, order.as_json()),
        )
        if not found.measured and not teacher.startswith(SCRIPTED):
            st.button(
                f"Measure with {count(min(PROBE, found.calls), 'call')}",
                key="probe_extract",
                **allowed(
                    Step.EXTRACT,
                    not closed,
                    "They are real calls and paid for; their answers are kept, so none is paid for twice.",
                ),
                **session.as_shown(ENTRIES, order_job, "extract", task.name, few.as_json()),
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
        return bool(teacher) and look_at_teacher(session.app().settings, teacher).ready
    except PldError:
        return False


def can_deliver(teacher: str, order: ExtractOrder) -> bool:
    """Return whether this kind of teacher can be asked the way that the order wants."""
    return order.delivery is Delivery.NOW or teacher.partition(":")[0] == PAID


def _draw_teacher(task: Task, teacher: str) -> bool:
    """Draw which teacher it is and whether it can be asked; return the latter."""
    whose = "set for this task" if task.teacher else "from the settings, as this task names none"
    if teacher.startswith(SCRIPTED):
        st.markdown(f"Teacher **{plain(teacher)}** :gray[{whose}]")
        st.caption("A scripted teacher: replies written for this demo. It is free and sends nothing anywhere.")
    else:
        st.markdown(f"Teacher **{plain(teacher)}** :gray[{whose}]")
    st.caption(f"Prompt template: {template(TEMPLATE).words}")
    try:
        status = look_at_teacher(session.app().settings, teacher)
    except PldError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return False
    if status.ready:
        draw_remark("green", ":material/check_circle: It can be asked now.")
        return True
    draw_not_ready(status)
    st.button("Look again", key="teacher_again", on_click=look_at_teacher.clear)
    return False


def _draw_nothing_left(task: Task, training: int, failed: int) -> None:
    waiting = len(session.app().store.logic.in_batches(task.name))
    if waiting:
        st.info(f"{count(waiting, 'request')} wait for their answer in a batch; nothing else is left to ask.")
    elif failed:
        st.info(f"Nothing is left to ask but {count(failed, 'failure')}, which stay as they are until asked again.")
    else:
        have = "training example has its instruction" if training == 1 else "training examples have their instruction"
        st.success(f"All {training:,} {have}.", icon=":material/check_circle:")
        st.page_link("pages/clusters.py", label="Go to Clusters", icon=":material/bubble_chart:")
