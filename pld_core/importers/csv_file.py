"""CSV and TSV with a header: read row by row, so that the size of a file does not matter."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TextIO

from pld_core.errors import InvalidInput
from pld_core.importers.columns import check_header, suggest_columns
from pld_core.importers.dialects import LONGEST_CELL, Dialect, find_dialect
from pld_core.importers.encodings import Encoding, find_encoding, head_text, open_text
from pld_core.importers.files import FileSource, InputFile
from pld_core.importers.rows import ReadOptions, SourceRow, checked

USUAL = {"csv": ",", "tsv": "\t"}
# A line for Excel before the header, which Excel does not show either.
_SEP_LINE = re.compile(r"\ufeff?sep=([^\r\n])(?:\r\n|\r|\n)", re.IGNORECASE)


@dataclass(frozen=True)
class _Layout:
    """How the rows of a file stand in it.

    Attributes:
        has_sep: whether the first line says what divides cells.
        header: names of the columns.
        header_row: its number as a spreadsheet counts.
        width: cells of the header, those without a name at its end included.
    """

    encoding: Encoding
    dialect: Dialect
    has_sep: bool
    header: tuple[str, ...] = ()
    header_row: int = 0
    width: int = 0


def open_csv(file: InputFile, options: ReadOptions) -> FileSource:
    """Open CSV or TSV (`options.file_format` says which); cells stay text, so `NA` is a word and 007 keeps its zeros.

    Rows are numbered as a spreadsheet shows them: records, not lines, blank ones counted, the header usually row 1.

    Raises:
        InvalidInput: not text, no usable header, no row, or a row that is not valid CSV.
    """
    encoding = find_encoding(file, options.encoding)
    head = head_text(file, encoding)
    sep = _SEP_LINE.match(head)
    usual = USUAL[options.file_format]
    sample = head[sep.end() :] if sep else head
    dialect = find_dialect(sample, usual, file.is_whole, options.delimiter or (sep[1] if sep else ""))
    layout = _with_header(file, _Layout(encoding, dialect, bool(sep)))
    read = partial(_rows, file, layout)
    if next(read(), None) is None:
        raise InvalidInput(f"{file.name} holds a header but no row. Nothing was imported. Add at least one example.")
    delimiter = dialect.delimiter
    shown = "tab" if delimiter == "\t" else delimiter
    told = () if options.delimiter or delimiter == usual else (f"Delimiter: {shown}",)
    return FileSource(
        file=file,
        options=replace(options, encoding=encoding.name, delimiter=delimiter),
        unit="row",
        columns=layout.header,
        suggested=suggest_columns(layout.header),
        expected=_expected(file, sample, dialect),
        read=read,
        notes=(*((encoding.note,) if encoding.note else ()), *told, *dialect.notes),
    )


def _with_header(file: InputFile, layout: _Layout) -> _Layout:
    with open_text(file, layout.encoding) as stream:
        for number, cells in _records(file, stream, layout):
            if any(cells):
                # Spreadsheets save columns that were once used as empty cells at the end of each row.
                named = len(cells)
                while named > 1 and not cells[named - 1].strip():
                    named -= 1
                header = check_header(cells[:named], f"Row {number} of {file.name}")
                return replace(layout, header=header, header_row=number, width=len(cells))
    raise InvalidInput(f"{file.name} holds no header. Nothing was imported. Its first row has to name the columns.")


def _rows(file: InputFile, layout: _Layout) -> Iterator[SourceRow]:
    header, width = layout.header, layout.width
    named = len(header)
    with open_text(file, layout.encoding) as stream:
        for number, cells in _records(file, stream, layout):
            if number <= layout.header_row or not any(cells):
                continue
            if len(cells) != width or (named != width and any(cells[named:])):
                yield SourceRow(number, {}, problem=_wrong_width(len(cells), layout))
            else:
                # Of the same length by now; to say `strict` would cost a tenth of the speed.
                yield checked(number, dict(zip(header, cells)))  # noqa: B905


def _records(file: InputFile, stream: TextIO, layout: _Layout) -> Iterator[tuple[int, list[str]]]:
    if layout.has_sep:
        stream.readline()
    number = 0
    try:
        for number, cells in enumerate(layout.dialect.read(stream), start=1):
            yield number, cells
    except csv.Error as error:
        raise _broken(file, number + 1, error) from error


def _wrong_width(cells: int, layout: _Layout) -> str:
    if cells == layout.width:
        return "It has text in a column that the header does not name. Name the column, or empty the cell."
    sign = "tabs" if layout.dialect.delimiter == "\t" else f"{layout.dialect.delimiter!r}"
    return (
        f"It has {cells} {'cell' if cells == 1 else 'cells'}, the header {layout.width}. "
        f"Put quotation marks around cells that contain {sign} or line breaks."
    )


def _broken(file: InputFile, row: int, error: csv.Error) -> InvalidInput:
    said = str(error)
    if "unexpected end" in said:
        what, advice = "a quotation mark is opened but never closed", "Close it, or double it if it is part of the text"
    elif "field larger" in said:
        what = f"a cell is longer than {LONGEST_CELL // 2**20} MiB; perhaps a quotation mark is never closed"
        advice = "Close it, or shorten the cell"
    else:
        what = f"a cell goes on after its closing quotation mark ({said})"
        advice = "Double quotation marks that are part of the text"
    return InvalidInput(f"Row {row:,} of {file.name}: {what}. Nothing was imported. {advice}.")


def _expected(file: InputFile, sample: str, dialect: Dialect) -> int:
    """Return about how many rows there are, from how many stand at the beginning."""
    records = 0
    try:
        for cells in dialect.read(io.StringIO(sample, newline="")):
            records += any(cells)
    except csv.Error:
        pass
    return max(1, round(max(1, records) * file.size / len(file.head)) - 1)
