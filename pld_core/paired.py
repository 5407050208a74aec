"""Two prompts over the same examples: macro F1, what the second fixed and broke, how sure the difference is. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pld_core.canonical import Json
from pld_core.evaluation import SMALL_SAMPLE

DRAWS = 2_000
"""Resamples behind an interval; more changes the second digit of its ends no longer."""
SEED = 20_260_101
_EXACT = 1e-9
"""Shares of a whole number of answers differ from a margin by rounding alone, or by far more."""


@dataclass(frozen=True)
class Pair:
    """One example: its gold label, and what the student said with either prompt; None for no usable answer."""

    gold: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Comparison:
    """How two prompts compare.

    Attributes:
        before, after: macro F1, 0 to 1.
        low, high: 95 % interval of `after - before`, from a paired bootstrap with a fixed seed.
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


def compare(pairs: Sequence[Pair]) -> Comparison:
    """Compare two prompts; macro F1 is the mean over the labels that are the gold label of an example.

    Args:
        pairs: at least one.
    """
    cells = Counter(pairs)
    kinds = list(cells)
    counts = np.array([[cells[kind] for kind in kinds]])
    draws = np.random.default_rng(SEED).multinomial(len(pairs), counts[0] / len(pairs), size=DRAWS)
    before, after = (float(_macro_f1(kinds, counts, said)[0]) for said in ("before", "after"))
    moved = _macro_f1(kinds, draws, "after") - _macro_f1(kinds, draws, "before")
    low, high = (float(end) for end in np.quantile(moved, (0.025, 0.975)))
    fixed = sum(pair.before != pair.gold == pair.after for pair in pairs)
    broken = sum(pair.after != pair.gold == pair.before for pair in pairs)
    return Comparison(len(pairs), before, after, low, high, fixed, broken, mcnemar(fixed, broken))


def by_label(labels: Sequence[str], pairs: Sequence[Pair]) -> tuple[LabelPair, ...]:
    """Return a line for each declared label, those without an example too.

    Each example has one gold label, so an answer that wrongly says one label is a miss of another: no harm is left out.
    """
    lines = []
    for label in labels:
        own = [pair for pair in pairs if pair.gold == label]
        right = (sum(said == label for said in (pair.before for pair in own)), sum(p.after == label for p in own))
        lines.append(LabelPair(label, len(own), *right))
    return tuple(lines)


def mcnemar(fixed: int, broken: int) -> float | None:
    """Exact McNemar test, two-sided: how often chance alone splits the changed answers at least so unevenly.

    None if no answer changed between right and wrong.

    >>> mcnemar(3, 0)
    0.25
    """
    changed = fixed + broken
    if not changed:
        return None
    tail = sum(math.comb(changed, k) for k in range(min(fixed, broken) + 1))
    return min(1.0, tail / (1 << (changed - 1)))


def _macro_f1(kinds: Sequence[Pair], counts: npt.NDArray[np.int64], said: str) -> npt.NDArray[np.float64]:
    """Return macro F1 (rows,) of counts (rows, kinds); labels that a row holds no example of count in no mean."""
    answers = [kind.before if said == "before" else kind.after for kind in kinds]
    total, present = np.zeros(len(counts)), np.zeros(len(counts))
    for label in sorted({kind.gold for kind in kinds}):
        gold = np.array([kind.gold == label for kind in kinds])
        predicted = np.array([answer == label for answer in answers])
        in_gold = counts[:, gold].sum(axis=1)
        right, in_answers = counts[:, gold & predicted].sum(axis=1), counts[:, predicted].sum(axis=1)
        total += np.where(in_gold > 0, 2 * right / np.maximum(in_gold + in_answers, 1), 0.0)
        present += in_gold > 0
    return total / np.maximum(present, 1)
