"""The figures of a run, against figures worked by hand and by another library."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from pld_core.evaluation import failed_answer
from pld_core.metrics import Cell, LabelFigures, accuracy_of, cells_of, figures
from pld_core.models import Answer, AnswerStatus, Prediction
from tests.factories import LABELS

THREE = ("a", "b", "c")
NOT_OK = [status for status in AnswerStatus if status is not AnswerStatus.OK]
NAMES = st.sampled_from([*THREE, "undeclared"])
CELLS = st.one_of(st.builds(Cell, NAMES, NAMES), st.builds(Cell, NAMES, st.none(), st.sampled_from(NOT_OK)))
ANSWERS = st.lists(CELLS, min_size=1, max_size=60)


def prediction(gold: str, label: str | None, status: AnswerStatus = AnswerStatus.OK) -> Prediction:
    return Prediction(f"sha256:{gold}", gold, Answer(label, label or "?", status, 1))


def test_each_kind_of_unusable_answer_counts_as_wrong_and_is_told_apart() -> None:
    given_answers = [
        prediction("keep", "keep"),
        prediction("remove", "remove"),
        prediction("remove", "keep"),
        prediction("keep", None, AnswerStatus.MALFORMED),
        prediction("keep", None, AnswerStatus.CUT),
        prediction("keep", None, AnswerStatus.UNVERIFIED),
        prediction("keep", None, AnswerStatus.REFUSED),
        Prediction("sha256:x", "remove", failed_answer("it slept")),
    ]
    found = figures(LABELS, cells_of(given_answers))
    assert (found.accuracy.k, found.accuracy.n, found.majority.k) == (2, 8, 5)
    in_runs = [status for status in AnswerStatus if status is not AnswerStatus.STOPPED]
    assert found.statuses == {status: 3 if status is AnswerStatus.OK else 1 for status in in_runs}
    assert found.labels == (LabelFigures("keep", 5, 2, 1), LabelFigures("remove", 3, 1, 1))
    assert found.confusion == {("keep", "keep"): 1, ("remove", "keep"): 1, ("remove", "remove"): 1}
    assert found.unusable["remove", AnswerStatus.FAILED] == 1
    assert (found.unusable_of("keep"), found.unusable_of("remove"), found.unusable_of("ask")) == (4, 1, 0)
    invalid = {"malformed": 1, "cut": 1, "unverified": 1, "refused": 1, "failed": 1}
    assert found.as_json()["invalid"] == invalid
    # keep: 2*1/(5+2); remove: 2*1/(3+1).
    assert found.macro_f1.value == pytest.approx((2 / 7 + 1 / 2) / 2)


@given(ANSWERS)
def test_the_figures_are_those_that_others_compute(answers: list[Cell]) -> None:
    found = figures(THREE, Counter(answers))
    gold, said = [cell.gold for cell in answers], [cell.said or "no usable answer" for cell in answers]
    assert found.accuracy.rate == pytest.approx(accuracy_score(gold, said))
    precision, recall, f1, support = precision_recall_fscore_support(gold, said, labels=THREE, zero_division=0)
    assert [label.precision.rate or 0 for label in found.labels] == pytest.approx(list(precision))
    assert [label.recall.rate or 0 for label in found.labels] == pytest.approx(list(recall))
    assert [label.f1 for label in found.labels] == pytest.approx(list(f1))
    assert [label.gold for label in found.labels] == list(support)
    assert found.macro_f1.value == pytest.approx(sum(f1) / 3)
    names = [*THREE, "undeclared"]
    theirs = confusion_matrix([*gold, *names], [*said, *names], labels=[*names, "no usable answer"])
    for row, name in enumerate(names):
        ours = [found.confusion.get((name, other), 0) + (name == other) for other in names]
        assert [*ours, found.unusable_of(name)] == list(theirs[row])


@given(ANSWERS)
def test_every_answer_is_counted_once_and_their_order_changes_nothing(answers: list[Cell]) -> None:
    found = figures(THREE, Counter(answers))
    assert found == figures(THREE, Counter(reversed(answers)))
    assert list(found.confusion) == list(figures(THREE, Counter(reversed(answers))).confusion)
    assert sum(found.confusion.values()) + sum(found.unusable.values()) == found.accuracy.n == len(answers)
    assert sum(found.statuses.values()) == len(answers)
    assert accuracy_of(Counter(answers)) == found.accuracy


def test_where_nothing_can_be_used_all_is_wrong_and_precision_is_unknown() -> None:
    found = figures(THREE, {Cell("a", None, AnswerStatus.REFUSED): 20})
    assert (found.accuracy.rate, found.macro_f1.value, found.macro_f1.interval) == (0.0, 0.0, None)
    assert (found.labels[0].precision.rate, found.labels[0].recall.rate) == (None, 0.0)


def test_one_label_alone_is_figured_too() -> None:
    found = figures(("a",), {Cell("a", "a"): 15, Cell("a", None, AnswerStatus.CUT): 5})
    assert found.macro_f1.value == pytest.approx(2 * 15 / 35)
    assert (found.majority.rate, found.without_gold, found.cautions) == (1.0, (), ())


def test_declared_labels_without_an_example_are_named_and_others_too() -> None:
    found = figures(THREE, {Cell("a", "a"): 9, Cell("old", "b"): 1})
    assert found.without_gold == ("b", "c")
    assert found.undeclared == ("old",)
    assert found.cautions == (
        "Without an example: b, c. Each such label counts as 0 in macro F1.",
        "Not among the declared labels: old. Such labels have no part in macro F1.",
    )
    assert found.macro_f1.value == pytest.approx(1 / 3)
    assert [(label.label, label.gold) for label in found.labels] == [("a", 9), ("b", 0), ("c", 0)]


@pytest.mark.parametrize("name", ["failed", "invalid", "ok", ""])
def test_a_label_named_like_a_status_is_not_taken_for_one(name: str) -> None:
    found = figures((name, "x"), cells_of([prediction(name, None, AnswerStatus.FAILED)] * 3))
    assert (found.accuracy.k, found.confusion) == (0, {})
    assert found.labels == (LabelFigures(name, 3, 0, 0), LabelFigures("x", 0, 0, 0))
    right = figures((name, "x"), cells_of([prediction(name, name)]))
    assert (right.accuracy.k, right.unusable) == (1, {})


def test_a_run_without_an_answer_has_no_figures() -> None:
    found = figures(LABELS, {})
    assert (found.accuracy.rate, found.majority.rate, found.macro_f1.value) == (None, None, None)
    assert found.as_json()["interval_95"] is None


def test_the_figures_can_be_written_as_json() -> None:
    cells = {Cell("keep", "keep"): 10, Cell("remove", None, AnswerStatus.CUT): 10}
    value = json.loads(json.dumps(figures(LABELS, cells).as_json()))
    assert (value["n"], value["correct"], value["accuracy"], value["macro_f1"]) == (20, 10, 0.5, 0.5)
    assert value["labels"][0]["precision"]["interval_95"][1] == pytest.approx(1.0)
    assert value["confusion"] == [{"gold": "keep", "said": "keep", "n": 10}]
    assert value["confusion_invalid"] == [{"gold": "remove", "status": "cut", "n": 10}]
