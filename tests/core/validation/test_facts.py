"""One pass over a file keeps a few numbers of each row; the second pass makes the examples."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.errors import InvalidInput
from pld_core.importers.rows import ColumnMap
from pld_core.models import ExampleState, Origin, Split
from pld_core.validation.facts import (
    REPORT_EVERY,
    Placement,
    choices_as_json,
    label_counts,
    read_facts,
    rows_to_import,
    text_key,
)
from tests.core.validation.planning import WITH_SPLIT, choose, facts_of, imported, plan_of, row, rows_of, sentence
from tests.factories import ListSource, make_example, no_report

FIELDS = st.lists(st.tuples(st.text(max_size=5), st.text(max_size=20)), min_size=1, max_size=3)


@given(FIELDS)
def test_the_key_of_a_text_is_its_content_address(fields: list[tuple[str, str]]) -> None:
    example = replace(make_example("x"), fields=tuple(fields))
    assert "sha256:" + text_key(fields).hex() == example.text_hash


@pytest.mark.parametrize(
    ("given_row", "reason"),
    [
        (row("", "keep"), "the text is missing"),
        (row(" \t\n", "keep"), "the text is missing"),
        (row("a", ""), "the label is missing"),
        (row("a", "  "), "the label is missing"),
        ({"post": "a"}, "the label is missing"),
        ({"label": "keep"}, "the text is missing"),
    ],
)
def test_a_row_without_text_or_label_is_refused_with_its_number(given_row: dict[str, str], reason: str) -> None:
    facts = facts_of([row("fine"), given_row, row("fine too")], choose())
    assert facts.refused == [(3, reason)]
    assert facts.numbers == [2, 4]
    assert (facts.read, facts.rows) == (3, 2)


def test_a_row_that_cannot_be_read_is_refused_in_the_words_of_the_importer() -> None:
    source = ListSource([row("a"), row("b")], problems={3: "It has 2 cells, the header 3."})
    facts = read_facts(source, choose(), (), no_report)
    assert facts.refused == [(3, "It has 2 cells, the header 3.")]


def test_one_text_column_of_several_is_enough() -> None:
    columns = ColumnMap(label="label", inputs=("title", "body"))
    facts = facts_of([{"title": "", "body": "b", "label": "keep"}], choose(columns))
    assert facts.keys == [text_key([("title", ""), ("body", "b")])]


@pytest.mark.parametrize(
    ("word", "split"),
    [
        ("train", Split.TRAIN),
        ("Training", Split.TRAIN),
        (" DEV ", Split.VALIDATION),
        ("val", Split.VALIDATION),
        ("valid", Split.VALIDATION),
        ("validation", Split.VALIDATION),
        ("testing", Split.TEST),
        ("TEST", Split.TEST),
    ],
)
def test_splits_are_known_by_their_usual_words(word: str, split: Split) -> None:
    facts = facts_of([row("a", split=word)], choose(WITH_SPLIT))
    assert (facts.splits, facts.bad_splits) == ([split], {})


@pytest.mark.parametrize("word", ["", "holdout", "trainn", "1"])
def test_another_word_is_kept_as_no_split(word: str) -> None:
    facts = facts_of([row("a", split="train"), row("b", split=word)], choose(WITH_SPLIT))
    assert (facts.splits, facts.bad_splits) == ([Split.TRAIN, None], {1: word})


def test_without_a_split_column_no_row_has_a_split() -> None:
    facts = facts_of([row("a", split="train")], choose())
    assert (facts.splits, facts.bad_splits) == ([None], {})


def test_labels_are_kept_as_written_and_groups_without_blanks_around() -> None:
    facts = facts_of([row("a", " Keep ", "train", " g1 ")], choose(WITH_SPLIT))
    assert (facts.labels, facts.groups) == ([" Keep "], ["g1"])


def test_examples_of_the_task_come_after_the_rows_and_are_not_counted() -> None:
    known = [replace(make_example("b@c.example", split=Split.TEST), group="g")]
    facts = facts_of([row("a@b.example", "remove")], choose(), known)
    assert facts.numbers == [2, None]
    assert facts.splits == [None, Split.TEST]
    assert facts.groups == ["", "g"]
    assert facts.personal == [("e-mail",)]
    assert facts.read == facts.rows == 1
    assert len(facts.signatures) == 2
    assert label_counts(facts) == {"remove": 1}


def test_examples_that_take_no_part_are_noted() -> None:
    known = [replace(make_example(state), state=state) for state in ExampleState]
    facts = facts_of([row("a")], choose(), known)
    assert {known[i - 1].state for i in facts.archived} == {ExampleState.ARCHIVED}
    assert {known[i - 1].state for i in facts.withdrawn} == {ExampleState.WITHDRAWN}


def test_progress_is_told_and_never_beyond_what_is_expected() -> None:
    told: list[tuple[int, int]] = []
    source = ListSource([row(str(i)) for i in range(2 * REPORT_EVERY + 1)])
    read_facts(source, choose(), (), lambda done, total, _: told.append((done, total)))
    assert told == [(REPORT_EVERY, len(source.given)), (2 * REPORT_EVERY, len(source.given))]


def test_rows_become_examples_with_everything_their_columns_say() -> None:
    columns = ColumnMap(label="label", inputs=("post",), ref="id", source="from", group="group")
    given_rows = [{"post": "a@b.example", "label": "keep", "id": "7", "from": "mail", "group": " g "}]
    choices = choose(columns, field_names={"post": "text"}, mask=True)
    placed = {2: Placement("keep", Split.TEST, ("e-mail",))}
    (made,) = rows_to_import(ListSource(given_rows), choices, placed)
    example = made.example
    assert made.number == 2
    assert example.fields == (("text", "a@b.example"),)
    assert (example.label, example.split, example.ref, example.source, example.group) == (
        "keep",
        Split.TEST,
        "7",
        "mail",
        "g",
    )
    assert (example.personal, example.masked) == (("e-mail",), True)
    assert example.origin == Origin("posts.csv", "sha256:file", "row", 2, "list 1")


def test_rows_without_a_placement_are_left_out() -> None:
    given_rows = [*rows_of(4), row("", "keep"), row(sentence(9), "")]
    plan = plan_of(given_rows)
    assert [made.number for made in imported(given_rows, choose(), plan)] == [2, 3, 4, 5]


def test_a_file_that_lost_rows_since_it_was_checked_is_told() -> None:
    plan = plan_of(rows_of(4))
    with pytest.raises(InvalidInput, match=r"posts\.csv changed while it was imported\. Nothing was imported\."):
        imported(rows_of(3), choose(), plan)


def test_the_record_of_choices_holds_what_decides_the_outcome() -> None:
    one = choices_as_json(choose(seed=3, merges={"Keep": "keep"}))
    assert (one["seed"], one["merges"], one["inputs"]) == (3, {"Keep": "keep"}, ["post"])
    assert "strict" not in one
