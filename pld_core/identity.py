"""Who signed in: from the claims of an identity provider to a name that stands for one person only, and to roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pld_core.errors import InvalidInput, SignInUnusable
from pld_core.models import Actor, Identity, Role

LONGEST_NAME = 500
COMMAND_LINE = "os:"
"""Stands before the names of people at the command line, so that none of them is taken for a signed-in address."""
CLOCK_SKEW = timedelta(minutes=2)
"""How far the provider's clock may run ahead of ours."""


def identity_of(claims: Mapping[str, object]) -> Identity:
    """Return who the provider's claims say somebody is.

    Raises:
        SignInUnusable: the claims name no issuer or no subject, so nobody could be told apart by them.
    """
    issuer, subject = _text(claims, "iss"), _text(claims, "sub")
    if not issuer or not subject:
        raise SignInUnusable(
            "The identity provider did not say who you are: its answer names no issuer or no subject. Nothing was "
            "changed. Tell your admin; docs/sign-in.md says what the provider has to send."
        )
    # Some providers send the flag as a text.
    verified = claims.get("email_verified") in (True, "true")
    return Identity(
        issuer=issuer,
        subject=subject,
        name=_text(claims, "name") or _text(claims, "preferred_username"),
        email=_text(claims, "email").lower() if verified else "",
        auth_time=_seconds(claims, "auth_time"),
        issued_at=_seconds(claims, "iat"),
    )


def person_of(identity: Identity) -> str:
    """Return the name under which a person acts: the verified e-mail, else issuer and subject as `issuer#subject`.

    An address that the provider did not verify could be somebody else's, and a display name is nobody's own.
    """
    return identity.email or f"{identity.issuer}#{identity.subject}"


def is_at_command_line(actor: Actor) -> bool:
    """Return whether sign-in is configured and the actor is the operating system's user at the command line."""
    return actor.identity is None and actor.name.startswith(COMMAND_LINE)


def person_name(text: str) -> str:
    """Return the name of a person as it is stored: e-mail addresses in lower case.

    Raises:
        InvalidInput: empty, with white space or control characters, or longer than 500 characters.
    """
    name = text.strip()
    if not name or len(name) > LONGEST_NAME or any(c.isspace() or not c.isprintable() for c in name):
        raise InvalidInput(
            f"{text!r} is not the name of a person. Give the e-mail address that the provider has verified, "
            "the name that the page shows after sign-in, or os:NAME for the command line. Nothing was changed."
        )
    return name.lower() if "@" in name and "#" not in name else name


def roles_from_claim(
    claims: Mapping[str, object], claim: str, mapping: Mapping[str, Sequence[Role]]
) -> frozenset[Role]:
    """Return the roles that the values of a claim (one text, or a list of texts) stand for; unknown values for none."""
    found = claims.get(claim) if claim else None
    values = found if isinstance(found, list | tuple) else [found]
    return frozenset(role for value in values if isinstance(value, str) for role in mapping.get(value, ()))


def authenticated_within(identity: Identity | None, now: datetime, minutes: float) -> bool:
    """Return whether the person proved to the provider who they are less than so many minutes ago.

    Only the claim `auth_time` says so; a provider that does not send it cannot vouch for a fresh sign-in.
    """
    return identity is not None and _within(identity.auth_time, now, minutes)


def session_is_current(identity: Identity, now: datetime, minutes: float) -> bool:
    """Return whether the provider vouched for the person less than so many minutes ago; unknown counts as too old."""
    return _within(identity.issued_at or identity.auth_time, now, minutes)


def _within(seconds: int | None, now: datetime, minutes: float) -> bool:
    if seconds is None:
        return False
    age = now.timestamp() - seconds
    return -CLOCK_SKEW.total_seconds() <= age < minutes * 60


def _text(claims: Mapping[str, object], name: str) -> str:
    found = claims.get(name)
    return "".join(c for c in found if c.isprintable()).strip() if isinstance(found, str) else ""


def _seconds(claims: Mapping[str, object], name: str) -> int | None:
    found = claims.get(name)
    return int(found) if isinstance(found, int | float) and not isinstance(found, bool) and found > 0 else None
