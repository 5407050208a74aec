"""Who acts: the local user, the person at the command line, or somebody who signed in."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address

from pld_app.settings import Settings, login_name
from pld_core.errors import InvalidInput, NotSignedIn
from pld_core.identity import COMMAND_LINE, identity_of, person_of, roles_from_claim, session_is_current
from pld_core.models import Actor, Role
from pld_core.policy_ports import RoleStore

if sys.platform != "win32":
    import pwd


def local_actor(settings: Settings) -> Actor:
    """Return the one named local user, who holds all roles while no sign-in is configured."""
    return Actor(settings.user, frozenset(Role))


def command_line_actor(settings: Settings, roles: RoleStore) -> Actor:
    """Return who acts at the command line: the local user, or with sign-in the operating system's user.

    The latter's name is an attestation, and its roles are those that were granted to it; without any it only reads.
    """
    if not settings.sign_in.is_on:
        return local_actor(settings)
    name = COMMAND_LINE + _system_user()
    return Actor(name, roles.held(name))


def signed_in_actor(settings: Settings, roles: RoleStore, claims: Mapping[str, object], now: datetime) -> Actor:
    """Return the person whom an identity provider vouches for, with the roles held at this moment.

    Args:
        claims: what the provider said, with `is_logged_in`.

    Raises:
        NotSignedIn: nobody is signed in, or it was too long ago.
        SignInUnusable: the claims do not tell one person from another.
    """
    if claims.get("is_logged_in") is not True:
        raise NotSignedIn("Nobody is signed in here. Nothing was changed. Sign in, then do it again.")
    identity = identity_of(claims)
    person = person_of(identity)
    if not session_is_current(identity, now, settings.sign_in.max_age_minutes):
        raise NotSignedIn(
            f"{person} signed in too long ago (more than {settings.sign_in.max_age_minutes:,.0f} minutes). Nothing was "
            "changed. Sign in again, then do it again."
        )
    claimed = roles_from_claim(claims, settings.sign_in.roles_claim, settings.sign_in.roles)
    return Actor(person, roles.held(person) | claimed, identity)


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine only."""
    name = host.strip("[]").lower()
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        # Another name may stand for any address.
        return False


def refuse_open_address(settings: Settings) -> None:
    """Raise `InvalidInput` if others could reach the app although everybody would act as the local user."""
    if not settings.sign_in.is_on and not is_loopback(settings.host):
        raise InvalidInput(
            f"Without sign-in, everybody who reaches {settings.host} would act as {settings.user} with all roles, so "
            "the app listens on loopback (127.0.0.1) only. Nothing was started. Configure sign-in, as "
            "docs/sign-in.md shows, or leave --host and PLD_HOST out."
        )


def _system_user() -> str:
    """Return the operating system's name of the user who runs this process; no variable changes it."""
    if sys.platform == "win32":
        return login_name()
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        # A container without a passwd entry for the user.
        return str(os.getuid())
