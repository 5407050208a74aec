"""Data, data sets: what was imported when by whom, its report, archiving, taking back into use, deleting."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pld_app.wiring import App
from pld_core.models import ExampleState
from pld_core.records import DatasetState, ExampleFilter
from tests.factories import fill, make_task
from tests.pages.driving import Visit, Worker, metrics, press, prose, raw, run
from tests.pages.filling import checked, shows, table_with, tidy


@pytest.fixture
def sets(empty: App, visit: Visit, worker: Worker) -> AppTest:
    """The data sets of `complaints`, imported from one messy file."""
    press(press(press(checked(visit), "divide_anew"), "accept_merges"), "import_go")
    worker()
    return visit("data", view="Data sets", task="complaints")


def with_reason(at: AppTest, reason: str = "It is out of date.") -> AppTest:
    at.text_input("reason_1").set_value(reason)
    return run(at)


def test_a_task_without_a_data_set_says_so(empty: App, visit: Visit) -> None:
    empty.store.tasks.add(make_task(), empty.actor)
    assert raw(visit("data", view="Data sets"), "info") == ["No data set yet. Import a file."]


def test_a_data_set_says_what_when_by_whom_and_what_became_of_its_rows(empty: App, sets: AppTest) -> None:
    text = prose(sets)
    assert "**1. complaints.csv**" in text
    assert "csv 1" in text
    assert "imported by anna" in text
    assert "9 rows of complaints.csv read: 6 kept, 1 merged, 2 refused." in text


def test_the_report_of_the_import_is_kept_with_its_lists(empty: App, sets: AppTest) -> None:
    assert metrics(sets) == {"Read": "9", "Kept": "6", "Merged": "1", "Refused": "2"}
    assert [row["row"] for row in table_with(sets, "why")] == [8, 9]
    assert [button.label for button in sets.download_button] == ["Download the report"]


def test_one_file_imported_twice_otherwise_is_two_data_sets_with_a_report_each(
    empty: App, visit: Visit, worker: Worker
) -> None:
    for seed in (0, 1):
        at = checked(visit, tidy())
        if seed:
            at.number_input("import_seed").set_value(seed)
            assert "There is a task complaints already; the examples go into it." in prose(run(at))
        press(at, "import_go")
        worker()
    assert len(empty.store.data.all("complaints")) == 2
    at = visit("data", view="Data sets", task="complaints")
    assert len(at.download_button) == 2


def test_archiving_needs_a_reason_and_takes_its_examples_out_of_use(empty: App, sets: AppTest) -> None:
    assert sets.button("archive_1").disabled
    press(with_reason(sets), "archive_1")
    assert "Data set 1 is archived" in prose(sets)
    assert empty.store.tasks.count_examples("complaints") == 0
    assert empty.store.tasks.count_examples("complaints", ExampleFilter(states=(ExampleState.ARCHIVED,))) == 6
    assert not shows(sets, "archive_1")
    (event,) = [e for e in empty.store.events.page() if e.kind == "dataset.archived"]
    assert event.payload["reason"] == "It is out of date."


@pytest.mark.parametrize("step", ["archive", "delete"])
def test_the_reason_is_kept_as_it_stands_at_the_press(empty: App, sets: AppTest, step: str) -> None:
    with_reason(sets).text_input("reason_1").set_value("Typed last.")
    press(sets, f"{step}_1")
    (event,) = [e for e in empty.store.events.page() if e.kind == f"dataset.{step}d"]
    assert event.payload["reason"] == "Typed last."


def test_an_archived_data_set_can_be_taken_into_use_again(empty: App, sets: AppTest) -> None:
    press(press(with_reason(sets), "archive_1"), "restore_1")
    assert "Data set 1 is in use again" in prose(sets)
    assert empty.store.tasks.count_examples("complaints") == 4
    assert empty.store.data.count_conflicts("complaints") == 1


def test_a_data_set_on_which_nothing_rests_can_be_deleted(empty: App, sets: AppTest) -> None:
    assert sets.button("delete_1").disabled
    press(with_reason(sets), "delete_1")
    assert raw(sets, "info") == ["No data set yet. Import a file."]
    assert empty.store.data.get(1).state is DatasetState.DELETED
    assert empty.store.tasks.count_examples("complaints", ExampleFilter(states=())) == 0


def test_a_data_set_on_which_rules_rest_names_them_and_cannot_be_deleted(demo: App, visit: Visit) -> None:
    at = with_reason(visit("data", view="Data sets"))
    rules = demo.store.data.resting(1)
    assert f"{len(rules)} rules rest on it: {', '.join(rules)}. It cannot be deleted; archive it instead." in prose(at)
    assert at.button("delete_1").disabled
    assert not at.button("archive_1").disabled


def test_a_data_set_that_somebody_deleted_meanwhile_is_one_sentence(empty: App, sets: AppTest) -> None:
    with_reason(sets)
    empty.store.data.delete(1, "by somebody else", empty.actor)
    press(sets, "archive_1")
    assert "Nothing was changed" in prose(sets)


def test_what_was_made_without_a_report_has_none(empty: App, visit: Visit) -> None:
    fill(empty.store)
    at = visit("data", view="Data sets")
    assert "test.csv" in prose(at)
    assert not metrics(at)
