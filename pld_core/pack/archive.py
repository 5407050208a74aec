"""A zip file with the same bytes for the same content: a fixed order, no time of a machine, every file hashed."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from typing import IO

from pld_core.canonical import Json

_FIXED = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16
_LEVEL = 6


class HashedFile:
    """One file of the archive while it is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, text: str) -> None:
        """Append text as UTF-8; line ends are written as they are."""
        content = text.encode("utf-8")
        self._hash.update(content)
        self.size += len(content)
        self._file.write(content)

    @property
    def sha256(self) -> str:
        return "sha256:" + self._hash.hexdigest()


class Archive:
    """Writes files one after another and remembers their hashes; nothing that was written is kept in memory."""

    def __init__(self, target: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
        self.files: dict[str, Json] = {}

    @contextmanager
    def file(self, name: str) -> Generator[HashedFile]:
        """Write a file piece by piece; the next one can be begun when this one has ended."""
        info = zipfile.ZipInfo(name, _FIXED)
        info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, _MODE, 3
        # Not known beforehand whether it grows beyond 4 GiB.
        with self._zip.open(info, "w", force_zip64=True) as opened:
            written = HashedFile(opened)
            yield written
        self.files[name] = {"sha256": written.sha256, "bytes": written.size}

    def add(self, name: str, text: str) -> None:
        with self.file(name) as file:
            file.write(text)

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
