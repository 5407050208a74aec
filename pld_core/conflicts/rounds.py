"""The state of the loop: which set of rules is the best so far, which were seen, and why it stops. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pld_core.canonical import Json
from pld_core.conflicts.acceptance import Result, Verdict
from pld_core.paired import Pair, compare


class Stop(StrEnum):
    """Why a loop ended."""

    NO_FAILURES = "no_failures"
    NO_PROPOSALS = "no_proposals"
    NO_GAIN = "no_gain"
    REGRESSION = "regression"
    OSCILLATION = "oscillation"
    LIMIT = "limit"

    @property
    def words(self) -> str:
        """The reason for people."""
        return _WORDS[self]


_WORDS = {
    Stop.NO_FAILURES: "Nothing was left that a change of rules could repair.",
    Stop.NO_PROPOSALS: "No proposal could be tried.",
    Stop.NO_GAIN: "No proposal brought a gain; the best round stands.",
    Stop.REGRESSION: "Every proposal made it worse; the best round stands.",
    Stop.OSCILLATION: "Every proposal led back to a set of rules that was tried before; the best round stands.",
    Stop.LIMIT: "The limit of rounds is reached.",
}


@dataclass(frozen=True)
class Figure:
    """How a prompt does on a split: macro F1, 0 to 1, with its 95 % interval. An answer without a label is wrong."""

    n: int
    right: int
    macro_f1: float
    low: float
    high: float

    @classmethod
    def of(cls, labels: Sequence[str], answers: Sequence[tuple[str, str | None]]) -> Figure | None:
        """Return the figure of (gold, said) answers over the declared labels; None without any: nothing is known."""
        if not answers:
            return None
        # Held against nothing said at all, the difference is the figure itself.
        found = compare(labels, [Pair(gold, None, said) for gold, said in answers])
        return cls(found.n, sum(gold == said for gold, said in answers), found.after, found.low, found.high)

    def as_json(self) -> dict[str, Json]:
        return {"n": self.n, "right": self.right, "macro_f1": self.macro_f1, "interval_95": [self.low, self.high]}


@dataclass(frozen=True)
class Standing:
    """A set of rules that the loop took up, by its prompt, with its macro F1 on validation."""

    prompt_sha256: str
    validation: float


@dataclass(frozen=True)
class Attempt:
    """A set of rules that was tried in a round, against the best so far."""

    prompt_sha256: str
    result: Result
    may_stand: bool = True
    """Whether the loop may go on with it: what a reviewer has to look at first may not."""


@dataclass(frozen=True)
class Loop:
    """How far a loop has come.

    Attributes:
        limit: most rounds, at least 1.
        standings: the sets that it took up, round 0 first; a round that changed nothing adds none.
        seen: prompts of all sets that were tried in earlier rounds, and of those taken up.
        rounds: how many are over.
    """

    limit: int
    standings: tuple[Standing, ...]
    seen: frozenset[str]
    rounds: int = 0
    stop: Stop | None = None

    @property
    def best(self) -> Standing:
        """The standing with the best validation figure; of equal ones the earliest."""
        return max(self.standings, key=lambda standing: standing.validation)


def begun(base: Standing, limit: int) -> Loop:
    return Loop(limit, (base,), frozenset({base.prompt_sha256}))


def chosen(attempts: Sequence[Attempt]) -> Attempt | None:
    """Return the attempt that the loop goes on with: of those that pass the one with most gain, of equal ones the
    first; None if none passes.
    """
    passing = [attempt for attempt in attempts if attempt.result.passes and attempt.may_stand]
    return max(passing, key=lambda attempt: attempt.result.gain, default=None)


def advanced(loop: Loop, attempts: Sequence[Attempt]) -> Loop:
    """Return the loop after a round. What was tried last is always scored: nothing is taken up without its result."""
    after = replace(loop, rounds=loop.rounds + 1, seen=loop.seen | {attempt.prompt_sha256 for attempt in attempts})
    best = chosen(attempts)
    if best is None:
        return replace(after, stop=_why(attempts))
    after = replace(after, standings=(*loop.standings, Standing(best.prompt_sha256, best.result.after)))
    return replace(after, stop=Stop.LIMIT) if after.rounds >= loop.limit else after


def _why(attempts: Sequence[Attempt]) -> Stop:
    fresh = [attempt.result for attempt in attempts if attempt.result.verdict is not Verdict.SEEN_BEFORE]
    if not attempts:
        return Stop.NO_PROPOSALS
    if not fresh:
        return Stop.OSCILLATION
    harmful = {Verdict.WORSE, Verdict.LOSES_EARLY, Verdict.LABEL_WORSE}
    return Stop.REGRESSION if all(result.verdict in harmful for result in fresh) else Stop.NO_GAIN
