"""`pld import`: all of a file or nothing, and never the same example twice."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from storage import open_store
from tests.cli.running import Pld, content_of
from tests.factories import url_of

ROWS = [(f"post number {i}", "keep" if i % 2 == 0 else "remove") for i in range(20)]


def write_csv(file: Path, rows: list[tuple[str, str]]) -> Path:
    file.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows), encoding="utf-8")
    return file


def splits(space: Path, task: str) -> dict[str, str]:
    return {e.text: e.split.value for e in open_store(url_of(space / "pld.db")).tasks.examples(task)}


def test_a_csv_makes_a_workspace_and_a_task(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    guideline = tmp_path / "guideline.txt"
    guideline.write_bytes("Keep what is kind, café included.\n".encode("utf-8-sig"))
    file = write_csv(tmp_path / "posts.csv", ROWS)
    said = pld(
        "import", file, "--task", "posts", "--title", "My posts", "--guideline", guideline, "--workspace", nowhere
    )
    assert said.out == "20 examples added to posts, 0 were already there.\n"
    task = open_store(url_of(nowhere / "pld.db")).tasks.get("posts")
    assert (task.title, task.guideline.strip()) == ("My posts", "Keep what is kind, café included.")
    assert (task.input_fields, set(task.label_names)) == (("text",), {"keep", "remove"})


def test_a_jsonl_goes_into_an_existing_task(pld: Pld, tmp_path: Path, space: Path) -> None:
    file = tmp_path / "more.jsonl"
    row = {"hypothesis": "Copies are allowed.", "clause": "No copies.", "label": "Contradiction", "split": "test"}
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")
    said = pld("import", file, "--task", "nda", "--workspace", space, "--json")
    assert said.value == {"task": "nda", "added": 1, "already_there": 0}
    assert splits(space, "nda")["No copies.\nCopies are allowed."] == "test"


def test_commas_line_breaks_and_words_like_na_arrive_as_they_are(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = tmp_path / "odd.csv"
    file.write_bytes('text,label\r\n"one, two\nthree",NA\r\nNone,NA\r\nNA,None\r\n'.encode("utf-8-sig"))
    assert pld("import", file, "--task", "odd", "--workspace", nowhere).code == 0
    examples = open_store(url_of(nowhere / "pld.db")).tasks.examples("odd")
    assert [(e.text, e.label) for e in examples] == [("one, two\nthree", "NA"), ("None", "NA"), ("NA", "None")]


def test_columns_are_chosen_by_option(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = tmp_path / "wide.txt"
    file.write_text("id,body,head,gold,part\n1,b1,h1,x,train\n2,b2,h2,y,test\n", encoding="utf-8")
    columns = ("--input", "head", "--input", "body", "--label", "gold", "--split", "part", "--format", "csv")
    assert pld("import", file, "--task", "wide", *columns, "--workspace", nowhere).code == 0
    examples = open_store(url_of(nowhere / "pld.db")).tasks.examples("wide")
    assert [(e.fields, e.split.value) for e in examples] == [
        ((("head", "h1"), ("body", "b1")), "train"),
        ((("head", "h2"), ("body", "b2")), "test"),
    ]


def test_importing_the_same_file_again_adds_nothing(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write_csv(tmp_path / "posts.csv", ROWS)
    pld("import", file, "--task", "posts", "--workspace", nowhere)
    before = splits(nowhere, "posts")
    again = pld("import", file, "--task", "posts", "--seed", 9, "--workspace", nowhere, "--json").value
    assert again == {"task": "posts", "added": 0, "already_there": 20}
    assert splits(nowhere, "posts") == before


def test_the_place_of_a_column_makes_no_other_example(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("head,body,label\nh1,b1,x\nh2,b2,y\n", encoding="utf-8")
    two.write_text("id,label,body,head\n7,x,b1,h1\n8,y,b2,h2\n9,y,b3,h3\n", encoding="utf-8")
    pld("import", one, "--task", "t", "--workspace", nowhere)
    assert pld("import", two, "--task", "t", "--workspace", nowhere, "--json").value["already_there"] == 2
    examples = open_store(url_of(nowhere / "pld.db")).tasks.examples("t")
    assert examples[-1].fields == (("head", "h3"), ("body", "b3"))


def test_a_row_without_any_of_the_tasks_text_is_refused(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("head,body,label\nh1,b1,x\nh2,b2,y\n", encoding="utf-8")
    two.write_text("id,label,body,head\n7,x,,\n", encoding="utf-8")
    pld("import", one, "--task", "t", "--workspace", nowhere)
    assert "The text is missing (two.csv line 2)." in pld("import", two, "--task", "t", "--workspace", nowhere).refusal


def test_the_seed_alone_decides_the_split_not_the_order_of_the_file(pld: Pld, tmp_path: Path) -> None:
    shuffled = ROWS.copy()
    random.Random(5).shuffle(shuffled)  # noqa: S311 - an order, not a secret
    for name, rows, seed in (("a", ROWS, 1), ("b", shuffled, 1), ("c", ROWS, 2)):
        file = write_csv(tmp_path / f"{name}.csv", rows)
        assert pld("import", file, "--task", "t", "--seed", seed, "--workspace", tmp_path / name).code == 0
    assert splits(tmp_path / "a", "t") == splits(tmp_path / "b", "t")
    assert splits(tmp_path / "a", "t") != splits(tmp_path / "c", "t")


REFUSED = [
    ("empty.csv", b"", "The file is empty."),
    ("header.csv", b"clause,hypothesis,label\n", "The file holds no example."),
    ("latin.csv", "text,label\ncafé,a\n".encode("latin-1"), "not UTF-8"),
    ("ragged.csv", b"text,label\na,b\na,b,c\n", "line 3 has 3 cells"),
    ("double.csv", b"text,text,label\na,b,c\n", "each once"),
    ("nolabel.csv", b"text,label\na,x\nb,\n", "The label is missing in line 3."),
    ("split.csv", b"text,label,split\na,x,dev\n", "The split in line 2 reads 'dev'."),
    ("one.csv", b"text,label\na,x\nb,x\n", "All examples have the label 'x'"),
    ("broken.jsonl", b'{"text": "a", "label": "x"}\n{"text": \n', "Line 2 is not valid JSON"),
    ("table.xlsx", b"PK", "The format of 'table.xlsx' is not known."),
]


@pytest.mark.parametrize(("name", "data", "words"), REFUSED, ids=[name for name, _, _ in REFUSED])
def test_a_file_that_cannot_be_used_leaves_every_byte_as_it_was(
    pld: Pld, tmp_path: Path, space: Path, nowhere: Path, name: str, data: bytes, words: str
) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    before = content_of(space)
    assert words in pld("import", file, "--task", "new", "--workspace", space).refusal
    assert content_of(space) == before
    assert words in pld("import", file, "--task", "new", "--workspace", nowhere).refusal
    assert not nowhere.exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("c,h,Perhaps", "The label 'Perhaps' (more.csv line 3) is not declared for nda"),
        ("c,h,entailment", "The label 'entailment' (more.csv line 3) is not declared for nda"),
    ],
)
def test_an_undeclared_label_keeps_the_good_rows_out_too(
    pld: Pld, tmp_path: Path, space: Path, line: str, words: str
) -> None:
    file = tmp_path / "more.csv"
    file.write_text(f"clause,hypothesis,label\na good row,of the file,Entailment\n{line}\n", encoding="utf-8")
    before = content_of(space)
    assert words in pld("import", file, "--task", "nda", "--workspace", space).refusal
    assert content_of(space) == before


def test_a_missing_field_of_an_existing_task_is_named(pld: Pld, tmp_path: Path, space: Path) -> None:
    file = tmp_path / "more.csv"
    file.write_text("clause,label\nc,Entailment\n", encoding="utf-8")
    before = content_of(space)
    assert "The field 'hypothesis' is missing" in pld("import", file, "--task", "nda", "--workspace", space).refusal
    assert content_of(space) == before


@pytest.mark.parametrize("task", ["", "My Task", "../up", "a" * 41])
def test_a_bad_task_name_makes_no_workspace(pld: Pld, tmp_path: Path, nowhere: Path, task: str) -> None:
    file = write_csv(tmp_path / "posts.csv", ROWS)
    assert "cannot be a task name" in pld("import", file, "--task", task, "--workspace", nowhere).refusal
    assert not nowhere.exists()


def test_an_unknown_format_by_option_is_refused(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    file = write_csv(tmp_path / "posts.csv", ROWS)
    words = pld("import", file, "--task", "posts", "--format", "parquet", "--workspace", nowhere).refusal
    assert "Known are: csv, jsonl." in words
    assert not nowhere.exists()


def test_a_file_that_cannot_be_read_is_named(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    gone = tmp_path / "gone.csv"
    file = write_csv(tmp_path / "posts.csv", ROWS)
    arguments = ("--task", "posts", "--workspace", nowhere)
    assert f"The file {gone} cannot be read: No such file" in pld("import", gone, *arguments).refusal
    assert f"The file {tmp_path} cannot be read: Is a directory" in pld("import", tmp_path, *arguments).refusal
    assert f"The file {gone} cannot be read" in pld("import", file, "--guideline", gone, *arguments).refusal
    assert not nowhere.exists()


def test_a_guideline_that_is_not_utf_8_is_refused(pld: Pld, tmp_path: Path, nowhere: Path) -> None:
    guideline = tmp_path / "guideline.txt"
    guideline.write_bytes("Ein café".encode("latin-1"))
    file = write_csv(tmp_path / "posts.csv", ROWS)
    words = pld("import", file, "--task", "posts", "--guideline", guideline, "--workspace", nowhere).refusal
    assert "not UTF-8" in words
    assert not nowhere.exists()
