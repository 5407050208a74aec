"""Macro F1 and its interval, against another library and against the truth that samples are drawn from."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from pld_core.macro_f1 import DRAWS, MacroF1, macro_f1_by, resamples

LABELS = ("a", "b", "c")
ANSWERS = st.lists(
    st.tuples(st.sampled_from([*LABELS, "undeclared"]), st.sampled_from([*LABELS, "undeclared", None])),
    min_size=1,
    max_size=60,
)


@given(ANSWERS)
def test_macro_f1_is_the_one_that_others_compute(answers: list[tuple[str, str | None]]) -> None:
    ours = MacroF1.of(LABELS, Counter(answers))
    said = ["no usable answer" if answer is None else answer for _, answer in answers]
    theirs = f1_score([gold for gold, _ in answers], said, labels=LABELS, average="macro", zero_division=0)
    assert ours.value == pytest.approx(theirs)
    assert ours.n == len(answers)


@given(ANSWERS)
def test_the_order_of_the_answers_changes_nothing(answers: list[tuple[str, str | None]]) -> None:
    assert MacroF1.of(LABELS, Counter(answers)) == MacroF1.of(LABELS, Counter(reversed(answers)))


def test_the_draws_are_the_same_in_each_process() -> None:
    # Written down, so that another library or another machine cannot change figures without a word.
    found = MacroF1.of(("a", "b"), {("a", "a"): 40, ("a", "b"): 10, ("b", "b"): 35, ("b", None): 15})
    assert found.words == "0.813 (95 % interval 0.737 to 0.882)"


def test_each_resample_holds_as_many_of_each_gold_label_as_there_are() -> None:
    golds, counts = ["a", "a", "b", "b"], np.array([7, 3, 1, 1])
    drawn = np.concatenate(list(resamples(golds, counts)))
    assert drawn.shape == (DRAWS, 4)
    assert (drawn[:, :2].sum(axis=1) == 10).all()
    assert (drawn[:, 2:].sum(axis=1) == 2).all()
    assert drawn.mean(axis=0) == pytest.approx([7, 3, 1, 1], rel=0.05)


def test_a_label_with_few_examples_does_not_push_the_interval_below_the_figure() -> None:
    many = [f"label {number}" for number in range(12)]
    said: dict[tuple[str, str | None], int] = {(name, name): 2 for name in many}
    said["label 0", "label 0"], said["label 0", None] = 1, 1
    found = MacroF1.of(many, said)
    assert found.value is not None
    assert found.interval is not None
    assert found.interval[0] <= found.value <= found.interval[1]


@pytest.mark.parametrize("answer", ["a", None], ids=["all right", "all unusable"])
def test_resamples_that_are_all_alike_claim_no_certainty(answer: str | None) -> None:
    found = MacroF1.of(("a",), {("a", answer): 20})
    assert (found.value, found.interval) == (1.0 if answer else 0.0, None)
    assert found.words.endswith("(all resamples alike, so no interval)")


def test_without_answers_there_is_no_figure_and_below_ten_none_is_shown() -> None:
    assert MacroF1.of(LABELS, {}) == MacroF1(0, None, None)
    assert MacroF1.of(LABELS, {("a", "a"): 0}).words == "nothing answered yet"
    assert MacroF1.of(LABELS, {("a", "a"): 5, ("b", "a"): 4}).words == "too few answers for a figure"


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Samples of 150 from a known student: the true macro F1 lies in the interval in about 95 of 100."""
    golds, said = ["a"] * 3 + ["b"] * 3 + ["c"] * 3, [*LABELS] * 3
    truth = np.array([0.40, 0.06, 0.04, 0.05, 0.20, 0.05, 0.03, 0.05, 0.12])
    true = float(macro_f1_by(LABELS, golds, said)(np.rint(truth[None] * 10_000).astype(np.int64))[0])
    held, samples = 0, 200
    for sample in np.random.default_rng(7).multinomial(150, truth, size=samples):
        kinds = zip(zip(golds, said, strict=True), sample, strict=True)
        interval = MacroF1.of(LABELS, {kind: int(n) for kind, n in kinds}).interval
        assert interval is not None
        held += interval[0] <= true <= interval[1]
    assert 0.90 <= held / samples <= 0.99
