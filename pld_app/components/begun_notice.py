"""What the person has begun on the rule on screen and not signed: go on with it, or discard it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import streamlit as st

from pld_app import session
from pld_app.components.begun import begun_on, forget_begun
from pld_app.components.permitted import allowed
from pld_app.components.sign_in import draw_went_wrong
from pld_app.components.text import moment, plain, words
from pld_core.begun import BegunDecision
from pld_core.models import RuleDossier, evidence_set_hash
from pld_core.permissions import Step
from pld_core.review import Action

EXCERPT = 120
VERBS = {
    Action.REQUEST_CHANGES: "request changes to",
    Action.WITHDRAW: "withdraw your decision on",
}
"""What is begun, where the step's own name does not say it."""


def draw_begun(dossier: RuleDossier) -> None:
    """Draw a notice for each decision that the person has begun on the rule, unless a panel is open."""
    if session.panel() is not None:
        return
    if waiting := begun_on(dossier.summary.id):
        draw_went_wrong()
    for begun in waiting:
        _draw(dossier, begun)


def _draw(dossier: RuleDossier, begun: BegunDecision) -> None:
    key = f"{begun.action.value}_{begun.base[-12:]}"
    said = " ".join(begun.text.reason.split())
    with st.container(border=True, key=f"begun_{key}", gap="xsmall"):
        st.markdown(
            f":material/edit_note: **You began to {VERBS.get(begun.action, words(begun.action.value))}** "
            f"revision {begun.base_number}, {moment(begun.at)}. Nothing is signed."
        )
        if said:
            st.caption(f"“{plain(said if len(said) <= EXCERPT else said[:EXCERPT] + '…')}”")
        if not _is_as_it_was(dossier, begun):
            st.warning("The rule or its evidence has changed since. Read it as it is now before you sign.")
        label, may = "Go on to sign" if _signed_in_since(begun) else "Continue", allowed(Step.JUDGE)
        with st.container(horizontal=True, gap="small"):
            st.button(label, key=f"begun_go_{key}", on_click=_continue, args=(dossier, begun), **may)
            st.button("Discard", key=f"begun_drop_{key}", type="tertiary", on_click=_discard, args=(begun,), **may)


def _is_as_it_was(dossier: RuleDossier, begun: BegunDecision) -> bool:
    return (begun.base, begun.evidence) == (dossier.head.hash, evidence_set_hash(dossier.evidence))


def _signed_in_since(begun: BegunDecision) -> bool:
    """Return whether the identity provider saw the person after the decision was begun."""
    identity = session.identity()
    seen = identity.auth_time if identity else None
    return seen is not None and seen >= int(datetime.fromisoformat(begun.at).timestamp())


def _continue(dossier: RuleDossier, begun: BegunDecision) -> None:
    """Open the panel on the revision that is there now, with what was typed."""
    app, head = session.app(), dossier.head.hash

    def take_over() -> str:
        if begun.base == head:
            session.opened_before(dossier, begun.opened_at)
        else:
            evidence, opened_at = evidence_set_hash(dossier.evidence), session.first_seen(dossier)
            moved = replace(begun, base=head, evidence=evidence, opened_at=opened_at)
            app.store.desk.begun.keep(moved, app.actor)
            forget_begun(begun)
        session.open_panel(begun.action.value, dossier)
        return ""

    session.step(take_over)


def _discard(begun: BegunDecision) -> None:
    app = session.app()

    def drop() -> str:
        forget_begun(begun)
        return "What you began is discarded. U brings it back"

    def bring_back() -> str:
        app.store.desk.begun.keep(begun, app.actor)
        return f"What you began on {begun.rule_id} is back"

    session.step(drop, undo=bring_back)
