"""Unsaved edits of the rule on screen: go on with them, or drop them; both texts where the rule moved on."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.edit_panel import fill_fields
from pld_app.components.permitted import allowed
from pld_app.components.rule_card import draw_rule_text, word_diff
from pld_app.components.text import moment, plain
from pld_core.desk import Draft
from pld_core.models import RuleDossier
from pld_core.permissions import Step


def draw_drafts(dossier: RuleDossier) -> None:
    """Draw a notice for each of one's own drafts, unless the edit is open."""
    if session.panel() is not None:
        return
    app = session.app()
    for draft in app.store.desk.drafts.of_rule(dossier.summary.id, app.actor):
        _draw(dossier, draft)


def _draw(dossier: RuleDossier, draft: Draft) -> None:
    moved_on = draft.base != dossier.head.hash
    with st.container(border=True, key=f"draft_{draft.base[-12:]}", gap="xsmall"):
        st.markdown(
            f":material/edit_note: **You have a draft** from {moment(draft.at)}, based on revision {draft.base_number}."
        )
        if moved_on:
            st.markdown(
                f"The rule is at revision {dossier.head.number} by {plain(dossier.head.author)} now. "
                "Your draft is kept; compare both, then go on from the newest."
            )
            _draw_both(dossier, draft)
        with st.container(horizontal=True, gap="small"):
            word = f"Continue on revision {dossier.head.number}" if moved_on else "Continue"
            key, may = draft.base[-12:], allowed(Step.EDIT)
            st.button(word, key=f"draft_go_{key}", on_click=_continue, args=(dossier, draft), **may)
            st.button("Discard", key=f"draft_drop_{key}", on_click=_discard, args=(draft,), type="tertiary", **may)


def _draw_both(dossier: RuleDossier, draft: Draft) -> None:
    """Draw both texts behind a click, so that the rule itself stays in sight."""
    text = draft.text.rule_text(dossier.head.text.rationale)
    with st.expander("Both texts, and what your draft would change"):
        mine, theirs = st.columns(2)
        with mine:
            st.caption("Your draft")
            draw_rule_text(text)
        with theirs:
            st.caption(f"Revision {dossier.head.number}")
            draw_rule_text(dossier.head.text)
        st.caption("Against the newest revision")
        st.markdown(word_diff(dossier.head.text, text))


def _continue(dossier: RuleDossier, draft: Draft) -> None:
    app = session.app()

    def take_over() -> str:
        if draft.base != dossier.head.hash:
            app.store.desk.drafts.save(draft.rule_id, dossier.head.hash, draft.text, app.actor)
            app.store.desk.drafts.discard(draft.rule_id, draft.base, app.actor)
        fill_fields(dossier.head.hash, draft.text)
        session.open_panel("edit", dossier)
        return ""

    session.step(take_over)


def _discard(draft: Draft) -> None:
    app = session.app()

    def drop() -> str:
        app.store.desk.drafts.discard(draft.rule_id, draft.base, app.actor)
        session.forget_edit(draft.base)
        return "The draft is discarded. U brings it back"

    def bring_back() -> str:
        app.store.desk.drafts.save(draft.rule_id, draft.base, draft.text, app.actor)
        return f"The draft of {draft.rule_id} is back"

    session.step(drop, undo=bring_back)
