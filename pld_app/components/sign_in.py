"""Signing in and out, and what is on screen for somebody who may not come in yet."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from pld_app import session
from pld_app.components.text import ALL_ROLES, plain
from pld_app.sign_in_settings import DEFAULT_PROVIDER
from pld_core.models import Actor, Role

WENT_WRONG = {
    "refused": "The identity provider did not let you in, or you cancelled. Nothing was changed. Try again, or ask the "
    "people who run it whether your account may use this app.",
    "failed": "The identity provider's answer could not be used. Nothing was changed. Try again; if it stays, tell the "
    "person who runs this app: its log says why.",
    "unreachable": "The identity provider cannot be reached, so nobody can sign in at the moment. Nothing is lost, and "
    "people who are signed in go on working. Try again in a few minutes; if it stays, tell the person who runs this "
    "app.",
}
"""What the address says of the last attempt, see `sign_in_answers`."""


def navigation_position() -> Literal["sidebar", "hidden"]:
    """Return where the list of pages stands: nowhere for somebody who cannot open one."""
    return "sidebar" if session.may_enter() else "hidden"


def let_in() -> bool:
    """Return whether the pages may be drawn; if not, draw how to sign in, or whom to ask for a role."""
    if session.may_enter():
        return True
    if refusal := session.sign_in_refusal():
        _draw_login(refusal)
    else:
        _draw_no_role(session.app().actor)
    return False


def draw_person() -> None:
    """Draw in the sidebar who acts with which roles, and the way out."""
    app = session.app()
    actor = app.actor
    if not app.settings.sign_in.is_on:
        st.caption(
            f"You act as **{plain(actor.name)}**, with all roles ({ALL_ROLES}): no sign-in is configured, "
            "so a decision is an attestation under this name."
        )
        return
    roles = ", ".join(sorted(role.label for role in actor.roles))
    st.caption(f"Signed in as **{plain(_shown(actor))}**. Roles: {roles}.")
    _sign_out()


def draw_went_wrong() -> None:
    """Draw what went wrong with the last attempt to sign in, if something did."""
    if said := WENT_WRONG.get(session.address("sign_in"), ""):
        st.error(said, icon=":material/error:")


def _shown(actor: Actor) -> str:
    """Return the name for people with the one that stands on the record beside it."""
    name = actor.identity.name if actor.identity else ""
    return f"{name} ({actor.name})" if name and name != actor.name else actor.name


def _sign_out() -> None:
    if st.button("Sign out", key="sign_out", icon=":material/logout:", type="tertiary"):
        st.logout()


def _draw_login(refusal: str) -> None:
    _, middle, _ = st.columns([2, 5, 2])
    with middle:
        st.title("pld-review")
        st.markdown("Sign in to review rules. Decisions are recorded under the name that your organisation gives you.")
        draw_went_wrong()
        if refusal != session.NOBODY:
            st.warning(plain(refusal), icon=":material/schedule:")
        for provider in session.app().settings.sign_in.providers:
            label = "Sign in" if provider == DEFAULT_PROVIDER else f"Sign in with {plain(provider)}"
            if st.button(label, key=f"sign_in_{provider}", type="primary", icon=":material/login:"):
                st.login(None if provider == DEFAULT_PROVIDER else provider)


def _draw_no_role(actor: Actor) -> None:
    _, middle, _ = st.columns([2, 5, 2])
    with middle:
        st.title("You are signed in, but hold no role yet")
        st.markdown("A role says what you may see and do here. An admin of this workspace grants it, to this name:")
        st.code(actor.name, language=None)
        if actor.identity and actor.identity.name:
            st.caption(f"Shown as {plain(actor.identity.name)}.")
        admins = [change.person for change in session.app().store.roles.holders() if change.role is Role.ADMIN]
        if admins:
            st.markdown(f"Ask: **{', '.join(plain(name) for name in admins)}**")
        else:
            st.markdown("There is no admin yet. The person who runs this app makes the first one with this command:")
            st.code(f"pld roles grant {actor.name} admin", language=None)
        with st.container(horizontal=True):
            st.button("Look again", key="look_again", icon=":material/refresh:")
            _sign_out()
