"""The panels in which a decision is made. A key opens one; only its button signs."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pld_app import session
from pld_app.checking import told_after_check
from pld_app.components.begun import begun_in, decision_keys, fill_begun, keep_begun
from pld_app.components.desk_panels import draw_second_opinion, draw_withdraw
from pld_app.components.edit_panel import draw_edit
from pld_app.components.parts_panel import draw_merge, draw_split
from pld_app.components.rule_card import draw_rule_text
from pld_app.components.rule_desk import MERGE, SPLIT, WITHDRAW
from pld_app.components.signature_card import draw_sign_button, draw_signature
from pld_app.components.text import plain, words
from pld_app.deciding import decide
from pld_app.session import Panel
from pld_core.models import Judgement, RejectCategory, RuleDossier, Task, Verdict
from pld_core.permissions import Step

APPROVE, EDIT, REJECT, CHANGES, HELP = "approve", "edit", "reject", "request_changes", "help"
SECOND = "second"
KEYS = {
    "J / K": "next / previous rule",
    "A": "approve (opens a panel; the button in it signs)",
    "E": "edit",
    "X": "reject",
    "S": "ask somebody else for a second opinion",
    "N": "skip to the next rule",
    "D": "show what the newest revision changed",
    "U": "undo the last tick, tag or discarded draft",
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
    title, wide, draw = _body(panel, task, dossier, next_rule)

    @st.dialog(title, width="large" if wide else "medium", on_dismiss=session.close_panel)
    def body() -> None:
        # A step in an open panel draws the panel alone.
        session.note_step(panel.revision_hash)
        draw()
        if problem := session.problem():
            st.error(plain(problem), icon=":material/error:")

    body()


def _body(
    panel: Panel, task: Task, dossier: RuleDossier, next_rule: str | None
) -> tuple[str, bool, Callable[[], None]]:
    """Return a panel's title, whether it is wide, and what draws it."""
    rule = panel.rule_id
    bodies: dict[str, tuple[str, bool, Callable[[], None]]] = {
        APPROVE: (f"Approve {rule}", False, lambda: _judge(dossier, panel, next_rule)),
        REJECT: (f"Reject {rule}", False, lambda: _judge(dossier, panel, next_rule)),
        CHANGES: (f"Request changes to {rule}", False, lambda: _judge(dossier, panel, next_rule)),
        EDIT: (f"Edit {rule}", True, lambda: draw_edit(task, dossier, panel)),
        SECOND: (f"Second opinion on {rule}", False, lambda: draw_second_opinion(dossier, panel)),
        WITHDRAW: (f"Withdraw my decision on {rule}", False, lambda: draw_withdraw(dossier, panel)),
        SPLIT: (f"Split {rule}", True, lambda: draw_split(task, dossier, panel)),
        MERGE: (f"Merge {rule}", True, lambda: draw_merge(task, dossier, panel)),
        HELP: ("Keys", False, _help),
    }
    return bodies[panel.kind]


def _help() -> None:
    for key, meaning in KEYS.items():
        st.markdown(f"**{key}** {meaning}")
    st.caption("Keys rest while you type and while a panel is open. Esc closes a panel; what you typed is kept.")


def _judge(dossier: RuleDossier, panel: Panel, next_rule: str | None) -> None:
    with st.container(border=True):
        draw_rule_text(dossier.head.text)
    reason_at, category_at = decision_keys(panel.kind, panel.revision_hash)
    kept, category = fill_begun(panel), None
    if panel.kind == REJECT:
        category = st.selectbox(
            "What is wrong with it",
            list(RejectCategory),
            index=None,
            format_func=lambda c: words(c.value),
            key=category_at,
            persist_state="session",
        )
    optional = " (optional)" if panel.kind == APPROVE else ""
    reason = st.text_area(
        f"Reason, in your own words{optional}", key=reason_at, persist_state="session", max_chars=2000, height=90
    )
    typed = keep_begun(panel, kept, category)
    draw_signature(dossier, panel)
    label = {APPROVE: "Sign and approve", REJECT: "Sign and reject", CHANGES: "Sign and request changes"}[panel.kind]
    if draw_sign_button(label, Step.JUDGE, dossier, begun_in(panel, typed)):
        judgement = Judgement(
            panel.rule_id,
            panel.revision_hash,
            panel.state,
            Verdict(panel.kind),
            reason,
            category,
            panel.opened_at,
            panel.evidence_hash,
            session.attention(dossier),
            panel.guideline_version,
        )
        if session.attempt(lambda: _record(judgement)):
            session.carry_draft(reason_at, category_at)
            # What was kept back until now, and what a seeded check was, is shown with the rule, so it stays on screen.
            stays = dossier.withheld or told_after_check(session.app(), panel.rule_id)
            _go_on(None if stays else next_rule)
        st.rerun()


def _record(judgement: Judgement) -> str:
    done = decide(session.app(), judgement)
    session.forget_attention(judgement.seen_revision)
    session.forget(*decision_keys(judgement.verdict, judgement.seen_revision))
    return done.words


def _go_on(next_rule: str | None) -> None:
    # After a refusal the rule stays on screen, so that both versions can be compared.
    if next_rule and session.moved_on() is None:
        session.set_address("rule", next_rule)
    st.rerun()
