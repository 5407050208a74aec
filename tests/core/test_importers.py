"""From files to examples: text stays text, splits are drawn by content, and what cannot be read is refused in words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import pytest

from pld_core.errors import InvalidInput
from pld_core.importers import ColumnMap, examples_from, propose_task, read_file, resolve_columns
from pld_core.models import Example, Split
from tests.factories import make_example


def read(name: str, data: str | bytes, columns: ColumnMap | None = None, seed: int = 0) -> tuple[Example, ...]:
    rows = read_file(name, data.encode() if isinstance(data, str) else data)
    return examples_from(rows, resolve_columns(rows, columns or ColumnMap()), name, seed)


def texts(examples: Sequence[Example]) -> list[str]:
    return [example.text for example in examples]


def many(n: int) -> list[str]:
    return [f"text {i},{'even' if i % 2 == 0 else 'odd'}" for i in range(n)]


def splits_of(lines: Sequence[str], seed: int = 0) -> dict[str, Split]:
    return {e.text: e.split for e in read("t.csv", "\n".join(["text,label", *lines]), seed=seed)}


# --- CSV --------------------------------------------------------------------------------------------------------------


def test_csv_cells_may_hold_commas_quotes_and_line_breaks() -> None:
    found = read("t.csv", 'text,label\r\n"one, two\nthree ""four""\r\nfive",a\r\nsix,b\r\n')
    assert texts(found) == ['one, two\nthree "four"\r\nfive', "six"]


def test_csv_cells_stay_text() -> None:
    words = ["NA", "None", "null", "nan", "007", "1e3", "TRUE", "=1+1"]
    assert texts(read("t.csv", "text,label\n" + "".join(f"{word},NA\n" for word in words))) == words
    assert {e.label for e in read("t.csv", "text,label\nx,NA\n")} == {"NA"}


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_a_byte_order_mark_is_no_part_of_the_first_column(name: str) -> None:
    data = "text,label\nä,a\n" if name == "t.csv" else '{"text": "ä", "label": "a"}\n'
    assert read(name, data.encode("utf-8-sig"))[0].fields == (("text", "ä"),)


def test_examples_say_where_they_come_from() -> None:
    assert [e.source for e in read("t.csv", 'text,label\n"a\nb",x\nc,y\n')] == ["t.csv line 3", "t.csv line 4"]
    assert [e.source for e in read("t.jsonl", '\n{"text": "c", "label": "y"}\n')] == ["t.jsonl line 2"]


def test_empty_lines_are_no_rows() -> None:
    assert texts(read("t.csv", "text,label\n\na,x\n,\n\n")) == ["a"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The file is empty."),
        (b" \n\n", "The file is empty."),
        (b"text,label\n", "The file holds no example."),
        ("text,label\ncafé,a\n".encode("latin-1"), "The file is not UTF-8 text (byte 14"),
        (b"text,label\na,b,c\n", "line 2 has 3 cells, the header 2."),
        (b"text,label\na\n", "line 2 has 1 cells, the header 2."),
        (b"text,text,label\na,b,c\n", "each once; it reads text, text, label."),
        (b"text, text ,label\na,b,c\n", "each once"),
        (b",text,label\n0,a,b\n", "The first line has to name the columns"),
        (b",,\na,b,c\n", "The first line has to name the columns"),
        (b'text,label\n"open,a\n', "is not valid CSV"),
        (b"text,label\na,\n", "The label is missing in line 2."),
        (b"text,label\n  ,a\n", "The text is missing in line 2."),
        (b"text,label,split\na,b,dev\n", "The split in line 2 reads 'dev'."),
        (b"text,label,split\na,b,\n", "The split in line 2 reads ''."),
        (b"text,gold\na,b\n", "The file has no column 'label'. Nothing was imported. Its columns are: text, gold."),
        (b"label\na\n", "The file has a label column only."),
        (b"label,split\na,train\n", "The file has a label column only."),
    ],
)
def test_a_csv_that_cannot_be_used_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read("t.csv", data)
    assert words in str(refused.value)
    assert "Nothing was imported." in str(refused.value)


# --- JSONL ------------------------------------------------------------------------------------------------------------


def test_jsonl_values_become_text() -> None:
    line = {"text": "NA", "n": 7, "x": 0.5, "yes": True, "none": None, "label": 1}
    found = read("t.jsonl", json.dumps(line))[0]
    assert found.fields == (("text", "NA"), ("n", "7"), ("x", "0.5"), ("yes", "true"), ("none", ""))
    assert found.label == "1"


def test_jsonl_texts_may_hold_any_separator() -> None:
    text = "a\u2028b\u0085c\x0bd\r\ne\U0001f600"
    assert texts(read("t.jsonl", json.dumps({"text": text, "label": "a"}, ensure_ascii=False))) == [text]
    assert texts(read("t.jsonl", json.dumps({"text": text, "label": "a"}))) == [text]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"text": "a", "label": }', "Line 2 is not valid JSON"),
        ('{"text": "a"', "Line 2 is not valid JSON"),
        ('["a", "b"]', "Line 2 is not a JSON object"),
        ("[]", "Line 2 is not a JSON object"),
        ('"a"', "Line 2 is not a JSON object"),
        ('{"text": ["a"], "label": "x"}', "The field 'text' of line 2 is not a text."),
        ('{"text": {"a": 1}, "label": "x"}', "The field 'text' of line 2 is not a text."),
        ('{"text": "a", "text": "b", "label": "x"}', "Line 2 names a field twice."),
        ('{"text": "a\\ud800", "label": "x"}', "The field 'text' of line 2 holds half of a character"),
        ("[" * 100_000, "Line 2 is nested too deeply."),
        ('{"text": "a"}', "The label is missing in line 2."),
        ('{"text": null, "label": "x"}', "The text is missing in line 2."),
    ],
    ids=lambda value: value[:40],
)
def test_a_jsonl_line_that_cannot_be_used_is_refused_by_number(line: str, words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read("t.jsonl", f'{{"text": "fine", "label": "x"}}\n{line}\n')
    assert words in str(refused.value)
    assert "Nothing was imported." in str(refused.value)


# --- formats and columns ----------------------------------------------------------------------------------------------


def test_the_format_is_told_by_the_ending_or_by_name() -> None:
    line = b'{"text": "a", "label": "x"}'
    assert len(read_file("t.JSONL", line)) == 1
    assert len(read_file("t.txt", line, "jsonl")) == 1


@pytest.mark.parametrize("name", ["t.xlsx", "t", "t.csv.gz"])
def test_an_unknown_format_names_the_known_ones(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"is not known.*csv, jsonl"):
        read_file(name, b"x")


def test_columns_can_be_chosen_and_ordered() -> None:
    columns = ColumnMap(label="gold", inputs=("b", "a"), split="part")
    found = read("t.csv", "a,b,c,gold,part\n1,2,3,x,Test\n", columns)[0]
    assert (found.fields, found.label, found.split) == ((("b", "2"), ("a", "1")), "x", Split.TEST)


@pytest.mark.parametrize("columns", [ColumnMap("gone"), ColumnMap(inputs=("gone",)), ColumnMap(split="gone")])
def test_a_chosen_column_has_to_be_there(columns: ColumnMap) -> None:
    with pytest.raises(InvalidInput, match="The file has no column 'gone'"):
        read("t.csv", "text,label\na,b\n", columns)


# --- splits -----------------------------------------------------------------------------------------------------------


def test_a_split_column_is_taken_as_it_is() -> None:
    found = read("t.csv", "text,label,split\na,x,train\nb,x, Validation\nc,x,TEST\n")
    assert [e.split for e in found] == [Split.TRAIN, Split.VALIDATION, Split.TEST]
    assert found[0].fields == (("text", "a"),)


def test_without_a_split_column_a_fifth_of_each_label_goes_to_validation_and_to_test() -> None:
    found = read("t.csv", "\n".join(["text,label", *many(40)]))
    assert Counter((e.label, e.split) for e in found) == {
        (label, split): n
        for label in ("even", "odd")
        for split, n in ((Split.TRAIN, 12), (Split.VALIDATION, 4), (Split.TEST, 4))
    }


def test_the_same_seed_draws_the_same_split_whatever_the_order_of_the_file() -> None:
    lines = many(40)
    assert splits_of(lines, seed=3) == splits_of(list(reversed(lines)), seed=3)
    assert splits_of(lines, seed=3) == splits_of(lines[7:] + lines[:7], seed=3)


def test_another_seed_draws_another_split() -> None:
    assert splits_of(many(40), seed=1) != splits_of(many(40), seed=2)


def test_a_label_with_fewer_than_three_examples_goes_to_train_whole() -> None:
    found = read("t.csv", "\n".join(["text,label", *many(6), "p,rare", "q,rare"]))
    assert {e.split for e in found if e.label == "rare"} == {Split.TRAIN}


# --- a task from its examples -----------------------------------------------------------------------------------------


def test_a_proposed_task_declares_the_labels_found_most_frequent_first() -> None:
    examples = [make_example("a", "x"), make_example("b", "y"), make_example("c", "y")]
    task = propose_task("my-task", "", examples, "Do it.")
    assert (task.label_names, task.input_fields) == (("y", "x"), ("post",))
    assert (task.title, task.guideline, task.teacher) == ("my-task", "Do it.", "")


@pytest.mark.parametrize("name", ["", "Nda", "my task", "-a", "a_b", "ä", "../a", "a" * 41, "a\n"])
def test_a_task_name_is_lower_case_letters_digits_and_hyphens(name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be a task name"):
        propose_task(name, "", [make_example("a", "x"), make_example("b", "y")], "")


def test_one_label_only_is_no_task() -> None:
    with pytest.raises(InvalidInput, match="All examples have the label 'x'"):
        propose_task("t", "", [make_example("a", "x"), make_example("b", "x")], "")
