"""What a teacher takes two overlapping rules for, before any student has run. A note: it changes no state. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pld_core.overlaps import OverlapPair


class PairVerdict(StrEnum):
    """What a teacher takes a pair for, the worst first.

    `contradiction`: both fit the same inputs and cannot both be right. `exception`: one is an exception that the other
    lacks. `duplicate`: both say the same of the same inputs, but for the label's name. `different_scope`: they only
    sound alike. `unclear`: it cannot tell from what it was shown.
    """

    CONTRADICTION = "contradiction"
    EXCEPTION = "exception"
    DUPLICATE = "duplicate"
    UNCLEAR = "unclear"
    DIFFERENT_SCOPE = "different_scope"

    @property
    def label(self) -> str:
        """The verdict in words."""
        return self.value.replace("_", " ")

    @property
    def meaning(self) -> str:
        """What it says of two rules, in a sentence."""
        return _MEANINGS[self]


_MEANINGS = {
    PairVerdict.CONTRADICTION: "Both rules fit the same inputs and cannot both be right about them.",
    PairVerdict.EXCEPTION: "One rule is an exception to the other, which does not say so.",
    PairVerdict.DUPLICATE: "Both rules are about the same inputs for the same reason; one of them is enough.",
    PairVerdict.UNCLEAR: "What the teacher was shown does not tell what the two rules are to each other.",
    PairVerdict.DIFFERENT_SCOPE: "The two rules only sound alike; no input fits both.",
}


@dataclass(frozen=True)
class PairJudgement:
    """A teacher's word on two revisions; it is out of date once either rule has a newer one.

    Attributes:
        low, high: hashes of the revisions, the one of the lower rule number first.
        rules: ids of their rules, in the same order.
        reason: in 1 or 2 sentences.
        examples: hashes of the shown examples that it rests on.
        request_hash: of the call.
    """

    low: str
    high: str
    rules: tuple[str, str]
    verdict: PairVerdict
    reason: str
    examples: tuple[str, ...]
    teacher: str
    request_hash: str


@dataclass(frozen=True)
class JudgedPair:
    """A pair of close rules, and the newest word on it; None while no teacher was asked.

    Attributes:
        outdated: there is no word on it, but one on an earlier revision of either rule.
    """

    pair: OverlapPair
    judgement: PairJudgement | None
    outdated: bool = False

    @property
    def verdict(self) -> PairVerdict | None:
        return self.judgement.verdict if self.judgement else None


Judged = Mapping[tuple[str, str], PairJudgement]
"""The newest word on each pair, by the ids of the two rules, the lower number first."""

_ORDER: tuple[PairVerdict | None, ...] = (
    PairVerdict.CONTRADICTION,
    PairVerdict.EXCEPTION,
    PairVerdict.DUPLICATE,
    PairVerdict.UNCLEAR,
    None,
    PairVerdict.DIFFERENT_SCOPE,
)


def worst_first(
    pairs: Iterable[OverlapPair], judged: Judged, earlier: Collection[tuple[str, str]] = ()
) -> tuple[JudgedPair, ...]:
    """Return the pairs with the word on each: contradictions first, different scopes after those not judged yet.

    Among equals the order stays.

    Args:
        earlier: ids of the rules of each pair with a word on earlier revisions.
    """
    found = []
    for pair in pairs:
        rules = (pair.low, pair.high)
        found.append(JudgedPair(pair, judged.get(rules), rules not in judged and rules in earlier))
    return tuple(sorted(found, key=lambda one: _ORDER.index(one.verdict)))


def to_ask_about(pairs: Sequence[OverlapPair], judged: Judged, heads: Mapping[str, str]) -> tuple[JudgedPair, ...]:
    """Return the pairs that a loop asks about, contradictions first; what is of different scope is left out.

    A word counts for the revisions that it was given on alone.

    Args:
        heads: hash of the revision of each rule of the loop, by the rule's id; other pairs are left out.
    """
    valid = {
        rules: one
        for rules, one in judged.items()
        if (one.low, one.high) == tuple(heads.get(rule_id, "") for rule_id in rules)
    }
    known = [pair for pair in pairs if pair.low in heads and pair.high in heads]
    return tuple(one for one in worst_first(known, valid) if one.verdict is not PairVerdict.DIFFERENT_SCOPE)
