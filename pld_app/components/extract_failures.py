"""Replies that could not be used: what went wrong, the raw reply beside its example, and asking again."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pld_app import extracting, session
from pld_app.components.evidence_card import draw_example
from pld_app.components.extract_estimate import estimate_of
from pld_app.components.extract_form import is_going_on, is_ready
from pld_app.components.job_progress import order_job
from pld_app.components.text import count, in_badge, plain, short_hash
from pld_app.extracting import ExtractOrder
from pld_core.errors import Failure, NotFound
from pld_core.models import Split, Task
from pld_core.ports import TeacherCall
from pld_core.pricing import money

PAGE_SIZE = 10
WORDS = {
    Failure.REFUSED: "the teacher refused",
    Failure.LENGTH: "cut at its length limit",
    Failure.BAD_JSON: "not the asked JSON",
    Failure.WRONG_LABEL: "another label than the example's",
    Failure.FORMAT_ONLY: "speaks of the answer's format only",
    Failure.EMPTY: "empty",
    Failure.UNUSABLE: "not usable",
    Failure.TOO_LONG: "the example is too long for the model",
    Failure.REJECTED: "the server rejected the call",
    Failure.BROKEN: "broke off",
    Failure.BUSY: "the server was busy",
    Failure.UNREACHABLE: "the server was not reached",
    Failure.TIMEOUT: "took too long",
}


def newest_failures(task: Task) -> tuple[TeacherCall, ...]:
    """Return the newest failure of each example that has no instruction since."""
    return tuple({call.subjects[0]: call for call in extracting.failures(session.app(), task.name)}.values())


def draw_failures(task: Task, teacher: str, found: tuple[TeacherCall, ...], order: ExtractOrder) -> None:
    """Draw the failures, a page at a time, and the button that asks them again with the caps of `order`."""
    if not found:
        st.info("No reply failed. One that cannot be used is listed here, word for word.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Ask these again",
            key="retry_failed",
            icon=":material/refresh:",
            disabled=is_going_on(task) or not is_ready(teacher),
            on_click=order_job,
            args=("extract", task.name, replace(order, retry_failed=True).as_json()),
        )
        if teacher:
            own = session.app().settings.teacher
            training = session.app().store.tasks.counts(task.name).examples.get(Split.TRAIN, 0)
            whole = estimate_of(task, training, len(found), order.in_flight or own.in_flight, again=True)
            cost = "" if whole.cost is None else f", about {money(whole.cost, own.currency)}"
            st.caption(
                f"{count(whole.calls, 'new call')}{plain(cost)}, within the caps above: these "
                "and the examples that were not asked yet."
            )
    pages = -(-len(found) // PAGE_SIZE)
    page = min(st.pagination(pages, key="failure_page"), pages) if pages > 1 else 1
    for call in found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]:
        _draw(task, call)


def _draw(task: Task, call: TeacherCall) -> None:
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(WORDS[call.failure] if call.failure else "not usable", color="orange")
            times = f", sent {call.attempts} times" if call.attempts > 1 else ""
            st.caption(f"{plain(call.model or call.teacher)}{times} · example {short_hash(call.subjects[0])}")
        st.text(call.problem)
        said, asked = st.columns(2, gap="medium")
        with said:
            st.caption("The reply, word for word")
            if call.reply:
                st.code(call.reply, language=None, wrap_lines=True)
            else:
                st.text("(nothing came)")
        with asked:
            try:
                example = session.app().store.tasks.example(task.name, call.subjects[0])
            except NotFound as error:
                st.caption(plain(str(error)))
                return
            st.badge(f"gold label: {in_badge(example.label)}", color="blue")
            draw_example(example)
