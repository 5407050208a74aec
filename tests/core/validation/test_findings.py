"""What the report tells: lists with row numbers, what has to be settled, and what a person should know."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.importers.rows import ColumnMap
from pld_core.models import Example, Label, Split
from pld_core.validation.facts import ImportChoices
from pld_core.validation.report import LISTED, LabelVariant, ValidationReport, runs_of
from tests.core.validation.planning import WITH_SPLIT, Row, choose, plan_of, row, rows_of, sentence
from tests.factories import ListSource, make_example, make_examples, make_task


def report_of(
    rows: Sequence[Row], choices: ImportChoices | None = None, known: Sequence[Example] = ()
) -> ValidationReport:
    return plan_of(rows, choices, known).report


def split_rows(n: int, split: str) -> list[dict[str, str]]:
    return [row(f"{split} {sentence(i)}", ("keep", "remove")[i % 2], split) for i in range(n)]


def test_the_report_names_file_hash_importer_unit_and_what_was_noticed() -> None:
    report = plan_of(ListSource(rows_of(2), notes=("Delimiter: ;",))).report
    assert (report.file, report.sha256, report.importer, report.unit) == ("posts.csv", "sha256:file", "list 1", "row")
    assert report.notes == ("Delimiter: ;",)


def test_it_is_one_json_object_with_counts_and_lists_that_reads_back() -> None:
    rows = [*rows_of(4), row(sentence(0)), row("", "keep"), row(sentence(1) + "!", "keep")]
    report = report_of(rows)
    value = json.loads(report.model_dump_json())
    assert [value[name] for name in ("read", "kept", "merged", "refused")] == [7, 5, 1, 1]
    assert value["merged_rows"] == [{"row": 6, "same_as": 2}]
    assert value["refused_rows"] == [{"row": 7, "reason": "the text is missing"}]
    assert value["kept_rows"] == [[2, 5], [8, 8]]
    assert ValidationReport.model_validate(value) == report


def test_refused_rows_are_in_the_order_of_the_file_whatever_the_reason() -> None:
    rows = [row("a", "x"), row("", "keep"), row("b", "y"), row("c", "")]
    report = report_of([*rows, *rows_of(2)], known=make_examples(2))
    assert [entry.row for entry in report.refused_rows] == [2, 3, 4, 5]


def test_variants_are_listed_with_their_rows_and_whether_they_were_merged() -> None:
    rows = [*rows_of(6), row("a", "Keep"), row("b", "Keep")]
    assert report_of(rows).label_variants == (
        LabelVariant(written="Keep", rows=2, proposed="keep", merged=False, numbers=(8, 9)),
    )
    assert report_of(rows).refused == 2
    accepted = report_of(rows, choose(accept_merges=True))
    assert [variant.merged for variant in accepted.label_variants] == [True]
    assert accepted.refused == 0
    assert {label.label: label.rows for label in accepted.labels} == {"keep": 5, "remove": 3}


def test_a_text_with_two_labels_is_a_conflict_and_both_rows_are_kept() -> None:
    report = report_of([*rows_of(2), row("a", "keep"), row("a", "remove"), row("a", "keep")])
    (conflict,) = report.label_conflicts
    assert [(entry.row, entry.label) for entry in conflict.rows] == [(4, "keep"), (5, "remove")]
    assert (report.conflict_count, report.kept, report.merged) == (1, 4, 1)
    assert "Texts that stand with more than one label: 1." in " ".join(report.warnings)


def test_a_text_that_has_another_label_in_the_task_is_a_conflict() -> None:
    known = [make_example("a", "remove")]
    (conflict,) = report_of([*rows_of(2), row("a", "keep")], known=known).label_conflicts
    assert [(entry.row, entry.label) for entry in conflict.rows] == [(4, "keep"), (None, "remove")]


def test_a_conflict_that_the_task_has_already_is_not_told_again() -> None:
    known = [make_example("a", "keep"), make_example("a", "remove")]
    assert report_of([*rows_of(2), row("a", "keep")], known=known).conflict_count == 0


def test_nearly_equal_texts_are_listed_with_their_likeness() -> None:
    report = report_of([*rows_of(2), row(sentence(5)), row(sentence(5) + "!", "remove")])
    (near,) = report.near_duplicates
    assert (near.row, near.other, near.similarity, near.same_label) == (4, 5, 1.0, False)
    assert report.near_duplicate_count == 1


def test_a_text_nearly_equal_to_one_of_the_task_is_listed_though_a_copy_of_that_was_merged() -> None:
    known = [make_example(sentence(5))]
    report = report_of([row(sentence(5)), row(sentence(5) + "!")], known=known)
    assert report.merged == 1
    (near,) = report.near_duplicates
    assert {near.row, near.other} == {None, 3}


def test_rows_that_are_refused_are_no_near_duplicates() -> None:
    report = report_of([*rows_of(4), row(sentence(0) + "!", "Keep")])
    assert (report.refused, report.near_duplicate_count) == (1, 0)


def test_personal_data_are_flagged_with_their_rows() -> None:
    rows = [*rows_of(2), row("write to a@b.example"), row("a@b.example or 030 1234567"), row("fine")]
    report = report_of(rows)
    assert [(p.kind, p.rows, p.numbers) for p in report.personal] == [("e-mail", 2, (4, 5)), ("phone", 1, (5,))]
    (said,) = [warning for warning in report.warnings if "Personal" in warning]
    assert "Found by pattern, so some are missed and some are none" in said


def test_masking_is_recorded_and_then_no_warning_is_needed() -> None:
    report = report_of([*rows_of(2), row("a@b.example")], choose(mask=True))
    assert report.masked
    assert [p.kind for p in report.personal] == ["e-mail"]
    assert not [warning for warning in report.warnings if "Personal" in warning]


def test_counts_are_given_for_each_split_and_declared_label() -> None:
    rows = [*split_rows(4, "train"), *split_rows(2, "test")]
    assert report_of(rows, choose(WITH_SPLIT)).split_counts == {
        "train": {"keep": 2, "remove": 2},
        "validation": {"keep": 0, "remove": 0},
        "test": {"keep": 1, "remove": 1},
    }


@pytest.mark.parametrize(("n", "scarce"), [(18, True), (20, False)])
def test_a_label_with_fewer_than_ten_training_examples_is_warned_of(n: int, scarce: bool) -> None:
    warnings = " ".join(report_of(split_rows(n, "train"), choose(WITH_SPLIT)).warnings)
    assert ("Fewer than 10 training examples: keep, remove." in warnings) == scarce


def test_a_split_without_any_example_is_warned_of() -> None:
    one_group = [row(sentence(i), ("keep", "remove")[i % 2], group="all") for i in range(10)]
    columns = ColumnMap(label="label", inputs=("post",), group="group")
    assert "No example in validation and test" in " ".join(report_of(one_group, choose(columns)).warnings)
    assert "No example in" not in " ".join(report_of(rows_of(10)).warnings)
    assert "No example in validation:" in " ".join(report_of(split_rows(4, "test"), choose(WITH_SPLIT)).warnings)


def test_training_examples_that_the_task_has_count_for_that() -> None:
    known = make_examples(18)
    warnings = " ".join(report_of(split_rows(2, "train"), choose(WITH_SPLIT), known).warnings)
    assert "Fewer than" not in warnings


def test_labels_without_a_description_are_named() -> None:
    assert "Without a description: keep, remove." in " ".join(report_of(rows_of(4)).warnings)
    described = report_of(rows_of(4), choose(descriptions={"keep": "a", "remove": "b"}))
    assert "Without a description" not in " ".join(described.warnings)


def test_a_leak_between_train_and_test_stops_the_import_until_it_is_divided_anew() -> None:
    rows = [*split_rows(10, "train"), row("a", split="train"), row("a", split="test")]
    (problem,) = report_of(rows, choose(WITH_SPLIT)).problems
    assert "Train and test share what they must not (same text: 1; the first is rows 12, 13)" in problem
    assert "--resplit" in problem
    assert report_of(rows, choose(WITH_SPLIT, resplit=True)).problems == ()


def test_a_group_in_train_and_test_is_named_in_the_problem() -> None:
    rows = [*split_rows(10, "train"), row("a", split="train", group="deal 7"), row("b", split="test", group="deal 7")]
    (problem,) = report_of(rows, choose(WITH_SPLIT)).problems
    assert "(same group: 1; the first is group 'deal 7')" in problem


@pytest.mark.parametrize("other", ["train", "test"])
def test_a_leak_with_validation_is_a_warning(other: str) -> None:
    rows = [*split_rows(10, "train"), row("a", split="validation"), row("a", split=other)]
    report = report_of(rows, choose(WITH_SPLIT))
    assert report.problems == ()
    assert "Texts or groups shared between validation and another split: 1." in report.warnings


def test_a_leak_that_stands_in_the_task_already_does_not_stop_an_import_that_is_divided() -> None:
    known = [make_example("a", "keep", Split.TRAIN), make_example("a", "remove", Split.TEST)]
    task = make_task()
    wider = replace(task, labels=(*task.labels, Label("other", "")))
    report = plan_of([*rows_of(2), row("a", "other")], choose(), known, wider).report
    assert report.problems == ()
    assert "Divide the whole task anew" in " ".join(report.warnings)


def test_strict_import_stops_at_a_refused_row() -> None:
    rows = [*rows_of(4), row("", "keep")]
    assert report_of(rows).problems == ()
    assert report_of(rows, choose(strict=True)).problems == ("Refused rows: 1, and strict import was asked for.",)
    assert report_of(rows_of(4), choose(strict=True)).problems == ()


def test_long_lists_are_cut_and_their_counts_are_not() -> None:
    rows = [row(f"unlike{i}", label) for i in range(LISTED + 5) for label in ("keep", "remove")]
    report = report_of(rows)
    assert (len(report.label_conflicts), report.conflict_count) == (LISTED, LISTED + 5)


def test_all_refused_and_merged_rows_are_listed_however_many() -> None:
    rows = [*rows_of(2), *[row("", "keep")] * (LISTED + 1), *[row(sentence(0))] * (LISTED + 1)]
    report = report_of(rows)
    assert len(report.refused_rows) == len(report.merged_rows) == LISTED + 1


@given(st.sets(st.integers(1, 60)))
def test_runs_hold_every_number_and_no_other(numbers: set[int]) -> None:
    runs = runs_of(sorted(numbers))
    assert [n for first, last in runs for n in range(first, last + 1)] == sorted(numbers)
    assert all(second[0] > first[1] + 1 for first, second in pairwise(runs))
