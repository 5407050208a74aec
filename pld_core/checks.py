"""Seeded checks: known-bad variants of rules among those to review, what became of them, and the catch rate.

They tell how well reviewing works. The figures are a task's; never a ranking of people, and never of who is quick.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pld_core.canonical import Json
from pld_core.models import Actor
from pld_core.proportion import SMALL_SAMPLE, Proportion


class CheckKind(StrEnum):
    """What was made wrong in a rule."""

    FLIPPED_LABEL = "flipped_label"
    DROPPED_EXCEPTION = "dropped_exception"
    OVER_BROAD = "over_broad"

    @property
    def label(self) -> str:
        """The kind in words."""
        return self.value.replace("_", " ")

    @property
    def flaw(self) -> str:
        """What is wrong with a rule of this kind, to go on after `although`."""
        return _FLAWS[self]


_FLAWS = {
    CheckKind.FLIPPED_LABEL: "its supporting examples have another label than it concludes",
    CheckKind.DROPPED_EXCEPTION: "it lacks an exception that its original has",
    CheckKind.OVER_BROAD: "its condition lacks a restriction that its original has",
}


class Ending(StrEnum):
    """The first thing that somebody did with a check; it is closed by it.

    `kept`: somebody wanted to reject other rules as duplicates of it.
    """

    APPROVED = "approved"
    KEPT = "kept"
    REJECTED = "rejected"
    CHANGES_REQUESTED = "changes_requested"
    EDITED = "edited"
    SPLIT = "split"
    MERGED = "merged"

    @property
    def is_caught(self) -> bool:
        """Whether the person saw that the rule could not stay as it was."""
        return self not in (Ending.APPROVED, Ending.KEPT)

    @property
    def label(self) -> str:
        """The ending in words."""
        return self.value.replace("_", " ")


@dataclass(frozen=True)
class Outcome:
    """How a check was closed, by whom, and when (UTC, ISO 8601)."""

    how: Ending
    by: str
    at: str


@dataclass(frozen=True)
class SeededCheck:
    """A rule that is a known-bad variant of another one.

    Attributes:
        rule_id: the rule that looks like any other.
        revision_hash: its first revision, the variant.
        parent, parent_revision: the rule that it was made of, and the hash of that rule's revision.
        policy: number of the change of policy that it was drawn under.
        at: UTC time of drawing, ISO 8601.
        outcome: None while it is open.
    """

    rule_id: str
    revision_hash: str
    kind: CheckKind
    parent: str
    parent_revision: str
    policy: int
    at: str
    outcome: Outcome | None = None

    def as_json(self) -> dict[str, Json]:
        closed = self.outcome
        return {
            "rule": self.rule_id,
            "revision": self.revision_hash,
            "kind": self.kind.value,
            "made_of": self.parent,
            "made_of_revision": self.parent_revision,
            "policy_change": self.policy,
            "at": self.at,
            "outcome": None
            if closed is None
            else {"caught": closed.how.is_caught, "how": closed.how.value, "by": closed.by, "at": closed.at},
        }


def told_words(check: SeededCheck, outcome: Outcome, reader: str) -> str:
    """Return what a closed check was and what became of it; the person who closed it is told what that was."""
    kind = f"{check.rule_id} was a seeded check ({check.kind.label}): {check.kind.flaw}."
    whose = outcome.by == reader
    if outcome.how.is_caught:
        caught = "You caught it." if whose else "It was caught."
        return f"{kind} {caught} Nothing more is to be done; its original is {check.parent}."
    taken = "as the rule that others repeat" if outcome.how is Ending.KEPT else "as right"
    missed = f"You took it {taken}" if whose else f"It was taken {taken}"
    return f"{kind} {missed}. It cannot get into a prompt; its original is {check.parent}."


@dataclass(frozen=True)
class KindCount:
    """How many closed checks of one kind were caught, and how many were missed."""

    kind: CheckKind
    caught: int
    missed: int


@dataclass(frozen=True)
class CatchRate:
    """How many of the closed checks were caught; one that is open counts for nothing yet.

    Attributes:
        kinds: every kind, those without a check too.
    """

    kinds: tuple[KindCount, ...]
    open: int = 0

    @property
    def caught(self) -> int:
        return sum(kind.caught for kind in self.kinds)

    @property
    def missed(self) -> int:
        return sum(kind.missed for kind in self.kinds)

    @property
    def share(self) -> Proportion:
        """The caught ones of the closed ones, with the 95 % Wilson interval; its words give no rate below 10."""
        return Proportion.of(self.caught, self.caught + self.missed)

    @property
    def words(self) -> str:
        """Such as `12 of 15 (80 %, 95 % interval 55 to 93 %)`."""
        return self.share.words if self.share.n else "no check was closed yet"

    def as_json(self) -> dict[str, Json]:
        share = self.share
        told = share.n >= SMALL_SAMPLE
        return {
            "caught": self.caught,
            "missed": self.missed,
            "open": self.open,
            "rate": share.rate if told else None,
            "interval_95": [share.low, share.high] if told else None,
            "kinds": {kind.kind.value: {"caught": kind.caught, "missed": kind.missed} for kind in self.kinds},
        }


def catch_rate(checks: Iterable[SeededCheck]) -> CatchRate:
    """Count what became of checks."""
    seen: Counter[tuple[CheckKind, bool | None]] = Counter()
    for check in checks:
        seen[check.kind, check.outcome.how.is_caught if check.outcome else None] += 1
    kinds = tuple(KindCount(kind, seen[kind, True], seen[kind, False]) for kind in CheckKind)
    return CatchRate(kinds, sum(seen[kind, None] for kind in CheckKind))


class CheckStore(Protocol):
    """What may be known of checks. None of these tells which rule is an open one."""

    def figures(self, task: str) -> CatchRate:
        """Return what became of the checks of a task."""
        ...

    def mine(self, task: str, actor: Actor) -> CatchRate:
        """Return what became of those that the actor closed; nobody sees another person's."""
        ...

    def closed(self, rule_id: str) -> SeededCheck | None:
        """Return the check that the rule was, None if it was none or is still open."""
        ...
