"""How a CSV file is written: which character divides its cells, and what quotation marks mean in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pld_core.errors import InvalidInput

# A cell is a text that somebody reads; a longer one is rather a quotation mark that was never closed.
LONGEST_CELL = 16 * 2**20
DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_RECORDS = 500


@dataclass(frozen=True)
class Dialect:
    """How cells are divided and quoted.

    Attributes:
        delimiter: one character.
        quote: the quotation mark; empty if quotation marks are text.
        escape: what stands before a quotation mark inside a cell; empty if it is doubled.
    """

    delimiter: str
    quote: str = '"'
    escape: str = ""

    def read(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Return a strict reader over lines whose ends were kept; it raises `csv.Error`."""
        csv.field_size_limit(LONGEST_CELL)
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            escapechar=self.escape or None,
            doublequote=not self.escape,
            strict=True,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What of the quotation marks is unusual, in words."""
        if not self.quote:
            return ("Quotation marks are read as text, not as marks around cells.",)
        if self.escape:
            return ("Quotation marks inside cells have a backslash before them.",)
        return () if self.quote == '"' else (f"Marks around cells: {self.quote}",)


@dataclass(frozen=True)
class _Trial:
    """What a sample looks like when it is read in one way.

    Attributes:
        width: cells of the first record; 0 if there is none.
        agreeing: share of the records that have as many, 0 to 1.
        records: how many there are.
        error: what the reader said to the sample, other than that it ends too early.
    """

    dialect: Dialect
    width: int
    agreeing: float
    records: int
    error: bool


def find_dialect(sample: str, usual: str, whole: bool, delimiter: str = "") -> Dialect:
    """Return how a file is written.

    Args:
        sample: its beginning.
        usual: the delimiter that its ending stands for; kept where others are not clearly better.
        whole: whether the sample is the whole file.
        delimiter: the one that somebody named, or `tab`; empty to find out.

    Raises:
        InvalidInput: the named delimiter cannot be one.
    """
    wanted = [_as_delimiter(delimiter)] if delimiter else [usual, *(d for d in DELIMITERS if d != usual)]
    trials = [_best_quoting(sample, one, whole) for one in wanted]
    return max(trials, key=lambda t: _rank(t, usual)).dialect


def _rank(trial: _Trial, usual: str) -> tuple[bool, bool, float, bool]:
    divides = trial.width > 1
    agreeing = round(trial.agreeing, 1) if divides else 0.0
    return divides, not trial.error, agreeing, trial.dialect.delimiter == usual


def looks_like_a_table(sample: str, whole: bool) -> bool:
    """Whether a text whose name does not say so is CSV: two columns or more, and rows of the same width."""
    trials = [_best_quoting(sample, delimiter, whole) for delimiter in DELIMITERS]
    return any(t.width > 1 and t.records > 1 and t.agreeing >= 0.8 and not t.error for t in trials)


def _as_delimiter(named: str) -> str:
    delimiter = {"tab": "\t", "\\t": "\t"}.get(named.lower(), named)
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise InvalidInput(
            f"{named!r} cannot divide cells. Nothing was imported. Name one such as , ; or |, or the word tab."
        )
    return delimiter


def _best_quoting(sample: str, delimiter: str, whole: bool) -> _Trial:
    """Return the trial with the usual quoting, or with another where only that one can read the sample."""
    usual = _try(Dialect(delimiter), sample, whole)
    if sample.lstrip()[:1] == "'":
        single = _try(Dialect(delimiter, "'"), sample, whole)
        if not single.error and single.agreeing >= usual.agreeing:
            return single
    if not usual.error:
        return usual
    # Of a quotation mark that is not doubled, the reader says nothing; so a sign of the other way has to be there.
    others = [Dialect(delimiter, escape="\\")] if '\\"' in sample else []
    if delimiter == "\t":
        # Tab-separated files often know no quoting at all: a cell that begins with a quotation mark is just that.
        others.append(Dialect(delimiter, quote=""))
    for dialect in others:
        trial = _try(dialect, sample, whole)
        if not trial.error and trial.agreeing == 1:
            return trial
    return usual


def _try(dialect: Dialect, sample: str, whole: bool) -> _Trial:
    widths: list[int] = []
    error = False
    reader = dialect.read(io.StringIO(sample, newline=""))
    try:
        for cells in reader:
            if any(cells):
                widths.append(len(cells))
            if len(widths) == _SAMPLE_RECORDS:
                break
        else:
            # The last record is cut where the sample is.
            widths = widths if whole or len(widths) < 2 else widths[:-1]
    except csv.Error as problem:
        # A quotation mark that the sample's end leaves open says nothing against the way of reading.
        error = "unexpected end" not in str(problem)
    if not widths:
        return _Trial(dialect, 0, 0.0, 0, error)
    return _Trial(dialect, widths[0], widths.count(widths[0]) / len(widths), len(widths), error)
