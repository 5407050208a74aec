"""Text for spreadsheets: lines of CSV in which nothing that came from data, teacher or people runs as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def defused(cell: str) -> str:
    """Return a cell that a spreadsheet shows instead of running: a quote before what would begin a formula.

    >>> defused("=1+1")
    "'=1+1"
    """
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def csv_line(cells: Sequence[str]) -> str:
    """Return one line of CSV, its line end included, every cell defused."""
    line = io.StringIO(newline="")
    csv.writer(line).writerow([defused(cell) for cell in cells])
    return line.getvalue()
