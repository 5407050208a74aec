"""Decision sheets as workbooks: what is protected, what comes back, and files that are something else."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from pld_core.decision_book import MOST_BYTES, read_book, write_book
from pld_core.decision_check import check_origin, read_decisions
from pld_core.decision_layout import COLUMNS, HELP_SHEET, ORIGIN_SHEET, RULES_SHEET, TYPED
from pld_core.decision_sheet import CATEGORIES, DECISIONS, MOST_ROWS, DecisionSheet, SheetOrigin, SheetRow
from pld_core.errors import InvalidInput
from pld_core.spreadsheet import cell_text, escaped
from tests.sheets import APPROVED, changed, fill_in, put

ORIGIN = SheetOrigin("sha256:first", "posts", "2026-01-02T03:04:05.000000Z", "anna")


def row(rule_id: str = "R1", evidence: str = "kind words", rule: str = "IF a\nTHEN b") -> SheetRow:
    shown = cell_text(rule), cell_text(evidence)
    return SheetRow(rule_id, "Title", shown[0], "keep", "in review", shown[1], "sha256:r", "in_review", "sha256:e")


def book(*rows: SheetRow) -> bytes:
    return write_book(DecisionSheet(ORIGIN, rows or (row(), row("R2"))))


def opened(content: bytes) -> Any:
    return load_workbook(io.BytesIO(content))


# --- what a lawyer gets -----------------------------------------------------------------------------------------------


def test_only_decision_category_and_reason_can_be_typed_in() -> None:
    page = opened(book())[RULES_SHEET]
    assert page.protection.sheet is True
    assert page.protection.password is None
    free = {COLUMNS[cell.column - 1] for cells in page.iter_rows() for cell in cells if not cell.protection.locked}
    assert free == set(TYPED)
    assert all(not page.cell(2, COLUMNS.index(name) + 1).protection.locked for name in TYPED)
    assert all(cell.protection.locked for cell in page[1])


def test_hidden_columns_cannot_be_brought_out_nor_rows_moved() -> None:
    protection = opened(book())[RULES_SHEET].protection
    forbidden = ("formatColumns", "insertRows", "insertColumns", "deleteRows", "deleteColumns", "sort", "formatCells")
    assert all(getattr(protection, name) for name in forbidden)
    assert protection.autoFilter is False
    assert protection.formatRows is False


def test_hashes_are_hidden_and_their_sheet_too() -> None:
    found = opened(book())
    hidden = {
        name
        for name, place in zip(COLUMNS, found[RULES_SHEET][1], strict=True)
        if found[RULES_SHEET].column_dimensions[place.column_letter].hidden
    }
    assert hidden == {"Revision", "State seen", "Evidence set", "Seal"}
    assert found.sheetnames == [HELP_SHEET, RULES_SHEET, ORIGIN_SHEET]
    assert [page.sheet_state for page in found.worksheets] == ["visible", "visible", "veryHidden"]
    assert found.security.lockStructure is True
    assert all(page.protection.sheet for page in found.worksheets)


def test_decision_and_category_are_chosen_from_lists() -> None:
    page = opened(book())[RULES_SHEET]
    offered = {str(v.sqref): v for v in page.data_validations.dataValidation}
    assert offered["G2:G3"].formula1 == f'"{",".join(DECISIONS)}"'
    assert offered["H2:H3"].formula1 == f'"{",".join(CATEGORIES)}"'
    assert all(v.type == "list" and v.showErrorMessage and v.allow_blank for v in offered.values())
    assert all(len(v.formula1) <= 255 for v in offered.values()), "Excel takes no longer list"


def test_the_header_stays_in_sight_and_texts_wrap() -> None:
    page = opened(book(row(evidence="word " * 2_000)))[RULES_SHEET]
    assert page.freeze_panes == "B2"
    assert tuple(cell.value for cell in page[1]) == COLUMNS
    assert all(cell.alignment.wrap_text for cell in page[2])
    assert page.row_dimensions[2].height == 409, "the tallest that Excel draws"
    assert 60 <= page.column_dimensions["F"].width <= 100


def test_what_is_typed_is_a_text_even_with_an_equals_sign_in_front() -> None:
    page = opened(book())[RULES_SHEET]
    assert [page.cell(2, COLUMNS.index(name) + 1).number_format for name in TYPED] == ["@"] * 3


def test_the_instructions_say_what_a_person_has_to_know() -> None:
    page = opened(book())[HELP_SHEET]
    told = "\n".join(str(cells[0].value) for cells in page.iter_rows())
    assert "Task posts. Rules: 2. Exported by anna" in told
    for part in ("approve, reject or request changes", "approvals too", "in bulk", "in the name of whoever", "twice"):
        assert part in told


@pytest.mark.parametrize(
    "text", ["=1+1", '=HYPERLINK("http://evil.test")', "@SUM(A1)", "+1", "-1", "#N/A", "1", "TRUE"]
)
def test_no_text_from_data_becomes_a_formula_a_number_or_an_error(text: str) -> None:
    page = opened(book(row(evidence=text, rule=text)))[RULES_SHEET]
    for column in ("C", "F"):
        cell = page[f"{column}2"]
        assert cell.data_type == "s"
        assert cell.value == cell_text(text)
        assert not str(cell.value).startswith("=")


# --- there and back ---------------------------------------------------------------------------------------------------


def test_an_exported_sheet_comes_back_empty_and_unchanged() -> None:
    filled = read_book(book(), "rules.xlsx")
    check_origin(filled, ORIGIN.workspace, "posts")
    assert filled.origin == ORIGIN
    assert [found.row for found in filled.rows] == [row(), row("R2")]
    assert [found.number for found in filled.rows] == [2, 3]
    assert read_decisions(filled).skipped == 2


@given(st.text(max_size=40), st.integers(1, 1_000), st.text(max_size=40))
def test_any_text_goes_out_and_comes_back_under_its_seal(text: str, times: int, rule: str) -> None:
    given_row = row(evidence=text * times, rule=f"IF {rule}")
    filled = read_book(fill_in(book(given_row), {"R1": APPROVED}), "rules.xlsx")
    assert [found.row for found in filled.rows] == [given_row]
    assert len(read_decisions(filled).judgements) == 1


@pytest.mark.parametrize("text", ["=" * 40_000, "😀" * 40_000, "line\n" * 10_000, "\x01" * 40_000, "_x000D_" * 9_000])
def test_forty_thousand_characters_of_anything_come_back_cut_under_their_seal(text: str) -> None:
    (found,) = read_book(book(row(evidence=text)), "rules.xlsx").rows
    assert found.row == row(evidence=text)
    assert "[Cut here: " in found.row.evidence
    assert found.seal == found.row.seal(ORIGIN)


@given(st.text(max_size=200))
def test_a_reason_is_read_as_it_was_typed(reason: str) -> None:
    # A spreadsheet program writes what XML cannot hold as we do.
    content = changed(book(), lambda b: put(b, "R1", "Reason", escaped(reason)))
    (found, _) = read_book(content, "rules.xlsx").rows
    assert found.reason == reason


def test_a_formula_is_no_reason() -> None:
    def type_formula(opened_book: Workbook) -> None:
        page: Any = opened_book[RULES_SHEET]
        page["G2"], page["I2"] = "approve", "=A1"

    (refused,) = read_decisions(read_book(changed(book(), type_formula), "rules.xlsx")).refused
    assert refused.words == "Row 2 (R1): Reason begins with = and is read as a formula. Type it as text."


def test_a_number_is_a_reason_too() -> None:
    def type_number(opened_book: Workbook) -> None:
        page: Any = opened_book[RULES_SHEET]
        page["G2"], page["I2"] = "approve", 7

    (found,) = read_decisions(read_book(changed(book(), type_number), "rules.xlsx")).judgements
    assert found.judgement.reason == "7"


def test_rows_that_were_deleted_decide_nothing_and_the_others_keep_their_seal() -> None:
    content = changed(fill_in(book(), {"R2": APPROVED}), lambda b: b[RULES_SHEET].delete_rows(2))
    reading = read_decisions(read_book(content, "rules.xlsx"))
    assert [found.judgement.rule_id for found in reading.judgements] == ["R2"]
    assert reading.refused == ()


# --- tampered with ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", [name for name in COLUMNS if name not in TYPED])
def test_a_changed_cell_refuses_its_row_and_no_other(column: str) -> None:
    content = fill_in(book(), {"R1": APPROVED, "R2": APPROVED})
    reading = read_decisions(read_book(changed(content, lambda b: put(b, "R1", column, "other")), "rules.xlsx"))
    assert [found.judgement.rule_id for found in reading.judgements] == ["R2"]
    (refused,) = reading.refused
    assert refused.number == 2
    assert "not certain what was decided on" in refused.problem


def test_columns_that_were_sorted_without_their_hashes_are_noticed() -> None:
    def swap(opened_book: Workbook) -> None:
        put(opened_book, "R2", "Rule", "R9")
        put(opened_book, "R1", "Rule", "R2")
        put(opened_book, "R9", "Rule", "R1")

    content = changed(fill_in(book(), {"R1": APPROVED, "R2": APPROVED}), swap)
    assert len(read_decisions(read_book(content, "rules.xlsx")).refused) == 2


def test_a_changed_hidden_sheet_is_noticed() -> None:
    def other_task(opened_book: Workbook) -> None:
        page: Any = opened_book[ORIGIN_SHEET]
        assert page["A2"].value == "task"
        page["B2"] = "nda"

    with pytest.raises(InvalidInput, match="where it comes from was changed"):
        check_origin(read_book(changed(book(), other_task), "rules.xlsx"), ORIGIN.workspace)


def drop(name: str) -> Callable[[Workbook], None]:
    return lambda opened_book: opened_book.remove(opened_book[name])


@pytest.mark.parametrize("name", [RULES_SHEET, ORIGIN_SHEET])
def test_a_book_without_our_sheets_is_none_of_ours(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"rules.xlsx is not a decision sheet that pld-review exported.*Export one"):
        read_book(changed(book(), drop(name)), "rules.xlsx")


@pytest.mark.parametrize(("cell", "value"), [("A2", "tusk"), ("B5", "one"), ("A6", None)])
def test_an_origin_that_says_too_little_is_none_of_ours(cell: str, value: str | None) -> None:
    def change(opened_book: Workbook) -> None:
        page: Any = opened_book[ORIGIN_SHEET]
        page[cell] = value

    with pytest.raises(InvalidInput, match="not a decision sheet"):
        read_book(changed(book(), change), "rules.xlsx")


@pytest.mark.parametrize(
    "change",
    [
        lambda b: b[RULES_SHEET].delete_cols(3),
        lambda b: b[RULES_SHEET].insert_rows(1),
        lambda b: b[RULES_SHEET].delete_rows(1, 3),
    ],
)
def test_moved_columns_and_a_lost_header_are_noticed(change: Callable[[Workbook], None]) -> None:
    with pytest.raises(InvalidInput, match=r"columns of the sheet “Rules” of rules.xlsx were changed"):
        read_book(changed(book(), change), "rules.xlsx")


# --- something else ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "rules.xlsx is not an Excel workbook that can be read"),
        (b"rule,decision\nR1,approve\n", "not an Excel workbook"),
        (b"PK\x03\x04 cut off", "not an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "protected by a password, or is an .xls file"),
        (b"x" * (MOST_BYTES + 1), "is 32.1 MiB; at most 32 MiB can be read"),
    ],
)
def test_what_is_no_workbook_is_told_apart(content: bytes, told: str) -> None:
    with pytest.raises(InvalidInput, match=told) as refused:
        read_book(content, "rules.xlsx")
    assert "Nothing was recorded." in str(refused.value)


def test_a_zip_of_something_else_is_no_workbook() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(InvalidInput, match="not an Excel workbook"):
        read_book(content.getvalue(), "rules.xlsx")


def test_a_bomb_is_not_unpacked() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * (300 * 2**20))
    with pytest.raises(InvalidInput, match=r"would unpack to 300 MiB in 1 parts, more than is safe.*fewer at a time"):
        read_book(content.getvalue(), "rules.xlsx")


@pytest.mark.parametrize("part", ["xl/worksheets/sheet2.xml", "xl/workbook.xml"])
def test_a_damaged_part_is_told_in_one_sentence(part: str) -> None:
    whole, damaged = zipfile.ZipFile(io.BytesIO(book())), io.BytesIO()
    with zipfile.ZipFile(damaged, "w") as archive:
        for name in whole.namelist():
            archive.writestr(name, whole.read(name)[:60] if name == part else whole.read(name))
    with pytest.raises(InvalidInput, match="not an Excel workbook that can be read"):
        read_book(damaged.getvalue(), "rules.xlsx")


def test_more_rows_than_a_sheet_holds_are_refused() -> None:
    def add_rows(opened_book: Workbook) -> None:
        page: Any = opened_book[RULES_SHEET]
        page.cell(MOST_ROWS + 2, 1).value = "R9"

    with pytest.raises(InvalidInput, match="has more than 1,000 rows"):
        read_book(changed(book(), add_rows), "rules.xlsx")
