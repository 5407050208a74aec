"""What every format is read into: rows of text with the place they came from."""

from __future__ import annotations

from dataclasses import dataclass

from pld_core.errors import InvalidInput


@dataclass(frozen=True)
class SourceRow:
    """One row: where it stands in the file (`line 12`), and its values by column name."""

    place: str
    values: dict[str, str]


def decode(data: bytes) -> str:
    """Return the text of a file in UTF-8, with or without a byte order mark.

    Raises:
        InvalidInput: empty, or not UTF-8.
    """
    if not data.strip():
        raise InvalidInput("The file is empty. Nothing was imported. Choose a file with at least one example.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"The file is not UTF-8 text (byte {error.start:,} does not fit). Nothing was imported. "
            "Save it as UTF-8 and import it again."
        ) from error
