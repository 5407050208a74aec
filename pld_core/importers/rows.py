"""What every format is read into: an opened file with rows of text, each with its number in the file.

Values are text that any store can hold: no NUL character, no half of a character. A row with one is a problem row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pld_core.models import Label, Span


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row of a file.

    Attributes:
        number: its number, from 1, in the file's unit.
        values: text by column name.
        spans: ranges that the file marks as evidence; `Span.field` is a column name.
        problem: why it cannot be read as a row, in words; empty if it can. It is then refused with these words.
    """

    number: int
    values: dict[str, str]
    spans: tuple[Span, ...] = ()
    problem: str = ""


class Context(StrEnum):
    """How much of a contract an example of `contract-nli` keeps."""

    EVIDENCE = "evidence"
    WINDOW = "window"
    FULL = "full"


class SentenceKind(StrEnum):
    """Which sentence of an item an example of `stereoset` keeps."""

    STEREOTYPE = "stereotype"
    ANTI_STEREOTYPE = "anti-stereotype"
    UNRELATED = "unrelated"


@dataclass(frozen=True)
class ReadOptions:
    """How to read a file; empty means: find out.

    Attributes:
        file_format: a name of `FORMATS`.
        encoding: a name that Python knows; for text formats.
        delimiter: one character; for CSV.
        sheet: name of a sheet; for XLSX.
        context: for `contract-nli`.
        sentence: for `stereoset`.
    """

    file_format: str = ""
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    context: Context = Context.FULL
    sentence: SentenceKind = SentenceKind.STEREOTYPE


@dataclass(frozen=True)
class ColumnMap:
    """Which columns mean what; an empty name means: none.

    Attributes:
        label: the column with the gold label.
        inputs: the columns of text, in order.
        split: the column with train, validation or test.
        ref: the column with the id that the data gives an example.
        source: the column that says where an example came from.
        group: the column that says what belongs together, such as a contract; a group stays in one split.
        keep: columns that are kept beside the examples, to cut figures by; no model is shown them.
    """

    label: str = ""
    inputs: tuple[str, ...] = ()
    split: str = ""
    ref: str = ""
    source: str = ""
    group: str = ""
    keep: tuple[str, ...] = ()


class Source(Protocol):
    """A file that was opened and recognised. Its rows can be read more than once, each time from the beginning.

    Attributes:
        name: the file's name, without folders.
        sha256: hash of its bytes, `sha256:` and hex digits.
        importer: format and version of the importer, such as `csv 1`.
        unit: what `SourceRow.number` counts: `row` (as a spreadsheet counts: the header is row 1), `line` or `item`.
        columns: names in the order of the file.
        options: how it is read, with everything found out filled in.
        notes: sentences for people on what was found out, such as "Read as cp1252".
        suggested: which columns mean what by their names, or by the format where it is a published one.
        expected: about how many rows there are, for progress; at least 1.
        sheets: names of all sheets; empty but for XLSX.
        labels, guideline, title: what a published format knows of its task; empty for the others.
    """

    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def importer(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def options(self) -> ReadOptions: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def suggested(self) -> ColumnMap: ...
    @property
    def expected(self) -> int: ...
    @property
    def sheets(self) -> tuple[str, ...]: ...
    @property
    def labels(self) -> tuple[Label, ...]: ...
    @property
    def guideline(self) -> str: ...
    @property
    def title(self) -> str: ...

    def rows(self) -> Iterator[SourceRow]:
        """Read the rows, from the first on, in bounded memory where the format allows it.

        Raises:
            InvalidInput: the file cannot be read further; the message says where.
        """
        ...


def checked(number: int, values: dict[str, str], spans: tuple[Span, ...] = ()) -> SourceRow:
    """Return the row, or a problem row with the same number if its text cannot be kept."""
    # All cells at once: looking at each alone would take longer than reading the file.
    together = "".join(values.values())
    if "\0" in together or not _has_bytes(together):
        return SourceRow(number, {}, problem=_why_unstorable(values))
    return SourceRow(number, values, spans)


def _has_bytes(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _why_unstorable(values: Mapping[str, str]) -> str:
    name = next(name for name, text in values.items() if "\0" in text or not _has_bytes(text))
    if "\0" in values[name]:
        # It ends a text for some databases and tools.
        return f"Column {name!r} holds a NUL character (code 0), which no text has. Remove it from the cell."
    return f"Column {name!r} holds half of a character (a lone surrogate). Correct it in the cell."
