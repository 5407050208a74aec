"""Kept columns in the store: a row says them, not the example; runs are cut by them; the record tells of a change."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pld_core.compilation import Choices, compile_baseline
from pld_core.errors import InvalidInput
from pld_core.metrics import accuracy_of
from pld_core.models import Example, Run, Split
from pld_core.prompt_manifest import PromptKind
from pld_core.records import Dataset, ImportRow, NewDataset
from storage import SqliteStore, create_store
from tests.answering import answer_of, answered_run
from tests.factories import ANNA, LABELS, make_example, make_examples, make_task, url_of

EXAMPLES = make_examples(8, Split.VALIDATION)


def keep(store: SqliteStore, examples: Sequence[Example], file: str = "a.csv", **columns: Sequence[str]) -> Dataset:
    """Import examples with a value of each kept column for each of them, in their order."""
    about = NewDataset(file, f"sha256:{file}", "row", "csv 1", {"keep": list(columns)} if columns else {}, {})
    rows = [
        ImportRow(number, example, tuple(values[number - 2] for values in columns.values()))
        for number, example in enumerate(examples, 2)
    ]
    return store.data.add(make_task(), about, rows, ANNA)[0]


def asked(store: SqliteStore, examples: Sequence[Example]) -> Run:
    """Store a run that is wrong on the first of the examples only."""
    wrong = answer_of(next(label for label in LABELS if label != examples[0].label))
    prompt = compile_baseline(store.tasks.get("posts"), (), Choices(kind=PromptKind.NO_RULES))
    return answered_run(store, prompt, examples, {examples[0].hash: wrong})


def by_column(store: SqliteStore, run: Run, column: str) -> dict[str, tuple[int, int]]:
    """Return answers and right ones by value."""
    found = store.kept.cut_by_column(run.id, column)
    return {value: (cells.total(), accuracy_of(cells).k) for value, cells in found.items()}


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_values_are_found_by_example_and_what_is_not_given_is_left_out(sqlite_store: SqliteStore) -> None:
    keep(sqlite_store, EXAMPLES[:3], court=["first", "", "second"], year=["2023", "2024", ""])
    assert sqlite_store.kept.columns("posts") == ("court", "year")
    hashes = [example.hash for example in EXAMPLES[:4]]
    assert sqlite_store.kept.values("posts", hashes) == {
        hashes[0]: {"court": "first", "year": "2023"},
        hashes[1]: {"year": "2024"},
        hashes[2]: {"court": "second"},
    }


def test_where_nothing_is_kept_nothing_is_told(sqlite_store: SqliteStore) -> None:
    keep(sqlite_store, EXAMPLES)
    run = asked(sqlite_store, EXAMPLES)
    assert sqlite_store.kept.columns("posts") == ()
    assert sqlite_store.kept.values("posts", [EXAMPLES[0].hash]) == {}
    assert by_column(sqlite_store, run, "court") == {"": (8, 7)}


def test_the_same_text_with_another_value_is_the_same_example(sqlite_store: SqliteStore) -> None:
    keep(sqlite_store, EXAMPLES[:2], "a.csv", court=["first", "first"])
    again = keep(sqlite_store, EXAMPLES[:2], "b.csv", court=["second", ""])
    assert sqlite_store.tasks.count_examples("posts") == 2
    found = sqlite_store.kept.values("posts", [example.hash for example in EXAMPLES[:2]])
    # The newest data set that gives a value counts.
    assert [found[example.hash]["court"] for example in EXAMPLES[:2]] == ["second", "first"]
    sqlite_store.data.archive(again.id, "it was the wrong file", ANNA)
    found = sqlite_store.kept.values("posts", [EXAMPLES[0].hash])
    assert found[EXAMPLES[0].hash]["court"] == "first"


def test_of_several_rows_in_one_data_set_the_first_that_gives_a_value_counts(sqlite_store: SqliteStore) -> None:
    keep(sqlite_store, [EXAMPLES[0]] * 3, court=["", "first", "second"])
    run = asked(sqlite_store, EXAMPLES[:1])
    assert sqlite_store.kept.values("posts", [EXAMPLES[0].hash]) == {EXAMPLES[0].hash: {"court": "first"}}
    assert by_column(sqlite_store, run, "court") == {"first": (1, 0)}


def test_values_go_with_their_data_set(sqlite_store: SqliteStore) -> None:
    keep(sqlite_store, EXAMPLES[:2], "a.csv")
    second = keep(sqlite_store, EXAMPLES[:2], "b.csv", court=["first", "second"])
    sqlite_store.data.delete(second.id, "nobody needs it", ANNA)
    assert sqlite_store.kept.columns("posts") == ()
    assert sqlite_store.kept.values("posts", [EXAMPLES[0].hash]) == {}
    assert sqlite_store.events.verify().intact


def test_the_same_file_with_other_kept_columns_is_another_data_set_and_with_equal_ones_the_same(
    sqlite_store: SqliteStore,
) -> None:
    first = keep(sqlite_store, EXAMPLES[:2])
    second = keep(sqlite_store, EXAMPLES[:2], court=["first", "second"])
    assert second.id != first.id
    assert keep(sqlite_store, EXAMPLES[:2], court=["first", "second"]).id == second.id


def test_a_row_without_a_value_for_each_column_is_refused_whole(sqlite_store: SqliteStore) -> None:
    about = NewDataset("a.csv", "sha256:a", "row", "csv 1", {"keep": ["court"]}, {})
    with pytest.raises(InvalidInput, match="has 0 kept values, the data set 1 kept columns"):
        sqlite_store.data.add(make_task(), about, [ImportRow(2, EXAMPLES[0])], ANNA)
    assert sqlite_store.tasks.all() == ()


ODD = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(columns=st.lists(ODD.filter(bool), min_size=1, max_size=3, unique=True), data=st.data())
def test_any_column_and_any_value_come_back(tmp_path: Path, columns: list[str], data: st.DataObject) -> None:
    path = tmp_path / "one.db"
    path.unlink(missing_ok=True)
    store = create_store(url_of(path))
    given_values = [data.draw(st.tuples(*[ODD] * len(columns))) for _ in range(3)]
    about = NewDataset("a.csv", "sha256:a", "row", "csv 1", {"keep": list(columns)}, {})
    examples = [make_example(f"post {i}", split=Split.VALIDATION) for i in range(3)]
    rows = [
        ImportRow(i + 2, example, values)
        for i, (example, values) in enumerate(zip(examples, given_values, strict=True))
    ]
    store.data.add(make_task(), about, rows, ANNA)
    found = store.kept.values("posts", [example.hash for example in examples])
    for example, values in zip(examples, given_values, strict=True):
        said = {column: value for column, value in zip(columns, values, strict=True) if value}
        assert found.get(example.hash, {}) == said
    run = asked(store, examples)
    for place, column in enumerate(columns):
        assert set(store.kept.cut_by_column(run.id, column)) == {values[place] for values in given_values}


# --- runs -------------------------------------------------------------------------------------------------------------


def test_a_run_is_cut_by_a_column_over_data_sets_with_other_columns(sqlite_store: SqliteStore) -> None:
    keep(sqlite_store, EXAMPLES[:4], "a.csv", year=["2023"] * 4, court=["first", "first", "second", ""])
    keep(sqlite_store, EXAMPLES[4:6], "b.csv", court=["second", "third"])
    keep(sqlite_store, EXAMPLES[6:], "c.csv")
    run = asked(sqlite_store, EXAMPLES)
    assert by_column(sqlite_store, run, "court") == {
        "first": (2, 1),
        "second": (2, 2),
        "third": (1, 1),
        "": (3, 3),
    }
    assert by_column(sqlite_store, run, "year") == {"2023": (4, 3), "": (4, 4)}


def test_a_run_is_cut_by_the_data_set_that_an_example_first_came_with(sqlite_store: SqliteStore) -> None:
    keep(sqlite_store, EXAMPLES[:3], "a.csv")
    keep(sqlite_store, EXAMPLES[2:], "b.csv")
    run = asked(sqlite_store, EXAMPLES)
    found = sqlite_store.kept.cut_by_dataset(run.id)
    assert {name: cells.total() for name, cells in found.items()} == {"1. a.csv": 3, "2. b.csv": 5}
    total = sum((cells for cells in found.values()), start=type(found["1. a.csv"])())
    assert total == sqlite_store.runs.counted(run.id)


def test_a_run_without_answers_has_no_parts(sqlite_store: SqliteStore) -> None:
    keep(sqlite_store, EXAMPLES[:2], court=["first", "second"])
    assert sqlite_store.kept.cut_by_column(9, "court") == {}
    assert sqlite_store.kept.cut_by_dataset(9) == {}


# --- the record -------------------------------------------------------------------------------------------------------

CHANGES = (
    "UPDATE dataset_row SET kept = '[\"second\"]' WHERE number = 2",
    "UPDATE dataset_row SET example_id = 2 WHERE number = 2",
    "UPDATE dataset_row SET number = 9 WHERE number = 2",
    "DELETE FROM dataset_row WHERE number = 2",
)


@pytest.mark.parametrize("change", CHANGES)
def test_a_value_that_was_changed_behind_its_back_is_found(
    sqlite_store: SqliteStore, workspace: Path, change: str
) -> None:
    keep(sqlite_store, EXAMPLES[:3], court=["first", "second", ""])
    keep(sqlite_store, EXAMPLES[3:6], "b.csv", court=["first", "second", ""])
    assert sqlite_store.events.verify().intact
    with closing(sqlite3.connect(workspace)) as conn:
        conn.execute(f"{change} AND dataset_id = 2")
        conn.commit()
    report = sqlite_store.events.verify()
    assert report.problems == ("Values that data set 2 keeps beside its examples were changed since event 3.",)
