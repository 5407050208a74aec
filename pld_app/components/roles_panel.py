"""Who holds which role, granting and revoking, and what was done so far."""

from __future__ import annotations

from collections import defaultdict

import streamlit as st

from pld_app import session
from pld_app.components.text import moment, plain
from pld_core.errors import PldError
from pld_core.models import Role, RoleChange

MEANINGS = {
    Role.REVIEWER: "reads evidence, decides on rules, edits them, tries prompts",
    Role.LEAD: "as a reviewer; also data, extraction, clusters, synthesis, compiling, audit packs",
    Role.RELEASE_MANAGER: "compiles, evaluates and retires",
    Role.ANALYST: "reads",
    Role.AUDITOR: "reads and exports",
    Role.ADMIN: "grants and revokes roles, changes settings and policies, exports audit packs",
}
PERSON, ROLE, REASON = "role_person", "role_role", "role_reason"


def draw_roles() -> None:
    """Draw the holders of roles; for an admin also the ways to grant and to revoke."""
    app = session.app()
    is_admin = Role.ADMIN in app.actor.roles
    _draw_source()
    holders = app.store.roles.holders()
    if not holders:
        st.info("No role has been granted yet. Grant admin first, to somebody who will grant the others.")
    by_person: dict[str, list[RoleChange]] = defaultdict(list)
    for change in holders:
        by_person[change.person].append(change)
    for person, changes in by_person.items():
        _draw_holder(person, changes, is_admin)
    if is_admin:
        _draw_form()
    else:
        st.caption("Only an admin grants and revokes roles.")
    _draw_history()


def _draw_source() -> None:
    sign_in = session.app().settings.sign_in
    if not sign_in.is_on:
        st.info(
            "No sign-in is configured: the one local user holds all roles. Roles granted here count from the moment "
            "sign-in is configured, so grant admin to somebody before."
        )
    elif sign_in.roles_claim:
        given = "; ".join(f"{value}: {', '.join(r.label for r in roles)}" for value, roles in sign_in.roles.items())
        st.caption(
            f"The identity provider gives roles too, by its claim {plain(sign_in.roles_claim)} ({plain(given)})."
        )


def _draw_holder(person: str, changes: list[RoleChange], is_admin: bool) -> None:
    with st.container(border=True, key=f"holder_{_key(person)}"):
        st.markdown(f"**{plain(person)}**")
        for change in changes:
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                why = f" “{plain(change.reason)}”" if change.reason else ""
                first = ", as the first admin" if change.first_admin else ""
                st.markdown(
                    f"{change.role.label} :gray[granted by {plain(change.by)}, {moment(change.at)}{first}{why}]"
                )
                if is_admin:
                    _draw_revoke(change)


def _draw_revoke(change: RoleChange) -> None:
    key = f"{change.role.value}_{_key(change.person)}"
    with st.popover("Revoke…", key=f"revoking_{key}"):
        st.text_input("Why", key=f"revoke_reason_{key}", placeholder="Kept with the change", max_chars=500)
        st.button("Revoke this role", key=f"revoke_{key}", on_click=_revoke, args=(change, f"revoke_reason_{key}"))


def _draw_form() -> None:
    with st.container(border=True, key="grant_form"):
        st.markdown("**Grant a role**")
        left, middle, right = st.columns([4, 2, 4])
        left.text_input(
            "Person",
            key=PERSON,
            placeholder="ada@example.org",
            help="The verified e-mail address, or the name that the page shows to somebody without a role; "
            "os:NAME is the operating system's user NAME at the command line.",
            max_chars=500,
        )
        middle.selectbox("Role", list(Role), format_func=lambda role: role.label, key=ROLE)
        right.text_input("Reason", key=REASON, placeholder="Kept with the grant", max_chars=500)
        chosen = Role(session.widget(ROLE) or Role.REVIEWER)
        st.caption(f"{chosen.label.capitalize()}: {MEANINGS[chosen]}.")
        st.button("Grant", key="grant", type="primary", on_click=_grant)


def _draw_history() -> None:
    history = session.app().store.roles.history()
    with st.expander(f"Everything that was granted and revoked ({len(history):,})"):
        rows = [
            {
                "when": moment(change.at),
                "person": change.person,
                "role": change.role.label,
                "what": "granted" if change.granted else "revoked",
                "by": change.by,
                "reason": change.reason,
            }
            for change in history
        ]
        st.dataframe(rows, hide_index=True)


def _grant() -> None:
    app = session.app()
    try:
        change = app.store.roles.grant(
            session.widget(PERSON), Role(session.widget(ROLE)), session.widget(REASON), app.actor
        )
    except PldError as error:
        session.complain(error)
        return
    session.forget(PERSON, REASON)
    session.notify(f"{change.person} is {change.role.label}")


def _revoke(change: RoleChange, reason_key: str) -> None:
    app = session.app()
    try:
        app.store.roles.revoke(change.person, change.role, session.widget(reason_key), app.actor)
    except PldError as error:
        session.complain(error)
        return
    session.forget(reason_key)
    session.notify(f"{change.person} is no longer {change.role.label}")


def _key(person: str) -> str:
    """Return the name as it can stand in a widget's key, which becomes part of the page."""
    return person.encode().hex()
