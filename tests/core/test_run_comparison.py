"""Two runs beside each other: what was fixed and broken, and what cannot be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pld_core.errors import InvalidInput, NotFound
from pld_core.models import Prediction, Run, Split
from pld_core.run_comparison import RunComparison, compare_runs, newest_pair
from tests.factories import LABELS
from tests.gate_making import answers

N = 24


def run(number: int, prompt: int = 1, total: int = N, digest: str = "sha256:w") -> Run:
    return Run(number, "posts", prompt, "sha256:p", "told", digest, Split.VALIDATION, "", "anna", total, None)


def compared(first: Sequence[int], second: Sequence[int], n: int = N) -> RunComparison:
    """Compare two runs that are wrong on the examples of these numbers."""
    return compare_runs(LABELS, run(1, total=n), run(2, 2, n), answers(first, n=n), answers(second, n=n))


def test_what_the_second_fixed_and_broke_is_named() -> None:
    found = compared([1, 2, 3], [3, 4])
    assert (found.fixed, found.broken, found.apart) == (("e1", "e2"), ("e4",), 0)
    assert (found.figures.fixed, found.figures.broken, found.figures.n) == (2, 1, N)


@pytest.mark.parametrize(
    ("first", "second", "is_worse"),
    [
        ([], range(12), True),
        (range(12), [], False),
        ([1, 2, 3], [3, 4], False),
        ([], [], False),
    ],
    ids=["worse", "better", "not shown", "the same"],
)
def test_worse_is_what_is_worse_beyond_chance(first: Sequence[int], second: Sequence[int], is_worse: bool) -> None:
    assert compared(first, second).is_worse is is_worse


@pytest.mark.parametrize(("second", "is_worse"), [([1, 2], True), ([1], False)])
def test_below_ten_examples_counts_decide(second: Sequence[int], is_worse: bool) -> None:
    found = compared([0], second, n=6)
    assert found.is_worse is is_worse
    assert found.figures.words.startswith("too few examples: fixed 1")


def test_examples_that_only_one_answered_are_left_out() -> None:
    found = compare_runs(LABELS, run(1), run(2, total=20), answers(n=N), answers(n=20))
    assert (found.figures.n, found.apart) == (20, 4)


def test_the_json_lists_everything() -> None:
    value = compared([1], [2]).as_json()
    assert (value["fixed_examples"], value["broken_examples"], value["is_worse"]) == (["e1"], ["e2"], False)
    assert value["verdict"] == "no difference shown"


@pytest.mark.parametrize(
    ("second", "given", "words"),
    [
        (run(1), answers(), "with itself"),
        (replace(run(2), split=Split.TEST), answers(), "one task on one split"),
        (replace(run(2), task="nda"), answers(), "one task on one split"),
        (
            run(2),
            answers(n=3),
            r"3 of 24 answers are there\. Go on with it first: pld evaluate --task posts --resume 2",
        ),
        (run(2, total=0), (), "not complete"),
    ],
    ids=["itself", "split", "task", "incomplete", "nothing"],
)
def test_what_cannot_be_compared_says_why(second: Run, given: tuple[Prediction, ...], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        compare_runs(LABELS, run(1), second, answers(), given)


def test_runs_without_a_common_example_cannot_be_compared() -> None:
    other = tuple(replace(one, example_hash=f"other {one.example_hash}") for one in answers())
    with pytest.raises(InvalidInput, match="no example in common"):
        compare_runs(LABELS, run(1), run(2), answers(), other)


def test_the_newest_complete_runs_by_the_same_weights_are_taken() -> None:
    runs = [run(1), run(2, 2), run(3), run(4, 2), run(5, 2, digest="sha256:new"), run(6), run(7, 3)]
    stopped = {6}
    first, second = newest_pair(runs, 1, 2, lambda number: answers(n=3 if number in stopped else N))
    assert (first.id, second.id) == (3, 4)


def test_versions_that_no_same_weights_answered_have_no_pair() -> None:
    with pytest.raises(NotFound, match="no complete runs by the same weights"):
        newest_pair([run(1), run(2, 2, digest="sha256:new")], 1, 2, lambda _: answers())
