"""Replies that could not be used: what went wrong, the raw reply beside its example, and asking again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from pld_app import extracting, session
from pld_app.components.evidence_card import draw_example
from pld_app.components.extract_caps import ENTRIES
from pld_app.components.extract_estimate import estimate_of
from pld_app.components.extract_form import can_deliver, is_going_on, is_ready
from pld_app.components.job_progress import order_job
from pld_app.components.kind_pills import chosen_kinds
from pld_app.components.permitted import allowed
from pld_app.components.text import count, in_badge, plain, short_hash
from pld_app.extract_order import Delivery, ExtractOrder
from pld_core.errors import Failure, NotFound
from pld_core.models import Split, Task
from pld_core.permissions import Step
from pld_core.pricing import money
from pld_core.records import TeacherCall

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
    Failure.UNVERIFIED: "perhaps only part of the request was read",
    Failure.REJECTED: "the server rejected the call",
    Failure.BROKEN: "broke off",
    Failure.BUSY: "the server was busy",
    Failure.UNREACHABLE: "the server was not reached",
    Failure.TIMEOUT: "took too long",
}


def newest_failures(task: Task) -> tuple[TeacherCall, ...]:
    """Return the newest failure of each example that has no instruction since."""
    return extracting.newest_failures(session.app(), task.name)


def draw_failures(task: Task, teacher: str, found: tuple[TeacherCall, ...], order: ExtractOrder) -> None:
    """Draw the failures, a page at a time, and buttons that ask them again, the way and with the caps of `order`."""
    if not found:
        st.info("No reply failed. One that cannot be used is listed here, word for word.")
        return
    failures = [call.failure for call in found if call.failure]
    kinds = chosen_kinds("What went wrong", failures, WORDS.__getitem__, "failure_kinds")
    shown = [call for call in found if call.failure in kinds]
    closed = is_going_on(task) or not is_ready(teacher) or not can_deliver(teacher, order)
    _draw_again(task, teacher, len(found), shown, replace(order, retry=kinds), closed)
    pages = -(-len(shown) // PAGE_SIZE)
    page = min(st.pagination(pages, key="failure_page"), pages) if pages > 1 else 1
    for call in shown[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]:
        _draw(task, call, order, closed)


def _draw_again(
    task: Task, teacher: str, failed: int, shown: Sequence[TeacherCall], again: ExtractOrder, closed: bool
) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Ask this one again" if len(shown) == 1 else f"Ask these {len(shown):,} again",
            key="retry_failed",
            icon=":material/refresh:",
            **allowed(Step.EXTRACT, not closed),
            **session.as_shown((*ENTRIES, "failure_kinds"), order_job, "extract", task.name, again.as_json()),
        )
        if teacher:
            training = session.app().store.tasks.counts(task.name).examples.get(Split.TRAIN, 0)
            whole = estimate_of(task, training, failed, again)
            cost = "" if whole.cost is None else f", about {money(whole.cost, session.app().settings.teacher.currency)}"
            how = "as a batch, " if again.delivery is Delivery.BATCH else ""
            st.caption(
                f"{count(whole.calls, 'new call')}{plain(cost)}, {how}within the caps above; nothing else is asked."
            )


def _draw(task: Task, call: TeacherCall, order: ExtractOrder, closed: bool) -> None:
    alone = replace(order, examples=call.subjects[:1])
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(WORDS[call.failure] if call.failure else "not usable", color="orange")
            times = f", sent {call.attempts} times" if call.attempts > 1 else ""
            st.caption(f"{plain(call.model or call.teacher)}{times} · example {short_hash(call.subjects[0])}")
            st.button(
                "Ask again",
                key=f"ask_again_{short_hash(call.subjects[0])}",
                type="tertiary",
                icon=":material/refresh:",
                **allowed(Step.EXTRACT, not closed),
                **session.as_shown(ENTRIES, order_job, "extract", task.name, alone.as_json()),
            )
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
