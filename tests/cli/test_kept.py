"""`pld import --keep`, `pld figures --by` and the export: columns from a file to figures and back into a file."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from pld_core.compilation import Choices, compile_baseline
from pld_core.models import Split
from pld_core.prompt_manifest import PromptKind
from pld_core.records import ExampleFilter
from pld_core.slices import MOST_SLICES
from storage import SqliteStore, open_store
from tests.answering import answer_of, answered_run
from tests.cli.running import Pld
from tests.factories import url_of

COURTS = ("first", "second", "")
ROWS = [
    {
        "text": f"post number {i}",
        "label": ("keep", "remove")[i % 2],
        "split": "validation" if i < 24 else "train",
        "court": COURTS[i % 3],
        "clerk": f"clerk{i}@court.example",
    }
    for i in range(30)
]
IMPORT = ("--task", "posts", "--input", "text", "--keep", "court")


def as_csv() -> bytes:
    buffer = io.StringIO(newline="")
    table = csv.DictWriter(buffer, list(ROWS[0]))
    table.writeheader()
    table.writerows(ROWS)
    return buffer.getvalue().encode()


def as_jsonl() -> bytes:
    # A value that is missing need not be named.
    return "".join(json.dumps({k: v for k, v in row.items() if v}) + "\n" for row in ROWS).encode()


def as_json() -> bytes:
    return json.dumps([{k: v or None for k, v in row.items()} for row in ROWS]).encode()


def as_parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([{k: v or None for k, v in row.items()} for row in ROWS]), sink)
    return sink.getvalue()


def as_xlsx() -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(list(ROWS[0]))
    for row in ROWS:
        sheet.append([value or None for value in row.values()])
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def file_of(folder: Path, content: bytes, name: str = "posts.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def store_of(space: Path) -> SqliteStore:
    return open_store(url_of(space / "pld.db"))


def kept_by_text(space: Path, task: str = "posts") -> dict[str, dict[str, str]]:
    store = store_of(space)
    examples = store.tasks.examples(task, ExampleFilter(states=()))
    found = store.kept.values(task, [example.hash for example in examples])
    return {example.text: found.get(example.hash, {}) for example in examples}


@pytest.fixture
def space(pld: Pld, tmp_path: Path) -> Path:
    """The posts with their court, and run 1 that is wrong on the first three of them."""
    folder = tmp_path / "space"
    assert pld("import", file_of(tmp_path, as_csv()), *IMPORT, "--workspace", folder).code == 0
    store = store_of(folder)
    asked = store.tasks.examples("posts", ExampleFilter(split=Split.VALIDATION))
    wrong = {e.hash: answer_of("keep" if e.label == "remove" else "remove") for e in asked[:3]}
    answered_run(store, compile_baseline(store.tasks.get("posts"), (), Choices(kind=PromptKind.NO_RULES)), asked, wrong)
    return folder


# --- the import -------------------------------------------------------------------------------------------------------

FORMATS = [
    ("t.csv", as_csv),
    ("t.jsonl", as_jsonl),
    ("t.json", as_json),
    ("t.parquet", as_parquet),
    ("t.xlsx", as_xlsx),
]


@pytest.mark.parametrize(("name", "write"), FORMATS, ids=[name for name, _ in FORMATS])
def test_every_format_brings_its_columns(pld: Pld, tmp_path: Path, name: str, write: Callable[[], bytes]) -> None:
    file, space = file_of(tmp_path, write(), name), tmp_path / "space"
    said = pld("import", file, *IMPORT, "--workspace", space, "--json").value
    assert (said["kept"], said["kept_columns"], said["unused_columns"]) == (30, {"court": 2}, ["clerk"])
    assert said["columns"]["keep"] == ["court"]
    assert kept_by_text(space) == {row["text"]: {"court": row["court"]} if row["court"] else {} for row in ROWS}
    assert store_of(space).tasks.get("posts").input_fields == ("text",)


def test_it_is_told_what_is_kept_and_what_is_not_used(pld: Pld, tmp_path: Path) -> None:
    said = pld("import", file_of(tmp_path, as_csv()), *IMPORT, "--check", "--workspace", tmp_path / "space")
    assert "Kept beside the examples: court (2 values)." in said.out.splitlines()
    assert "Not used: clerk. --keep COLUMN keeps one, to cut figures by." in said.out.splitlines()
    assert not (tmp_path / "space").exists()


def test_a_kept_column_is_no_text_where_the_texts_are_left_open(pld: Pld, tmp_path: Path) -> None:
    options = ("--task", "posts", "--keep", "court", "--keep", "clerk", "--keep", "court")
    space = tmp_path / "space"
    said = pld("import", file_of(tmp_path, as_csv()), *options, "--workspace", space)
    assert store_of(space).tasks.get("posts").input_fields == ("text",)
    assert "The kept column 'clerk' seems to hold personal data." in said.out
    assert kept_by_text(space)["post number 4"] == {"court": "second", "clerk": "clerk4@court.example"}


def test_the_choice_is_remembered_for_files_of_this_shape(pld: Pld, tmp_path: Path, space: Path) -> None:
    more = as_csv().replace(b"post number", b"another post")
    said = pld("import", file_of(tmp_path, more, "more.csv"), "--task", "posts", "--workspace", space, "--json").value
    assert (said["added"], said["kept_columns"]) == (30, {"court": 2})


def test_examples_that_are_there_can_be_given_columns_later(pld: Pld, tmp_path: Path, space: Path) -> None:
    options = ("--task", "posts", "--input", "text", "--keep", "clerk")
    said = pld("import", tmp_path / "posts.csv", *options, "--workspace", space)
    assert said.out.startswith("No new example: task posts has all of them already. Kept beside them now: clerk")
    assert kept_by_text(space)["post number 0"] == {"court": "first", "clerk": "clerk0@court.example"}
    again = pld("import", tmp_path / "posts.csv", *options, "--workspace", space, "--json").value
    assert again["dataset"] == 2


MANY = "text,label,court\n" + "".join(f"post {i},{'xy'[i % 2]},court {i}\n" for i in range(1_001))
BAD = [
    ("--keep", "nope", as_csv(), "The file has no column 'nope'. Nothing was imported."),
    ("--keep", "label", as_csv(), "The column 'label' was given two meanings. Nothing was imported."),
    ("--keep", "court", MANY.encode(), "it has more than 1,000 different values"),
    ("--keep", "court", b"text,label,court\na,x,b\nc,y," + b"d" * 201 + b"\n", "row 3 holds more than 200 characters"),
]


@pytest.mark.parametrize(("option", "column", "content", "words"), BAD, ids=["unknown", "twice", "many", "long"])
def test_a_column_that_cannot_be_kept_stops_the_import(
    pld: Pld, tmp_path: Path, option: str, column: str, content: bytes, words: str
) -> None:
    space = tmp_path / "space"
    file = file_of(tmp_path, content)
    said = pld("import", file, "--task", "posts", "--input", "text", option, column, "--workspace", space)
    assert words in said.stopped
    assert "Nothing was imported." in said.stopped
    assert not space.exists()


def test_a_line_with_a_nested_value_is_refused_and_the_others_are_kept(pld: Pld, tmp_path: Path) -> None:
    nested = json.dumps({"text": "odd", "label": "keep", "court": ["first", "second"]}) + "\n"
    file, space = file_of(tmp_path, as_jsonl() + nested.encode(), "t.jsonl"), tmp_path / "space"
    said = pld("import", file, *IMPORT, "--workspace", space, "--json").value
    assert said["kept"] == 30
    assert said["refused_rows"] == [{"row": 31, "reason": "The field 'court' is a list, not a text. Flatten it first."}]


# --- figures ----------------------------------------------------------------------------------------------------------


def test_a_run_is_cut_by_a_kept_column(pld: Pld, space: Path) -> None:
    value = pld("figures", "--task", "posts", "--run", 1, "--by", "court", "--workspace", space, "--json").value
    found = {part["value"]: (part["n"], part["accuracy"]["k"]) for part in value["slices"]}
    assert found == {"first": (8, 7), "second": (8, 7), "": (8, 7)}
    out = pld("figures", "--task", "posts", "--run", 1, "--by", "court", "--workspace", space).out
    assert "Part not given: 7 of 8 (too few for a rate)" in out


def test_a_run_is_cut_by_data_set(pld: Pld, space: Path) -> None:
    value = pld("figures", "--task", "posts", "--run", 1, "--slices", "dataset", "--workspace", space, "--json").value
    assert [(part["value"], part["n"]) for part in value["slices"]] == [("1. posts.csv", 24)]


def test_values_beyond_the_most_are_one_part_with_their_number(pld: Pld, tmp_path: Path) -> None:
    lines = "".join(f"post {i},{'xy'[i % 2]},validation,court {i % 60}\n" for i in range(120))
    folder = tmp_path / "space"
    file = file_of(tmp_path, f"text,label,split,court\n{lines}".encode())
    assert pld("import", file, *IMPORT, "--workspace", folder).code == 0
    store = store_of(folder)
    prompt = compile_baseline(store.tasks.get("posts"), (), Choices(kind=PromptKind.NO_RULES))
    answered_run(store, prompt, store.tasks.examples("posts"), {})
    value = pld("figures", "--task", "posts", "--run", 1, "--by", "court", "--workspace", folder, "--json").value
    last = value["slices"][-1]
    assert (len(value["slices"]), last["value"], last["values"], last["n"]) == (MOST_SLICES, "", 11, 22)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ("--by", "clerk"),
            "No data set of posts keeps a column 'clerk', so no run can be cut by it. Kept are: court.",
        ),
        (
            ("--slices", "dataset", "--field", "text"),
            "A field is named to cut by an input field, and for nothing else.",
        ),
    ],
)
def test_what_no_data_set_keeps_is_refused(pld: Pld, space: Path, options: tuple[str, ...], words: str) -> None:
    assert words in pld("figures", "--task", "posts", "--run", 1, *options, "--workspace", space).refusal


def test_a_run_is_cut_by_one_thing(pld: Pld, space: Path) -> None:
    said = pld("figures", "--task", "posts", "--run", 1, "--by", "court", "--slices", "label", "--workspace", space)
    assert said.code == 2
    assert "--by cuts the run already" in said.err


def test_the_report_shows_parts_that_are_large_enough(pld: Pld, tmp_path: Path) -> None:
    lines = "".join(f"post {i},{'xy'[i % 2]},validation,{('<b>first</b>', 'second')[i % 2]}\n" for i in range(24))
    folder, target = tmp_path / "space", tmp_path / "report.html"
    file = file_of(tmp_path, f"text,label,split,court\n{lines}".encode())
    assert pld("import", file, *IMPORT, "--workspace", folder).code == 0
    store = store_of(folder)
    prompt = compile_baseline(store.tasks.get("posts"), (), Choices(kind=PromptKind.NO_RULES))
    answered_run(store, prompt, store.tasks.examples("posts"), {})
    assert pld("report", "--task", "posts", "--run", 1, "--out", target, "--workspace", folder).code == 0
    page = target.read_text(encoding="utf-8")
    assert "Accuracy by column court" in page
    assert "&lt;b&gt;first&lt;/b&gt;" in page
    assert "Accuracy by data set" not in page


# --- export and record ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_an_export_brings_its_columns_into_another_task(pld: Pld, tmp_path: Path, space: Path, ending: str) -> None:
    target = tmp_path / f"out.{ending}"
    assert pld("data", "export", "--task", "posts", "--to", target, "--workspace", space).code == 0
    options = ("--task", "again", "--input", "text", "--keep", "court")
    assert pld("import", target, *options, "--workspace", space).code == 0
    assert kept_by_text(space, "again") == kept_by_text(space)


def test_a_kept_column_that_is_called_like_another_has_a_name_of_its_own(pld: Pld, tmp_path: Path) -> None:
    file = file_of(tmp_path, b"text,answer,split,label,origin\na,x,train,gold,mail\nb,y,train,base,web\n")
    space, target = tmp_path / "space", tmp_path / "out.csv"
    options = ("--task", "posts", "--input", "text", "--label", "answer", "--keep", "label", "--keep", "origin")
    assert pld("import", file, *options, "--workspace", space).code == 0
    assert pld("data", "export", "--task", "posts", "--to", target, "--workspace", space).code == 0
    (first, _) = csv.DictReader(io.StringIO(target.read_text(encoding="utf-8"), newline=""))
    assert (first["label"], first["kept_label"], first["kept_origin"]) == ("x", "gold", "mail")


def test_the_record_tells_of_a_changed_value(pld: Pld, space: Path) -> None:
    assert pld("audit", "verify", "--workspace", space).code == 0
    with closing(sqlite3.connect(space / "pld.db")) as conn:
        conn.execute("UPDATE dataset_row SET kept = '[\"second\"]' WHERE number = 2")
        conn.commit()
    refusal = pld("audit", "verify", "--workspace", space).refusal
    assert "Values that data set 1 keeps beside its examples were changed" in refusal
