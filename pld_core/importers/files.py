"""A file on disk before its format is known, and a source once it is."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from pld_core.errors import InvalidInput
from pld_core.importers.rows import ColumnMap, ReadOptions, SourceRow
from pld_core.models import Label

MAX_BYTES = 2**30
# Formats that are read as a whole take several times their size in memory.
MAX_WHOLE_BYTES = 256 * 2**20
HEAD_BYTES = 256 * 1024


@dataclass(frozen=True)
class InputFile:
    """A readable file that is neither empty nor too large.

    Attributes:
        path: where it lies.
        name: what it is called, without folders; not the name of `path` where that is a temporary copy.
        size: in bytes.
        sha256: hash of its bytes, `sha256:` and hex digits.
        head: its first `HEAD_BYTES` bytes.
        stamp: size and time of the last change in nanoseconds, by which a change is noticed.
    """

    path: Path
    name: str
    size: int
    sha256: str
    head: bytes
    stamp: tuple[int, int]

    @property
    def ending(self) -> str:
        """Such as `csv`; lower case, without the dot; empty if there is none."""
        return PurePath(self.name).suffix.removeprefix(".").lower()

    @property
    def is_whole(self) -> bool:
        """Whether `head` is the whole file."""
        return self.size <= len(self.head)

    def check_unchanged(self) -> None:
        """Raise InvalidInput if the file is not the one that was opened, so that its hash would be a wrong one."""
        if _stamp(self.path) != self.stamp:
            raise InvalidInput(
                f"{self.name} changed while it was read. Nothing was imported. Import it again once it is complete."
            )

    def check_fits_memory(self) -> None:
        """Raise InvalidInput if the file is too large for a format that is read as a whole."""
        if self.size > MAX_WHOLE_BYTES:
            raise InvalidInput(
                f"{self.name} is {in_units(self.size)}; at most {in_units(MAX_WHOLE_BYTES)} can be read in this "
                "format. Nothing was imported. Divide it, or save it as CSV, JSONL or Parquet."
            )


def look_at(path: Path, name: str = "") -> InputFile:
    """Return what can be told of a file without knowing its format.

    Raises:
        InvalidInput: not there, a folder, not a regular file, empty, too large, or not readable.
    """
    shown = PurePath(name).name or path.name or str(path)
    try:
        _check_kind(path, shown)
        stamp = _stamp(path)
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
            stream.seek(0)
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        raise unreadable(shown, error) from error
    found = InputFile(path, shown, stamp[0], f"sha256:{digest}", head, stamp)
    found.check_unchanged()
    return found


def _check_kind(path: Path, shown: str) -> None:
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise InvalidInput(f"There is no file {shown!r}. Nothing was imported. Check the name.") from error
    if stat.S_ISDIR(found.st_mode):
        raise InvalidInput(f"{shown!r} is a folder. Nothing was imported. Name one file in it.")
    if not stat.S_ISREG(found.st_mode):
        raise InvalidInput(f"{shown!r} is not a regular file. Nothing was imported. Save its content to a file first.")
    if found.st_size == 0:
        raise InvalidInput(
            f"{shown} is empty (0 bytes). Nothing was imported. Choose a file with at least one example."
        )
    if found.st_size > MAX_BYTES:
        raise InvalidInput(
            f"{shown} is {in_units(found.st_size)}; at most {in_units(MAX_BYTES)} can be read. "
            "Nothing was imported. Divide it into several files."
        )


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def unreadable(shown: str, error: Exception) -> InvalidInput:
    """Return the error for a file that the system does not let read."""
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return InvalidInput(f"{shown!r} cannot be read: {why}. Nothing was imported. Check the file and its permissions.")


def in_units(size: int) -> str:
    """Return a size for people.

    >>> in_units(3 * 2**29)
    '1.5 GiB'
    """
    unit, amount = ("GiB", size / 2**30) if size >= 2**30 else ("MiB", size / 2**20)
    # One byte too many is not "1 GiB; at most 1 GiB".
    return f"{amount:.0f} {unit}" if amount == int(amount) else f"{amount + 0.05:.1f} {unit}"


@dataclass(frozen=True)
class FileSource:
    """A `Source` over a file; `read` gives its rows afresh each time."""

    file: InputFile
    options: ReadOptions
    unit: str
    columns: tuple[str, ...]
    suggested: ColumnMap
    expected: int
    read: Callable[[], Iterator[SourceRow]]
    notes: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    guideline: str = ""
    title: str = ""
    version: int = 1

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def sha256(self) -> str:
        return self.file.sha256

    @property
    def importer(self) -> str:
        return f"{self.options.file_format} {self.version}"

    def rows(self) -> Iterator[SourceRow]:
        """Read the rows from the first on; see `Source.rows`."""
        try:
            self.file.check_unchanged()
            yield from self.read()
            self.file.check_unchanged()
        except OSError as error:
            raise unreadable(self.name, error) from error
        except UnicodeDecodeError as error:
            # The whole file was decoded when it was opened.
            raise InvalidInput(f"{self.name} changed while it was read. Nothing was imported. Try again.") from error
