"""Two prompts over the same examples, against figures worked by hand and by another library."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from pld_core.paired import Pair, PairedVerdict, by_label, compare, mcnemar

LABELS = ("a", "b", "c")
SAID = st.sampled_from([*LABELS, None])
PAIRS = st.lists(st.builds(Pair, st.sampled_from(LABELS), SAID, SAID), min_size=1, max_size=30)


def test_a_figure_worked_by_hand() -> None:
    pairs = [Pair("a", "a", "a"), Pair("a", "b", "a"), Pair("b", "b", "b"), Pair("b", "b", None)]
    found = compare(("a", "b"), pairs)
    # Before: a 2*1/(2+1), b 2*2/(2+3). After: a 2*2/(2+2), b 2*1/(2+1).
    assert found.before == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert found.after == pytest.approx((1 + 2 / 3) / 2)
    assert (found.n, found.fixed, found.broken, found.p_value) == (4, 1, 1, 1.0)


@given(PAIRS)
def test_macro_f1_is_the_one_that_others_compute(pairs: list[Pair]) -> None:
    gold = [pair.gold for pair in pairs]
    found = compare(LABELS, pairs)
    for ours, said in ((found.before, "before"), (found.after, "after")):
        answers = [getattr(pair, said) or "none" for pair in pairs]
        theirs = f1_score(gold, answers, labels=LABELS, average="macro", zero_division=0)
        assert ours == pytest.approx(theirs)


@given(PAIRS)
def test_a_comparison_is_the_same_each_time_and_turns_with_its_sides(pairs: list[Pair]) -> None:
    found, turned = compare(LABELS, pairs), compare(LABELS, [Pair(p.gold, p.after, p.before) for p in pairs])
    assert found == compare(LABELS, list(reversed(pairs)))
    assert -1 <= found.low <= found.high <= 1
    assert (turned.fixed, turned.broken) == (found.broken, found.fixed)
    assert turned.difference == pytest.approx(-found.difference)


def test_equal_answers_differ_by_nothing() -> None:
    found = compare(("a", "b"), [Pair("a", "a", "a"), Pair("b", "a", "a")] * 6)
    assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, None)


def test_the_interval_tells_a_clear_difference_from_chance() -> None:
    clear = compare(("a", "b"), [Pair("a", "b", "a"), Pair("b", "b", "b")] * 30)
    chance = compare(("a", "b"), [Pair("a", "b", "a"), Pair("a", "a", "b"), Pair("b", "b", "b")] * 10)
    assert clear.low > 0
    assert chance.low < 0 < chance.high
    assert (clear.verdict, chance.verdict) == (PairedVerdict.BETTER, PairedVerdict.NOT_SHOWN)
    assert clear.words.startswith("better: macro F1 1.000 against 0.333, +0.667 (95 % interval +")
    assert clear.words.endswith("; fixed 30, broken 0 of 60 examples, McNemar p = 1.9e-09")
    assert clear.as_json()["verdict"] == "better"


def test_a_loss_is_found_as_a_gain_is() -> None:
    assert compare(("a", "b"), [Pair("a", "a", "b"), Pair("b", "b", "b")] * 30).verdict is PairedVerdict.WORSE


def test_below_ten_examples_nothing_is_found_and_no_rate_is_shown() -> None:
    few = compare(("a", "b"), [Pair("a", "b", "a")] * 9)
    assert few.verdict is PairedVerdict.TOO_FEW
    assert few.words == "too few examples: fixed 9, broken 0 of 9 examples"


def test_equal_answers_show_no_difference() -> None:
    same = compare(("a", "b"), [Pair("a", "b", "b")] * 12)
    assert same.words.startswith("no difference shown: macro F1 0.000 against 0.000, +0.000")
    assert same.words.endswith("fixed 0, broken 0 of 12 examples")


def test_a_declared_label_without_an_example_counts_as_nothing_on_both_sides() -> None:
    pairs = [Pair("a", "b", "a"), Pair("b", "b", "b")] * 10
    two, three = compare(("a", "b"), pairs), compare(LABELS, pairs)
    assert three.difference == pytest.approx(two.difference * 2 / 3)
    assert three.verdict is two.verdict is PairedVerdict.BETTER


def test_labels_that_are_not_declared_take_no_part_in_macro_f1() -> None:
    found = compare(("a",), [Pair("old", "old", "a"), Pair("a", "a", "a")])
    assert found.before == 1.0
    assert found.after == pytest.approx(2 / 3)
    assert (found.fixed, found.broken) == (0, 1)


def test_each_label_is_counted_those_without_an_example_too() -> None:
    lines = by_label(("a", "b"), Counter([Pair("a", "a", None), Pair("a", "b", "a")]))
    assert [line.as_json() for line in lines] == [
        {"label": "a", "n": 2, "before": 1, "after": 1},
        {"label": "b", "n": 0, "before": 0, "after": 0},
    ]


@pytest.mark.parametrize(
    ("fixed", "broken", "p"), [(0, 0, None), (3, 0, 0.25), (0, 3, 0.25), (5, 5, 1.0), (9, 1, 22 / 1024)]
)
def test_the_exact_test_of_mcnemar(fixed: int, broken: int, p: float | None) -> None:
    assert mcnemar(fixed, broken) == (p if p is None else pytest.approx(p))


@given(st.integers(0, 400), st.integers(0, 400))
def test_the_exact_test_is_the_one_that_others_compute(fixed: int, broken: int) -> None:
    ours = mcnemar(fixed, broken)
    if ours is None:
        assert fixed + broken == 0
    else:
        assert ours == pytest.approx(binomtest(fixed, fixed + broken, 0.5).pvalue, rel=1e-6)


def test_two_prompts_that_are_equally_good_are_seldom_told_apart() -> None:
    """Of samples from two students of the same quality, about 5 in 100 show a difference that is none."""
    kinds = [Pair(gold, *said) for gold in ("a", "b") for said in (("a", "a"), ("a", "b"), ("b", "a"), ("b", "b"))]
    shares = np.array([0.30, 0.06, 0.06, 0.08, 0.05, 0.05, 0.05, 0.35])
    told, samples = 0, 200
    for sample in np.random.default_rng(11).multinomial(150, shares, size=samples):
        pairs = [pair for pair, n in zip(kinds, sample, strict=True) for _ in range(n)]
        told += compare(("a", "b"), pairs).verdict is not PairedVerdict.NOT_SHOWN
    assert 0.01 <= told / samples <= 0.10


@pytest.mark.parametrize(("fixed", "broken"), [(0, 1), (7, 7), (3, 40), (400, 500), (1_100, 1_000)])
def test_mcnemar_is_the_whole_tail_of_the_binomial(fixed: int, broken: int) -> None:
    n = fixed + broken
    tail = sum(math.comb(n, k) for k in range(min(fixed, broken) + 1))
    assert mcnemar(fixed, broken) == min(1.0, tail / (1 << (n - 1)))
    assert mcnemar(broken, fixed) == mcnemar(fixed, broken)


def test_mcnemar_of_very_many_changed_answers() -> None:
    """As twice the normal tail beyond 3.159 standard deviations, which has the correction for continuity."""
    assert mcnemar(50_500, 49_500) == pytest.approx(0.0015824, abs=1e-6)
