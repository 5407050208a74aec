"""One outcome of a live test: label, raw answer, rules cited, and what it cost."""

from __future__ import annotations

import streamlit as st

from pld_app.components.finding_form import draw_mark
from pld_app.components.test_cited import draw_cited
from pld_app.components.test_cost import draw_cost
from pld_app.components.text import in_badge, plain
from pld_app.live_testing import LiveTest
from pld_core.finding import AnswerPlace
from pld_core.models import Answer, AnswerStatus, Task


def draw_result(task: Task, test: LiveTest, gold: str) -> None:
    """Draw an outcome.

    Args:
        gold: label of the stored example; empty for a text of one's own.
    """
    _draw_label(test.answer, gold)
    if test.answer.status is AnswerStatus.UNVERIFIED:
        st.error(plain(test.answer.problem), icon=":material/content_cut:")
    st.markdown("**Raw answer**")
    st.code(test.answer.raw or "(nothing)", language=None, wrap_lines=True)
    draw_cited(task.name, test)
    draw_cost(test.answer, test.reply)
    st.caption(f"Answered by {plain(test.question.student)}, recorded word for word as live test {test.number}.")
    if test.answer.status is not AnswerStatus.STOPPED:
        rules = tuple(rule.rule_id for rule in test.question.prompt.prompt.rules)
        draw_mark(task, AnswerPlace(live_test=test.number), test.answer, rules, gold)


def _draw_label(answer: Answer, gold: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if answer.status is AnswerStatus.STOPPED:
            st.badge("stopped: no label", color="gray", icon=":material/stop_circle:")
        elif answer.label is None:
            st.badge(f"no label: {answer.status.value}, counts as wrong", color="red", icon=":material/error:")
        else:
            st.badge(in_badge(answer.label), color="blue")
        if gold and answer.status is not AnswerStatus.STOPPED:
            agrees = answer.label == gold
            said = "agrees with" if agrees else "differs from"
            st.badge(f"{said} the gold label {in_badge(gold)}", color="green" if agrees else "orange")
    if answer.label is None and answer.status is not AnswerStatus.UNVERIFIED:
        st.caption(plain(answer.problem))
