"""Decisions that somebody has begun and not signed: what was typed into the panel so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pld_core.models import Actor, RejectCategory
from pld_core.review import Action


@dataclass(frozen=True)
class BegunText:
    """What stands in the fields of a decision, word for word as it was typed."""

    reason: str = ""
    category: RejectCategory | None = None

    @property
    def is_empty(self) -> bool:
        return not self.reason and self.category is None


@dataclass(frozen=True)
class BegunDecision:
    """A decision that waits for its signature; private to the person, and no part of the record.

    Attributes:
        base, evidence: hashes of the revision that it was begun on and of the evidence beside it.
        action: one of those in `signing.MEANINGS`.
        opened_at: UTC time at which the person opened the rule, ISO 8601.
        base_number: the revision's number; the store tells it.
        at: UTC time of the last change, ISO 8601; the store tells it.
    """

    rule_id: str
    base: str
    action: Action
    text: BegunText
    evidence: str
    opened_at: str
    base_number: int = 0
    at: str = ""


class BegunStore(Protocol):
    def keep(self, begun: BegunDecision, actor: Actor) -> None:
        """Keep what was typed, in place of what the actor kept for this step on this revision before."""
        ...

    def of_rule(self, rule_id: str, actor: Actor) -> tuple[BegunDecision, ...]:
        """Return what the actor has begun on a rule and not signed, newest first."""
        ...

    def drop(self, rule_id: str, base: str, action: Action, actor: Actor) -> None:
        """Drop what was begun, if anything was."""
        ...
