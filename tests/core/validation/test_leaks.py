"""Nothing that is alike may stand in train and in test; dividing anew removes every such leak."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.models import ExampleState, Split
from pld_core.validation.facts import ImportChoices
from pld_core.validation.report import Leak
from tests.core.validation.planning import ANY_ROWS, WITH_SPLIT, Row, choose, plan_of, row, rows_of, sentence
from tests.factories import make_example, make_examples

OTHERS = [row(sentence(i), ("keep", "remove")[i % 2], "train") for i in range(20, 30)]


def leaks_of(*rows: Row) -> tuple[Leak, ...]:
    return plan_of([*rows, *OTHERS], choose(WITH_SPLIT)).report.leaks


def test_the_same_text_in_two_splits_is_a_leak() -> None:
    (leak,) = leaks_of(row("a", split="train"), row("a", split="test"))
    assert (leak.kind, leak.rows, leak.splits) == ("same text", (2, 3), ("train", "test"))


def test_it_is_one_with_another_label_too() -> None:
    (leak,) = leaks_of(row("a", "keep", "train"), row("a", "remove", "validation"))
    assert (leak.kind, leak.splits) == ("same text", ("train", "validation"))


def test_nearly_the_same_text_in_two_splits_is_a_leak() -> None:
    (leak,) = leaks_of(row(sentence(1), split="train"), row(sentence(1).upper() + "!", split="test"))
    assert (leak.kind, leak.rows, leak.splits) == ("nearly the same text", (2, 3), ("train", "test"))


def test_a_group_in_two_splits_is_a_leak_told_once_by_its_name() -> None:
    rows = [row(sentence(1), split="train", group="g"), row(sentence(1) + "!", split="test", group="g")]
    (leak,) = leaks_of(*rows, row(sentence(1) + "!", split="train", group="g"))
    assert (leak.kind, leak.group, leak.rows, leak.splits) == ("same group", "g", (2, 3, 4), ("train", "test"))


def test_copies_of_a_row_count_where_they_stand() -> None:
    rows = [row(sentence(1), split="train"), row(sentence(1), split="test"), row(sentence(1) + "!", split="train")]
    assert {leak.kind for leak in leaks_of(*rows)} == {"same text", "nearly the same text"}


def test_what_is_alike_in_one_split_is_no_leak() -> None:
    assert leaks_of(row("a", "keep", "test"), row("a", "remove", "test"), row("A!", "keep", "test")) == ()


def test_rows_that_are_refused_leak_nothing() -> None:
    assert leaks_of(row("a", "keep", "train"), row("a", "Keep", "test"), row("a", "keep", "holdout")) == ()


def test_every_split_of_a_large_leak_is_shown() -> None:
    (leak,) = leaks_of(*[row("a", split="train")] * 60, row("a", split="test"))
    assert leak.rows[-1] == 62
    assert len(leak.rows) <= 22


@pytest.mark.parametrize(("text", "kind"), [("a", "same text"), (sentence(1) + "!", "nearly the same text")])
def test_a_leak_from_the_task_is_told(text: str, kind: str) -> None:
    known = [make_example("a", "remove", Split.TEST), make_example(sentence(1), "remove", Split.TEST)]
    rows = [row(text, split="train"), *OTHERS]
    (leak,) = plan_of(rows, choose(WITH_SPLIT), known).report.leaks
    assert (leak.kind, set(leak.rows), leak.splits) == (kind, {2, None}, ("train", "test"))


def test_a_row_that_is_in_the_task_already_leaks_nothing_by_its_own_split() -> None:
    known = [make_example("a", split=Split.TEST)]
    assert plan_of([row("a", split="train"), *OTHERS], choose(WITH_SPLIT), known).report.leaks == ()


def test_leaks_that_the_task_had_before_are_no_matter_of_an_import() -> None:
    known = [make_example("a", "keep", Split.TRAIN), make_example("a", "remove", Split.TEST)]
    assert plan_of(rows_of(4), choose(), known).report.leaks == ()


@pytest.mark.parametrize("state", [ExampleState.ARCHIVED, ExampleState.WITHDRAWN])
def test_an_example_that_takes_no_part_leaks_nothing(state: ExampleState) -> None:
    known = [replace(make_example("a", "remove", Split.TEST), state=state)]
    assert plan_of([row("a", split="train"), *OTHERS], choose(WITH_SPLIT), known).report.leaks == ()


@given(ANY_ROWS, st.integers(0, 3))
def test_dividing_anew_removes_every_leak(rows: list[Row], seed: int) -> None:
    report = plan_of([*rows, *OTHERS], choose(WITH_SPLIT, resplit=True, seed=seed)).report
    assert report.leaks == ()
    assert report.problems == ()


@given(ANY_ROWS, st.integers(0, 3))
def test_what_belongs_together_is_placed_together(rows: list[Row], seed: int) -> None:
    placed = plan_of([*rows, *OTHERS], choose(replace(WITH_SPLIT, split=""), seed=seed)).placements
    splits_of = defaultdict(set)
    for number, given_row in enumerate(rows, start=2):
        if number in placed:
            splits_of["text", given_row["post"].upper().strip("!")].add(placed[number].split)
            if given_row["group"]:
                splits_of["group", given_row["group"]].add(placed[number].split)
    assert all(len(splits) == 1 for (_, name), splits in splits_of.items() if name)


@given(st.permutations(range(12)), st.integers(0, 2))
def test_the_split_of_a_row_does_not_depend_on_the_order_of_the_file(order: list[int], seed: int) -> None:
    rows = [*rows_of(9), row(sentence(1) + "!"), row(sentence(2), "remove"), row(sentence(3), "remove")]

    def splits(given_rows: list[dict[str, str]]) -> dict[tuple[str, str], Split]:
        placed = plan_of(given_rows, choose(seed=seed)).placements
        return {(r["post"], r["label"]): placed[number].split for number, r in enumerate(given_rows, start=2)}

    assert splits([rows[i] for i in order]) == splits(rows)


def test_new_rows_follow_what_they_are_alike_to_in_the_task() -> None:
    known = [*make_examples(10), make_example(sentence(1), split=Split.TEST)]
    placed = plan_of([row(sentence(1) + "!"), row(sentence(1), "remove")], choose(), known).placements
    assert {placement.split for placement in placed.values()} == {Split.TEST}


@pytest.mark.parametrize(
    ("choices", "divided"),
    [(choose(), True), (choose(WITH_SPLIT), False), (choose(WITH_SPLIT, resplit=True), True)],
)
def test_rows_are_divided_if_no_column_says_how_or_if_that_is_wished(choices: ImportChoices, divided: bool) -> None:
    rows = [row(sentence(i), ("keep", "remove")[i % 2], "train") for i in range(20)]
    splits = {placement.split for placement in plan_of(rows, choices).placements.values()}
    assert splits == (set(Split) if divided else {Split.TRAIN})
