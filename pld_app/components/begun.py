"""Decisions that are begun: what is typed into a panel is kept at every pause, and found again after a lost session."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.text import moment, plain, words
from pld_app.session import Panel
from pld_core.begun import BegunDecision, BegunText
from pld_core.errors import PldError
from pld_core.models import RejectCategory, RuleDossier, Verdict
from pld_core.permissions import Step, permits

EXCERPT = 120


def decision_keys(verdict: str, revision_hash: str) -> tuple[str, str]:
    """Return the keys of a decision's fields, reason and category; they hold the revision that is decided on."""
    return f"reason_{verdict}_{revision_hash}", f"category_{revision_hash}"


def fill_begun(panel: Panel) -> BegunText:
    """Put what was kept into the fields of the panel, where nothing stands there yet; return what was kept."""
    kept = next((b for b in _begun(panel.rule_id) if _is_of(b, panel)), None)
    if kept is None:
        return BegunText()
    reason_key, category_key = decision_keys(panel.kind, panel.revision_hash)
    session.preset_once(reason_key, kept.text.reason)
    if kept.text.category is not None:
        session.preset_once(category_key, kept.text.category)
    return kept.text


def keep_begun(panel: Panel, kept: BegunText, category: RejectCategory | None) -> None:
    """Keep what stands in the fields now; a failure is told and the text stays in the fields."""
    app, reason_key = session.app(), decision_keys(panel.kind, panel.revision_hash)[0]
    typed = BegunText(session.widget(reason_key), category)
    if not permits(app.actor, Step.JUDGE):
        return
    if typed != kept:
        try:
            app.store.desk.begun.keep(panel.rule_id, panel.revision_hash, Verdict(panel.kind), typed, app.actor)
        except PldError as error:
            st.error(plain(f"What you typed could not be kept on the server; it is still in the fields. {error}"))
            return
    if not typed.is_empty:
        st.caption("What you typed is kept; only you see it, and nothing is signed yet.")


def forget_begun(rule_id: str, base: str, verdict: Verdict) -> None:
    """Drop what was begun, on the server and in the fields."""
    app = session.app()
    app.store.desk.begun.drop(rule_id, base, verdict, app.actor)
    session.forget(*decision_keys(verdict.value, base))


def draw_begun(dossier: RuleDossier) -> None:
    """Draw a notice for each decision that the person has begun on the rule, unless a panel is open."""
    if session.panel() is None:
        for begun in _begun(dossier.summary.id):
            _draw(dossier, begun)


def _begun(rule_id: str) -> tuple[BegunDecision, ...]:
    app = session.app()
    return app.store.desk.begun.of_rule(rule_id, app.actor)


def _is_of(begun: BegunDecision, panel: Panel) -> bool:
    return (begun.base, begun.verdict.value) == (panel.revision_hash, panel.kind)


def _draw(dossier: RuleDossier, begun: BegunDecision) -> None:
    key = f"{begun.verdict.value}_{begun.base[-12:]}"
    said = " ".join(begun.text.reason.split())
    with st.container(border=True, key=f"begun_{key}", gap="xsmall"):
        st.markdown(
            f":material/edit_note: **You began to {words(begun.verdict.value)}** revision {begun.base_number}, "
            f"{moment(begun.at)}. Nothing is signed."
        )
        if said:
            st.caption(f"“{plain(said if len(said) <= EXCERPT else said[:EXCERPT] + '…')}”")
        with st.container(horizontal=True, gap="small"):
            st.button("Continue", key=f"begun_go_{key}", on_click=_continue, args=(dossier, begun))
            st.button("Discard", key=f"begun_drop_{key}", type="tertiary", on_click=_discard, args=(begun,))


def _continue(dossier: RuleDossier, begun: BegunDecision) -> None:
    """Open the panel on the revision that is there now, with what was typed."""
    app, head = session.app(), dossier.head.hash

    def take_over() -> str:
        if begun.base != head:
            app.store.desk.begun.keep(begun.rule_id, head, begun.verdict, begun.text, app.actor)
            app.store.desk.begun.drop(begun.rule_id, begun.base, begun.verdict, app.actor)
        session.open_panel(begun.verdict.value, dossier)
        return ""

    session.step(take_over)


def _discard(begun: BegunDecision) -> None:
    app = session.app()

    def drop() -> str:
        forget_begun(begun.rule_id, begun.base, begun.verdict)
        return "What you began is discarded. U brings it back"

    def bring_back() -> str:
        app.store.desk.begun.keep(begun.rule_id, begun.base, begun.verdict, begun.text, app.actor)
        return f"What you began on {begun.rule_id} is back"

    session.step(drop, undo=bring_back)
