"""Decisions that somebody has begun and not signed: what was typed into the panel so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pld_core.models import Actor, RejectCategory, Verdict


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
        base: hash of the revision that it was begun on.
        base_number: that revision's number.
        at: UTC time of the last change, ISO 8601.
    """

    rule_id: str
    base: str
    base_number: int
    verdict: Verdict
    text: BegunText
    at: str


class BegunStore(Protocol):
    def keep(self, rule_id: str, base: str, verdict: Verdict, text: BegunText, actor: Actor) -> None:
        """Keep what was typed, in place of what was kept before; fields without anything in them keep nothing."""
        ...

    def of_rule(self, rule_id: str, actor: Actor) -> tuple[BegunDecision, ...]:
        """Return what the actor has begun on a rule, newest first."""
        ...

    def drop(self, rule_id: str, base: str, verdict: Verdict, actor: Actor) -> BegunText | None:
        """Drop what was begun and return what it held; None if there was nothing."""
        ...
