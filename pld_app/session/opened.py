"""The open app, who uses it in this session, and the way to the identity provider."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from pld_app import wiring
from pld_app.acting import signed_in_actor
from pld_app.session.addresses import set_address
from pld_app.settings import LiveSettings
from pld_app.sign_in_answers import AGAIN, SIGN_IN
from pld_app.sign_in_settings import DEFAULT_PROVIDER
from pld_app.wiring import App
from pld_core.errors import InvalidInput, NotSignedIn, PldError, SignInUnusable
from pld_core.models import Actor, Identity

NOBODY = "nobody"


@st.cache_resource(show_spinner=False)
def _opened_app(workspace: str) -> tuple[App, LiveSettings]:
    """Open a workspace once per process: its schema is brought up to date and its guards asserted here."""
    del workspace  # the cache key
    opened = wiring.open_app(wiring.workspace_from_environment())
    return opened, LiveSettings(opened.settings)


def app() -> App:
    """Return the open app, with the settings, the person of this session and the roles of this moment.

    Somebody who is not signed in although it takes that is an actor without roles, who is refused every step.

    Raises:
        PldError: the workspace or its settings cannot be used; nothing is cached, so the next run tries again.
    """
    found, live = _opened_app(str(wiring.workspace_from_environment()))
    opened = replace(found, settings=live.now())
    claims = st.user.to_dict()
    if not opened.settings.sign_in.is_on:
        if "is_logged_in" in claims:
            raise InvalidInput(
                "Streamlit found sign-in in other secrets than pld-review, so nobody can be let in. Nothing was "
                f"changed. Put them into {opened.settings.secrets_file}, and start the app with `pld serve`."
            )
        return opened
    try:
        actor = signed_in_actor(opened.settings, opened.store.roles, claims, datetime.now(UTC))
    except (NotSignedIn, SignInUnusable):
        actor = Actor("somebody who is not signed in", frozenset())
    return replace(opened, actor=actor)


def reading() -> AbstractContextManager[None]:
    """Make the reads of one draw of a page cheaper; see `Store.reading`.

    A workspace that cannot be used has nothing to read: what is drawn within says why.
    """
    try:
        found, _ = _opened_app(str(wiring.workspace_from_environment()))
    except PldError:
        return nullcontext()
    return found.store.reading()


def sign_in_refusal() -> str:
    """Return why nobody is signed in here although it takes that, empty if somebody is, or if it does not."""
    opened = app()
    if not opened.settings.sign_in.is_on or opened.actor.identity is not None:
        return ""
    claims = st.user.to_dict()
    if claims.get("is_logged_in") is not True:
        return NOBODY
    try:
        signed_in_actor(opened.settings, opened.store.roles, claims, datetime.now(UTC))
    except (NotSignedIn, SignInUnusable) as error:
        return str(error)
    return ""


def may_enter() -> bool:
    """Return whether this session may see pages: the local user, or somebody signed in who holds a role.

    A workspace that cannot be used lets everybody in: its pages hold nothing but the reason.
    """
    try:
        opened = app()
    except PldError:
        return True
    return not opened.settings.sign_in.is_on or bool(opened.actor.roles)


def identity() -> Identity | None:
    """Return who signed in, with the time at which the provider says they proved it; None for the local user."""
    return app().actor.identity


def sign_in_again() -> None:
    """Send the person to the identity provider, which is asked to have them prove anew who they are.

    The address of the page says so to `sign_in_answers`, which leads back to it afterwards.
    """
    set_address(SIGN_IN, AGAIN)
    provider = st.user.to_dict().get("provider")
    st.login(None if provider in (None, DEFAULT_PROVIDER) else str(provider))
