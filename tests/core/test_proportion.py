"""A share says how sure it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from pld_core.proportion import Proportion, percent_words


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    # Wilson 1927; the values of 8/10 and 0/10 stand in Brown, Cai and DasGupta 2001 and Newcombe 1998 alike.
    [
        (8, 10, 0.490, 0.943),
        (0, 10, 0.0, 0.278),
        (10, 10, 0.722, 1.0),
        (81, 263, 0.255, 0.366),
        (15, 148, 0.062, 0.161),
    ],
)
def test_the_interval_is_wilsons(k: int, n: int, low: float, high: float) -> None:
    proportion = Proportion.of(k, n)
    assert proportion.rate == k / n
    assert proportion.low == pytest.approx(low, abs=0.0006)
    assert proportion.high == pytest.approx(high, abs=0.0006)


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_is_the_one_that_others_compute(counted: tuple[int, int]) -> None:
    k, n = counted
    ours, theirs = Proportion.of(k, n), binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert ours.low is not None
    assert ours.high is not None
    assert 0 <= ours.low <= k / n <= ours.high <= 1


def test_nothing_answered_has_no_rate_at_all() -> None:
    none = Proportion.of(0, 0)
    assert (none.rate, none.low, none.high) == (None, None, None)
    assert none.words == "nothing answered yet"


@pytest.mark.parametrize("n", [1, 5, 9])
def test_below_ten_answers_no_rate_is_shown(n: int) -> None:
    words = Proportion.of(1, n).words
    assert words == f"1 of {n} (too few for a rate)"
    assert "%" not in words


def test_from_ten_answers_on_rate_and_interval_are_shown() -> None:
    words = Proportion.of(8, 10).words
    assert words.startswith("8 of 10")
    for figure in ("80", "49", "94"):
        assert figure in words


def test_the_ends_of_a_narrow_interval_do_not_read_the_same() -> None:
    assert Proportion.of(80_000, 100_000).words == "80,000 of 100,000 (80.0%, 95 % interval 79.8 to 80.2%)"
    assert Proportion.of(80, 100).words == "80 of 100 (80%, 95 % interval 71 to 87%)"
    assert percent_words(0.125, 0.1, 0.2) == ("12%", "10 to 20%")
