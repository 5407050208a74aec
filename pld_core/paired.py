"""Two prompts over the same examples: macro F1, what the second fixed and broke, how sure the difference is. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np

from pld_core.canonical import Json
from pld_core.macro_f1 import macro_f1_by, middle_95, resamples, sort_key
from pld_core.proportion import SMALL_SAMPLE

_BEYOND_FLOAT = 60
"""Binary places, more than a float has."""
_EXACT = 1e-9
"""Shares of a whole number of answers differ from a margin by rounding alone, or by far more."""


class PairedVerdict(StrEnum):
    """What a comparison shows of the second prompt; `no difference shown` is not that there is none."""

    BETTER = "better"
    WORSE = "worse"
    NOT_SHOWN = "no difference shown"
    TOO_FEW = "too few examples"


@dataclass(frozen=True)
class Pair:
    """One example: its gold label, and what the student said with either prompt; None for no usable answer."""

    gold: str
    before: str | None
    after: str | None

    @property
    def is_fixed(self) -> bool:
        """Whether only the second prompt gets it right."""
        return self.before != self.gold == self.after

    @property
    def is_broken(self) -> bool:
        """Whether only the first prompt gets it right."""
        return self.after != self.gold == self.before


@dataclass(frozen=True)
class Comparison:
    """How two prompts compare.

    Attributes:
        before, after: macro F1 over the declared labels, 0 to 1.
        low, high: 95 % interval of `after - before`, from a paired bootstrap within each gold label, with a fixed seed.
        fixed, broken: examples that only the second, or only the first prompt gets right.
        p_value: exact McNemar test of `fixed` against `broken`; None if no answer changed between right and wrong.
    """

    n: int
    before: float
    after: float
    low: float
    high: float
    fixed: int
    broken: int
    p_value: float | None

    @property
    def difference(self) -> float:
        return self.after - self.before

    @property
    def verdict(self) -> PairedVerdict:
        """Whether the interval of the difference leaves out 0; nothing is found below 10 examples.

        The exact McNemar test judges another thing, how many answers are right, and stands beside it.
        """
        if self.n < SMALL_SAMPLE:
            return PairedVerdict.TOO_FEW
        if self.low > 0:
            return PairedVerdict.BETTER
        return PairedVerdict.WORSE if self.high < 0 else PairedVerdict.NOT_SHOWN

    @property
    def words(self) -> str:
        """Such as `better: macro F1 0.812 against 0.740, +0.072 (95 % interval +0.010 to +0.131); fixed 9, broken 2 of
        120 examples, McNemar p = 0.065`; without macro F1 below 10 examples.
        """
        moved = f"fixed {self.fixed:,}, broken {self.broken:,} of {self.n:,} examples"
        if self.verdict is PairedVerdict.TOO_FEW:
            return f"{self.verdict.value}: {moved}"
        chance = "" if self.p_value is None else f", McNemar p = {self.p_value:.2g}"
        return (
            f"{self.verdict.value}: macro F1 {self.after:.3f} against {self.before:.3f}, {self.difference:+.3f} "
            f"(95 % interval {self.low:+.3f} to {self.high:+.3f}); {moved}{chance}"
        )

    def as_json(self) -> dict[str, Json]:
        return {
            "n": self.n,
            "verdict": self.verdict.value,
            "macro_f1_before": self.before,
            "macro_f1_after": self.after,
            "difference": self.difference,
            "difference_interval_95": [self.low, self.high],
            "fixed": self.fixed,
            "broken": self.broken,
            "mcnemar_p": self.p_value,
        }


@dataclass(frozen=True)
class LabelPair:
    """How many of the examples of one label either prompt gets right."""

    label: str
    n: int
    before: int
    after: int

    def loses_more_than(self, margin: float) -> bool:
        """Return whether more right answers went than the margin, a share of `n`, allows; of fewer than 10 none may."""
        lost = self.before - self.after
        return lost > 0 if self.n < SMALL_SAMPLE else lost > margin * self.n + _EXACT

    def as_json(self) -> dict[str, Json]:
        return {"label": self.label, "n": self.n, "before": self.before, "after": self.after}


def compare(labels: Sequence[str], pairs: Sequence[Pair]) -> Comparison:
    """Compare two prompts; the order of the examples changes nothing.

    Args:
        labels: the declared ones, at least one; one without an example counts as 0 in the macro F1 of both.
        pairs: at least one.
    """
    return compare_counted(labels, Counter(pairs))


def compare_counted(labels: Sequence[str], pairs: Mapping[Pair, int]) -> Comparison:
    """Compare two prompts by how many examples are of each kind; see `compare`.

    Args:
        pairs: at least one example; counts are at least 1.
    """
    return _compared(tuple(labels), frozenset(pairs.items()))


@lru_cache(maxsize=64)
def _compared(labels: tuple[str, ...], counted: frozenset[tuple[Pair, int]]) -> Comparison:
    """Resampling takes tens of milliseconds, and with the same seed the same counts come out the same."""
    pairs = dict(counted)
    kinds = sorted(pairs, key=lambda kind: sort_key(kind.gold, kind.before, kind.after))
    golds = [kind.gold for kind in kinds]
    counts = np.array([pairs[kind] for kind in kinds])
    first = macro_f1_by(labels, golds, [kind.before for kind in kinds])
    second = macro_f1_by(labels, golds, [kind.after for kind in kinds])
    before, after = (float(macro_f1(counts[None])[0]) for macro_f1 in (first, second))
    low, high = middle_95(np.concatenate([second(drawn) - first(drawn) for drawn in resamples(golds, counts)]))
    fixed = sum(n for kind, n in pairs.items() if kind.is_fixed)
    broken = sum(n for kind, n in pairs.items() if kind.is_broken)
    return Comparison(int(counts.sum()), before, after, low, high, fixed, broken, mcnemar(fixed, broken))


def by_label(labels: Sequence[str], pairs: Mapping[Pair, int]) -> tuple[LabelPair, ...]:
    """Return a line for each declared label, those without an example too.

    Each example has one gold label, so an answer that wrongly says one label is a miss of another: no harm is left out.

    Args:
        pairs: how many examples are of each kind.
    """
    lines = []
    for label in labels:
        own = {pair: n for pair, n in pairs.items() if pair.gold == label}
        before = sum(n for pair, n in own.items() if pair.before == label)
        after = sum(n for pair, n in own.items() if pair.after == label)
        lines.append(LabelPair(label, sum(own.values()), before, after))
    return tuple(lines)


def mcnemar(fixed: int, broken: int) -> float | None:
    """Exact McNemar test, two-sided: how often chance alone splits the changed answers at least so unevenly.

    None if no answer changed between right and wrong.

    >>> mcnemar(3, 0)
    0.25
    """
    changed, few = fixed + broken, min(fixed, broken)
    if not changed:
        return None
    ways = tail = math.comb(changed, few)
    for k in range(few, 0, -1):
        ways = ways * k // (changed - k + 1)
        tail += ways
        # The k ways that are left are fewer each: too few to change what a float holds. There may be tens of thousands.
        if ways * k < tail >> _BEYOND_FLOAT:
            break
    return min(1.0, tail / (1 << (changed - 1)))
