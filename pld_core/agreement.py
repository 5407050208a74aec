"""How far two people agree, beyond what their habits alone would give. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pld_core.canonical import Json
from pld_core.proportion import SMALL_SAMPLE, Proportion

_Z = 1.959964
"""Standard normal quantile of a two-sided 95 % interval."""


@dataclass(frozen=True)
class Agreement:
    """How far two people agree on the same thing.

    Attributes:
        n: things with two opinions.
        agreed: of these, how many had the same verdict.
        kappa: Cohen's kappa, -1 to 1; None without a pair, or where both only ever gave one and the same verdict.
        interval: its 95 % interval; None without kappa, below 10 pairs, and where the large-sample error would claim
            certainty: nobody ever disagreed, or one of the two only ever gave one verdict.
        adjusted: prevalence-adjusted kappa, -1 to 1: what kappa would be if all verdicts were equally frequent. None
            without a pair.
        expected: agreement that their habits alone would give, 0 to 1; None without a pair.
        prevalence: share of each verdict among all 2 n opinions. A kappa near 0 beside one verdict at 95 % says little:
            where nearly all is alike, little agreement is left to be earned.
    """

    n: int
    agreed: int
    kappa: float | None
    interval: tuple[float, float] | None
    adjusted: float | None
    expected: float | None
    prevalence: dict[str, float]

    @property
    def share(self) -> Proportion:
        """The observed agreement."""
        return Proportion.of(self.agreed, self.n)

    def as_json(self) -> dict[str, Json]:
        return {
            "pairs": self.n,
            "agreed": self.agreed,
            "cohens_kappa": self.kappa,
            "cohens_kappa_interval_95": list(self.interval) if self.interval else None,
            "prevalence_adjusted_kappa": self.adjusted,
            "expected_by_chance": self.expected,
            "prevalence": self.prevalence,
        }


def agreement(pairs: Sequence[tuple[str, str]], categories: int) -> Agreement:
    """Return the agreement over (first opinion, second opinion) pairs.

    Sources: Cohen 1960, "A coefficient of agreement for nominal scales"; the interval by the large-sample error of
    Fleiss, Cohen and Everitt 1969; the adjusted kappa by Byrt, Bishop and Carlin 1993 (PABAK), for more than two
    verdicts Bennett, Alpert and Goldstein 1954. Two of two people agree on 3 of 4 rules, one approving 3 and the other
    2 of them: observed 0.75, expected 0.5, kappa 0.5.

    Args:
        categories: how many verdicts there are to choose from, at least 2.

    >>> agreement([("a", "a"), ("a", "a"), ("a", "r"), ("r", "r")], 2).kappa
    0.5
    """
    n = len(pairs)
    if n == 0:
        return Agreement(0, 0, None, None, None, None, {})
    first, second = Counter(pair[0] for pair in pairs), Counter(pair[1] for pair in pairs)
    agreed = sum(a == b for a, b in pairs)
    # Whole numbers until the last step, so that full chance agreement is recognised exactly.
    by_chance = sum(first[name] * second[name] for name in first)
    kappa = None if by_chance == n * n else (agreed * n - by_chance) / (n * n - by_chance)
    both = first + second
    return Agreement(
        n=n,
        agreed=agreed,
        kappa=kappa,
        interval=None if kappa is None or n < SMALL_SAMPLE else _interval(kappa, pairs, first, second, by_chance),
        adjusted=(categories * agreed - n) / (n * (categories - 1)),
        expected=by_chance / (n * n),
        prevalence={name: both[name] / (2 * n) for name in sorted(both)},
    )


def _interval(
    kappa: float, pairs: Sequence[tuple[str, str]], first: Counter[str], second: Counter[str], by_chance: int
) -> tuple[float, float] | None:
    """Return the large-sample interval; counts stand for the shares of the source, so that sums are exact."""
    n, table = len(pairs), Counter(pairs)
    agreed, left = sum(times for (a, b), times in table.items() if a == b), n * n - by_chance
    spread = sum(
        times * (left - (second[a] + first[a]) * (n - agreed)) ** 2
        if a == b
        else times * ((n - agreed) * (second[a] + first[b])) ** 2
        for (a, b), times in table.items()
    )
    variance = n * (n * spread - (agreed * by_chance - 2 * by_chance * n + agreed * n * n) ** 2) / left**4
    if variance <= 0:
        return None
    reach = _Z * math.sqrt(variance)
    return max(-1.0, kappa - reach), min(1.0, kappa + reach)
