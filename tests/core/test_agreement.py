"""Agreement as scikit-learn has it; its interval as the delta method gives it by another way."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from pld_core.agreement import agreement
from pld_core.models import Verdict

NAMES = [verdict.value for verdict in Verdict]
OPINIONS = st.sampled_from(NAMES)
PAIRS = st.lists(st.tuples(OPINIONS, OPINIONS), min_size=1, max_size=60)


def kappa_of(shares: npt.NDArray[np.float64]) -> float:
    by_chance = float(shares.sum(axis=0) @ shares.sum(axis=1)) / float(shares.sum()) ** 2
    return (float(np.trace(shares)) / float(shares.sum()) - by_chance) / (1 - by_chance)


def error_by_slopes(pairs: Sequence[tuple[str, str]]) -> float:
    """Return the large-sample error of kappa: the slope for each cell of the table, measured, not derived."""
    shares = np.zeros((3, 3))
    for a, b in pairs:
        shares[NAMES.index(a), NAMES.index(b)] += 1 / len(pairs)
    step, slopes = 1e-6, np.zeros((3, 3))
    for place in np.ndindex(3, 3):
        more, less = shares.copy(), shares.copy()
        more[place] += step
        less[place] -= step
        slopes[place] = (kappa_of(more) - kappa_of(less)) / (2 * step)
    spread = float((shares * slopes**2).sum() - (shares * slopes).sum() ** 2)
    return math.sqrt(max(0.0, spread) / len(pairs))


@given(PAIRS)
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    found = agreement(pairs, 3)
    with warnings.catch_warnings():
        # It warns, and answers NaN, where both only ever gave one and the same verdict.
        warnings.simplefilter("ignore")
        wanted = cohen_kappa_score([a for a, _ in pairs], [b for _, b in pairs])
    if found.kappa is None:
        assert math.isnan(wanted)
    else:
        assert found.kappa == pytest.approx(wanted, abs=1e-12)
        assert -1.0 <= found.kappa <= 1.0


@given(PAIRS)
def test_it_does_not_depend_on_who_is_called_first_and_prevalence_sums_to_one(pairs: list[tuple[str, str]]) -> None:
    found, turned = agreement(pairs, 3), agreement([(b, a) for a, b in pairs], 3)
    assert found == turned
    assert sum(found.prevalence.values()) == pytest.approx(1.0)
    assert found.agreed <= found.n == len(pairs)


@given(st.lists(st.tuples(OPINIONS, OPINIONS), min_size=10, max_size=80))
def test_the_interval_is_that_of_the_delta_method(pairs: list[tuple[str, str]]) -> None:
    found = agreement(pairs, 3)
    assume(found.kappa is not None)
    assert found.kappa is not None
    reach = 1.959964 * error_by_slopes(pairs)
    assume(reach > 1e-3)
    assert found.interval == pytest.approx((max(-1.0, found.kappa - reach), min(1.0, found.kappa + reach)), abs=1e-4)


def test_a_worked_number() -> None:
    found = agreement([("a", "a"), ("a", "a"), ("a", "r"), ("r", "r")], 2)
    assert (found.agreed, found.expected, found.kappa, found.adjusted) == (3, 0.5, 0.5, 0.5)
    assert found.prevalence == {"a": 5 / 8, "r": 3 / 8}
    assert (found.share.k, found.share.n) == (3, 4)
    # Too few for an interval.
    assert found.interval is None


def test_a_worked_interval() -> None:
    """50 things, 20 and 15 agreed on, 5 and 10 not: kappa 0.4, standard error 0.128."""
    pairs = [("a", "a")] * 20 + [("a", "r")] * 5 + [("r", "a")] * 10 + [("r", "r")] * 15
    found = agreement(pairs, 2)
    assert found.kappa == pytest.approx(0.4)
    assert found.interval == pytest.approx((0.4 - 1.96 * 0.1280, 0.4 + 1.96 * 0.1280), abs=2e-3)


def test_where_nearly_all_verdicts_are_alike_only_the_adjusted_kappa_is_high() -> None:
    found = agreement([("a", "a")] * 95 + [("a", "r")] * 3 + [("r", "a")] * 2, 2)
    assert found.kappa == pytest.approx(-0.0246, abs=1e-3)
    assert found.adjusted == pytest.approx(0.9)


def test_full_agreement_claims_no_certain_interval() -> None:
    found = agreement([("a", "a")] * 20 + [("r", "r")] * 5, 3)
    assert (found.kappa, found.interval, found.adjusted) == (1.0, None, 1.0)


def test_without_a_pair_nothing_is_claimed() -> None:
    found = agreement([], 3)
    assert (found.n, found.kappa, found.adjusted, found.expected, found.prevalence) == (0, None, None, None, {})
    assert found.share.rate is None
