"""What a prompt version records beside its rules: how they were ordered and chosen, and how long the prompt is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pld_core.canonical import Json

MANIFEST_FORMAT = 2
"""Counts up when a manifest records more. Format 1 had neither style nor order: it meant label only, by rank."""


class PromptKind(StrEnum):
    """What a version is: the approved rules, or a baseline to hold them against."""

    RULES = "rules"
    NO_RULES = "none"
    FEW_SHOT = "five-shot"

    @property
    def words(self) -> str:
        return {"rules": "approved rules", "none": "baseline without rules"}.get(self.value, "baseline with 5 examples")


@dataclass(frozen=True)
class RuleOrder:
    """In which order the rules stand.

    Attributes:
        manual: the ids of all rules in the order that a person chose; empty for the order by rank: priority, then
            support (most first), then rule number.
        reason: why a person chose it; empty for the order by rank.
    """

    manual: tuple[str, ...] = ()
    reason: str = ""

    def as_json(self) -> dict[str, Json]:
        if not self.manual:
            return {"by": "rank"}
        return {"by": "manual", "rules": list(self.manual), "reason": self.reason}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RuleOrder:
        return cls(tuple(value.get("rules", ())), value.get("reason", ""))


@dataclass(frozen=True)
class LeftOut:
    """An approved rule that a person left out of a version, and why."""

    rule_id: str
    revision_hash: str
    reason: str


@dataclass(frozen=True)
class Shots:
    """The examples of a few-shot baseline: the seed that they were drawn with, and their hashes in order."""

    seed: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Build:
    """The choices that a version was built with; they are part of what makes it the same version or another.

    Attributes:
        format: the manifest's format; see `MANIFEST_FORMAT`.
        unreviewed: a trial prompt, of revisions that need no approval: it is never stored as a version, and no gate
            passes it.
    """

    kind: PromptKind = PromptKind.RULES
    order: RuleOrder = field(default_factory=RuleOrder)
    left_out: tuple[LeftOut, ...] = ()
    shots: Shots | None = None
    format: int = MANIFEST_FORMAT
    unreviewed: bool = False

    def as_json(self) -> dict[str, Json]:
        return {
            "format": self.format,
            "kind": self.kind.value,
            "order": self.order.as_json(),
            "left_out": [
                {"rule": one.rule_id, "revision": one.revision_hash, "reason": one.reason} for one in self.left_out
            ],
            "shots": None if self.shots is None else {"seed": self.shots.seed, "examples": list(self.shots.examples)},
            **({"unreviewed": True} if self.unreviewed else {}),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Build:
        """Read the build out of a stored manifest, of any format."""
        if "format" not in value:
            return cls(format=1)
        shots = value["shots"]
        return cls(
            kind=PromptKind(value["kind"]),
            order=RuleOrder.from_json(value["order"]),
            left_out=tuple(LeftOut(one["rule"], one["revision"], one["reason"]) for one in value["left_out"]),
            shots=None if shots is None else Shots(shots["seed"], tuple(shots["examples"])),
            format=value["format"],
            unreviewed=value.get("unreviewed", False),
        )


class CountMethod(StrEnum):
    """How tokens were counted."""

    TOKENIZER = "tokenizer"
    PROBE = "probe"
    ESTIMATE = "estimate"


@dataclass(frozen=True)
class TokenCount:
    """How long a prompt is once the student's chat template is around it. No part of what makes two versions the same.

    Attributes:
        tokens: at least 0.
        counter: the student that counted, as commands spell it; empty for an estimate.
        note: why the student asked for could not count; empty if it did, or if none was asked for.
    """

    tokens: int
    method: CountMethod
    counter: str = ""
    note: str = ""

    @property
    def how(self) -> str:
        """How it was counted, in words."""
        if self.method is CountMethod.TOKENIZER:
            return f"counted by the tokenizer of {self.counter}"
        if self.method is CountMethod.PROBE:
            return f"counted by {self.counter} in a call of one token"
        return "estimated from the length: 4 bytes a token" + (f"; {self.note}" if self.note else "")

    @property
    def words(self) -> str:
        """Such as `1,133 tokens, counted by the tokenizer of embedded`."""
        about = "about " if self.method is CountMethod.ESTIMATE else ""
        return f"{about}{self.tokens:,} tokens, {self.how}"

    def adds_to(self, known: TokenCount | None) -> bool:
        """Return whether it tells more than the count that is known: an estimate takes the place of none."""
        return known is None or (self.method is not CountMethod.ESTIMATE and self != known)

    def as_json(self) -> dict[str, Json]:
        return {"tokens": self.tokens, "method": self.method.value, "counter": self.counter, "note": self.note}
