"""CSV with a header line."""

from __future__ import annotations

import csv
import io

from pld_core.errors import InvalidInput
from pld_core.importers.rows import SourceRow

LONGEST_CELL = 16 * 1024 * 1024


def read_csv(text: str) -> tuple[SourceRow, ...]:
    """Read rows; cells stay text, so `NA` and `None` are words and numbers keep their digits.

    Raises:
        InvalidInput: no header, a column without a name or with another's, or a row with too many or too few cells.
    """
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: list[SourceRow] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        if not header or not all(header) or len(set(header)) != len(header):
            raise InvalidInput(
                f"The first line has to name the columns, each once; it reads {', '.join(header) or 'nothing'}. "
                "Nothing was imported."
            )
        for cells in reader:
            if not any(cells):
                continue
            place = f"line {reader.line_num}"
            if len(cells) != len(header):
                raise InvalidInput(
                    f"The row that ends in {place} has {len(cells)} cells, the header {len(header)}. "
                    "Nothing was imported. Quote cells that contain commas or line breaks."
                )
            found.append(SourceRow(place, dict(zip(header, cells, strict=True))))
    except csv.Error as error:
        raise InvalidInput(f"Line {reader.line_num} is not valid CSV: {error}. Nothing was imported.") from error
    return tuple(found)
