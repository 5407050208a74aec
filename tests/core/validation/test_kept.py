"""Kept columns: proposed with care, counted, refused where they say nothing, and no part of an example."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.importers.rows import ColumnMap, SourceRow
from pld_core.validation.facts import choices_as_json
from pld_core.validation.kept import FEW_ROWS, LONGEST_VALUE, MOST_VALUES, looks_personal, proposed_to_keep
from tests.core.validation.planning import COLUMNS, choose, imported, plan_of, rows_of

KEEPING = replace(COLUMNS, keep=("court", "year"))


def beside(rows: list[dict[str, str]], **columns: list[str]) -> list[dict[str, str]]:
    """Return the rows with more columns, their values taking turns."""
    return [{**row, **{name: given[i % len(given)] for name, given in columns.items()}} for i, row in enumerate(rows)]


def sample(n: int, **columns: list[str]) -> list[SourceRow]:
    return [SourceRow(i + 2, values) for i, values in enumerate(beside([{} for _ in range(n)], **columns))]


# --- what is proposed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values", "is_proposed"),
    [
        ("country", ["DE", "FR", "", "US"], True),
        ("year", ["2023", "2024"], True),
        ("constant", ["DE"], False),
        ("empty", ["", " "], False),
        ("number", [str(i) for i in range(100)], False),
        ("question", ["May the receiving party keep a copy of it?", "Is there a fee?"], False),
        ("contact", ["ann@example.org", "bob@example.org"], False),
        ("agent", ["A", "B"], False),
        ("customerName", ["A", "B"], False),
    ],
)
def test_columns_with_few_values_that_are_nobodys_own_are_proposed(
    name: str, values: list[str], is_proposed: bool
) -> None:
    found = proposed_to_keep([name], sample(100, **{name: values}))
    assert found == ((name,) if is_proposed else ())


def test_nothing_is_proposed_where_too_few_rows_can_be_read() -> None:
    few = sample(FEW_ROWS - 1, country=["DE", "FR"])
    broken = [SourceRow(100 + i, {}, problem="It is no object.") for i in range(FEW_ROWS)]
    assert proposed_to_keep(["country"], [*few, *broken]) == ()
    assert proposed_to_keep(["country"], [*few, *few[:1], *broken]) == ("country",)


def test_a_name_is_personal_by_a_word_of_it_and_not_by_letters_in_it() -> None:
    assert looks_personal("E-Mail", [])
    assert looks_personal("birth_date", [])
    assert not looks_personal("tenant", ["A"])
    assert not looks_personal("message type", ["A"])


# --- what is found ----------------------------------------------------------------------------------------------------


def test_the_report_counts_the_values_and_names_what_is_not_used() -> None:
    rows = beside(rows_of(6), court=["first", "", "second"], year=["2024"], clerk=["x"])
    report = plan_of(rows, choose(KEEPING)).report
    assert report.kept_columns == {"court": 2, "year": 1}
    assert report.unused_columns == ("split", "group", "clerk")
    assert report.problems == ()


def test_a_column_with_too_many_values_stops_the_import_and_one_less_does_not() -> None:
    rows = beside(rows_of(2) * (MOST_VALUES // 2 + 1), court=[f"court {i}" for i in range(MOST_VALUES + 1)])
    columns = replace(COLUMNS, keep=("court",))
    assert plan_of(rows[:-2], choose(columns)).report.problems == ()
    (problem,) = plan_of(rows, choose(columns)).report.problems
    assert "The column 'court' cannot be kept: it has more than 1,000 different values" in problem


def test_a_text_is_no_value_to_keep() -> None:
    rows = beside(rows_of(3), court=["first", "x" * (LONGEST_VALUE + 1), "x" * LONGEST_VALUE])
    (problem,) = plan_of(rows, choose(replace(COLUMNS, keep=("court",)))).report.problems
    assert "row 3 holds more than 200 characters there" in problem


def test_personal_values_are_warned_of_and_kept_if_somebody_wants_that() -> None:
    rows = beside(rows_of(4), court=["ann@example.org", "bob@example.org"])
    plan = plan_of(rows, choose(replace(COLUMNS, keep=("court",))))
    assert plan.report.problems == ()
    assert any("'court' seems to hold personal data" in warning for warning in plan.report.warnings)
    assert not any("seems to hold" in w for w in plan_of(rows, choose()).report.warnings)


# --- what becomes of it -----------------------------------------------------------------------------------------------


@given(st.lists(st.text("ab \t\n", max_size=4), min_size=4, max_size=4))
def test_values_come_with_their_row_and_change_no_example(values: list[str]) -> None:
    rows, choices = beside(rows_of(4), court=values, year=["2024"]), choose(KEEPING)
    plain, kept = choose(), plan_of(rows, choices)
    found = imported(rows, choices, kept)
    assert [row.kept for row in found] == [(value.strip(), "2024") for value in values]
    without = imported(rows, plain, plan_of(rows, plain))
    assert [replace(row, kept=()) for row in found] == without
    assert {row.kept for row in without} == {()}


def test_the_params_name_kept_columns_only_where_there_are_some() -> None:
    # A file that was imported before columns could be kept is to be known again.
    assert "keep" not in choices_as_json(choose())
    assert choices_as_json(choose(KEEPING))["keep"] == ["court", "year"]
    assert ColumnMap().keep == ()
