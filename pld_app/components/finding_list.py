"""Findings at a rule: what was asked, what the student said, what a person says is right; taking or dismissing them."""

from __future__ import annotations

import streamlit as st

from pld_app import findings, session
from pld_app.components.permitted import allowed
from pld_app.components.text import count, moment, plain, words
from pld_core.finding import MOST_NOTE, Finding, Settlement
from pld_core.models import EvidenceRole, RuleDossier, Task
from pld_core.permissions import Step
from pld_core.review import FINAL_STATES

SHOWN = 20


def draw_findings(dossier: RuleDossier) -> None:
    """Draw the findings that wait at the rule on screen, and how many were settled there."""
    rule = dossier.summary.id
    found = session.app().store.findings.of_rule(rule)
    waiting = [one for one in found if rule in one.waits_at]
    settled = [one for one in found if any(outcome.rule_id == rule for outcome in one.outcomes)]
    if not waiting and not settled:
        return
    title = f"{count(len(waiting), 'finding')} waiting" if waiting else f"{count(len(settled), 'finding')} settled"
    with st.expander(title, expanded=bool(waiting), icon=":material/flag:", key=f"findings_{rule}"):
        for one in waiting[:SHOWN]:
            _draw_waiting(dossier, one)
        if len(waiting) > SHOWN:
            st.caption(f"The newest {SHOWN} of {len(waiting)} are shown.")
        for one in settled[:SHOWN]:
            st.caption(plain(f"Finding {one.id}: {findings.state_words(one)}."))


def _draw_waiting(dossier: RuleDossier, one: Finding) -> None:
    key = f"finding_{one.id}_{dossier.summary.id}"
    with st.container(border=True, gap="xsmall", key=key):
        draw_what(one)
        if dossier.summary.state in FINAL_STATES:
            st.caption("This rule is settled for good, so the finding can only be dismissed here.")
        role = st.selectbox(
            "What the input says of the rule",
            [EvidenceRole.CONTRADICTS, EvidenceRole.NEAR_MISS, EvidenceRole.SUPPORTS, EvidenceRole.IRRELEVANT],
            format_func=lambda one: words(one.value),
            key=f"{key}_role",
        )
        st.text_input("Reason", key=f"{key}_reason", max_chars=MOST_NOTE, placeholder="Why (needed to dismiss)")
        with st.container(horizontal=True):
            st.button(
                "Take as evidence",
                key=f"{key}_take",
                **allowed(
                    Step.TICK,
                    dossier.summary.state not in FINAL_STATES,
                    "The input becomes a training example. An approved rule goes stale and is reviewed again.",
                ),
                **session.as_shown(f"{key}_role", _settle, dossier, one, role, f"{key}_reason"),
            )
            st.button(
                "Dismiss",
                key=f"{key}_dismiss",
                **allowed(Step.TICK),
                on_click=_settle,
                args=(dossier, one, None, f"{key}_reason"),
            )


def draw_what(one: Finding) -> None:
    """Draw the input, the answer, and what the person says of it."""
    marking = one.marking
    st.markdown(f"The student said **{plain(one.said)}**, right is **{plain(marking.label)}**: {plain(marking.note)}")
    for name, value in one.fields:
        if value.strip():
            st.caption(plain(name))
            st.text(value if len(value) <= 600 else f"{value[:600]}…")
    version = f"version {one.prompt_number}" if one.prompt_number else "a trial prompt"
    cited = f", naming {', '.join(one.answer.cited)}" if one.answer.cited else ""
    st.caption(
        plain(f"Finding {one.id} · {marking.place.words}, {one.student}, {version}{cited} · {one.by}, {moment(one.at)}")
    )


def _settle(dossier: RuleDossier, one: Finding, role: EvidenceRole | None, reason_key: str) -> None:
    def record() -> str:
        app = session.app()
        wanted = Settlement(one.id, dossier.summary.id, dossier.head.hash, role, session.widget(reason_key))
        done = app.store.findings.settle(wanted, app.actor)
        return f"Finding {one.id}: {findings.state_words(done)}"

    session.step(record)


def draw_all_findings(task: Task) -> None:
    """Draw every finding of a task, with the way to name a rule for one that is about none."""
    found = session.app().store.findings.all(task.name)
    if not found:
        st.info("No answer was marked yet. Under each answer there is “Right” and “Wrong…”.")
        return
    waiting = sum(one.is_open for one in found)
    st.caption(f"{count(len(found), 'finding')}, {waiting:,} of them open. Reviewers settle them on the Review page.")
    only_open = st.toggle("Only open ones", value=bool(waiting), key="findings_open")
    shown = [one for one in found if one.is_open or not only_open]
    for one in shown[:SHOWN]:
        with st.container(border=True, gap="xsmall", key=f"all_finding_{one.id}"):
            draw_what(one)
            st.markdown(plain(findings.state_words(one)))
            if one.is_open:
                _draw_attach(one)
            if one.is_open and not one.rules:
                _draw_dismiss(one)
    if len(shown) > SHOWN:
        st.caption(f"The newest {SHOWN} of {len(shown)} are shown; `pld finding list` shows all.")


def _draw_attach(one: Finding) -> None:
    key = f"attach_{one.id}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("It is about the rule", key=key, placeholder="R12", width=180)
        st.button("Let it wait there", key=f"{key}_send", **allowed(Step.MARK), on_click=_attach, args=(one, key))


def _attach(one: Finding, key: str) -> None:
    def record() -> str:
        app = session.app()
        done = app.store.findings.attach(one.id, session.widget(key).strip(), app.actor)
        session.preset(key, "")
        return f"Finding {one.id} {findings.state_words(done)}"

    session.step(record)


def _draw_dismiss(one: Finding) -> None:
    key = f"all_dismiss_{one.id}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Or why it is about none", key=key, max_chars=MOST_NOTE, width=420)
        st.button("Dismiss", key=f"{key}_send", **allowed(Step.TICK), on_click=_dismiss, args=(one, key))


def _dismiss(one: Finding, key: str) -> None:
    def record() -> str:
        app = session.app()
        app.store.findings.settle(Settlement(one.id, "", reason=session.widget(key)), app.actor)
        return f"Finding {one.id} is dismissed"

    session.step(record)
