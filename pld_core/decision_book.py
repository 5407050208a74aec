"""A decision sheet as an Excel workbook: written with protection, read back with suspicion."""

from __future__ import annotations

import hashlib
import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields
from itertools import islice
from typing import TYPE_CHECKING, Any

from pld_core.decision_layout import COLUMNS, HEADER_ROW, ORIGIN_SHEET, RULES_SHEET, TYPED, make_workbook
from pld_core.decision_sheet import MOST_ROWS, DecisionSheet, FilledRow, FilledSheet, SheetOrigin, SheetRow
from pld_core.errors import InvalidInput
from pld_core.importers.cell_text import as_text
from pld_core.importers.files import in_units
from pld_core.importers.xlsx_file import UNREADABLE
from pld_core.importers.zip_guard import check_entries
from pld_core.spreadsheet import unescaped

if TYPE_CHECKING:
    from openpyxl import Workbook

MOST_BYTES = 32 * 2**20
MOST_UNPACKED = 256 * 2**20
_SHOWN = len(fields(SheetRow))
_INSTEAD = "Export the rules again, fewer at a time."


def write_book(sheet: DecisionSheet) -> bytes:
    """Return the workbook's bytes."""
    content = io.BytesIO()
    with closing(make_workbook(sheet)) as book:
        book.save(content)
    return content.getvalue()


def read_book(content: bytes, name: str) -> FilledSheet:
    """Return what was filled in.

    Args:
        content: the bytes of the file.
        name: the file's name, for messages and for the record.

    Raises:
        InvalidInput: too large, damaged, protected by a password, or no decision sheet of ours.
    """
    _check(content, name)
    with _careful(name), closing(_load(content)) as book:
        if not {RULES_SHEET, ORIGIN_SHEET} <= set(book.sheetnames):
            raise _not_ours(name)
        told = {cells[0][0]: cells[1][0] for cells in _cells(book, ORIGIN_SHEET, 2, 20)}
        found = list(_cells(book, RULES_SHEET, len(COLUMNS), HEADER_ROW + MOST_ROWS + 1))
    origin, checksum = _origin(told, name)
    above, rows = found[:HEADER_ROW], found[HEADER_ROW:]
    if not above or tuple(text for text, _ in above[-1]) != COLUMNS:
        raise InvalidInput(
            f"The columns of the sheet “{RULES_SHEET}” of {name} were changed, so it is not certain what stands where. "
            "Nothing was recorded. Export the rules again; only the yellow cells are for typing."
        )
    if len(rows) > MOST_ROWS:
        raise InvalidInput(f"{name} has more than {MOST_ROWS:,} rows. Nothing was recorded. {_INSTEAD}")
    filled = [
        _filled(number, cells) for number, cells in enumerate(rows, start=HEADER_ROW + 1) if any(t for t, _ in cells)
    ]
    digest = hashlib.sha256(content).hexdigest()
    return FilledSheet(origin, checksum, tuple(filled), name, f"sha256:{digest}")


def _check(content: bytes, name: str) -> None:
    """Refuse what is no workbook, or one that is larger than any of ours."""
    if len(content) > MOST_BYTES:
        raise InvalidInput(
            f"{name} is {in_units(len(content))}; at most {in_units(MOST_BYTES)} can be read. Nothing was recorded. "
            f"{_INSTEAD}"
        )
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise InvalidInput(
            f"{name} is protected by a password, or is an .xls file of an old Excel. Nothing was recorded. Save it as "
            ".xlsx without a password, then hand it in."
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            check_entries(name, len(content), archive.infolist(), MOST_UNPACKED, _INSTEAD)
    except UNREADABLE as error:
        raise _damaged(name) from error


def _load(content: bytes) -> Workbook:
    # Loaded here: most commands read no workbook.
    from openpyxl import load_workbook

    # Formulas as they are typed, not their results: a decision is no result.
    return load_workbook(io.BytesIO(content), read_only=True, keep_links=False)


def _cells(book: Workbook, sheet: str, columns: int, last: int) -> Iterator[tuple[tuple[str, bool], ...]]:
    """Yield (text, whether it is a formula) of the first cells of each row."""
    found: Any = book[sheet]
    # What a file says of its size is often wrong.
    found.reset_dimensions()
    for row in islice(found.iter_rows(max_row=last, max_col=columns), last):
        cells = [(unescaped(as_text(cell.value)), cell.data_type == "f") for cell in row]
        yield (*cells, *[("", False)] * (columns - len(cells)))


def _origin(told: dict[str, str], name: str) -> tuple[SheetOrigin, str]:
    try:
        values = {part.name: told[part.name] for part in fields(SheetOrigin)}
        return SheetOrigin(**{**values, "version": int(values["version"])}), told["checksum"]  # type: ignore[arg-type]
    except (KeyError, ValueError) as error:
        raise _not_ours(name) from error


def _filled(number: int, cells: Sequence[tuple[str, bool]]) -> FilledRow:
    by_column = dict(zip(COLUMNS, cells, strict=True))
    formulas = [name for name in TYPED if by_column[name][1]]
    problem = f"{' and '.join(formulas)} begins with = and is read as a formula. Type it as text." if formulas else ""
    decision, category, reason = (by_column[name][0] for name in TYPED)
    texts = [text for column, (text, _) in by_column.items() if column not in TYPED]
    return FilledRow(number, SheetRow(*texts[:_SHOWN]), texts[-1], decision, category, reason, problem)


@contextmanager
def _careful(name: str) -> Iterator[None]:
    """Translate what openpyxl raises, and keep its warnings (of styles and extensions) from people."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except UNREADABLE as error:
            raise _damaged(name) from error


def _damaged(name: str) -> InvalidInput:
    return InvalidInput(
        f"{name} is not an Excel workbook that can be read. Nothing was recorded. Choose the .xlsx file that was "
        "exported and filled in; if it is that one, open it, save it again as .xlsx, and hand that in."
    )


def _not_ours(name: str) -> InvalidInput:
    return InvalidInput(
        f"{name} is not a decision sheet that pld-review exported. Nothing was recorded. Export one with “Decide in "
        "Excel” on the Review page or `pld review export`, and fill that in."
    )
