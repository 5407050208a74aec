"""Decisions that are begun: what is typed into a panel is kept at every pause, and found again after a lost session."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.text import plain
from pld_app.session import Panel
from pld_core.begun import BegunDecision, BegunText
from pld_core.errors import PldError
from pld_core.models import RejectCategory
from pld_core.permissions import Step, permits
from pld_core.review import Action


def decision_keys(action: str, revision_hash: str) -> tuple[str, str]:
    """Return the keys of a decision's fields, reason and category; they hold the revision that is decided on."""
    return f"reason_{action}_{revision_hash}", f"category_{revision_hash}"


def begun_on(rule_id: str) -> tuple[BegunDecision, ...]:
    """Return what the person of this session has begun on a rule, newest first."""
    app = session.app()
    return app.store.desk.begun.of_rule(rule_id, app.actor)


def begun_in(panel: Panel, text: BegunText) -> BegunDecision:
    """Return what is typed in an open panel, beside what it was typed."""
    return BegunDecision(
        panel.rule_id, panel.revision_hash, Action(panel.kind), text, panel.evidence_hash, panel.opened_at
    )


def fill_begun(panel: Panel) -> BegunText:
    """Put what was kept into the fields of the panel, where nothing stands there yet; return what was kept."""
    at_hand = (b for b in begun_on(panel.rule_id) if (b.base, b.action) == (panel.revision_hash, panel.kind))
    kept = next(at_hand, None)
    if kept is None:
        return BegunText()
    reason_key, category_key = decision_keys(panel.kind, panel.revision_hash)
    session.preset_once(reason_key, kept.text.reason)
    if kept.text.category is not None:
        session.preset_once(category_key, kept.text.category)
    return kept.text


def keep_begun(panel: Panel, kept: BegunText, category: RejectCategory | None = None) -> BegunText:
    """Keep what stands in the fields now, and return it; a failure is told and the text stays in the fields."""
    typed = BegunText(session.widget(decision_keys(panel.kind, panel.revision_hash)[0]), category)
    app = session.app()
    if not permits(app.actor, Step.JUDGE):
        return typed
    try:
        if typed.is_empty and not kept.is_empty:
            app.store.desk.begun.drop(panel.rule_id, panel.revision_hash, Action(panel.kind), app.actor)
        elif typed != kept:
            app.store.desk.begun.keep(begun_in(panel, typed), app.actor)
    except PldError as error:
        st.error(plain(f"What you typed could not be kept on the server; it is still in the fields. {error}"))
        return typed
    if not typed.is_empty:
        st.caption("What you typed is kept; only you see it, and nothing is signed yet.")
    return typed


def forget_begun(begun: BegunDecision) -> None:
    """Drop what was begun, on the server and in the fields."""
    app = session.app()
    app.store.desk.begun.drop(begun.rule_id, begun.base, begun.action, app.actor)
    session.forget(*decision_keys(begun.action.value, begun.base))
