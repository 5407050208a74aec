"""A decision on the rule on screen that waits for its signature: go on with it, or drop it."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.permitted import allowed
from pld_app.components.sign_in import WENT_WRONG
from pld_app.components.text import moment, plain, words
from pld_core.models import RuleDossier, evidence_set_hash
from pld_core.permissions import Step
from pld_core.signing import UnsignedDecision


def reason_key(kind: str, revision_hash: str) -> str:
    """Return the key of the field for the reason of a decision; it holds the revision that the reason is about."""
    return f"reason_{kind}_{revision_hash}"


def category_key(revision_hash: str) -> str:
    return f"category_{revision_hash}"


def draw_unsigned(dossier: RuleDossier) -> None:
    """Draw a notice for one's own decision that is not signed yet, unless a panel is open."""
    if session.panel() is not None:
        return
    app = session.app()
    waiting = app.store.desk.unsigned.of_rule(dossier.summary.id, app.actor)
    if waiting is None:
        return
    with st.container(border=True, key="unsigned", gap="xsmall"):
        if said := WENT_WRONG.get(session.address("sign_in"), ""):
            st.error(said, icon=":material/error:")
        st.markdown(
            f":material/ink_pen: **Not signed yet:** you were about to {_verb(waiting)} this rule "
            f"({moment(waiting.at)})."
        )
        if waiting.reason:
            st.caption(f"Your reason: {plain(waiting.reason)}")
        if (waiting.revision, waiting.evidence) != (dossier.head.hash, evidence_set_hash(dossier.evidence)):
            st.warning("The rule or its evidence has changed since. Read it as it is now before you sign.")
        may = allowed(Step.JUDGE)
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Go on to sign", key="unsigned_go", type="primary", on_click=_go_on, args=(dossier, waiting), **may
            )
            st.button("Drop it", key="unsigned_drop", type="tertiary", on_click=_drop, args=(waiting.rule_id,), **may)


def _verb(waiting: UnsignedDecision) -> str:
    verb = {"request_changes": "request changes to", "withdraw": "withdraw your decision on"}
    return verb.get(waiting.action.value, words(waiting.action.value))


def _go_on(dossier: RuleDossier, waiting: UnsignedDecision) -> None:
    """Open the panel for the revision on screen, with what was written."""
    head = dossier.head.hash
    session.preset(reason_key(waiting.action.value, head), waiting.reason)
    if waiting.category is not None:
        session.preset(category_key(head), waiting.category)
    if waiting.revision == head:
        session.opened_before(dossier, waiting.opened_at)
    session.open_panel(waiting.action.value, dossier)


def _drop(rule_id: str) -> None:
    app = session.app()

    def drop() -> str:
        app.store.desk.unsigned.drop(rule_id, app.actor)
        return "Dropped; nothing was decided"

    session.step(drop)
