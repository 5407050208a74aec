"""The cells of the matrix: which run counts, what is going on, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pld_core.metrics import cells_of
from pld_core.models import Answer, AnswerStatus, Prediction, Run, Split
from pld_core.run_matrix import Cell, CellState, Ordered, matrix_of
from tests.factories import LABELS

VALIDATION = Split.VALIDATION


def run(number: int, prompt: int = 1, student: str = "told", total: int = 20, split: Split = VALIDATION) -> Run:
    return Run(number, "posts", prompt, "sha256:p", student, "sha256:w", split, "", "anna", total, None)


def answers(right: int, n: int) -> list[Prediction]:
    said = ["keep"] * right + ["remove"] * (n - right)
    return [Prediction(f"e{i}", "keep", Answer(label, label, AnswerStatus.OK, 5)) for i, label in enumerate(said)]


def cell(runs: Mapping[Run, list[Prediction]], *ordered: Ordered) -> Cell:
    by_id = {one.id: cells_of(given) for one, given in runs.items()}
    (found,) = matrix_of([1], ["told"], VALIDATION, list(runs), by_id.__getitem__, ordered, LABELS)
    return found


def test_without_a_run_a_cell_is_missing() -> None:
    assert (cell({}).state, cell({}).words) == (CellState.MISSING, "not evaluated")


def test_a_complete_run_tells_its_accuracy_with_the_interval() -> None:
    found = cell({run(1): answers(15, 20)})
    assert found.state is CellState.DONE
    assert found.words.startswith("75% right (53 to 89%), 15 of 20; macro F1 0.429 (95 % interval 0.")


def test_below_ten_answers_there_is_no_rate() -> None:
    assert cell({run(1, total=4): answers(3, 4)}).words == "3 of 4 right"


def test_the_newest_complete_run_counts_even_if_a_newer_one_was_stopped() -> None:
    found = cell({run(1): answers(10, 20), run(2): answers(15, 20), run(3): answers(2, 3)})
    assert (found.run is not None and found.run.id, found.state) == (2, CellState.DONE)


def test_a_stopped_run_alone_says_how_far_it_is_and_gives_no_figure() -> None:
    found = cell({run(3): answers(2, 3)})
    assert (found.state, found.words) == (CellState.STOPPED, "not complete: 3 of 20 answered")


def test_a_run_over_nothing_is_not_complete() -> None:
    assert cell({run(1, total=0): []}).state is CellState.STOPPED


@pytest.mark.parametrize("other", [run(1, prompt=2), run(1, student="else"), run(1, split=Split.TEST)])
def test_runs_of_other_cells_do_not_count(other: Run) -> None:
    assert cell({other: answers(15, 20)}).state is CellState.MISSING


def test_what_is_ordered_is_told_before_old_figures() -> None:
    found = cell({run(1): answers(15, 20)}, Ordered(1, "told", VALIDATION))
    assert (found.state, found.words) == (CellState.ORDERED, "ordered, not ended yet")
    assert cell({}, Ordered(2, "told", VALIDATION)).state is CellState.MISSING


def test_cells_come_prompt_by_prompt() -> None:
    found = matrix_of([2, 1], ["a", "b"], VALIDATION, [], lambda _: {}, [], LABELS)
    assert [(one.prompt, one.student) for one in found] == [(2, "a"), (2, "b"), (1, "a"), (1, "b")]
