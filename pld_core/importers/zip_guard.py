"""What a workbook would unpack to, looked at before it is unpacked."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence

from pld_core.errors import InvalidInput
from pld_core.importers.files import InputFile, in_units

MAX_UNPACKED = 2**30
MAX_RATIO = 200
# Below this, a high ratio is just a small file with much repetition.
RATIO_MATTERS_FROM = 100 * 2**20
MAX_ENTRIES = 10_000


def check_zip(file: InputFile) -> None:
    """Raise InvalidInput if a ZIP archive is damaged, encrypted, or unpacks to more than a workbook would.

    The sizes are those that the archive claims. `zipfile` unpacks no more than is claimed of an entry, and refuses an
    entry that would, so a false claim cannot get past the limit.
    """
    try:
        with zipfile.ZipFile(file.path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise damaged(file) from error
    check_entries(file.name, file.size, entries)


def check_entries(
    name: str,
    size: int,
    entries: Sequence[zipfile.ZipInfo],
    most: int = MAX_UNPACKED,
    instead: str = "Save the sheet as CSV and import that.",
) -> None:
    """Raise InvalidInput if an archive of `size` bytes is encrypted, or unpacks to more than `most` bytes.

    Args:
        instead: what to do about an archive that is too large.
    """
    if any(entry.flag_bits & 1 for entry in entries):
        raise InvalidInput(
            f"{name} is protected by a password. Nothing was imported. Save it without one and import that."
        )
    unpacked = sum(entry.file_size for entry in entries)
    too_dense = unpacked > RATIO_MATTERS_FROM and unpacked > MAX_RATIO * size
    if unpacked > most or too_dense or len(entries) > MAX_ENTRIES:
        raise InvalidInput(
            f"{name} would unpack to {in_units(unpacked)} in {len(entries):,} parts, more than is safe to read. "
            f"Nothing was imported. {instead}"
        )


def damaged(file: InputFile) -> InvalidInput:
    """Return the error for a workbook that cannot be read."""
    return InvalidInput(
        f"{file.name} is a damaged Excel workbook. Nothing was imported. "
        "Open it in a spreadsheet program, save it again as .xlsx, and import that."
    )
