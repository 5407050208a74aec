"""Data, import: a file is uploaded, mapped, checked, settled and imported; nothing is written before the last click."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pld_app import uploads, wiring
from pld_app.wiring import App
from pld_core.canonical import canonical_json
from pld_core.models import ExampleState, JobState
from pld_core.records import ExampleFilter
from tests.pages.driving import NASTY, Visit, Worker, metrics, press, press_at_once, prose, raw, run, takes_literally
from tests.pages.filling import (
    MESSY,
    checked,
    map_column,
    mapping,
    name_task,
    opened,
    shows,
    table_with,
    tables,
    tabs,
    tidy,
    upload,
)

COUNTS = ("Read", "Kept", "Merged", "Refused")


def counts(at: AppTest) -> dict[str, str]:
    return {name: number for name, number in metrics(at).items() if name in COUNTS}


def numbers(read: int, kept: int, merged: int, refused: int) -> dict[str, str]:
    return dict(zip(COUNTS, map(str, (read, kept, merged, refused)), strict=True))


def errors(at: AppTest) -> list[str]:
    return [str(error.value).replace("\\", "") for error in at.error]


def variant(at: AppTest) -> str:
    return next(str(box.key) for box in at.selectbox if str(box.key).startswith("variant_"))


# --- the file ---------------------------------------------------------------------------------------------------------


def test_an_empty_workspace_offers_the_import_at_once(empty: App, visit: Visit) -> None:
    at = visit("data")
    assert raw(at, "info") == ["No data yet. Import a file here, or build a demo task on the Home page."]
    assert len(at.file_uploader) == 1
    assert not shows(at, "check_file")


def test_a_file_is_recognised_and_its_columns_are_proposed_by_their_names(empty: App, visit: Visit) -> None:
    at = upload(visit("data"), MESSY)
    assert "complaints.csv is read as csv." in prose(at)
    assert at.multiselect(mapping(at, "inputs")).value == ["text"]
    chosen = {role: at.selectbox(mapping(at, role)).value for role in ("label", "split", "group", "ref")}
    assert chosen == {"label": "label", "split": "split", "group": "customer", "ref": "(none)"}


def test_the_preview_shows_twenty_rows_at_most_and_follows_the_columns(empty: App, visit: Visit) -> None:
    at = opened(visit, "body,head,label\n" + "".join(f"b{i},h{i},{'xy'[i % 2]}\n" for i in range(30)))
    first = table_with(at, "label", "text: body")
    assert (len(first), first[0]) == (20, {"row": 2, "label": "x", "text: body": "b0", "text: head": "h0"})
    at.multiselect(mapping(at, "inputs")).set_value(["head"])
    run(at)
    assert table_with(at, "label", "text: head")[0] == {"row": 2, "label": "x", "text: head": "h0"}


def test_the_preview_shows_no_split_that_will_not_count(empty: App, visit: Visit) -> None:
    at = opened(visit, MESSY)
    assert "split" in table_with(at, "text: text")[0]
    at.toggle("import_resplit").set_value(True)
    assert "split" not in table_with(run(at), "text: text")[0]


def test_columns_without_telling_names_are_asked_for_before_anything_is_wrong(empty: App, visit: Visit) -> None:
    at = opened(visit, "one,two\na long text,x\nanother text,y\n")
    assert raw(at, "info")[-1] == "Choose the column that holds the gold label\\."
    assert not errors(at)
    assert table_with(at, "text: one"), "the rows are there to choose from"
    at.multiselect(mapping(at, "inputs")).set_value(["one"])
    map_column(at, "label", "two")
    assert shows(at, "check_file")


def test_a_column_with_two_meanings_is_one_sentence(empty: App, visit: Visit) -> None:
    at = map_column(opened(visit, MESSY), "ref", "text")
    (error,) = errors(at)
    assert "'text' was given two meanings" in error
    assert "Nothing was imported" in error


UNREADABLE = [
    ("nothing.csv", b"", "empty"),
    ("picture.csv", bytes(range(256)) * 40, "Nothing was imported."),
    ("broken.jsonl", b'{"text": \n', "Nothing was imported."),
    ("broken.json", b"[1, 2", "Nothing was imported."),
    ("table.xlsx", b"PK\x03\x04 no workbook", "Nothing was imported."),
    ("table.parquet", b"PAR1", "Nothing was imported."),
    ("header.csv", b"text,label\n", "holds a header but no row"),
]


@pytest.mark.parametrize(("name", "content", "words"), UNREADABLE, ids=[name for name, _, _ in UNREADABLE])
def test_a_file_that_cannot_be_read_is_one_sentence_without_options_of_commands(
    empty: App, visit: Visit, name: str, content: bytes, words: str
) -> None:
    at = upload(visit("data", view="Import"), content, name)
    found = errors(at)
    if not found:
        found = errors(press(name_task(at), "check_file"))
    (error,) = found
    assert words in error
    assert "--" not in error
    assert not empty.store.tasks.all()


def test_a_wrong_guess_of_the_encoding_is_corrected_on_the_page(empty: App, visit: Visit) -> None:
    at = opened(visit, "text,label\ncafé,a\nthé,b\n".encode("cp1252"))
    assert "name another under “How it is read” if characters look wrong" in prose(at)
    assert table_with(at, "text: text")[0]["text: text"] == "café"
    at.selectbox("read_encoding").select("utf-16")
    assert errors(run(at))


def test_a_file_of_the_inbox_is_imported_and_stays_there(
    empty: App, visit: Visit, worker: Worker, workspace_folder: Path
) -> None:
    inbox = workspace_folder / uploads.INBOX
    inbox.mkdir()
    (inbox / "large.csv").write_text(tidy(), encoding="utf-8")
    at = visit("data")
    at.selectbox("inbox_0").select("large.csv")
    press(press(name_task(run(at)), "check_file"), "import_go")
    assert worker().state is JobState.DONE
    assert (inbox / "large.csv").exists()
    assert empty.store.tasks.count_examples("complaints") == 4


# --- the task ---------------------------------------------------------------------------------------------------------


def test_a_task_without_a_name_cannot_be_checked(empty: App, visit: Visit) -> None:
    at = upload(visit("data"), tidy())
    assert at.button("check_file").disabled
    assert "Name the task, then check the file." in prose(at)


def test_a_name_that_cannot_be_is_one_sentence(empty: App, visit: Visit) -> None:
    at = upload(visit("data"), tidy())
    at.text_input("import_name").set_value("My Task!")
    (error,) = errors(press(run(at), "check_file"))
    assert "'My Task!' cannot be a task name. Use lower-case letters" in error


def test_a_task_with_fields_of_other_names_asks_which_column_is_which(demo: App, visit: Visit, worker: Worker) -> None:
    at = upload(visit("data", view="Import"), "passage,claim,label\nNo copies.,Copies are allowed.,Contradiction\n")
    assert at.selectbox("import_into").value == "nda"
    assert raw(at, "info")[-1].startswith(
        "Choose a column for: clause, hypothesis".replace(",", "\\,").replace(":", "\\:")
    )
    assert not shows(at, "check_file")
    for field, column in (("clause", "passage"), ("hypothesis", "claim")):
        box = next(box for box in at.selectbox if str(box.key).endswith(f"_{field}"))
        box.select(column)
    press(press(run(at), "check_file"), "import_go")
    assert "1 examples added to nda" in worker().message
    (new,) = demo.store.tasks.examples("nda", ExampleFilter(search="copies are allowed"))[-1:]
    assert new.fields == (("clause", "No copies."), ("hypothesis", "Copies are allowed."))


# --- the check --------------------------------------------------------------------------------------------------------


def test_the_check_counts_and_lists_by_row_and_writes_nothing(empty: App, visit: Visit) -> None:
    at = checked(visit)
    assert counts(at) == numbers(9, 4, 1, 4)
    assert [row["row"] for row in table_with(at, "why")] == [7, 8, 9, 10]
    assert table_with(at, "same as") == [{"row": 4, "same as": "row 2"}]
    assert table_with(at, "the text and its labels") == [{"the text and its labels": "row 5: upheld, row 6: rejected"}]
    assert {"what": "same group", "where": "a", "splits": "train, test"} in table_with(at, "what", "splits")
    assert tabs(at)[:4] == ["Refused (4)", "Merged (1)", "Label conflicts (1)", "Shared between splits (1)"]
    assert not empty.store.tasks.all()


def test_no_sentence_of_the_report_speaks_of_commands(empty: App, visit: Visit) -> None:
    at = checked(visit)
    said = "\n".join([*errors(at), prose(at)])
    assert "(the button below)" in said
    assert "(under “Label conflicts”)" in said
    assert "--" not in said
    assert "pld data" not in said


def test_what_train_and_test_share_stops_the_import_until_one_click_divides_anew(empty: App, visit: Visit) -> None:
    at = checked(visit)
    (error,) = errors(at)
    assert "Train and test share what they must not (same group: 1; the first is group 'a')" in error
    assert at.button("import_go").disabled
    assert "Settle what stands in red first." in prose(at)
    press(at, "divide_anew")
    assert not errors(at)
    assert not at.button("import_go").disabled
    assert counts(at) == numbers(9, 5, 1, 3), "the split that is none refuses its row no more"


def test_a_label_written_otherwise_is_refused_unless_somebody_says_what_it_means(empty: App, visit: Visit) -> None:
    at = press(checked(visit), "divide_anew")
    box = at.selectbox(variant(at))
    assert (box.value, box.options) == (
        "refuse these rows",
        ["refuse these rows", "upheld", "rejected"],
    )
    press(at, "accept_merges")
    assert at.selectbox(variant(at)).value == "upheld"
    assert at.button("accept_merges").disabled, "nothing is left to take"
    assert counts(at) == numbers(9, 6, 1, 2)


def test_a_label_of_a_new_task_can_be_declared_as_it_is(empty: App, visit: Visit) -> None:
    at = press(checked(visit, MESSY.replace("Upheld ", "Upheld")), "divide_anew")
    at.selectbox(variant(at)).select("declare it as it is")
    run(at)
    assert counts(at) == numbers(9, 6, 1, 2)
    assert [row["label"] for row in table_with(at, "description")] == ["upheld", "rejected", "Upheld"]


def test_a_spelling_with_white_space_around_it_is_no_label_of_its_own(empty: App, visit: Visit) -> None:
    at = press(checked(visit), "divide_anew")
    assert "declare it as it is" not in at.selectbox(variant(at)).options


def test_a_label_of_a_task_that_is_there_cannot_be_declared_in_passing(demo: App, visit: Visit) -> None:
    lines = (
        "clause,hypothesis,label",
        "No copies.,Copies are allowed.,contradiction",
        "Copies.,Copies may be made.,Entailment",
    )
    content = "\n".join(lines)
    at = press(upload(visit("data", view="Import"), content), "check_file")
    assert at.selectbox(variant(at)).options == ["refuse these rows", *demo.store.tasks.get("nda").label_names]
    assert counts(at) == numbers(2, 1, 0, 1)


def test_labels_can_be_described_and_show_the_rows_they_stand_in(empty: App, visit: Visit) -> None:
    at = press(press(checked(visit), "divide_anew"), "accept_merges")
    assert table_with(at, "label", "rows", "description") == [
        {"label": "upheld", "rows": 4, "description": ""},
        {"label": "rejected", "rows": 3, "description": ""},
    ]


def test_personal_data_can_be_masked_also_where_a_merged_label_brings_them_in(
    empty: App, visit: Visit, worker: Worker
) -> None:
    at = press(checked(visit), "divide_anew")
    assert "import_mask" not in [toggle.key for toggle in at.toggle]
    press(at, "accept_merges")
    at.toggle("import_mask").set_value(True)
    press(run(at), "import_go")
    worker()
    (found,) = empty.store.tasks.examples("complaints", ExampleFilter(personal=True))
    assert (found.personal, found.masked, found.text) == (("e-mail",), True, "Write to ann@example.org about the loan")


def test_changing_a_column_after_the_check_asks_for_a_new_one(empty: App, visit: Visit) -> None:
    at = checked(visit)
    assert not shows(at, "check_file")
    map_column(at, "group", "(none)")
    assert shows(at, "check_file")
    assert not shows(at, "import_go")
    press(at, "check_file")
    assert not errors(at), "without the group nothing is shared"


def test_a_column_that_is_named_like_a_split_but_is_none_is_left_out_of_the_import_too(
    empty: App, visit: Visit, worker: Worker
) -> None:
    at = opened(visit, MESSY)
    for role in ("split", "group"):
        map_column(at, role, "(none)")
    press(press(at, "check_file"), "import_go")
    assert worker().state is JobState.DONE
    found = empty.store.tasks.examples("complaints", ExampleFilter(search="odd split", states=()))
    assert [(e.text, e.group) for e in found] == [("An odd split", "")]


def test_a_file_with_one_label_only_is_one_sentence(empty: App, visit: Visit) -> None:
    (error,) = errors(checked(visit, "text,label\none,x\ntwo,x\n"))
    assert "All examples have the label 'x'. Nothing was imported" in error


# --- the import -------------------------------------------------------------------------------------------------------


def ordered(visit: Visit) -> AppTest:
    at = press(press(checked(visit), "divide_anew"), "accept_merges")
    return press(at, "import_go")


def test_what_is_chosen_with_the_press_is_counted_before_it_is_imported(empty: App, visit: Visit) -> None:
    at = press(press(checked(visit), "divide_anew"), "accept_merges")
    at.toggle("import_mask").set_value(True)
    press_at_once(at, "import_go")
    assert empty.store.jobs.recent() == ()
    press(at, "import_go")
    (job,) = empty.store.jobs.recent()
    assert '"mask":true' in canonical_json(job.params)


def test_the_button_says_what_it_does_and_orders_a_job(empty: App, visit: Visit, worker: Worker) -> None:
    at = press(press(checked(visit), "divide_anew"), "accept_merges")
    assert at.button("import_go").label == "Import 6 examples into complaints and leave 2 rows out"
    press(at, "import_go")
    assert not empty.store.tasks.all(), "the worker imports, not the page"
    text = prose(at)
    assert "complaints.csv is being imported into complaints" in text
    assert "Import** complaints complaints.csv" in text.replace(":gray[", "")
    assert "Waiting for the worker" in text
    done = worker()
    assert done.message == "6 examples added to complaints. 9 rows of complaints.csv read: 6 kept, 1 merged, 2 refused."
    assert empty.store.tasks.counts("complaints").conflicts == 1


def test_after_an_import_its_result_is_shown_and_the_next_one_begins_empty(
    empty: App, visit: Visit, worker: Worker, workspace_folder: Path
) -> None:
    at = ordered(visit)
    worker()
    at.query_params["view"] = "Import"
    run(at)
    at.segmented_control("view").set_value("Import")
    run(at)
    assert not errors(at)
    assert "6 examples added to complaints." in prose(at)
    assert not at.file_uploader[0].value
    assert list((workspace_folder / uploads.UPLOADS).iterdir()) == [], "what was imported is not kept twice"


def test_while_an_import_goes_on_no_second_one_is_ordered(empty: App, visit: Visit) -> None:
    at = ordered(visit)
    press(name_task(upload(at, tidy(), "more.csv"), "more"), "check_file")
    assert at.button("import_go").disabled
    assert "An import is going on. This one can be ordered when it has ended." in prose(at)


def test_columns_are_remembered_for_a_file_of_the_same_shape(empty: App, visit: Visit, worker: Worker) -> None:
    at = opened(visit, "gold,one,two\nx,a text,another\ny,a second,a third\n")
    at.multiselect(mapping(at, "inputs")).set_value(["two"])
    map_column(at, "label", "gold")
    press(press(at, "check_file"), "import_go")
    worker()
    again = upload(visit("data", view="Import"), "two,gold,one\nnew,x,old\n")
    assert "Columns as anna chose them for a file of this shape." in prose(again)
    assert again.multiselect(mapping(again, "inputs")).value == ["two"]


def test_what_a_file_says_is_shown_letter_by_letter(empty: App, visit: Visit, worker: Worker) -> None:
    content = f'"{NASTY}",label\n"{NASTY}",{NASTY}\n"other {NASTY}","{NASTY.upper()}"\n"third",other\n'
    at = opened(visit, content, f"{NASTY.replace('/', '')}.csv")
    at.multiselect(mapping(at, "inputs")).set_value([NASTY])
    press(run(at), "check_file")
    box = at.selectbox(variant(at))
    assert takes_literally([box.label], NASTY) or takes_literally([box.label], NASTY.upper())
    press(at, "import_go")
    assert worker().state is JobState.DONE


def test_a_text_with_two_labels_is_kept_aside(empty: App, visit: Visit, worker: Worker) -> None:
    ordered(visit)
    worker()
    app = wiring.open_app(empty.settings.workspace)
    aside = app.store.tasks.examples("complaints", ExampleFilter(states=(ExampleState.CONFLICT,)))
    assert [(e.text, e.label) for e in aside] == [
        ("The card never came", "upheld"),
        ("The card never came", "rejected"),
    ]


def test_every_table_of_the_check_can_be_drawn_for_a_tidy_file_too(empty: App, visit: Visit) -> None:
    at = checked(visit, tidy())
    assert counts(at) == numbers(4, 4, 0, 0)
    assert tabs(at) == ["By split and label (4)"]
    assert len(tables(at)) == 3
    assert at.button("import_go").label == "Import 4 examples into complaints"
