"""Signing a decision: what the signature means, what vouches for the person, and how fresh the sign-in has to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pld_core.errors import StaleSignIn
from pld_core.identity import authenticated_within, is_at_command_line
from pld_core.models import Actor
from pld_core.review import Action

MEANINGS: Mapping[Action, str] = {
    Action.APPROVE: "I have read this revision beside its evidence, find it right, and approve that it goes into "
    "prompts until it is changed, goes stale or is retired.",
    Action.REJECT: "I have read this revision and reject it: it does not go into prompts.",
    Action.REQUEST_CHANGES: "I have read this revision and ask for changes: as it stands it does not go into prompts.",
    Action.WITHDRAW: "I take back my decision on this revision: it counts for nothing from now on, and the revision "
    "goes back to review.",
}
"""What somebody states by signing, for each step that is signed. Recorded word for word with the decision."""


@dataclass(frozen=True)
class Signature:
    """What was recorded of the signature of a decision.

    Attributes:
        meaning: what the person stated; empty for a decision from before it was recorded.
        kind: `models.SIGNATURE` or `models.ATTESTATION`.
        name: how the identity provider called the person; empty where nobody signed in.
    """

    meaning: str
    kind: str
    name: str = ""


def require_fresh_sign_in(actor: Actor, minutes: int, now: datetime) -> None:
    """Refuse a signature by somebody whom the identity provider saw too long ago.

    Two people pass whatever the policy says, and what they sign is an attestation: the local user, as there is no
    provider, and somebody whose provider does not tell when it saw them.

    Args:
        minutes: most minutes since the sign-in, 0 for any time; the task's policy says.

    Raises:
        StaleSignIn: it was longer ago; or sign-in is configured, and the actor is at the command line.
    """
    if not minutes:
        return
    if actor.identity is None:
        if is_at_command_line(actor):
            raise StaleSignIn(
                f"The policy asks for a sign-in of the last {minutes:,} minutes, and nobody signs in at the command "
                "line. Nothing was signed. Sign in to the app and decide there."
            )
        return
    if actor.identity.auth_time is None or authenticated_within(actor.identity, now, minutes):
        return
    raise StaleSignIn(
        f"The policy asks for a sign-in of the last {minutes:,} minutes. {actor.name} signed in longer ago. Nothing "
        "was signed, and what you wrote is kept. Sign in again, then sign."
    )


def is_fresh(actor: Actor, minutes: int, now: datetime) -> bool:
    """Return whether `require_fresh_sign_in` lets the actor sign."""
    try:
        require_fresh_sign_in(actor, minutes, now)
    except StaleSignIn:
        return False
    return True
