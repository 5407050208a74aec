"""XLSX: cells as a person sees them, rows as Excel numbers them, and no workbook that unpacks without end."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time

import pytest
from openpyxl import Workbook

from pld_core.importers import ReadOptions
from tests.core.importers.conftest import Open, Refuse

Rows = Sequence[Sequence[object]]


def xlsx(sheets: Mapping[str, Rows], hidden: Sequence[str] = ()) -> bytes:
    book = Workbook()
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
        for row in rows:
            sheet.append(list(row))
    book.remove(book.worksheets[0])
    return saved(book)


def saved(book: Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def changed(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """Return the workbook with one part changed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return buffer.getvalue()


def as_excel_writes() -> bytes:
    """Return a workbook whose texts stand in a table of their own, in pieces where they have several fonts."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    texts = ["<t>text</t>", "<t>label</t>", '<r><t xml:space="preserve">a </t></r><r><t>b</t></r>', "<t>x</t>"]
    strings = "".join(f"<si>{text}</si>" for text in texts)
    cells = [f'<c r="{place}" t="s"><v>{n}</v></c>' for n, place in enumerate(("A1", "B1", "A3", "B3"))]
    rows = f'<row r="1">{cells[0]}{cells[1]}</row><row r="3">{cells[2]}{cells[3]}</row>'
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    part = f'<Override PartName="/{SHARED}" ContentType="{kind}"/></Types>'.encode()
    data = changed(xlsx({"S": [[]]}), "[Content_Types].xml", lambda xml: xml.replace(b"</Types>", part))
    sheet = f"<worksheet {main}><sheetData>{rows}</sheetData></worksheet>".encode()
    buffer = io.BytesIO(changed(data, SHEET, lambda _: sheet))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(SHARED, f"<sst {main}>{strings}</sst>")
    return buffer.getvalue()


TABLE: Rows = [["text", "label"], ["a", "x"], ["b", "y"]]
SHEET = "xl/worksheets/sheet1.xml"
SHARED = "xl/sharedStrings.xml"


def test_typed_cells_become_text(opened: Open) -> None:
    cells = ["NA", 7, 7.0, 0.1, True, date(2026, 1, 31), datetime(2026, 1, 31, 12, 30), time(12, 30), None, "l1\nl2"]  # noqa: DTZ001
    source = opened("t.xlsx", xlsx({"S": [[f"c{i}" for i in range(len(cells))], cells]}))
    (row,) = source.rows()
    assert list(row.values.values()) == [
        "NA", "7", "7", "0.1", "true", "2026-01-31", "2026-01-31T12:30:00", "12:30:00", "", "l1\nl2",
    ]  # fmt: skip
    assert (source.unit, source.importer, source.sheets, source.notes) == ("row", "xlsx 1", ("S",), ())


def test_texts_may_stand_in_a_table_of_their_own(opened: Open) -> None:
    assert [(row.number, row.values) for row in opened("t.xlsx", as_excel_writes()).rows()] == [
        (3, {"text": "a b", "label": "x"})
    ]


def test_rows_are_numbered_as_excel_shows_them_and_the_table_may_stand_anywhere(opened: Open) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for place, value in {"C3": "text", "D3": "label", "C5": "a", "D5": "x", "C9": "b", "D9": "y", "F9": "note"}.items():
        sheet[place] = value
    rows = list(opened("t.xlsx", saved(book)).rows())
    assert [(row.number, row.values) for row in rows] == [(5, {"text": "a", "label": "x"}), (9, {})]
    assert "a column that the header does not name" in rows[1].problem


def test_the_first_sheet_that_is_neither_hidden_nor_empty_is_read_and_told(opened: Open) -> None:
    data = xlsx({"Lists": [["l"], ["1"]], "Empty": [], "Data": TABLE, "More": [["t"], ["2"]]}, hidden=["Lists"])
    source = opened("t.xlsx", data)
    assert source.columns == ("text", "label")
    assert source.options.sheet == "Data"
    assert source.notes == ("Read sheet 'Data' of 4: Lists, Empty, Data, More.",)
    named = opened("t.xlsx", data, ReadOptions(sheet="More"))
    assert (named.columns, named.notes, named.expected) == (("t",), (), 1)


def test_a_sheet_that_is_not_there_or_empty_is_refused_with_the_names(refused: Refuse) -> None:
    data = xlsx({"Data": TABLE, "Empty": []})
    assert "no sheet 'Gone'. Nothing was imported. Its sheets are: Data, Empty." in refused(
        "t.xlsx", data, ReadOptions(sheet="Gone")
    )
    assert "Sheet 'Empty' of t.xlsx is empty." in refused("t.xlsx", data, ReadOptions(sheet="Empty"))
    assert "Sheet 'Only' of t.xlsx is empty." in refused("t.xlsx", xlsx({"Only": []}))
    assert "holds a header but no row" in refused("t.xlsx", xlsx({"Only": [["text", "label"], ["", None]]}))


def test_formulas_are_their_stored_results_and_it_is_told_where_there_are_none(opened: Open) -> None:
    data = xlsx({"S": [["text", "n", "label"], ["a", "=1+1", "x"]]})
    source = opened("t.xlsx", data)
    assert next(source.rows()).values["n"] == ""
    assert "Some formulas have no stored result" in source.notes[0]
    calculated = changed(data, SHEET, lambda xml: xml.replace(b"<v></v>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>"))
    source = opened("t.xlsx", calculated)
    assert (next(source.rows()).values["n"], source.notes) == ("2", ())


def test_control_characters_as_excel_writes_them(opened: Open) -> None:
    (row,) = opened("t.xlsx", xlsx({"S": [["text", "label"], ["a_x000D_\nb_x0041_", "x"]]})).rows()
    assert row.values["text"] == "a\r\nb_x0041_"


def test_what_a_file_says_of_its_size_is_not_believed(opened: Open) -> None:
    smaller = changed(xlsx({"S": TABLE}), SHEET, lambda xml: xml.replace(b'ref="A1:B3"', b'ref="A1:A2"'))
    assert [row.values for row in opened("t.xlsx", smaller).rows()] == [
        {"text": "a", "label": "x"},
        {"text": "b", "label": "y"},
    ]
    endless = changed(xlsx({"S": TABLE}), SHEET, lambda xml: xml.replace(b'<row r="3"', b'<row r="99999999999"'))
    assert [row.number for row in opened("t.xlsx", endless).rows()] == [2]


# --- what is refused --------------------------------------------------------------------------------------------------


def bomb(size: int, parts: int = 1) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        for part in range(parts):
            with archive.open(f"xl/worksheets/sheet{part}.xml", "w") as stream:
                for _ in range(size // 2**20):
                    stream.write(b" " * 2**20)
    return buffer.getvalue()


def test_a_workbook_that_unpacks_to_very_much_is_refused_before_it_is_unpacked(refused: Refuse) -> None:
    assert "would unpack to" in refused("t.xlsx", bomb(120 * 2**20))
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for part in range(10_001):
            archive.writestr("xl/workbook.xml" if not part else f"part{part}", b"")
    assert "10,001 parts, more than is safe to read" in refused("t.xlsx", many.getvalue())


def test_a_false_claim_of_the_unpacked_size_gets_no_further(refused: Refuse) -> None:
    size = 150 * 2**20
    data = bomb(size)
    lying = data.replace(size.to_bytes(4, "little"), (1_000).to_bytes(4, "little"))
    assert lying != data
    assert "is a damaged Excel workbook" in refused("t.xlsx", lying)


@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", SHARED])
def test_entities_are_not_expanded(refused: Refuse, part: str) -> None:
    doctype = b'<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'

    def with_entities(xml: bytes) -> bytes:
        start = xml.index(b"?>") + 2 if xml.startswith(b"<?xml") else 0
        return xml[:start] + doctype + xml[start:]

    assert "is a damaged Excel workbook" in refused("t.xlsx", changed(as_excel_writes(), part, with_entities))


def test_damaged_and_protected_workbooks_are_refused(refused: Refuse) -> None:
    data = xlsx({"S": [[f"c{i}" for i in range(50)]] * 200})
    assert "damaged or cut off" in refused("t.xlsx", data[: len(data) // 2])
    assert "is a damaged Excel workbook" in refused("t.xlsx", changed(data, SHEET, lambda xml: xml[:500]))
    assert "has no sheet with cells" in refused("t.xlsx", changed(data, "xl/workbook.xml", lambda _: b"<a/>"))
    # Bit 0 of the flags, in the entry of the central directory, says that an entry is encrypted.
    place = data.index(b"PK\x01\x02") + 8
    assert "is protected by a password" in refused("t.xlsx", data[:place] + b"\x01" + data[place + 1 :])
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
    assert "an old Excel file (.xls) or one with a password" in refused("t.xls", old)
    assert "an old Excel file (.xls) or one with a password" in refused("t.xlsx", old)


def test_a_header_has_to_name_each_column_once(refused: Refuse) -> None:
    assert "Row 1 of sheet 'S' has to name every column; number 2" in refused(
        "t.xlsx", xlsx({"S": [["a", None, "b"], ["1", "2", "3"]]})
    )
    assert "names the column 'a' twice" in refused("t.xlsx", xlsx({"S": [["a", "a"], ["1", "2"]]}))
