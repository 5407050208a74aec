"""The panels in which a decision is made. A key opens one; only its button signs."""

from __future__ import annotations

import streamlit as st

from pld_app import session, synthesis_work
from pld_app.components.rule_card import draw_rule_text, priority_words
from pld_app.components.text import plain, words
from pld_app.session import Panel
from pld_core.models import PRIORITIES, Judgement, RejectCategory, RuleDossier, RuleText, Task, Verdict

APPROVE, EDIT, REJECT, CHANGES, HELP = "approve", "edit", "reject", "request_changes", "help"
MEANING = (
    "By approving I state that I have read this revision beside its evidence and find it right. "
    "It may be compiled into prompts until it is changed, goes stale or is retired."
)
KEYS = {
    "J / K": "next / previous rule",
    "A": "approve (opens a panel; the button in it signs)",
    "E": "edit",
    "X": "reject",
    "N": "skip to the next rule",
    "H": "this help",
}


def draw_open_panel(task: Task, dossier: RuleDossier, next_rule: str | None) -> None:
    """Draw the panel that is open for this rule, if any."""
    panel = session.panel()
    if panel is None:
        return
    if panel.kind != HELP and panel.rule_id != dossier.summary.id:
        session.close_panel()
        return
    titles = {
        APPROVE: f"Approve {panel.rule_id}",
        EDIT: f"Edit {panel.rule_id}",
        REJECT: f"Reject {panel.rule_id}",
        CHANGES: f"Request changes to {panel.rule_id}",
        HELP: "Keys",
    }

    @st.dialog(titles[panel.kind], width="large" if panel.kind == EDIT else "medium", on_dismiss=session.close_panel)
    def body() -> None:
        if panel.kind == HELP:
            _help()
        elif panel.kind == EDIT:
            _edit(task, dossier, panel)
        else:
            _judge(dossier, panel, next_rule)
        if problem := session.problem():
            st.error(plain(problem), icon=":material/error:")

    body()


def _help() -> None:
    for key, meaning in KEYS.items():
        st.markdown(f"**{key}** {meaning}")
    st.caption("Keys rest while you type and while a panel is open. Esc closes a panel; what you typed is kept.")


def _judge(dossier: RuleDossier, panel: Panel, next_rule: str | None) -> None:
    with st.container(border=True):
        draw_rule_text(dossier.head.text)
    category, category_key = None, f"category_{panel.revision_hash}"
    if panel.kind == REJECT:
        category = st.selectbox(
            "What is wrong with it",
            list(RejectCategory),
            index=None,
            format_func=lambda c: words(c.value),
            key=category_key,
            persist_state="session",
        )
    optional = " (optional)" if panel.kind == APPROVE else ""
    reason_key = f"reason_{panel.kind}_{panel.revision_hash}"
    st.text_area(f"Reason, in your own words{optional}", key=reason_key, persist_state="session", max_chars=2000)
    if panel.kind == APPROVE:
        st.caption(f"{MEANING} Recorded as {plain(session.app().actor.name)}, with the time, bound to this revision.")
    label = {APPROVE: "Sign and approve", REJECT: "Reject", CHANGES: "Request changes"}[panel.kind]
    if st.button(label, type="primary", key="sign"):
        judgement = Judgement(
            panel.rule_id,
            panel.revision_hash,
            panel.state,
            Verdict(panel.kind),
            session.widget(reason_key),
            category,
            panel.opened_at,
            panel.evidence_hash,
        )
        if session.attempt(lambda: _record(judgement)):
            session.carry_draft(reason_key, category_key)
            _go_on(next_rule)


def _record(judgement: Judgement) -> str:
    app = session.app()
    decision = app.store.rules.judge(judgement, app.actor)
    state = app.store.rules.summary(decision.rule_id).state
    return f"{decision.rule_id} is {state.label} (decision {decision.id})"


def _go_on(next_rule: str | None) -> None:
    # After a refusal the rule stays on screen, so that both versions can be compared.
    if next_rule and session.moved_on() is None:
        session.set_address("rule", next_rule)
    st.rerun()


def _edit(task: Task, dossier: RuleDossier, panel: Panel) -> None:
    key, text = panel.revision_hash, dossier.head.text
    fields = {name: f"edit_{name}_{key}" for name in ("title", "if", "then", "except", "priority", "note")}
    session.preset_once(fields["title"], text.title)
    session.preset_once(fields["if"], text.condition)
    session.preset_once(fields["then"], list(text.labels))
    session.preset_once(fields["except"], "\n".join(text.exceptions))
    session.preset_once(fields["priority"], text.priority)
    st.text_input("Title", key=fields["title"], persist_state="session", max_chars=120)
    st.text_area("IF", key=fields["if"], persist_state="session", max_chars=1200, height=110)
    chosen = st.multiselect("THEN", task.label_names, key=fields["then"], persist_state="session")
    st.text_area("EXCEPT (one exception a line)", key=fields["except"], persist_state="session", height=90)
    priority = st.segmented_control(
        "Priority",
        list(PRIORITIES),
        format_func=priority_words,
        key=fields["priority"],
        required=True,
        persist_state="session",
        help="Rules of a lower number stand earlier in the prompt. A first one overrides others; a fallback is for "
        "inputs that no other rule fits.",
    )
    st.text_input("Why this change", key=fields["note"], persist_state="session", max_chars=500)
    st.caption(
        "Saving makes a new revision, which goes back to review. An approved revision stays in force until then."
    )
    if st.button("Save as a new revision", type="primary", key="sign"):
        edited = RuleText(
            session.widget(fields["title"]),
            session.widget(fields["if"]),
            tuple(chosen),
            tuple(session.widget(fields["except"]).splitlines()),
            text.rationale,
            priority or text.priority,
        )
        if session.attempt(lambda: _save(panel, edited, session.widget(fields["note"]))):
            if session.moved_on() is None:
                session.forget(*fields.values())
            else:
                session.carry_draft(*fields.values())
            st.rerun()


def _save(panel: Panel, text: RuleText, note: str) -> str:
    app = session.app()
    made, problem = synthesis_work.edit(app, panel.rule_id, panel.revision_hash, panel.state, text, note)
    return f"{made.rule_id} revision {made.number} is in review. {problem}".strip()
