"""Data, import: columns that are kept beside the examples, proposed with care, and shown with an example."""

from __future__ import annotations

from pld_app.wiring import App
from tests.pages.driving import NASTY, Visit, Worker, press, prose, raw, run, takes_literally, unescaped
from tests.pages.filling import mapping, opened, table_with, upload

COURTS = ("first", "second", "third", "")
HEADER = "text,label,split,court,clerk,filed\n"
CASES = HEADER + "".join(
    f"Case {'x' * i} of the year,{('upheld', 'rejected')[i % 2]},{('train', 'validation', 'test')[i % 3]},"
    f"{COURTS[i % 4]},{('ann', 'bob')[i % 2]},2024-01-{i:02}\n"
    for i in range(1, 29)
)
"""28 cases: four courts, two clerks, who are persons, and a date that is another one in each row."""


def test_columns_with_few_values_are_ticked_and_persons_and_dates_are_not(empty: App, visit: Visit) -> None:
    at = opened(visit, CASES)
    assert at.multiselect(mapping(at, "keep")).value == ["court"]
    # Persons and dates stay where the names put them, until somebody takes them out.
    assert at.multiselect(mapping(at, "inputs")).value == ["text", "clerk", "filed"]
    at.multiselect(mapping(at, "inputs")).set_value(["text"])
    run(at)
    assert "Not used: clerk, filed." in prose(at)
    assert table_with(at, "kept: court")[0] == {
        "row": 2,
        "label": "rejected",
        "split": "validation",
        "text: text": "Case x of the year",
        "kept: court": "second",
    }


def test_a_small_file_proposes_no_column(empty: App, visit: Visit) -> None:
    at = opened(visit, "text,label,court\na,x,first\nb,y,first\nc,x,second\n")
    assert at.multiselect(mapping(at, "keep")).value == []
    assert at.multiselect(mapping(at, "inputs")).value == ["text", "court"]


def test_what_a_task_reads_stays_text(empty: App, visit: Visit, worker: Worker) -> None:
    at = opened(visit, CASES)
    at.multiselect(mapping(at, "inputs")).set_value(["text", "court"])
    at.multiselect(mapping(at, "keep")).set_value([])
    run(at)
    press(press(at, "check_file"), "import_go")
    worker()
    assert empty.store.tasks.get("complaints").input_fields == ("text", "court")
    more = CASES.replace("filed", "arrived").replace("Case", "A new case")
    at = upload(visit("data", task="complaints", view="Import"), more)
    assert at.multiselect(mapping(at, "inputs")).value[:2] == ["text", "court"]
    assert at.multiselect(mapping(at, "keep")).value == []


def test_the_kept_values_stand_with_the_example(empty: App, visit: Visit, worker: Worker) -> None:
    at = opened(visit, CASES)
    at.multiselect(mapping(at, "inputs")).set_value(["text"])
    at.multiselect(mapping(at, "keep")).set_value(["court", "clerk"])
    run(at)
    at = press(at, "check_file")
    assert any("The kept column 'clerk' seems to hold personal data" in unescaped(text) for text in raw(at, "warning"))
    press(at, "import_go")
    worker()
    assert empty.store.kept.columns("complaints") == ("court", "clerk")
    text = prose(visit("data", task="complaints"))
    assert "court: second · clerk: bob" in text


def test_a_kept_value_is_shown_literally(empty: App, visit: Visit, worker: Worker) -> None:
    at = opened(visit, CASES.replace("second", NASTY))
    at.multiselect(mapping(at, "inputs")).set_value(["text"])
    at.multiselect(mapping(at, "keep")).set_value(["court"])
    run(at)
    press(press(at, "check_file"), "import_go")
    worker()
    assert takes_literally(raw(visit("data", task="complaints"), "caption"), NASTY)


def test_a_column_that_is_text_already_cannot_be_kept_too(empty: App, visit: Visit) -> None:
    at = opened(visit, CASES)
    at.multiselect(mapping(at, "keep")).set_value(["text"])
    run(at)
    (error,) = [str(error.value).replace("\\", "") for error in at.error]
    assert "The column 'text' was given two meanings." in error


def test_too_many_values_are_settled_before_anything_is_imported(empty: App, visit: Visit) -> None:
    many = "text,label,court\n" + "".join(f"Case number {i},{'xy'[i % 2]},court {i}\n" for i in range(1_001))
    at = opened(visit, many)
    at.multiselect(mapping(at, "inputs")).set_value(["text"])
    at.multiselect(mapping(at, "keep")).set_value(["court"])
    run(at)
    at = press(at, "check_file")
    assert any("more than 1,000 different values" in unescaped(str(error.value)) for error in at.error)
    assert "Settle what stands in red first." in prose(at)
    assert at.button("import_go").disabled
