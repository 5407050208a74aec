"""Any text that was written to a file comes back as it was, and any bytes give rows or one sentence."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pld_core.errors import InvalidInput
from pld_core.importers import ReadOptions, open_source
from tests.core.importers.test_parquet import parquet
from tests.core.importers.test_published import BOTH, THREE, question
from tests.core.importers.test_xlsx import as_excel_writes, xlsx

Rows = list[tuple[str, str]]

# NUL and halves of characters are refused row by row, see the tests of the formats.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
ROWS = st.lists(st.tuples(TEXT, TEXT).filter(any), min_size=1, max_size=8)
# XML holds no control characters but tab and line feed, and `_x000D_` stands for one of them.
XML_TEXT = st.text(
    st.characters(exclude_characters="\0\r\ufffe\uffff_", exclude_categories=["Cs", "Cc"], include_characters="\t\n"),
    max_size=60,
)
XML_ROWS = st.lists(st.tuples(XML_TEXT, XML_TEXT).filter(any), min_size=1, max_size=8)


def separated(delimiter: str) -> Callable[[Rows], bytes]:
    def write(rows: Rows) -> bytes:
        buffer = io.StringIO(newline="")
        csv.writer(buffer, delimiter=delimiter).writerows([("text", "label"), *rows])
        return buffer.getvalue().encode()

    return write


def as_jsonl(rows: Rows) -> bytes:
    return "".join(json.dumps({"text": t, "label": n}, ensure_ascii=False) + "\n" for t, n in rows).encode()


def as_json(rows: Rows) -> bytes:
    return json.dumps([{"text": t, "label": n} for t, n in rows]).encode()


def as_parquet(rows: Rows) -> bytes:
    return parquet({"text": [t for t, _ in rows], "label": [n for _, n in rows]})


def read_back(name: str, data: bytes, options: ReadOptions) -> Rows:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        found = list(open_source(path, options).rows())
    assert not [row.problem for row in found if row.problem]
    return [(row.values["text"], row.values["label"]) for row in found]


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("t.csv", separated(",")),
        ("t.tsv", separated("\t")),
        ("t.jsonl", as_jsonl),
        ("t.json", as_json),
        ("t.parquet", as_parquet),
    ],
    ids=["csv", "tsv", "jsonl", "json", "parquet"],
)
@settings(deadline=None)
@given(rows=ROWS)
def test_any_text_comes_back(name: str, write: Callable[[Rows], bytes], rows: Rows) -> None:
    assert read_back(name, write(rows), ReadOptions()) == rows


@settings(deadline=None)
@given(rows=ROWS, delimiter=st.sampled_from(",;|\t"))
def test_any_text_comes_back_whatever_divides_the_cells(rows: Rows, delimiter: str) -> None:
    assert read_back("t.csv", separated(delimiter)(rows), ReadOptions()) == rows


@settings(deadline=None)
@given(rows=ROWS, codec=st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]))
def test_any_text_comes_back_in_any_unicode_encoding(rows: Rows, codec: str) -> None:
    assert read_back("t.csv", separated(",")(rows).decode().encode(codec), ReadOptions()) == rows


@settings(deadline=None)
@given(rows=XML_ROWS)
def test_any_text_that_xml_can_hold_comes_back_from_a_workbook(rows: Rows) -> None:
    # A cell that begins with `=` is a formula.
    assume(not any(cell.startswith("=") for row in rows for cell in row))
    assert read_back("t.xlsx", xlsx({"S": [("text", "label"), *rows]}), ReadOptions()) == rows


# --- files that were damaged ------------------------------------------------------------------------------------------

FEW: Rows = [("some text", "x"), ('more, "text"', "y")] * 3
WHOLE = {
    "t.csv": separated(",")(FEW),
    "t.tsv": separated("\t")(FEW),
    "t.jsonl": as_jsonl(FEW),
    "t.json": as_json(FEW),
    "t.parquet": as_parquet(FEW),
    "t.xlsx": as_excel_writes(),
    "contracts.json": json.dumps(THREE).encode(),
    "sentences.json": json.dumps(BOTH).encode(),
    "t.txt": f"{question()}\n{question()}".encode(),
}


@pytest.mark.parametrize("name", WHOLE)
@settings(deadline=None)
@given(data=st.data())
def test_a_damaged_file_gives_rows_or_is_refused_in_a_sentence(name: str, data: st.DataObject) -> None:
    whole = WHOLE[name]
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 40)))
    damaged = whole[:start] + data.draw(st.binary(max_size=10)) + whole[end:]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(damaged)
        said = _read_or_refused(path)
    assert not said or "Nothing was imported." in said


def _read_or_refused(path: Path) -> str:
    try:
        source = open_source(path)
        for row in source.rows():
            assert row.problem or tuple(row.values) == source.columns
    except InvalidInput as error:
        return str(error)
    return ""
