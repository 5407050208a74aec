"""Which rows are taken, which of them are the same, and which split each has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given

from pld_core.models import Example, ExampleState, Split
from pld_core.validation.facts import ImportChoices, Placement, label_counts
from pld_core.validation.labels import plan_labels
from pld_core.validation.near_duplicates import NearPair
from pld_core.validation.taken import Taken
from tests.core.validation.planning import ANY_CHOICES, ANY_ROWS, WITH_SPLIT, Row, choose, facts_of, row
from tests.factories import LABELS, make_example


def taken_of(given_rows: Sequence[Row], choices: ImportChoices | None = None, known: Sequence[Example] = ()) -> Taken:
    chosen = choices or choose()
    facts = facts_of(given_rows, chosen, known)
    return Taken(facts, plan_labels(label_counts(facts), LABELS, chosen.merges, chosen.accept_merges), chosen)


def numbers(taken: Taken, indices: Sequence[int]) -> list[int]:
    return [taken.number(i) for i in indices]


def test_rows_of_one_text_and_label_are_one_example_and_the_first_is_kept() -> None:
    taken = taken_of([row("a"), row("b"), row("a"), row("a")])
    assert numbers(taken, taken.kept) == [2, 3]
    assert taken.merged == {2: 0, 3: 0}


def test_the_same_text_with_another_label_is_another_example() -> None:
    taken = taken_of([row("a", "keep"), row("a", "remove")])
    assert numbers(taken, taken.kept) == [2, 3]


def test_labels_that_are_merged_make_rows_the_same() -> None:
    rows = [row("a", "keep"), row("a", "Keep")]
    assert taken_of(rows).merged == {}
    assert taken_of(rows, choose(accept_merges=True)).merged == {1: 0}


def test_texts_are_the_same_only_letter_by_letter() -> None:
    assert taken_of([row("a"), row("A"), row("a ")]).merged == {}


def test_a_row_that_is_in_the_task_is_merged_and_keeps_the_split_it_has_there() -> None:
    known = [make_example("a", split=Split.TEST)]
    taken = taken_of([row("a", split="train"), row("b", split="train")], choose(WITH_SPLIT), known)
    assert numbers(taken, taken.kept) == [3]
    assert taken.merged == {0: 2}
    assert taken.split(0) is Split.TEST
    assert taken.placements()[2] == Placement("keep", Split.TEST, ())


@pytest.mark.parametrize("written", ["Keep", "other"])
def test_a_row_with_an_undeclared_label_is_refused_with_the_declared_ones(written: str) -> None:
    taken = taken_of([row("a"), row("b", written)])
    (reason,) = taken.refused.values()
    assert reason.startswith(f"the label '{written}' is not declared (keep, remove)")
    assert ("it looks like 'keep'" in reason) == (written == "Keep")
    assert numbers(taken, taken.rows) == [2]


def test_a_row_whose_split_is_no_split_is_refused_unless_all_are_divided_anew() -> None:
    rows = [row("a", split="train"), row("b", split="holdout")]
    (reason,) = taken_of(rows, choose(WITH_SPLIT)).refused.values()
    assert reason == "the split reads 'holdout'; it has to be one of train, validation, test"
    assert taken_of(rows, choose(WITH_SPLIT, resplit=True)).refused == {}


def test_the_label_is_told_before_the_split() -> None:
    (reason,) = taken_of([row("a", "other", "holdout")], choose(WITH_SPLIT)).refused.values()
    assert "label" in reason


@pytest.mark.parametrize(
    ("state", "alone", "met"),
    [
        (ExampleState.ACTIVE, [1], [2]),
        (ExampleState.CONFLICT, [1], [2]),
        (ExampleState.ARCHIVED, [], [2]),
        (ExampleState.WITHDRAWN, [], []),
    ],
)
def test_examples_that_take_no_part_do_not_stand_unless_a_row_brings_them_back(
    state: ExampleState, alone: list[int], met: list[int]
) -> None:
    known = [replace(make_example("a"), state=state)]
    other, both = taken_of([row("b")], known=known), taken_of([row("b"), row("a")], known=known)
    assert other.standing == [0, *alone]
    assert both.standing == [0, *met]
    assert both.merged == {1: 2}


@given(ANY_ROWS, ANY_CHOICES)
def test_every_row_is_kept_merged_or_refused_and_only_one_of_them(rows: list[Row], choices: ImportChoices) -> None:
    taken = taken_of(rows, choices)
    lists = [[number for number, _ in taken.facts.refused], numbers(taken, [*taken.refused])]
    lists += [numbers(taken, taken.kept), numbers(taken, [*taken.merged])]
    assert sorted(number for part in lists for number in part) == [*range(2, len(rows) + 2)]
    assert sorted([*taken.kept, *taken.merged]) == taken.rows
    assert set(taken.placements()) == set(numbers(taken, taken.rows))


def test_equal_placements_are_one_object() -> None:
    placed = list(taken_of([row("a"), row("b"), row("c", "remove")]).placements().values())
    assert placed[0] is placed[1]
    assert placed[0] != placed[2]


def test_only_texts_that_stand_there_twice_or_in_a_pair_are_listed_by_text() -> None:
    taken = taken_of([row("a"), row("b"), row("a", "remove"), row("c")])
    keys = taken.facts.keys
    assert taken.by_text(taken.rows) == {keys[0]: [0, 2]}
    assert taken.by_text(taken.rows, [NearPair(1, 3, 0.9)]) == {keys[0]: [0, 2], keys[1]: [1], keys[3]: [3]}
