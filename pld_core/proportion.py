"""A share of counted things, and how sure it is. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pld_core.canonical import Json

SMALL_SAMPLE = 10
"""Below this many answers no rate is shown, only the counts."""
_Z = 1.959963984540054
"""Standard normal quantile of a two-sided 95 % interval."""


@dataclass(frozen=True)
class Proportion:
    """k of n with the 95 % Wilson interval; all three rates are None when n is 0.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference", without continuity
    correction.

    >>> Proportion.of(8, 10).rate
    0.8
    """

    k: int
    n: int
    rate: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, k: int, n: int) -> Proportion:
        if n == 0:
            return cls(0, 0, None, None, None)
        rate, square = k / n, _Z * _Z
        centre = (rate + square / (2 * n)) / (1 + square / n)
        reach = _Z / (1 + square / n) * math.sqrt(rate * (1 - rate) / n + square / (4 * n * n))
        # The ends of none and of all are exact; the sums above miss them by a rounding error.
        return cls(k, n, rate, 0.0 if k == 0 else centre - reach, 1.0 if k == n else centre + reach)

    @property
    def words(self) -> str:
        """Such as `8 of 10 (80 %, 95 % interval 49 to 94 %)`; without a rate below 10 answers."""
        if self.rate is None or self.low is None or self.high is None:
            return "nothing answered yet"
        if self.n < SMALL_SAMPLE:
            return f"{self.k:,} of {self.n:,} (too few for a rate)"
        rate, interval = percent_words(self.rate, self.low, self.high)
        return f"{self.k:,} of {self.n:,} ({rate}, 95 % interval {interval})"

    def as_json(self) -> dict[str, Json]:
        interval = None if self.low is None or self.high is None else [self.low, self.high]
        return {"k": self.k, "n": self.n, "rate": self.rate, "interval_95": interval}


def percent_words(rate: float, low: float, high: float) -> tuple[str, str]:
    """Return a rate and its interval in whole percent; with a decimal where both ends would read the same.

    >>> percent_words(0.8, 0.7975, 0.8024)
    ('80.0%', '79.8 to 80.2%')
    """
    places = 1 if f"{low:.0%}" == f"{high:.0%}" else 0
    return f"{rate:.{places}%}", f"{low * 100:.{places}f} to {high:.{places}%}"
