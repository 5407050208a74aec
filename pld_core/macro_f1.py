"""Macro F1 over the declared labels, of counts and of their resamples. Pure.

F1 of a label is 2 right / (gold + said), and 0 where nobody has it as gold label or says it. Macro F1 is the mean over
all declared labels, as `f1_score(labels=declared, average="macro", zero_division=0)` of scikit-learn computes it: a
declared label without an example pulls it down, so whoever shows it says which labels those are.

Resamples are drawn within each gold label. A resample of all examples at once loses a rare label now and then, whose F1
would be 0 in it: the interval could then lie wholly below the figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pld_core.canonical import Json
from pld_core.proportion import SMALL_SAMPLE

DRAWS = 2_000
"""Resamples behind an interval; more changes the second digit of its ends no longer."""
SEED = 20_260_101
_BLOCK = 100
"""Resamples that are held at a time: many labels and two prompts make tens of thousands of different answers."""

Counts = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]
Interval = tuple[float, float]


@dataclass(frozen=True)
class MacroF1:
    """Macro F1 of a run.

    Attributes:
        n: answers behind it.
        value: 0 to 1; None without an answer.
        interval: its 95 % interval, from a bootstrap with a fixed seed; None where all resamples are alike, as they
            would claim certainty: all examples of each gold label got the same answer, such as the right one.
    """

    n: int
    value: float | None
    interval: Interval | None

    @classmethod
    def of(cls, labels: Sequence[str], said: Mapping[tuple[str, str | None], int]) -> MacroF1:
        """Return macro F1 of counted answers.

        Args:
            labels: the declared ones, at least one.
            said: how many answers have this gold label and read this label, None for no usable answer.
        """
        kinds = sorted((kind for kind, n in said.items() if n), key=lambda kind: sort_key(*kind))
        if not kinds:
            return cls(0, None, None)
        golds, answers = [gold for gold, _ in kinds], [answer for _, answer in kinds]
        counts = np.array([said[kind] for kind in kinds])
        macro_f1 = macro_f1_by(labels, golds, answers)
        drawn = np.concatenate([macro_f1(block) for block in resamples(golds, counts)])
        return cls(int(counts.sum()), float(macro_f1(counts[None])[0]), middle_95(drawn) if np.ptp(drawn) > 0 else None)

    @property
    def words(self) -> str:
        """Such as `0.812 (95 % interval 0.742 to 0.871)`; without a figure below 10 answers."""
        if self.value is None:
            return "nothing answered yet"
        if self.n < SMALL_SAMPLE:
            return "too few answers for a figure"
        if self.interval is None:
            return f"{self.value:.3f} (all resamples alike, so no interval)"
        return f"{self.value:.3f} (95 % interval {self.interval[0]:.3f} to {self.interval[1]:.3f})"

    def as_json(self) -> dict[str, Json]:
        return {"value": self.value, "interval_95": list(self.interval) if self.interval else None}


def sort_key(*names: str | None) -> tuple[tuple[bool, str], ...]:
    """Return what kinds of answers are sorted by, so that their order decides nothing; no usable answer comes last."""
    return tuple((name is None, name or "") for name in names)


def macro_f1_by(labels: Sequence[str], golds: Sequence[str], said: Sequence[str | None]) -> Callable[[Counts], Shares]:
    """Return what makes macro F1 (rows,) of counts (rows, kinds): how many answers are of each kind.

    Args:
        labels: the declared ones, at least one.
        golds, said: (kinds,) gold label and answer of each kind of answer; None for no usable answer.
    """
    columns: dict[str | None, int] = {label: column for column, label in enumerate(labels)}
    # The last row is for what is not declared. Floats, because only those are multiplied fast.
    one_hot = np.eye(len(labels) + 1)[:, :-1]
    is_gold = one_hot[[columns.get(gold, -1) for gold in golds]]
    is_said = one_hot[[columns.get(answer, -1) for answer in said]]
    right, either = is_gold * is_said, is_gold + is_said

    def of(counts: Counts) -> Shares:
        rows = counts.astype(np.float64)
        found: Shares = (2 * (rows @ right) / np.maximum(rows @ either, 1)).mean(axis=1)
        return found

    return of


def resamples(golds: Sequence[str], counts: Counts) -> Iterator[Counts]:
    """Yield `DRAWS` resamples of counted answers with a fixed seed, (block, kinds) at a time.

    Args:
        golds: (kinds,) gold label of each kind of answer; as many examples of each are drawn as there are.
        counts: (kinds,) how many answers are of that kind, at least 1. Equal kinds in equal order give equal draws.
    """
    random = np.random.default_rng(SEED)
    names = np.array(golds, dtype=object)
    strata = [np.flatnonzero(names == name) for name in dict.fromkeys(golds)]
    for _ in range(DRAWS // _BLOCK):
        drawn = np.zeros((_BLOCK, len(counts)), dtype=np.int64)
        for kinds in strata:
            own = counts[kinds]
            drawn[:, kinds] = random.multinomial(own.sum(), own / own.sum(), size=_BLOCK)
        yield drawn


def middle_95(drawn: Shares) -> Interval:
    """Return the ends between which the middle 95 % of the drawn figures lie."""
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(low), float(high)
