"""`pld import`: what can be taken of a file in one step or nothing, and never the same example twice."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from pld_core.importers import MAX_BYTES
from pld_core.models import Example
from storage import open_store
from storage.sqlite import SqliteStore
from tests.cli.running import ROOT, Outcome, Pld, clean_environment, content_of
from tests.factories import url_of

ROWS = [(f"post number {i}", "keep" if i % 2 == 0 else "remove") for i in range(20)]
COUNTS = ("read", "kept", "merged", "refused")


def write_csv(file: Path, rows: Iterable[Sequence[str]], header: str = "text,label") -> Path:
    lines = [header, *(",".join(cells) for cells in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def store_of(space: Path) -> SqliteStore:
    return open_store(url_of(space / "pld.db"))


def examples(space: Path, task: str) -> tuple[Example, ...]:
    return store_of(space).tasks.examples(task)


def splits(space: Path, task: str) -> dict[str, str]:
    return {e.text: e.split.value for e in examples(space, task)}


def counts(report: dict[str, Any]) -> tuple[int, ...]:
    found = tuple(report[name] for name in COUNTS)
    assert all(type(n) is int for n in found)
    assert found[0] == sum(found[1:])
    return found


# --- a task is made, or there -----------------------------------------------------------------------------------------


def test_a_csv_makes_a_workspace_and_a_task(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    guideline = tmp_path / "guideline.txt"
    guideline.write_bytes("Keep what is kind, café included.\n".encode("utf-8-sig"))
    file = write_csv(tmp_path / "posts.csv", ROWS)
    words = ("--title", "My posts", "--guideline", guideline, "--describe", "keep=It stays = it is seen.")
    said = pld("import", file, "--task", "posts", *words, "--workspace", nowhere)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[:3] == [
        "20 examples added to posts as data set 1.",
        "20 rows of posts.csv read: 20 kept, 0 merged, 0 refused.",
        "Columns by their names: label from label; text from text.",
    ]
    task = store_of(nowhere).tasks.get("posts")
    assert (task.title, task.guideline.strip()) == ("My posts", "Keep what is kind, café included.")
    assert task.input_fields == ("text",)
    assert {label.name: label.description for label in task.labels} == {
        "keep": "It stays = it is seen.",
        "remove": "",
    }


def test_a_jsonl_goes_into_an_existing_task(pld: Pld, tmp_path: Path, space: Path) -> None:
    file = tmp_path / "more.jsonl"
    row = {"hypothesis": "Copies are allowed.", "clause": "No copies.", "label": "Contradiction", "split": "test"}
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")
    said = pld("import", file, "--task", "nda", "--workspace", space, "--json").value
    assert (said["task"], said["added"], said["unit"], counts(said)) == ("nda", 1, "line", (1, 1, 0, 0))
    assert splits(space, "nda")["No copies.\nCopies are allowed."] == "test"


def test_title_and_guideline_of_a_task_that_is_there_stay_and_that_is_said(
    pld: Pld, tmp_path: Path, space: Path
) -> None:
    before = store_of(space).tasks.get("nda")
    file = write_csv(tmp_path / "more.csv", [("c", "h", "Entailment")], "clause,hypothesis,label")
    said = pld("import", file, "--task", "nda", "--title", "Mine", "--workspace", space)
    assert "The title and the guideline were not used" in said.out
    assert store_of(space).tasks.get("nda") == before


def test_commas_line_breaks_and_words_like_na_arrive_as_they_are(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = tmp_path / "odd.csv"
    file.write_bytes('text,label\r\n"one, two\nthree",NA\r\nNone,NA\r\nNA,None\r\n'.encode("utf-8-sig"))
    assert pld("import", file, "--task", "odd", "--workspace", nowhere).code == 0
    found = [(e.text, e.label) for e in examples(nowhere, "odd")]
    assert found == [("one, two\nthree", "NA"), ("None", "NA"), ("NA", "None")]


# --- formats ----------------------------------------------------------------------------------------------------------

PAIRS = [{"text": "a good day", "label": "keep"}, {"text": "a bad night", "label": "remove"}]
CONTRACT = "Copies are allowed. The term is two years."
DOCUMENTS = {
    "documents": [
        {
            "id": 7,
            "file_name": "one.pdf",
            "text": CONTRACT,
            "spans": [[0, 19], [20, len(CONTRACT)]],
            "annotation_sets": [
                {
                    "annotations": {
                        "nda-1": {"choice": "Entailment", "spans": [0]},
                        "nda-2": {"choice": "NotMentioned", "spans": []},
                    }
                }
            ],
        }
    ],
    "labels": {
        "nda-1": {"short_description": "Copies", "hypothesis": "Copies may be made."},
        "nda-2": {"short_description": "Law", "hypothesis": "French law applies."},
    },
}


def stereoset_item(number: int, kind: str, sentence: str) -> dict[str, Any]:
    sentences = [
        {"id": "s", "sentence": sentence, "labels": [], "gold_label": "stereotype"},
        {"id": "u", "sentence": f"Fish {number}.", "labels": [], "gold_label": "unrelated"},
    ]
    return {"id": f"i{number}", "target": "t", "bias_type": kind, "context": "It is BLANK.", "sentences": sentences}


STEREOSET = {
    "version": "1.1",
    "data": {
        "intersentence": [],
        "intrasentence": [stereoset_item(1, "race", "They dance."), stereoset_item(2, "gender", "She nurses.")],
    },
}
LOGIQA = "\n".join(
    f"\n{key}\nAll {who} sleep.\nWhat follows?\nA.One\nB.Two\nC.Three\nD.Four"
    for key, who in (("b", "cats"), ("d", "dogs"))
)


def as_parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(PAIRS), sink)
    return sink.getvalue()


def as_xlsx() -> bytes:
    book = Workbook()
    book.create_sheet("About", 0).append(["nothing here"])
    sheet = book.create_sheet("Data", 1)
    for row in (["text", "label"], *([r["text"], r["label"]] for r in PAIRS)):
        sheet.append(row)
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


Made = tuple[str, Callable[[], str | bytes], tuple[str, ...], str, set[tuple[str, str]]]
BOTH = {("a good day", "keep"), ("a bad night", "remove")}
FORMATS: list[Made] = [
    ("t.csv", lambda: "text;label\na good day;keep\na bad night;remove\n", (), "csv 1", BOTH),
    ("t.tsv", lambda: "text\tlabel\na good day\tkeep\na bad night\tremove\n", (), "tsv 1", BOTH),
    ("t.jsonl", lambda: "".join(json.dumps(row) + "\n" for row in PAIRS), (), "jsonl 1", BOTH),
    ("t.json", lambda: json.dumps({"about": "posts", "rows": PAIRS}), (), "json 1", BOTH),
    ("t.parquet", as_parquet, (), "parquet 1", BOTH),
    ("t.xlsx", as_xlsx, ("--sheet", "Data"), "xlsx 1", BOTH),
    (
        "c.json",
        lambda: json.dumps(DOCUMENTS),
        (),
        "contract-nli 1",
        {(f"{CONTRACT}\nCopies may be made.", "Entailment"), (f"{CONTRACT}\nFrench law applies.", "NotMentioned")},
    ),
    ("s.json", lambda: json.dumps(STEREOSET), (), "stereoset 1", {("They dance.", "race"), ("She nurses.", "gender")}),
    (
        "s.json",
        lambda: json.dumps(STEREOSET),
        ("--sentence", "unrelated"),
        "stereoset 1",
        {("Fish 1.", "race"), ("Fish 2.", "gender")},
    ),
    (
        "q.txt",
        lambda: LOGIQA,
        (),
        "logiqa 1",
        {
            (f"All {who} sleep.\nWhat follows?\nOne\nTwo\nThree\nFour", key)
            for who, key in (("cats", "B"), ("dogs", "D"))
        },
    ),
]


def write(file: Path, data: str | bytes) -> Path:
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return file


@pytest.mark.parametrize(
    ("name", "made", "options", "importer", "wanted"), FORMATS, ids=[f"{f[3]}{f[2]}" for f in FORMATS]
)
def test_each_format_is_found_by_its_content_and_imported(
    pld: Pld,
    tmp_path: Path,
    nowhere: Path,
    name: str,
    made: Callable[[], str | bytes],
    options: tuple[str, ...],
    importer: str,
    wanted: set[tuple[str, str]],
) -> None:
    file = write(tmp_path / name, made())
    found = pld("import", file, "--task", "t", *options, "--workspace", nowhere, "--json").value
    assert (found["importer"], counts(found)) == (importer, (2, 2, 0, 0))
    assert {(e.text, e.label) for e in examples(nowhere, "t")} == wanted
    named = importer.split()[0]
    assert pld("import", file, "--task", "n", "--format", named, *options, "--workspace", nowhere).code == 0
    assert {(e.text, e.label) for e in examples(nowhere, "n")} == wanted


def test_how_much_of_a_contract_is_kept_is_chosen(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write(tmp_path / "c.json", json.dumps(DOCUMENTS))
    said = pld("import", file, "--task", "c", "--context", "evidence", "--workspace", nowhere)
    assert "the length of the text gives that label away" in said.out
    texts = {e.label: dict(e.fields)["contract"] for e in examples(nowhere, "c")}
    assert texts == {"Entailment": "Copies are allowed.", "NotMentioned": CONTRACT}
    assert [e.group for e in examples(nowhere, "c")] == ["7", "7"]


def test_a_sheet_that_is_not_there_is_named_with_those_that_are(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write(tmp_path / "t.xlsx", as_xlsx())
    words = pld("import", file, "--task", "t", "--sheet", "Dta", "--workspace", nowhere).refusal
    assert "has no sheet 'Dta'" in words
    assert "About, Data" in words
    assert not nowhere.exists()


def test_an_encoding_is_found_or_named(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write(tmp_path / "latin.csv", "text,label\nEin café in Köln,a\nthé glacé,b\n".encode("cp1252"))
    assert "Read as cp1252" in pld("import", file, "--task", "l", "--workspace", nowhere).out
    assert {e.text for e in examples(nowhere, "l")} == {"Ein café in Köln", "thé glacé"}
    pld("import", file, "--task", "m", "--encoding", "cp1252", "--delimiter", ",", "--workspace", nowhere)
    assert {e.text for e in examples(nowhere, "m")} == {"Ein café in Köln", "thé glacé"}


# --- columns ----------------------------------------------------------------------------------------------------------

WIDE = "id,body,head,gold,part,who,seen\n1,b1,h1,x,train,ann,web\n2,b2,h2,y,test,bob,app\n"
NAMED = ("--input", "head", "--input", "body", "--label", "gold", "--split", "part", "--id", "id")
CHOSEN = (*NAMED, "--group", "who", "--source", "seen", "--map", "head=title", "--map", "body=text")


def test_columns_are_chosen_by_option(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write(tmp_path / "wide.txt", WIDE)
    found = pld("import", file, "--task", "wide", *CHOSEN, "--format", "csv", "--workspace", nowhere, "--json").value
    assert found["columns"] == {
        "label": "gold",
        "inputs": ["head", "body"],
        "split": "part",
        "ref": "id",
        "source": "seen",
        "group": "who",
        "keep": [],
        "names": {"head": "title", "body": "text"},
    }
    one, two = examples(nowhere, "wide")
    assert (one.fields, one.label, one.split) == ((("title", "h1"), ("text", "b1")), "x", "train")
    assert (one.ref, one.group, one.source) == ("1", "ann", "web")
    assert (two.fields, two.label, two.split) == ((("title", "h2"), ("text", "b2")), "y", "test")
    assert two.place == "row 3 of wide.txt"


def test_columns_are_remembered_for_files_of_the_same_shape(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write(tmp_path / "wide.csv", WIDE)
    first = pld("import", file, "--task", "wide", *CHOSEN, "--workspace", nowhere, "--json").value
    reordered = write(tmp_path / "next.csv", "who,gold,seen,head,body,part,id\ncid,x,web,h3,b3,train,3\n")
    said = pld("import", reordered, "--task", "wide", "--check", "--workspace", nowhere)
    assert "chose them for a file of this shape." in said.out
    second = pld("import", reordered, "--task", "wide", "--workspace", nowhere, "--json").value
    assert (second["columns"], second["added"]) == (first["columns"], 1)
    assert examples(nowhere, "wide")[-1].fields == (("title", "h3"), ("text", "b3"))


def test_a_column_is_mapped_to_the_field_of_a_task_that_is_there(pld: Pld, tmp_path: Path, space: Path) -> None:
    file = write_csv(tmp_path / "more.csv", [("a", "b", "Entailment")], "passage,claim,label")
    needs = "The field 'clause' is missing"
    words = pld("import", file, "--task", "nda", "--workspace", space).refusal
    assert needs in words
    assert "--map COLUMN=clause" in words
    names = ("--map", "passage=clause", "--map", "claim=hypothesis")
    assert pld("import", file, "--task", "nda", *names, "--workspace", space).code == 0
    assert examples(space, "nda")[-1].fields == (("clause", "a"), ("hypothesis", "b"))


COLUMNS_WRONG = [
    (("--label", "nope"), "The file has no column 'nope'. Nothing was imported. Its columns are: a, b, label"),
    (("--input", "a", "--split", "a"), "The column 'a' was given two meanings."),
    (("--map", "a=x", "--map", "b=x"), "The field 'x' has more than one column: a, b."),
    (("--map", "a=b"), "The field 'b' has more than one column: a, b."),
    (("--map", "nope=x"), "The file has no column 'nope' to map."),
    (("--describe", "z=nothing"), "There is no label 'z' to describe"),
    (("--merge", "z=k"), "The file has no label 'z' to merge."),
]


@pytest.mark.parametrize(("options", "words"), COLUMNS_WRONG, ids=[" ".join(o) for o, _ in COLUMNS_WRONG])
def test_what_is_named_wrong_changes_nothing_whether_the_task_is_there_or_not(
    pld: Pld, tmp_path: Path, nowhere: Path, options: tuple[str, ...], words: str
) -> None:
    file = write_csv(tmp_path / "t.csv", [("a1", "b1", "k"), ("a2", "b2", "r")], "a,b,label")
    assert words in pld("import", file, "--task", "t", *options, "--workspace", nowhere).refusal
    assert not nowhere.exists()
    assert pld("import", file, "--task", "t", "--workspace", nowhere).code == 0
    before = content_of(nowhere)
    again = write_csv(tmp_path / "again.csv", [("a3", "b3", "k")], "a,b,label")
    assert words in pld("import", again, "--task", "t", *options, "--workspace", nowhere).refusal
    assert content_of(nowhere) == before


@pytest.mark.parametrize(
    "options",
    [
        ("--map", "text"),
        ("--map", "=x"),
        ("--map", "text= "),
        ("--merge", "Keep"),
        ("--merge", "Keep="),
        ("--describe", "keep"),
        ("--merge", "Keep=keep", "--merge", "Keep=remove"),
        ("--context", "half"),
        ("--format", "docx"),
        ("--seed", "one"),
    ],
    ids=" ".join,
)
def test_options_that_make_no_sense_are_wrong_usage(
    pld: Pld, tmp_path: Path, nowhere: Path, options: tuple[str, ...]
) -> None:
    file = write_csv(tmp_path / "posts.csv", ROWS)
    outcome = pld("import", file, "--task", "posts", *options, "--workspace", nowhere)
    assert (outcome.code, outcome.out) == (2, "")
    assert not nowhere.exists()


def test_the_place_of_a_column_makes_no_other_example(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    one = write_csv(tmp_path / "one.csv", [("h1", "b1", "x"), ("h2", "b2", "y")], "head,body,label")
    rows = [("7", "x", "b1", "h1"), ("8", "y", "b2", "h2"), ("9", "y", "b3", "h3")]
    two = write_csv(tmp_path / "two.csv", rows, "id,label,body,head")
    pld("import", one, "--task", "t", "--workspace", nowhere)
    found = pld("import", two, "--task", "t", "--workspace", nowhere, "--json").value
    assert counts(found) == (3, 1, 2, 0)
    assert found["merged_rows"] == [{"row": 2, "same_as": None}, {"row": 3, "same_as": None}]
    assert examples(nowhere, "t")[-1].fields == (("head", "h3"), ("body", "b3"))


# --- rows that cannot be taken ----------------------------------------------------------------------------------------

MIXED = [
    ("a good one", "keep", "train"),
    ("no label", "", "train"),
    ("", "keep", "train"),
    ("three cells", "keep", "train", "more"),
    ("unknown split", "keep", "holdout"),
    ("another good one", "remove", "dev"),
]
REASONS = {
    3: "the label is missing",
    4: "the text is missing",
    5: "It has 4 cells, the header 3.",
    6: "the split reads 'holdout'; it has to be one of train, validation, test",
}


def test_rows_that_cannot_be_taken_are_left_out_with_their_numbers(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write_csv(tmp_path / "mixed.csv", MIXED, "text,label,split")
    found = pld("import", file, "--task", "mixed", "--workspace", nowhere, "--json").value
    assert (counts(found), found["added"]) == ((6, 2, 0, 4), 2)
    told = {entry["row"]: entry["reason"] for entry in found["refused_rows"]}
    assert list(told) == list(REASONS)
    assert all(told[row].startswith(reason) for row, reason in REASONS.items())
    assert found["kept_rows"] == [[2, 2], [7, 7]]
    assert splits(nowhere, "mixed") == {"a good one": "train", "another good one": "validation"}


def test_people_read_the_first_ten_of_each_list(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write_csv(tmp_path / "posts.csv", [*ROWS, *((f"bare {i}", "") for i in range(12))])
    lines = pld("import", file, "--task", "posts", "--workspace", nowhere).out.splitlines()
    start = lines.index("Refused: 12")
    assert lines[start + 1 : start + 11] == [f"  row {n}: the label is missing" for n in range(22, 32)]
    assert lines[start + 11] == "  and 2 more; --json lists them"


def test_strict_stops_at_any_refusal_and_prints_the_report(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write_csv(tmp_path / "mixed.csv", MIXED, "text,label,split")
    stopped = pld("import", file, "--task", "mixed", "--strict", "--workspace", nowhere, "--json")
    assert "Refused rows: 4, and strict import was asked for. Nothing was imported." in stopped.stopped
    report = json.loads(stopped.out)
    assert counts(report) == (6, 2, 0, 4)
    assert (report["dataset"], report["added"], len(report["problems"])) == (None, 0, 1)
    in_words = pld("import", file, "--task", "mixed", "--strict", "--workspace", nowhere)
    assert in_words.stopped == stopped.stopped
    assert "  row 3: the label is missing" in in_words.out.splitlines()
    assert not nowhere.exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("c,h,Perhaps", "the label 'Perhaps' is not declared"),
        ("c,h,entailment", "it looks like 'Entailment', merge them if it means the same"),
    ],
)
def test_an_undeclared_label_is_refused_and_strict_keeps_the_good_rows_out_too(
    pld: Pld, tmp_path: Path, space: Path, line: str, words: str
) -> None:
    file = write(tmp_path / "more.csv", f"clause,hypothesis,label\na good row,of the file,Entailment\n{line}\n")
    before = content_of(space)
    arguments = ("import", file, "--task", "nda", "--workspace", space)
    assert pld(*arguments, "--strict").stopped
    assert content_of(space) == before
    found = pld(*arguments, "--json").value
    assert counts(found) == (2, 1, 0, 1)
    assert found["refused_rows"][0]["row"] == 3
    assert words in found["refused_rows"][0]["reason"]


def test_where_no_row_can_be_taken_the_first_reason_is_told(pld: Pld, tmp_path: Path, space: Path) -> None:
    file = write_csv(tmp_path / "empty.csv", [("7", "Entailment", "", "")], "id,label,hypothesis,clause")
    before = content_of(space)
    words = pld("import", file, "--task", "nda", "--workspace", space).stopped
    assert "None of the 1 rows of empty.csv can be taken; row 2: the text is missing. Nothing was imported." in words
    assert content_of(space) == before


# --- labels -----------------------------------------------------------------------------------------------------------

SPELLED = [*ROWS, ("one more", "Keep"), ("two more", "remove "), ("three more", "remoev"), ("four more", "unsure")]
SPELLED += [(f"five more {i}", "unsure") for i in range(3)]


def test_label_variants_are_proposed_and_never_merged_in_silence(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    pld("import", write_csv(tmp_path / "posts.csv", ROWS), "--task", "posts", "--workspace", nowhere)
    file = write_csv(tmp_path / "more.csv", SPELLED[20:])
    none_good = pld("import", file, "--task", "posts", "--check", "--workspace", nowhere).stopped
    assert "it looks like 'keep', merge them if it means the same" in none_good
    file = write_csv(tmp_path / "more.csv", [*SPELLED[20:], ("a good one", "keep")])
    found = pld("import", file, "--task", "posts", "--check", "--workspace", nowhere)
    lines = found.out.splitlines()
    assert "Labels written otherwise: 4" in lines
    assert "  'Keep' in 1 row (2): refused; looks like 'keep' (--merge, or --accept-merges for all of these)" in lines
    unlike = "  'unsure' in 4 rows (5, 6, 7, 8): refused; like no declared label (--merge says which one it means)"
    assert unlike in lines
    variants = pld("import", file, "--task", "posts", "--accept-merges", "--workspace", nowhere, "--json").value
    assert [(v["written"], v["numbers"], v["proposed"], v["merged"]) for v in variants["label_variants"]] == [
        ("Keep", [2], "keep", True),
        ("remove ", [3], "remove", True),
        ("remoev", [4], "remove", True),
        ("unsure", [5, 6, 7, 8], "", False),
    ]
    assert counts(variants) == (8, 4, 0, 4)
    merged = pld("import", file, "--task", "posts", "--merge", "unsure=remove", "--workspace", nowhere, "--json").value
    assert (merged["added"], merged["refused"]) == (4, 3)
    labels = {e.text: e.label for e in examples(nowhere, "posts")}
    assert (labels["one more"], labels["two more"], labels["four more"]) == ("keep", "remove", "remove")


def test_a_new_task_declares_one_spelling_and_refuses_the_others(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write_csv(tmp_path / "posts.csv", [*ROWS, ("one more", "Keep")])
    found = pld("import", file, "--task", "posts", "--workspace", nowhere, "--json").value
    assert ([label["label"] for label in found["labels"]], found["refused"]) == (["keep", "remove"], 1)
    merged = pld("import", file, "--task", "both", "--merge", "Keep=keep", "--workspace", nowhere, "--json").value
    assert ({label["label"] for label in merged["labels"]}, merged["refused"]) == ({"keep", "remove"}, 0)


# --- duplicates, conflicts, near duplicates ---------------------------------------------------------------------------


def test_duplicates_become_one_example_with_a_count(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write_csv(tmp_path / "posts.csv", [*ROWS, ROWS[0], ROWS[3], ROWS[0]])
    found = pld("import", file, "--task", "posts", "--workspace", nowhere, "--json").value
    assert (counts(found), found["added"]) == ((23, 20, 3, 0), 20)
    assert found["merged_rows"] == [
        {"row": 22, "same_as": 2},
        {"row": 23, "same_as": 5},
        {"row": 24, "same_as": 2},
    ]
    copies = {e.text: e.copies for e in examples(nowhere, "posts")}
    assert (copies["post number 0"], copies["post number 3"], copies["post number 1"]) == (3, 2, 1)


def test_one_text_with_two_labels_is_listed_and_takes_no_part(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write_csv(tmp_path / "posts.csv", [*ROWS, ("post number 4", "remove")])
    found = pld("import", file, "--task", "posts", "--workspace", nowhere, "--json").value
    assert found["label_conflicts"] == [{"rows": [{"row": 6, "label": "keep"}, {"row": 22, "label": "remove"}]}]
    assert found["conflict_count"] == 1
    assert any("more than one label: 1" in warning for warning in found["warnings"])
    assert "post number 4" not in splits(nowhere, "posts")
    more = write_csv(tmp_path / "more.csv", [("post number 6", "remove")])
    said = pld("import", more, "--task", "posts", "--workspace", nowhere)
    assert "  row 2 remove, an example of the task keep" in said.out.splitlines()


LONG = (
    "The committee met on Tuesday and decided that the old bridge over the river is to be painted green before winter"
)


def test_near_duplicates_are_listed_with_their_rows(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    rows = [*ROWS, (LONG, "keep"), (LONG.upper() + "!", "keep"), (LONG + "?", "remove")]
    found = pld("import", write_csv(tmp_path / "p.csv", rows), "--task", "p", "--workspace", nowhere, "--json").value
    assert found["kept"] == 23
    near = {(pair["row"], pair["other"]): pair["same_label"] for pair in found["near_duplicates"]}
    assert near == {(22, 23): True, (22, 24): False, (23, 24): False}
    kept = splits(nowhere, "p")
    assert len({kept[text] for text in kept if text.casefold().startswith("the committee")}) == 1


# --- splits -----------------------------------------------------------------------------------------------------------


def test_the_seed_alone_decides_the_split_not_the_order_of_the_file(pld: Pld, tmp_path: Path) -> None:
    shuffled = ROWS.copy()
    random.Random(5).shuffle(shuffled)  # noqa: S311 - an order, not a secret
    for name, rows, seed in (("a", ROWS, 1), ("b", shuffled, 1), ("c", ROWS, 2)):
        file = write_csv(tmp_path / f"{name}.csv", rows)
        assert pld("import", file, "--task", "t", "--seed", seed, "--workspace", tmp_path / name).code == 0
    assert splits(tmp_path / "a", "t") == splits(tmp_path / "b", "t")
    assert splits(tmp_path / "a", "t") != splits(tmp_path / "c", "t")


SPLIT = [(text, label, "train" if i < 14 else "test", "") for i, (text, label) in enumerate(ROWS)]
LEAKS = [
    ("same text", [("post number 0", "keep", "test", "")], "rows 2, 22"),
    ("nearly the same text", [(LONG, "keep", "train", ""), (LONG + "!", "keep", "test", "")], "rows 22, 23"),
    ("same group", [("x one", "keep", "train", "ann"), ("y two", "keep", "test", "ann")], "group 'ann'"),
]


@pytest.mark.parametrize(("kind", "rows", "where"), LEAKS, ids=[kind for kind, _, _ in LEAKS])
def test_what_train_and_test_share_stops_the_import_until_it_is_divided_anew(
    pld: Pld, tmp_path: Path, nowhere: Path, kind: str, rows: list[tuple[str, ...]], where: str
) -> None:
    file = write_csv(tmp_path / "posts.csv", [*SPLIT, *rows], "text,label,split,group")
    arguments = ("import", file, "--task", "posts", "--workspace", nowhere)
    stopped = pld(*arguments, "--json")
    assert f"({kind}: 1; the first is {where})" in stopped.stopped
    assert "--resplit" in stopped.stopped
    report = json.loads(stopped.out)
    assert [(leak["kind"], leak["splits"]) for leak in report["leaks"]] == [(kind, ["train", "test"])]
    in_words = pld(*arguments, "--check")
    assert in_words.stopped == stopped.stopped
    assert "Shared between splits: 1" in in_words.out.splitlines()
    assert not nowhere.exists()
    done = pld(*arguments, "--resplit", "--json").value
    assert (done["problems"], done["leaks"]) == ([], [])
    kept = splits(nowhere, "posts")
    assert len({kept[text] for text, *_ in rows}) == 1
    assert set(kept.values()) == {"train", "validation", "test"}


def test_a_leak_against_the_examples_of_the_task_is_one_too(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    first = write_csv(tmp_path / "first.csv", SPLIT, "text,label,split,group")
    assert pld("import", first, "--task", "posts", "--workspace", nowhere).code == 0
    before = content_of(nowhere)
    more = write_csv(tmp_path / "more.csv", [("post number 0", "remove", "test", "")], "text,label,split,group")
    assert "same text: 1" in pld("import", more, "--task", "posts", "--workspace", nowhere).stopped
    assert content_of(nowhere) == before


# --- personal data ----------------------------------------------------------------------------------------------------


def test_personal_data_are_flagged_and_masked_if_asked(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write_csv(tmp_path / "posts.csv", [*ROWS, ("write to ann@example.org today", "keep")])
    found = pld("import", file, "--task", "plain", "--workspace", nowhere, "--json").value
    assert found["personal"] == [{"kind": "e-mail", "rows": 1, "numbers": [22]}]
    assert any(warning.startswith("Personal data seem to stand") for warning in found["warnings"])
    assert not any(e.masked for e in examples(nowhere, "plain"))
    masked = pld("import", file, "--task", "masked", "--mask", "--workspace", nowhere)
    assert "Personal data, as it seems (masked for a teacher): 1" in masked.out.splitlines()
    assert "Warning: Personal" not in masked.out
    last = examples(nowhere, "masked")[-1]
    assert (last.text, last.masked, last.personal) == ("write to ann@example.org today", True, ("e-mail",))


# --- twice, checked, stored -------------------------------------------------------------------------------------------


def test_importing_the_same_file_again_adds_nothing(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write_csv(tmp_path / "posts.csv", ROWS)
    pld("import", file, "--task", "posts", "--workspace", nowhere)
    before, bytes_before = splits(nowhere, "posts"), content_of(nowhere)
    twice = pld("import", file, "--task", "posts", "--workspace", nowhere)
    assert twice.out.startswith("Nothing new: task posts has all these examples already (data set 1).")
    assert content_of(nowhere) == bytes_before
    again = pld("import", file, "--task", "posts", "--seed", 9, "--workspace", nowhere, "--json").value
    assert (again["added"], counts(again)) == (0, (20, 0, 20, 0))
    assert splits(nowhere, "posts") == before


def test_check_prints_the_report_and_writes_nothing(pld: Pld, tmp_path: Path, space: Path, nowhere: Path) -> None:
    file = write_csv(tmp_path / "posts.csv", ROWS)
    before = content_of(space)
    for place in (space, nowhere):
        report = pld("import", file, "--task", "posts", "--check", "--workspace", place, "--json").value
        assert (counts(report), report["dataset"], report["added"]) == ((20, 20, 0, 0), None, 0)
        said = pld("import", file, "--task", "posts", "--check", "--workspace", place)
        assert said.out.startswith("20 rows of posts.csv read")
    assert content_of(space) == before
    assert not nowhere.exists()


def test_the_report_is_stored_with_the_import(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write_csv(tmp_path / "mixed.csv", MIXED, "text,label,split")
    printed = pld("import", file, "--task", "mixed", "--workspace", nowhere, "--json").value
    stored = pld("data", "show", printed["dataset"], "--workspace", nowhere, "--json").value["report"]
    assert {name: printed[name] for name in stored} == stored
    assert set(printed) - set(stored) == {"task", "dataset", "added", "columns"}


def test_the_json_names_its_lists_and_counts(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write_csv(tmp_path / "posts.csv", ROWS)
    found = pld("import", file, "--task", "posts", "--workspace", nowhere, "--json").value
    lists = (
        "kept_rows",
        "merged_rows",
        "refused_rows",
        "label_variants",
        "label_conflicts",
        "near_duplicates",
        "leaks",
    )
    assert all(isinstance(found[name], list) for name in lists)
    assert found["split_counts"] == {
        "train": {"keep": 6, "remove": 6},
        "validation": {"keep": 2, "remove": 2},
        "test": {"keep": 2, "remove": 2},
    }
    described = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    assert [name for name in found if f"`{name}`" not in described] == []


def test_what_a_terminal_would_obey_is_not_printed(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write_csv(tmp_path / "posts.csv", [("one", "keep\x1b[31m"), ("two", "remove"), ("one", "remove")])
    said = pld("import", file, "--task", "posts", "--workspace", nowhere)
    assert said.code == 0
    assert "\x1b" not in said.out
    assert "keep?[31m" in said.out


# --- files that cannot be used ----------------------------------------------------------------------------------------


def zip_bomb() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("xl/workbook.xml", "w") as part:
            for _ in range(120):
                part.write(b"\0" * 2**20)
    return sink.getvalue()


def nested_parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([{"text": ["a", "b"], "label": "x"}]), sink)
    return sink.getvalue()


REFUSED: list[tuple[str, bytes | Callable[[], bytes], str]] = [
    ("empty.csv", b"", "is empty (0 bytes)"),
    ("blank.csv", b"\n \n", "holds nothing but blanks"),
    ("header.csv", b"clause,hypothesis,label\n", "holds a header but no row"),
    (
        "ragged.csv",
        b"text,label\na,b,c\na,b,c\n",
        "None of the 2 rows of ragged.csv can be taken; row 2: It has 3 cells",
    ),
    ("double.csv", b"text,text,label\na,b,c\n", "names the column 'text' twice"),
    ("unnamed.csv", b"text,what\na,x\nb,y\n", "No column is named like a gold label"),
    ("nolabel.csv", b"text,label\na,\nb,\n", "row 2: the label is missing"),
    ("split.csv", b"text,label,split\na,x,later\n", "the split reads 'later'"),
    ("one.csv", b"text,label\na,x\nb,x\n", "All examples have the label 'x'"),
    ("broken.jsonl", b'{"text": \n', "is not valid JSON"),
    ("broken.json", b'[{"text": "a"', "is not valid JSON"),
    ("table.xlsx", b"PK", "is not what its ending .xlsx says"),
    ("damaged.xlsx", b"PK\x03\x04 and so on", "damaged"),
    ("bomb.xlsx", zip_bomb, "more than is safe to read"),
    ("nested.parquet", nested_parquet, "columns that hold lists, structures or bytes: text"),
    ("cut.parquet", lambda: as_parquet()[:40], "damaged"),
    ("binary.csv", bytes(range(256)) * 8, "is not a text file"),
    ("picture.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0\1\2\3" * 64, "Check that the file is what its name says"),
    ("old.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 64, "an old Excel file"),
    ("data.gz", b"\x1f\x8b\x08\0", "a gzip archive"),
    ("letter.txt", b"Dear Sir or Madam\n", "cannot be told"),
]


@pytest.mark.parametrize(("name", "data", "words"), REFUSED, ids=[name for name, _, _ in REFUSED])
def test_a_file_that_cannot_be_used_leaves_every_byte_as_it_was(
    pld: Pld, tmp_path: Path, space: Path, nowhere: Path, name: str, data: bytes | Callable[[], bytes], words: str
) -> None:
    file = write(tmp_path / name, data() if callable(data) else data)
    before = content_of(space)
    assert words in pld("import", file, "--task", "new", "--workspace", space).refusal
    assert content_of(space) == before
    assert words in pld("import", file, "--task", "new", "--workspace", nowhere, "--json").refusal
    assert not nowhere.exists()


def test_a_file_over_the_limit_is_refused_unread(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = tmp_path / "large.csv"
    with file.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    words = pld("import", file, "--task", "posts", "--workspace", nowhere).refusal
    assert "at most 1 GiB can be read. Nothing was imported. Divide it into several files." in words
    assert not nowhere.exists()


@pytest.mark.parametrize("task", ["", "My Task", "../up", "a" * 41])
def test_a_bad_task_name_makes_no_workspace(pld: Pld, tmp_path: Path, nowhere: Path, task: str) -> None:
    file = write_csv(tmp_path / "posts.csv", ROWS)
    assert "cannot be a task name" in pld("import", file, "--task", task, "--workspace", nowhere).refusal
    assert not nowhere.exists()


def test_a_format_that_the_content_contradicts_is_refused(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write_csv(tmp_path / "posts.csv", ROWS)
    words = pld("import", file, "--task", "posts", "--format", "parquet", "--workspace", nowhere).refusal
    assert "posts.csv is not Parquet, but the format parquet was named." in words
    assert not nowhere.exists()


def test_a_file_that_cannot_be_read_is_named(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    gone, pipe = tmp_path / "gone.csv", tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    file = write_csv(tmp_path / "posts.csv", ROWS)
    arguments = ("--task", "posts", "--workspace", nowhere)
    assert "There is no file 'gone.csv'." in pld("import", gone, *arguments).refusal
    assert "is a folder. Nothing was imported." in pld("import", tmp_path, *arguments).refusal
    assert "is not a regular file." in pld("import", pipe, *arguments).refusal
    assert f"The file {gone} cannot be read" in pld("import", file, "--guideline", gone, *arguments).refusal
    assert not nowhere.exists()


def test_a_guideline_that_is_not_utf_8_is_refused(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    guideline = tmp_path / "guideline.txt"
    guideline.write_bytes("Ein café".encode("latin-1"))
    file = write_csv(tmp_path / "posts.csv", ROWS)
    words = pld("import", file, "--task", "posts", "--guideline", guideline, "--workspace", nowhere).refusal
    assert "not UTF-8" in words
    assert not nowhere.exists()


# --- processes of their own -------------------------------------------------------------------------------------------

MANY = 12_000


def write_many(file: Path) -> Path:
    """Write so many rows that writing them takes a while, each unlike the others."""
    letters = random.Random(3)  # noqa: S311 - words, not secrets
    words = ["".join(letters.choices("abcdefghijklmnop", k=6)) for _ in range(4_000)]
    rows = ((f"{i} {' '.join(letters.choices(words, k=9))}", "keep" if i % 3 else "remove") for i in range(MANY))
    return write_csv(file, rows)


def import_on_terminal(*arguments: object) -> tuple[subprocess.Popen[bytes], int]:
    """Start `pld import` with a terminal as its stderr; return it with the other end of that terminal."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "pld_app.cli", "import", *map(str, arguments)]
    started = subprocess.Popen(command, cwd=ROOT, env=clean_environment(), stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    return started, ours


def read_until(terminal: int, words: bytes) -> bytes:
    """Read what is drawn until the words come, or to the end."""
    drawn = b""
    while words not in drawn:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:
            # So a terminal ends whose other side is closed.
            break
        if not chunk:
            break
        drawn += chunk
    return drawn


def test_an_import_that_is_killed_while_it_writes_leaves_no_example(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write_many(tmp_path / "many.csv")
    started, terminal = import_on_terminal(file, "--task", "many", "--workspace", nowhere)
    try:
        drawn = read_until(terminal, b"rows written")
        os.kill(started.pid, signal.SIGKILL)
        assert started.wait() == -signal.SIGKILL, drawn
    finally:
        os.close(terminal)
    assert store_of(nowhere).tasks.all() == ()
    assert pld("data", "list", "--workspace", nowhere, "--json").value == []
    again = pld("import", file, "--task", "many", "--workspace", nowhere, "--json").value
    assert (again["added"], counts(again)) == (MANY, (MANY, MANY, 0, 0))
    assert store_of(nowhere).data.get(again["dataset"]).rows == MANY
    assert pld("audit", "verify", "--workspace", nowhere, "--json").value["intact"] is True


def test_progress_is_drawn_on_a_terminal_and_nowhere_else(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write_csv(
        tmp_path / "posts.csv", ((f"post number {i} of many", "keep" if i % 2 else "remove") for i in range(2_100))
    )
    arguments = (file, "--task", "posts", "--workspace", nowhere)
    started, terminal = import_on_terminal(*arguments, "--check")
    try:
        drawn = read_until(terminal, b"no such words").decode()
    finally:
        os.close(terminal)
    assert started.wait() == 0
    assert "\rrows checked: 2,000 of " in drawn
    assert drawn.endswith("\n")
    quiet = pld("import", *arguments, "--json")
    assert (quiet.value["added"], quiet.err) == (2_100, "")


# --- the published data sets ------------------------------------------------------------------------------------------

Published = Callable[[str], Path]


def imported(pld: Pld, file: Path, space: Path, *options: object) -> Outcome:
    return pld("import", file, "--task", "t", *options, "--workspace", space, "--json")


def label_rows(report: dict[str, Any]) -> dict[str, int]:
    return {entry["label"]: entry["rows"] for entry in report["labels"]}


def test_the_published_contracts(pld: Pld, published: Published, nowhere: Path) -> None:
    report = imported(pld, published("contract_nli/dev.json"), nowhere).value
    assert counts(report) == (1_037, 1_037, 0, 0)
    assert label_rows(report) == {"Entailment": 519, "NotMentioned": 423, "Contradiction": 95}
    split_of: dict[str, set[str]] = {}
    for example in examples(nowhere, "t"):
        split_of.setdefault(example.group, set()).add(example.split.value)
    assert len(split_of) == 61
    assert all(len(found) == 1 for found in split_of.values())


def test_the_published_contracts_go_into_the_demo_task_by_their_evidence(
    pld: Pld, published: Published, space: Path
) -> None:
    options = ("--context", "window", "--map", "contract=clause", "--workspace", space, "--json")
    report = pld("import", published("contract_nli/dev.json"), "--task", "nda", *options).value
    assert (report["read"], report["refused"]) == (1_037, 0)
    assert label_rows(report) == {"Entailment": 519, "Contradiction": 95, "NotMentioned": 423}


def test_the_published_sentences(pld: Pld, published: Published, nowhere: Path) -> None:
    report = imported(pld, published("stereoset/stereoset_subset.json"), nowhere).value
    assert counts(report) == (722, 721, 1, 0)
    assert label_rows(report) == {"gender": 323, "race": 297, "religion": 102}


def test_the_published_questions(pld: Pld, published: Published, nowhere: Path) -> None:
    report = imported(pld, published("logiqa/Eval.txt"), nowhere).value
    assert counts(report) == (651, 651, 0, 0)
    assert label_rows(report) == {"D": 270, "C": 150, "B": 122, "A": 109}
