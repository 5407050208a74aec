"""The student's answer: streamed, then with label, time, tokens and context."""

from __future__ import annotations

import streamlit as st

from pld_app import session, wiring
from pld_app.components.finding_form import draw_mark
from pld_app.components.test_input import Question
from pld_app.components.text import in_badge, plain
from pld_app.wiring import LiveTest
from pld_core.errors import PldError
from pld_core.finding import AnswerPlace
from pld_core.model_ports import BackendStatus, ChatReply
from pld_core.models import Answer, AnswerStatus, PromptVersion, Task


def ask_and_draw(task: Task, version: PromptVersion, student: BackendStatus, question: Question, asked: bool) -> None:
    """Ask when the button was pressed; draw the answer, or the last one of this session."""
    if asked:
        outcome = _ask(task, version, student, question)
        if outcome is None:
            return
        session.remember_test((outcome, question.gold, version.number, student.name))
    last = session.last_test()
    if last is None:
        st.info("The answer appears here: its label, the raw text, time and tokens.")
        return
    outcome, gold, number, name = last
    with st.container(border=True, key="result"):
        _draw_label(outcome.answer, gold)
        if outcome.answer.status is AnswerStatus.UNVERIFIED:
            st.error(plain(outcome.answer.problem), icon=":material/content_cut:")
        st.caption(f"{plain(name)}, prompt version {number}")
        st.markdown("**Raw answer**")
        st.code(outcome.answer.raw or "(nothing)", language=None, wrap_lines=True)
        _draw_cost(outcome.answer, outcome.reply)
        rules = tuple(rule.rule_id for rule in session.app().store.prompts.get(task.name, number).prompt.rules)
        draw_mark(task, AnswerPlace(live_test=outcome.number), outcome.answer, rules, gold)


def _ask(task: Task, version: PromptVersion, student: BackendStatus, question: Question) -> LiveTest | None:
    place = st.empty()
    place.skeleton(height=60)
    try:
        with st.spinner(f"{student.title} is reading the prompt; the first answer takes longest…", show_time=True):
            for piece in wiring.live_test_pieces(session.app(), task, version, student.name, question.values):
                if isinstance(piece, LiveTest):
                    place.empty()
                    return piece
                place.code(piece, language=None, wrap_lines=True)
    except PldError as error:
        place.error(plain(str(error)), icon=":material/error:")
    return None


def _draw_label(answer: Answer, gold: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if answer.label is None:
            st.badge(f"no label: {answer.status.value}, counts as wrong", color="red", icon=":material/error:")
            if answer.status is not AnswerStatus.UNVERIFIED:
                st.caption(plain(answer.problem))
        else:
            st.badge(in_badge(answer.label), color="primary")
        if gold:
            right = answer.label == gold
            mark = ("agrees with", "green") if right else ("differs from", "orange")
            st.badge(f"{mark[0]} the gold label {in_badge(gold)}", color=mark[1])  # type: ignore[arg-type]


def _draw_cost(answer: Answer, reply: ChatReply | None) -> None:
    columns = st.columns(3)
    columns[0].metric("Time", f"{answer.latency_ms / 1000:.2f} s")
    columns[1].metric("Prompt tokens", _count(answer.prompt_tokens))
    columns[2].metric("Answer tokens", _count(answer.output_tokens))
    parts = []
    if reply is not None:
        split = [("loading", reply.load_ms), ("prompt", reply.prompt_ms), ("answer", reply.output_ms)]
        parts = [f"{name} {ms / 1000:.2f} s" for name, ms in split if ms is not None]
    if answer.cached_tokens is not None:
        parts.append(f"{answer.cached_tokens:,} prompt tokens from the cache")
    elif answer.prompt_tokens is not None:
        parts.append("the server does not say how much of the prompt came from its cache")
    st.caption(" · ".join(parts) or "The server does not say how the time was spent.")
    if answer.context_size and answer.prompt_tokens is not None:
        used = answer.prompt_tokens + (answer.output_tokens or 0)
        st.progress(min(1.0, used / answer.context_size), text=f"Context: {used:,} of {answer.context_size:,} tokens")
    else:
        st.caption("Context used: the server does not say.")


def _count(tokens: int | None) -> str:
    return "not told" if tokens is None else f"{tokens:,}"
