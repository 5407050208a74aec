"""Exports: a spreadsheet runs nothing of a CSV, JSONL is word for word, and a file is whole or not there."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from pld_app.exporting import EXTRA, Exported, export_chunks, export_file
from pld_app.settings import load_settings
from pld_app.wiring import App
from pld_core.errors import InvalidInput
from pld_core.models import Split
from pld_core.records import EVERY_EXAMPLE, ExampleFilter
from storage import SqliteStore
from tests.factories import ANNA, fill, make_example, make_examples

FORMULAS = ("=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1")
ODD = ("plain", 'a "quoted", text', "two\nlines", "<b>bold</b>", " =later", "naïve café", *FORMULAS)


@pytest.fixture
def app(tmp_path: Path, sqlite_store: SqliteStore) -> App:
    fill(sqlite_store, examples=[make_example(text, source=text) for text in ODD])
    return App(load_settings(tmp_path / "space", {}), sqlite_store, ANNA)


def test_a_csv_defuses_formulas_in_every_cell_and_keeps_all_other_texts(app: App) -> None:
    text = Exported(app, "posts", EVERY_EXAMPLE, "csv")().decode()
    found = list(csv.DictReader(io.StringIO(text, newline="")))
    assert list(found[0]) == ["post", *EXTRA]
    assert [row["post"] for row in found] == [f"'{text}" if text in FORMULAS else text for text in ODD]
    assert [row["source"] for row in found] == [row["post"] for row in found]
    assert not [cell for row in found for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_jsonl_is_word_for_word(app: App) -> None:
    lines = Exported(app, "posts", EVERY_EXAMPLE, "jsonl")().decode().split("\n")
    assert lines.pop() == ""
    found = [json.loads(line) for line in lines]
    assert [row["post"] for row in found] == list(ODD)
    assert {(row["label"], row["split"], row["state"], row["copies"]) for row in found} == {
        ("keep", "train", "active", "1")
    }


def test_an_export_holds_what_the_filter_shows_however_many_there_are(
    tmp_path: Path, sqlite_store: SqliteStore
) -> None:
    fill(sqlite_store, examples=[*make_examples(1_050), *make_examples(3, Split.TEST)])
    app = App(load_settings(tmp_path / "space", {}), sqlite_store, ANNA)
    assert [n for _, n in export_chunks(app, "posts", EVERY_EXAMPLE, "csv")] == [0, 1_000, 53]
    target = tmp_path / "test.jsonl"
    assert export_file(app, "posts", ExampleFilter(split=Split.TEST), target) == 3
    assert len(target.read_text(encoding="utf-8").splitlines()) == 3


@pytest.mark.parametrize("name", ["examples.xlsx", "examples", "nowhere/examples.csv"])
def test_an_export_that_cannot_be_written_leaves_nothing(app: App, tmp_path: Path, name: str) -> None:
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InvalidInput, match=r"Nothing was (written|changed)"):
        export_file(app, "posts", EVERY_EXAMPLE, tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before
