"""JSONL and JSON: texts as they stand in the file; what is not flat is named by its line or item."""

from __future__ import annotations

import json

import pytest

from pld_core.importers import ReadOptions
from tests.core.importers.conftest import Open, Refuse

FINE = '{"text": "fine", "label": "x"}'
PROBLEMS = [
    ('["a", "b"]', "It is not a JSON object"),
    ("[]", "It is not a JSON object"),
    ('"a"', "It is not a JSON object"),
    ("{}", "It is an object without fields."),
    ('{"text": ["a"], "label": "x"}', "The field 'text' is a list, not a text."),
    ('{"text": {"a": 1}, "label": "x"}', "The field 'text' is an object, not a text."),
    ('{"text": "a", "text": "b", "label": "x"}', "The field 'text' stands twice in it."),
    ('{"text": "a\\ud800", "label": "x"}', "Column 'text' holds half of a character"),
    ('{"text": "a\\u0000", "label": "x"}', "Column 'text' holds a NUL character"),
]
BROKEN = [
    ('{"text": "a", "label": }', "It is not valid JSON: Expecting value at column"),
    ('{"text": "a"', "It is not valid JSON"),
    ('{"text": NaN, "label": "x"}', "It is not valid JSON: NaN is not JSON"),
    ("[" * 100_000, "It is not valid JSON: it is nested too deeply."),
]


def test_values_become_text_and_numbers_keep_their_digits(opened: Open) -> None:
    line = '{"text": "NA", "n": 7, "x": 1.10, "big": 12345678901234567890123, "yes": true, "none": null, "label": 1}'
    values = {"text": "NA", "n": "7", "x": "1.10", "big": "12345678901234567890123", "yes": "true", "none": ""}
    for name, data in (("t.jsonl", line), ("t.json", f"[{line}]")):
        assert next(opened(name, data).rows()).values == {**values, "label": "1"}


@pytest.mark.parametrize("ascii_only", [True, False])
def test_texts_may_hold_any_separator(opened: Open, ascii_only: bool) -> None:
    text = "a\u2028b\u0085c\x0bd\r\ne\U0001f600"
    line = json.dumps({"text": text, "label": "a"}, ensure_ascii=ascii_only)
    assert next(opened("t.jsonl", line).rows()).values["text"] == text


def test_lines_are_numbered_as_an_editor_does(opened: Open) -> None:
    source = opened("t.jsonl", f"\n{FINE}\r\n\n{FINE}\n")
    assert ([row.number for row in source.rows()], source.unit, source.expected) == ([2, 4], "line", 2)


def test_columns_are_the_fields_of_all_lines_and_what_a_line_lacks_is_empty(opened: Open) -> None:
    for name, data in (
        ("t.jsonl", '{"a": "1"}\n{"b": "2", "a": "3"}'),
        ("t.json", '[{"a": "1"}, {"b": "2", "a": "3"}]'),
    ):
        source = opened(name, data)
        assert source.columns == ("a", "b")
        assert [row.values for row in source.rows()] == [{"a": "1", "b": ""}, {"a": "3", "b": "2"}]


@pytest.mark.parametrize(("line", "words"), [*PROBLEMS, *BROKEN], ids=lambda value: value[:40])
def test_a_line_that_cannot_be_used_is_a_problem_of_that_line(opened: Open, line: str, words: str) -> None:
    rows = list(opened("t.jsonl", f"{FINE}\n{line}\n{FINE}\n").rows())
    assert [(row.number, bool(row.problem)) for row in rows] == [(1, False), (2, True), (3, False)]
    assert words in rows[1].problem


@pytest.mark.parametrize(("item", "words"), PROBLEMS, ids=lambda value: value[:40])
def test_an_item_that_cannot_be_used_is_a_problem_of_that_item(opened: Open, item: str, words: str) -> None:
    source = opened("t.json", f"[{FINE}, {item}, {FINE}]")
    rows = list(source.rows())
    assert [(row.number, bool(row.problem)) for row in rows] == [(1, False), (2, True), (3, False)]
    assert words in rows[1].problem
    assert (source.unit, source.importer, source.expected) == ("item", "json 1", 3)


def test_a_jsonl_without_a_usable_line_is_refused_with_the_first_reason(refused: Refuse) -> None:
    said = refused("t.jsonl", "\nnot json\n[]\n")
    assert "No line of t.jsonl is a JSON object with named texts." in said
    assert "Line 2: It is not valid JSON" in said


def test_the_list_may_stand_in_one_field_of_an_object(opened: Open) -> None:
    source = opened("t.json", f'{{"version": 1, "tags": ["a"], "rows": [{FINE}]}}')
    assert [row.values["text"] for row in source.rows()] == ["fine"]
    assert source.notes == ("Read the list 'rows'.",)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("[]", "The list in t.json is empty."),
        ("[1, 2]", "No item of t.json is an object with named texts. Nothing was imported. Item 1: It is not"),
        (FINE, "t.json holds no list of items."),
        ("3", "t.json holds no list of items."),
        ('{"text": {"0": "a"}, "label": {"0": "x"}}', "t.json holds columns, not items."),
        (f'{{"train": [{FINE}], "test": [{FINE}]}}', "holds more than one list of objects: train, test."),
        ('[{"text": "a"', "t.json is not valid JSON: Expecting"),
        ("[" * 100_000, "t.json is not valid JSON: it is nested too deeply."),
        ('[{"": "a"}]', "has to name every column"),
    ],
    ids=lambda value: value[:40],
)
def test_a_json_that_cannot_be_used_is_refused_in_words(refused: Refuse, data: str, words: str) -> None:
    assert words in refused("t.json", data)


def test_fields_without_end_are_refused(refused: Refuse) -> None:
    lines = "".join(json.dumps({f"field {i}": "a"}) + "\n" for i in range(1_200))
    assert "at most 1,000 can be read" in refused("t.jsonl", lines)
    assert "at most 1,000 can be read" in refused("t.json", f"[{','.join(lines.splitlines())}]", ReadOptions("json"))
