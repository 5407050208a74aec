"""What a reviewer says of an example: one choice a card, recorded at once, taken back with U."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.text import ROLE_ICONS, plain, words
from pld_core.desk import Tick
from pld_core.models import Evidence, EvidenceRole, RevisionState, RuleDossier, evidence_set_hash
from pld_core.permissions import Step, permits
from pld_core.review import FINAL_STATES

DECIDED = (RevisionState.APPROVED, RevisionState.FIRST_APPROVED, RevisionState.DISPUTED)
CONSEQUENCE = {
    RevisionState.APPROVED: "A tick makes this approved rule stale: it leaves force until it is reviewed again.",
    RevisionState.FIRST_APPROVED: "A tick changes what the first approval rests on: both approvals are asked anew.",
    RevisionState.DISPUTED: "A tick changes what both sides decided on: the review begins anew.",
}


def draw_tick_switch(dossier: RuleDossier) -> bool:
    """Return whether ticks can be set; on a rule that somebody decided on they wait behind a switch."""
    state = dossier.summary.state
    if state in FINAL_STATES or not permits(session.app().actor, Step.TICK):
        return False
    if state not in DECIDED:
        return True
    return st.toggle("Change ticks", key=f"ticking_{dossier.head.hash}", help=CONSEQUENCE[state])


def draw_tick(dossier: RuleDossier, evidence: Evidence, is_open: bool) -> None:
    """Draw the choice of an example's role. Its key holds the evidence set: after a change it shows what is stored."""
    seen = evidence_set_hash(dossier.evidence)
    key = f"tick_{seen[-12:]}_{evidence.example_hash[-16:]}"
    tick = Tick(dossier.summary.id, dossier.head.hash, seen, evidence.example_hash, evidence.role)
    st.segmented_control(
        "What it says of the rule",
        list(EvidenceRole),
        default=evidence.role,
        required=True,
        format_func=lambda role: f"{ROLE_ICONS[role.value]} {words(role.value)}",
        key=key,
        disabled=not is_open,
        on_change=_ticked,
        args=(key, tick),
        label_visibility="collapsed",
    )


def _ticked(key: str, shown: Tick) -> None:
    role = EvidenceRole(session.widget(key) or shown.role)
    app = session.app()
    undo: list[Tick] = []

    def record() -> str:
        tick = Tick(shown.rule_id, shown.seen_revision, shown.seen_evidence, shown.example_hash, role)
        done = app.store.desk.ticks.tick(tick, app.actor)
        undo.append(Tick(shown.rule_id, shown.seen_revision, done.evidence_hash, shown.example_hash, done.before))
        stale = f"; the rule is {done.state.label} now" if done.state in (RevisionState.STALE,) else ""
        return f"Ticked as {words(role.value)}{stale}. U takes it back"

    def take_back() -> str:
        (before,) = undo
        app.store.desk.ticks.tick(before, app.actor)
        return f"The tick is {words(before.role.value)} again"

    session.step(record, undo=take_back)


def ticked_line(by: str) -> str:
    """Return who ticked a card, as escaped Markdown; empty for nobody."""
    return f" · ticked by {plain(by)}" if by else ""
