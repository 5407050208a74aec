"""What is signed, word for word, before the click; and the click, or the way to a fresher sign-in."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from pld_app import session
from pld_app.components.permitted import allowed
from pld_app.components.text import count, moment, plain, short_hash
from pld_app.session import Panel
from pld_core.begun import BegunDecision
from pld_core.errors import PldError
from pld_core.models import SIGNATURE, Actor, RuleDossier
from pld_core.permissions import Step
from pld_core.review import Action
from pld_core.signing import MEANINGS, is_fresh


def draw_signature(dossier: RuleDossier, panel: Panel) -> None:
    """Draw name, meaning, time, and what the signature is bound to."""
    app = session.app()
    now = datetime.now(UTC)
    with st.container(border=True, key="signature", gap="xsmall"):
        st.markdown(f"**What you sign** “{MEANINGS[Action(panel.kind)]}”")
        st.markdown(f"{_person(app.actor)} · {moment(now.isoformat())}, or the minute in which you click")
        guideline = app.store.tasks.get(dossier.summary.task).guideline_version
        evidence = panel.evidence_hash
        st.markdown(
            f"Bound to revision {dossier.head.number} ({short_hash(panel.revision_hash)}), "
            f"{count(len(dossier.evidence), 'example')} as evidence ({short_hash(evidence)}), "
            f"guideline version {guideline}",
            help=f"Revision {panel.revision_hash}, evidence set {evidence}. The decision holds for exactly these.",
        )
        st.caption(kind_words(app.actor))


def _person(actor: Actor) -> str:
    identity = actor.identity
    shown = f"{plain(identity.name)}, " if identity and identity.name else ""
    return f"**{shown}{plain(actor.name)}**"


def kind_words(actor: Actor) -> str:
    """Return what the signature is: vouched for by a provider, or an attestation, and why."""
    if actor.identity is None:
        return "An attestation: nobody signs in here, so only you vouch for the name."
    if actor.signed_as["kind"] != SIGNATURE or actor.identity.auth_time is None:
        return (
            "An attestation: the identity provider says who you are, but not when you last proved it. "
            f"Vouched for by {plain(actor.identity.issuer)}."
        )
    proved = datetime.fromtimestamp(actor.identity.auth_time, UTC).isoformat()
    return f"Signature of a signed-in person: proved to {plain(actor.identity.issuer)}, {moment(proved)}."


def draw_sign_button(label: str, step: Step, dossier: RuleDossier, begun: BegunDecision) -> bool:
    """Draw the button that signs and return whether it was pressed.

    Where the policy asks for a fresher sign-in there is the way to it instead; what was written is kept meanwhile.
    """
    app, may = session.app(), allowed(step)
    if may["disabled"]:
        st.info(f"{may['help']} Nothing was signed.", icon=":material/lock:")
    minutes = app.store.policies.of(dossier.summary.task).fresh_sign_in
    if is_fresh(app.actor, minutes, datetime.now(UTC)):
        return st.button(label, type="primary", key="sign", **may)
    st.warning(
        f"This task's policy asks for a sign-in of the last {count(minutes, 'minute')}, and yours is older. What you "
        "wrote is kept; you come back to this rule.",
        icon=":material/lock_clock:",
    )
    if st.button("Sign in again", type="primary", key="sign_again", icon=":material/login:", **may):
        _leave(begun)
    return False


def _leave(begun: BegunDecision) -> None:
    """Keep the decision, even where nothing is typed yet, and go to the identity provider."""
    app = session.app()
    try:
        app.store.desk.begun.keep(begun, app.actor)
    except PldError as error:
        st.error(plain(f"What you wrote could not be kept, so you were not sent away. {error}"))
        return
    session.sign_in_again()
