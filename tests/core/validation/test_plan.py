"""From rows and choices to a plan: nothing is lost, nothing is done in silence, and planning again adds nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from pld_core.errors import InvalidInput
from pld_core.importers.rows import ColumnMap
from pld_core.models import Label
from pld_core.validation.facts import ImportChoices, text_key
from pld_core.validation.plan import TaskWords, check_task_name, find_pairs
from tests.core.validation.planning import (
    ANY_CHOICES,
    ANY_ROWS,
    WITH_SPLIT,
    Row,
    choose,
    facts_of,
    imported,
    plan_of,
    row,
    rows_of,
    sentence,
)
from tests.factories import ListSource, make_example, make_task

BASE = rows_of(8)


@given(ANY_ROWS, ANY_CHOICES)
def test_what_was_read_is_kept_merged_or_refused_each_row_once(rows: list[Row], choices: ImportChoices) -> None:
    given_rows = [*rows, *({**r, "split": "train"} for r in BASE)]
    plan = plan_of(given_rows, choices)
    report = plan.report
    assert report.read == len(given_rows) == report.kept + report.merged + report.refused
    kept = [number for first, last in report.kept_rows for number in range(first, last + 1)]
    merged = [entry.row for entry in report.merged_rows]
    refused = [entry.row for entry in report.refused_rows]
    assert (len(kept), len(merged), len(refused)) == (report.kept, report.merged, report.refused)
    assert sorted([*kept, *merged, *refused]) == [*range(2, len(given_rows) + 2)]
    assert sorted([*kept, *merged]) == sorted(plan.placements)
    assert sum(sum(counts.values()) for counts in report.split_counts.values()) == report.kept


@given(ANY_ROWS, ANY_CHOICES)
def test_importing_the_same_rows_again_keeps_nothing_new(rows: list[Row], choices: ImportChoices) -> None:
    given_rows = [*rows, *({**r, "split": "train"} for r in BASE)]
    plan = plan_of(given_rows, choices)
    made = {r.example.hash: r.example for r in imported(given_rows, choices, plan)}
    assert len(made) == plan.report.kept
    again = plan_of(given_rows, choices, tuple(made.values()), plan.task)
    assert (again.report.kept, again.report.merged) == (0, len(plan.placements))
    assert again.report.refused == plan.report.refused
    assert all(entry.same_as is None for entry in again.report.merged_rows)
    assert {n: p.split for n, p in again.placements.items()} == {
        r.number: made[r.example.hash].split for r in imported(given_rows, choices, again)
    }


@given(ANY_ROWS, ANY_CHOICES)
def test_every_example_has_a_declared_label_and_what_its_row_says(rows: list[Row], choices: ImportChoices) -> None:
    given_rows = [*rows, *({**r, "split": "train"} for r in BASE)]
    plan = plan_of(given_rows, choices)
    for made in imported(given_rows, choices, plan):
        assert made.example.label in plan.task.label_names
        assert made.example.text == given_rows[made.number - 2]["post"]
        assert made.example.label.casefold() == given_rows[made.number - 2]["label"].strip().casefold()


# --- pairs ------------------------------------------------------------------------------------------------------------


def pairs_of(rows: list[Row], known: tuple[str, ...] = ()) -> list[tuple[int, int]]:
    facts = facts_of(rows, choose(WITH_SPLIT), [make_example(text) for text in known])
    return [(pair.first, pair.second) for pair in find_pairs(facts)]


def test_pairs_are_between_different_texts_meant_by_their_first_entries() -> None:
    assert pairs_of([row("x"), row(sentence(1)), row(sentence(1)), row(sentence(1) + "!")]) == [(1, 3)]


def test_pairs_inside_one_group_are_left_out() -> None:
    near = sentence(1) + "!"
    assert pairs_of([row(sentence(1), group="g"), row(near, group="g")]) == []
    assert pairs_of([row(sentence(1), group="g"), row(near, group="h")]) == [(0, 1)]
    assert pairs_of([row(sentence(1), group="g"), row(near)]) == [(0, 1)]
    assert pairs_of([row(sentence(1), group="g"), row(near, group="g"), row(near, group="h")]) == [(0, 1)]


def test_pairs_of_examples_that_the_task_has_already_are_no_matter_of_an_import() -> None:
    known = (sentence(1), sentence(1) + "!")
    assert pairs_of([row("x")], known) == []
    assert (0, 1) in pairs_of([row(sentence(1) + "?")], known)


def test_many_copies_of_one_text_make_no_pair() -> None:
    assert pairs_of([row(sentence(1))] * 500) == []


# --- the task ---------------------------------------------------------------------------------------------------------


def test_a_new_task_is_made_from_the_file_and_what_is_said_of_it() -> None:
    choices = choose(field_names={"post": "text"}, descriptions={"keep": "It stays."})
    task = plan_of(BASE, choices, words=TaskWords("mails", "Mails", "Be kind.")).task
    assert (task.name, task.title, task.guideline, task.input_fields) == ("mails", "Mails", "Be kind.", ("text",))
    assert task.labels == (Label("keep", "It stays."), Label("remove", ""))


def test_what_a_published_format_knows_fills_what_was_not_said() -> None:
    source = ListSource(BASE, labels=(Label("keep", "Known."), Label("remove", "Too.")), guideline="G", title="T")
    task = plan_of(source, choose(descriptions={"keep": "Said."})).task
    assert (task.title, task.guideline) == ("T", "G")
    assert task.labels == (Label("keep", "Said."), Label("remove", "Too."))


def test_an_existing_task_stays_as_it_is() -> None:
    task = make_task()
    assert plan_of(BASE, there=task, words=TaskWords("posts", "Another title")).task is task


def test_labels_that_the_file_lacks_stay_declared() -> None:
    report = plan_of([row("a"), row("b")], there=make_task()).report
    assert [(label.label, label.rows) for label in report.labels] == [("keep", 2), ("remove", 0)]


@pytest.mark.parametrize("name", ["a", "a-1", "9", "a" * 40])
def test_names_that_can_be_a_task(name: str) -> None:
    check_task_name(name)


@pytest.mark.parametrize("name", ["", "A", "-a", "a b", "ä", "a" * 41, "a\n", "a/b", "..", "a_b"])
def test_names_that_cannot_be_a_task(name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be a task name"):
        check_task_name(name)


def test_a_file_without_rows_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"posts\.csv holds no example\. Nothing was imported\."):
        plan_of([])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row("", "keep")], "None of the 1 rows of posts.csv can be taken; row 2: the text is missing"),
        ([row("a", "x"), row("b", "y")], "row 2: the label 'x' is not declared"),
    ],
)
def test_that_no_row_can_be_taken_is_a_problem_that_tells_the_first_reason(rows: list[Row], said: str) -> None:
    plan = plan_of(rows, there=make_task())
    assert said in plan.report.problems[0]
    assert (plan.report.refused, plan.placements) == (len(rows), {})


def test_a_new_task_from_nothing_that_can_be_taken_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"None of the 1 rows .* row 2: the text is missing\. Nothing was imported"):
        plan_of([row("", "keep")])


def test_a_new_task_needs_two_labels() -> None:
    with pytest.raises(InvalidInput, match="All examples have the label 'keep'"):
        plan_of([row("a"), row("b")])


def test_a_description_of_no_label_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"no label 'kep' to describe\. The labels are: keep, remove\."):
        plan_of(BASE, choose(descriptions={"kep": "x"}))


def test_a_description_of_no_label_of_an_existing_task_is_refused_too() -> None:
    with pytest.raises(InvalidInput, match="no label 'kep' to describe"):
        plan_of(BASE, choose(descriptions={"kep": "x"}), there=make_task())


def test_two_text_columns_are_two_fields_in_the_order_of_the_columns() -> None:
    columns = ColumnMap(label="label", inputs=("question", "answer"))
    rows = [{"question": "q", "answer": f"a{i}", "label": label} for i, label in enumerate(["yes", "no"])]
    plan = plan_of(rows, choose(columns))
    assert plan.task.input_fields == ("question", "answer")
    (one, _) = imported(rows, choose(columns), plan)
    assert one.example.text_hash == "sha256:" + text_key([("question", "q"), ("answer", "a0")]).hex()


def test_the_seed_decides_the_splits_and_nothing_else() -> None:
    one, two = (plan_of(rows_of(40), choose(seed=seed)) for seed in (0, 1))
    assert {n: replace(p, split=one.placements[n].split) for n, p in two.placements.items()} == one.placements
    assert one.placements != two.placements
    assert one.report.split_counts == two.report.split_counts
