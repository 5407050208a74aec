"""XLSX: one sheet of a workbook, its first row that is not empty being the header."""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, time
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from pld_core.errors import InvalidInput
from pld_core.importers.cell_text import as_text
from pld_core.importers.columns import check_header, suggest_columns
from pld_core.importers.files import FileSource, InputFile
from pld_core.importers.rows import ReadOptions, SourceRow, checked
from pld_core.importers.zip_guard import check_zip, damaged

if TYPE_CHECKING:
    from openpyxl import Workbook

# As Excel has it. A file may claim any number, and empty rows up to it would be made.
LAST_ROW = 1_048_576
# For a damaged part, openpyxl raises whatever its parsers and descriptors happen to raise; for entities, defusedxml
# raises a ValueError.
UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, SyntaxError, EOFError, ValueError, TypeError, AttributeError,
              LookupError, ArithmeticError, NotImplementedError)  # fmt: skip
_BATCH_ROWS = 256
_CONTROL = re.compile(r"_x00([01][0-9A-Fa-f])_")
# A formula whose result was never stored, as programs write it that do not calculate.
_NO_RESULT = re.compile(rb"</f>\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>")


@dataclass(frozen=True)
class _Book:
    """An open workbook. Opening takes long for one that does not say how large its sheets are, so it is done once."""

    file: InputFile
    opened: Workbook


@dataclass(frozen=True)
class _Sheet:
    """A sheet and its header.

    Attributes:
        places: index of each named column among the cells of a row.
        row: the number of the header, as Excel shows it; 0 if the sheet is empty.
    """

    name: str
    header: tuple[str, ...] = ()
    places: tuple[int, ...] = ()
    row: int = 0


def open_xlsx(file: InputFile, options: ReadOptions) -> FileSource:
    """Open a sheet of a workbook: the named one, else the first that is neither hidden nor empty.

    Rows are numbered as Excel shows them. Formulas are their stored results, 7.0 is `7`, dates are ISO 8601.

    Raises:
        InvalidInput: damaged, protected, too large when unpacked, no such sheet, no usable header, or no row.
    """
    file.check_fits_memory()
    check_zip(file)
    with file.path.open("rb") as stream, closing(_load(file, stream)) as book:
        # Chart sheets, which have no cells, are not among these.
        names = tuple(sheet.title for sheet in book.worksheets)
        hidden = {sheet.title for sheet in book.worksheets if sheet.sheet_state != "visible"}
        if not names:
            raise InvalidInput(f"{file.name} has no sheet with cells. Nothing was imported. Choose another workbook.")
        last_rows = {sheet.title: sheet.max_row or 1 for sheet in book.worksheets}
        sheet = _chosen(_Book(file, book), names, hidden, options.sheet)
        if not sheet.header:
            raise InvalidInput(f"Sheet {sheet.name!r} of {file.name} is empty. Nothing was imported. {_others(names)}")
        first = next(_rows_of(_Book(file, book), sheet), None)
    if first is None:
        raise InvalidInput(
            f"Sheet {sheet.name!r} of {file.name} holds a header but no row. Nothing was imported. {_others(names)}"
        )
    notes = [f"Read sheet {sheet.name!r} of {len(names)}: {', '.join(names)}."] if _must_tell(names, options) else []
    if _lacks_results(file):
        notes.append("Some formulas have no stored result and are read as empty: save the file in Excel to fill them.")
    return FileSource(
        file=file,
        options=replace(options, sheet=sheet.name),
        unit="row",
        columns=sheet.header,
        suggested=suggest_columns(sheet.header),
        expected=max(1, last_rows[sheet.name] - sheet.row),
        read=partial(_rows, file, sheet),
        notes=tuple(notes),
        sheets=names,
    )


def _must_tell(names: Sequence[str], options: ReadOptions) -> bool:
    return len(names) > 1 and not options.sheet


def _others(names: Sequence[str]) -> str:
    return f"The sheets are: {', '.join(names)}." if len(names) > 1 else "Choose a file with at least one example."


