"""Which columns mean what, and a task from its examples."""

from __future__ import annotations

import pytest

from pld_core.errors import InvalidInput
from pld_core.importers import ColumnMap, check_columns, suggest_columns


@pytest.mark.parametrize(
    ("columns", "suggested"),
    [
        ("text label", ColumnMap("label", ("text",))),
        ("Label Text", ColumnMap("Label", ("Text",))),
        ("id post Gold-Label part", ColumnMap("Gold-Label", ("post",), "part", "id")),
        ("uuid url thread title body decision", ColumnMap("decision", ("title", "body"), "", "uuid", "url", "thread")),
        ("target label text", ColumnMap("label", ("target", "text"))),
        ("question answer", ColumnMap("", ("question", "answer"))),
        ("text kind id", ColumnMap("", ("text", "kind"), ref="id")),
        ("document label", ColumnMap("label", ("document",))),
        ("document_id document label", ColumnMap("label", ("document",), group="document_id")),
        ("id source label", ColumnMap("label", ("source",), ref="id")),
        ("label", ColumnMap("label")),
        ("", ColumnMap()),
    ],
)
def test_columns_are_guessed_by_their_names(columns: str, suggested: ColumnMap) -> None:
    assert suggest_columns(columns.split()) == suggested


def test_what_was_left_open_is_filled_in() -> None:
    columns = ("id", "a", "b", "gold")
    assert check_columns(columns, ColumnMap()) == ColumnMap("gold", ("id", "a", "b"))
    assert check_columns(columns, ColumnMap(ref="id")) == ColumnMap("gold", ("a", "b"), ref="id")
    assert check_columns(columns, ColumnMap(keep=("id", "b"))) == ColumnMap("gold", ("a",), keep=("id", "b"))
    chosen = ColumnMap("a", ("gold", "b"), ref="id")
    assert check_columns(columns, chosen) == chosen


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (ColumnMap("gone"), "The file has no column 'gone'. Nothing was imported. Its columns are: text, label."),
        (ColumnMap(inputs=("gone",)), "no column 'gone'"),
        (ColumnMap(split="gone"), "no column 'gone'"),
        (ColumnMap(group="gone"), "no column 'gone'"),
        (ColumnMap("label", ("label",)), "The column 'label' was given two meanings."),
        (ColumnMap("label", ("text",), group="text"), "The column 'text' was given two meanings."),
        (ColumnMap(keep=("gone",)), "no column 'gone'"),
        (ColumnMap("label", keep=("label",)), "The column 'label' was given two meanings."),
        (ColumnMap(inputs=("text", "text")), "The column 'text' was given two meanings."),
        (ColumnMap("label", ref="text"), "No column is left that holds the text."),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_with_the_columns_there_are(wanted: ColumnMap, words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_columns(("text", "label"), wanted)
    assert words in str(refused.value)
    assert "text, label." in str(refused.value)


def test_a_lone_column_holds_no_text_beside_its_label() -> None:
    with pytest.raises(InvalidInput, match="No column is left that holds the text"):
        check_columns(("label",), ColumnMap())
