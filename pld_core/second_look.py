"""Second looks: rejections drawn by lot, at which somebody else looks again. Values, the port, and the rules of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pld_core.canonical import hash_json
from pld_core.errors import IllegalTransition, MissingReason
from pld_core.models import Actor, Decision, Revision
from pld_core.permissions import Step, require

_LOTS = 10_000


class LookOutcome(StrEnum):
    """`confirm`: the rejection stands. `reopen`: the same text goes into review again, as a new revision."""

    CONFIRM = "confirm"
    REOPEN = "reopen"


@dataclass(frozen=True)
class SecondLook:
    """A rejection that was drawn, and what came of it.

    Attributes:
        rejection: the decision.
        drawn_at: UTC time, ISO 8601.
        outcome: None while nobody has looked; then `reason`, `by` and `at` are empty.
    """

    rejection: Decision
    drawn_at: str
    outcome: LookOutcome | None = None
    reason: str = ""
    by: str = ""
    at: str = ""


class SecondLookStore(Protocol):
    def of_rule(self, rule_id: str) -> tuple[SecondLook, ...]:
        """Return the second looks at a rule's rejections, oldest first."""
        ...

    def confirm(self, rule_id: str, seen_revision: str, reason: str, actor: Actor) -> SecondLook:
        """Record that the rejection of the revision that was on the screen stands.

        Raises:
            NotFound: it was not drawn.
            RevisionMovedOn: it is not the newest revision any more.
            MissingReason, IllegalTransition: see `check_look`.
        """
        ...

    def reopen(self, rule_id: str, seen_revision: str, reason: str, actor: Actor) -> Revision:
        """Bring the rejected text into review again, as a new revision; raises as `confirm` does."""
        ...


def is_drawn(decision_id: int, revision_hash: str, percent: int) -> bool:
    """Return whether a rejection is looked at again: a lot that anybody can draw again with the same result."""
    lot = int(hash_json({"decision": decision_id, "revision": revision_hash}).removeprefix("sha256:")[:16], 16)
    return lot % _LOTS < percent * _LOTS // 100


def check_look(look: SecondLook, reason: str, actor: Actor) -> str:
    """Return the reason with white space folded.

    Raises:
        MissingRole: the actor may not judge rules.
        IllegalTransition: the actor rejected it, or somebody has looked already.
        MissingReason: no reason.
    """
    require(actor, Step.SECOND_LOOK)
    rule = look.rejection.rule_id
    if look.outcome is not None:
        raise IllegalTransition(
            f"{look.by} has looked at the rejection of {rule} already ({look.outcome.value}). Nothing was recorded."
        )
    if actor.name == look.rejection.reviewer:
        raise IllegalTransition(
            f"{actor.name} rejected {rule} and cannot give the second look. Nothing was recorded; somebody else has to."
        )
    if not reason.strip():
        raise MissingReason("A second look needs a reason in your own words. Nothing was recorded; add one.")
    return " ".join(reason.split())
