"""Text for spreadsheets: nothing that came from data, teacher or people runs as a formula, and it fits into a cell."""

from __future__ import annotations

import csv
import io
import re
from bisect import bisect_right
from collections.abc import Sequence

CELL_LIMIT = 32_767
"""The most that a cell of Excel holds, in UTF-16 units: an emoji is two of them."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# What XML cannot hold or would change, and underscores that would be taken for the beginning of what stands for it.
_SPECIAL = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4})")
# Halves of surrogate pairs stand for no character, so they stay as they are written.
_ESCAPED = re.compile(r"_x(?![dD][89a-fA-F])([0-9A-Fa-f]{4})_")


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


def escaped(text: str) -> str:
    """Return a text as a workbook holds it: `_x000D_` for a carriage return and the like (ECMA-376, ST_Xstring).

    >>> escaped("a\\rb"), escaped("_x000D_")
    ('a_x000D_b', '_x005F_x000D_')
    """
    return _SPECIAL.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def unescaped(text: str) -> str:
    """Return the text that stands in a workbook as `escaped` or a spreadsheet program wrote it."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def cell_text(text: str, more: str = "\n[Cut here: {left:,} characters more.]") -> str:
    """Return a text that a cell shows and never runs, cut to what a cell holds.

    Args:
        text: what the cell is to show.
        more: stands at the end of a text that was cut; `{left}` is the number of characters that were left out.
    """
    whole = defused(text)
    if _units(whole) <= CELL_LIMIT:
        return whole
    room = CELL_LIMIT - _units(more.format(left=len(whole)))
    kept = bisect_right(range(len(whole) + 1), room, key=lambda length: _units(whole[:length])) - 1
    return whole[:kept] + more.format(left=len(whole) - kept)


def _units(text: str) -> int:
    return len(escaped(text).encode("utf-16-le")) // 2
