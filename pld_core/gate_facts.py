"""What the gates of a release are judged by, and what a gate says. Values only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pld_core.canonical import Json
from pld_core.models import Prediction, Run


class GateState(StrEnum):
    """Whether a gate lets a release through. What does not apply lets it through, and says why it does not apply."""

    GREEN = "green"
    RED = "red"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Fix:
    """Where a red gate is put right: a page (`review`, `evaluate`), and what to do there."""

    page: str
    todo: str


@dataclass(frozen=True)
class Gate:
    """One condition of a release.

    Attributes:
        key: stable name for machines.
        title: the condition, as a sentence.
        figure: what was found, in words.
        n: what the figure was counted over; never 0 for a green gate.
        reason: why it is red, or why it does not apply; empty for a green one.
        fix: for a red one.
    """

    key: str
    title: str
    state: GateState
    figure: str
    n: int
    reason: str = ""
    fix: Fix | None = None

    def as_json(self) -> dict[str, Json]:
        fix: Json = {"page": self.fix.page, "todo": self.fix.todo} if self.fix else None
        return {
            "key": self.key,
            "title": self.title,
            "state": self.state.value,
            "figure": self.figure,
            "n": self.n,
            "reason": self.reason,
            "fix": fix,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Gate:
        fix = value["fix"]
        return cls(
            value["key"],
            value["title"],
            GateState(value["state"]),
            value["figure"],
            value["n"],
            value["reason"],
            Fix(fix["page"], fix["todo"]) if fix else None,
        )


def red_gates(gates: Iterable[Gate]) -> tuple[Gate, ...]:
    return tuple(gate for gate in gates if gate.state is GateState.RED)


@dataclass(frozen=True)
class RuleFact:
    """A rule of the prompt as it stands now.

    Attributes:
        in_force: the revision in the prompt is the approved one in force.
        state: of the rule, in words.
        is_check: it is a seeded check.
        is_compared: it was compared with the other rules, as it reads in the prompt.
    """

    rule_id: str
    in_force: bool
    state: str
    is_check: bool = False
    is_compared: bool = True


@dataclass(frozen=True)
class Evaluated:
    """An evaluation with its answers."""

    run: Run
    predictions: tuple[Prediction, ...]

    @property
    def is_complete(self) -> bool:
        return len(self.predictions) == self.run.total > 0


@dataclass(frozen=True)
class Production:
    """What a version is compared with: the one in production, or for that one itself the one that it replaced there.

    Attributes:
        evaluated: its evaluation with the same student, weights and split; None without one.
    """

    number: int
    evaluated: Evaluated | None


@dataclass(frozen=True)
class GateFacts:
    """What the store knows of a prompt version.

    Attributes:
        labels: declared labels of the task.
        contradictions: pairs of rules of the prompt with close conditions and different labels, where neither was
            approved beside the other.
        conflicts: texts of the task that stand with two labels, which nobody has settled.
        tokens: of the prompt; `counted` says how they were counted.
        evaluated: the newest evaluation of this prompt that counts, the newest complete one if there is any.
        split: hashes of the active examples of that evaluation's split, of the test split without one.
        production: None while no other version is, or was before this one, in production.
        unreviewed: the prompt is marked as a trial, whose revisions need no approval.
        looks: evaluations of any version of the task on the test split, this one's too.
    """

    number: int
    labels: tuple[str, ...]
    rules: tuple[RuleFact, ...]
    contradictions: tuple[tuple[str, str], ...]
    conflicts: int
    tokens: int
    counted: str
    evaluated: Evaluated | None
    split: frozenset[str]
    production: Production | None
    looks: int
    unreviewed: bool = False