def _chosen(book: _Book, names: Sequence[str], hidden: set[str], wanted: str) -> _Sheet:
    if wanted and wanted not in names:
        raise InvalidInput(
            f"{book.file.name} has no sheet {wanted!r}. Nothing was imported. Its sheets are: {', '.join(names)}."
        )
    # Hidden sheets hold lists for menus and the like, so they come last.
    order = (wanted,) if wanted else sorted(names, key=lambda name: name in hidden)
    looked_at = (_with_header(book, name) for name in order)
    return next((sheet for sheet in looked_at if sheet.row), _Sheet(order[0]))


def _with_header(book: _Book, name: str) -> _Sheet:
    for number, cells in _cells(book, name):
        filled = [place for place, cell in enumerate(cells) if cell.strip()]
        if filled:
            # A table need not begin in the first column, and cells beside it may have been used once.
            places = tuple(range(filled[0], filled[-1] + 1))
            header = check_header([cells[place] for place in places], f"Row {number} of sheet {name!r}")
            return _Sheet(name, header, places, number)
    return _Sheet(name)


def _rows(file: InputFile, sheet: _Sheet) -> Iterator[SourceRow]:
    with file.path.open("rb") as stream, closing(_load(file, stream)) as book:
        yield from _rows_of(_Book(file, book), sheet)


def _rows_of(book: _Book, sheet: _Sheet) -> Iterator[SourceRow]:
    start, end = sheet.places[0], sheet.places[-1] + 1
    for number, cells in _cells(book, sheet.name):
        if number <= sheet.row or not any(cells):
            continue
        if any(cells[:start]) or any(cells[end:]):
            problem = "It has text in a column that the header does not name. Name the column, or empty the cell."
            yield SourceRow(number, {}, problem=problem)
        else:
            padded = (*cells[start:end], *[""] * len(sheet.header))
            yield checked(number, dict(zip(sheet.header, padded, strict=False)))


def _cells(book: _Book, name: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Give number and texts of each row, empty ones included."""
    with _careful(book.file):
        sheet = book.opened[name]
        # What a file says of its size is often wrong.
        sheet.reset_dimensions()
        rows = enumerate(sheet.iter_rows(max_row=LAST_ROW, values_only=True), start=1)
    while True:
        with _careful(book.file):
            batch = [(number, tuple(_text(cell) for cell in cells)) for number, cells in islice(rows, _BATCH_ROWS)]
        if not batch:
            return
        yield from batch


def _text(cell: object) -> str:
    if isinstance(cell, datetime) and cell.time() == time.min:
        return cell.date().isoformat()
    text = as_text(cell)
    # Control characters, which XML cannot hold, stand in a workbook as `_x000D_`.
    return _CONTROL.sub(lambda found: chr(int(found[1], 16)), text) if "_x00" in text else text


def _load(file: InputFile, stream: BinaryIO) -> Workbook:
    # Loaded here: most commands read no workbook.
    from openpyxl import load_workbook

    with _careful(file):
        return load_workbook(stream, read_only=True, data_only=True, keep_links=False)


@contextmanager
def _careful(file: InputFile) -> Iterator[None]:
    """Translate what openpyxl raises, and keep its warnings (of styles and extensions, no text) from people."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except UNREADABLE as error:
            raise damaged(file) from error


def _lacks_results(file: InputFile) -> bool:
    with _careful(file), zipfile.ZipFile(file.path) as archive:
        parts = [name for name in archive.namelist() if name.startswith("xl/worksheets/") and name.endswith(".xml")]
        return any(_part_lacks_results(archive, part) for part in parts)


def _part_lacks_results(archive: zipfile.ZipFile, part: str) -> bool:
    before = b""
    with archive.open(part) as stream:
        while chunk := stream.read(2**20):
            if _NO_RESULT.search(before + chunk):
                return True
            before = chunk[-64:]
    return False
