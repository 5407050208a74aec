"""What a person gave a decision: time at work on the rule, and the evidence that was on the screen. Pure.

The page tells it as far as it can know. What was drawn in front of somebody need not have been read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import pairwise

from pld_core.canonical import Json

IDLE_S = 60.0
"""A gap between two steps of a person counts for so many seconds at most: a lunch break is no work on a rule."""


class Shown(StrEnum):
    """How much of a card's text was on the screen: all of it, a part, or all of it after somebody unfolded it."""

    WHOLE = "whole"
    FOLDED = "folded"
    UNFOLDED = "unfolded"


@dataclass(frozen=True)
class Seen:
    """How many of some examples were on the screen; `in_full` of them with their whole text.

    It holds that `in_full` <= `shown` <= `total`.
    """

    total: int
    shown: int
    in_full: int


@dataclass(frozen=True)
class Attention:
    """What was noted of a decision while it was made.

    Attributes:
        active_seconds: time at work on the revision, as `active_seconds` counts it, in whole seconds.
        evidence: all examples of the evidence.
        contradicting: those that contradict the rule.
        unfolded: long texts, shown in part at first, that were unfolded.
    """

    active_seconds: int
    evidence: Seen
    contradicting: Seen
    unfolded: int

    def as_json(self) -> dict[str, Json]:
        return asdict(self)


@dataclass(frozen=True)
class Moment:
    """A step of a person, in seconds of one clock, and the revision before them from then on; empty for none."""

    at: float
    revision_hash: str


def active_seconds(moments: Sequence[Moment], revision_hash: str, cap: float = IDLE_S) -> float:
    """Return the time that the revision was before a person who was at work.

    Each gap counts for the revision that was on the screen while it lasted, and for `cap` seconds at most.

    Args:
        moments: all steps of one session, in their order.

    >>> active_seconds([Moment(0, "a"), Moment(20, "a"), Moment(3620, "b"), Moment(3630, "a")], "a")
    80.0
    """
    gaps = (later.at - step.at for step, later in pairwise(moments) if step.revision_hash == revision_hash)
    return float(sum(min(max(0.0, gap), cap) for gap in gaps))


def more_of(before: Shown | None, now: Shown) -> Shown:
    """Return what was shown of a card in all: what was unfolded once was on the screen, folded again or not."""
    return before if before is Shown.UNFOLDED else now


def attention_of(
    moments: Sequence[Moment],
    revision_hash: str,
    cards: Mapping[str, Shown],
    evidence: Collection[str],
    contradicting: Collection[str],
) -> Attention:
    """Return what is known of a decision that is made now.

    Args:
        cards: what was shown so far, by the example's hash; cards of examples that left the evidence do not count.
        evidence, contradicting: the examples' hashes as the evidence stands now, all and those that contradict.
    """
    return Attention(
        active_seconds=round(active_seconds(moments, revision_hash)),
        evidence=_seen(evidence, cards),
        contradicting=_seen(contradicting, cards),
        unfolded=sum(cards.get(example) is Shown.UNFOLDED for example in evidence),
    )


def _seen(examples: Collection[str], cards: Mapping[str, Shown]) -> Seen:
    shown = [cards[example] for example in examples if example in cards]
    return Seen(len(examples), len(shown), sum(card is not Shown.FOLDED for card in shown))
