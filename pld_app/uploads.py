"""Files that wait to be imported: uploads, kept until they are imported, and those that somebody put into the inbox."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pld_app.settings import Settings
from pld_core.canonical import Json
from pld_core.errors import InvalidInput, NotFound, WorkspaceUnreadable

UPLOADS, INBOX = "uploads", "inbox"
MAX_UPLOAD_MB = 200
FORGET_AFTER_S = 7 * 24 * 3600
"""An upload that nobody imported is removed after a week."""
_CHUNK = 1 << 20
_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Waiting:
    """A file that waits: the key of an upload, or the name of a file in the inbox."""

    upload: str = ""
    inbox: str = ""

    def as_json(self) -> dict[str, Json]:
        return {"upload": self.upload, "inbox": self.inbox}

    @staticmethod
    def from_json(value: Mapping[str, Json]) -> Waiting:
        return Waiting(str(value.get("upload", "")), str(value.get("inbox", "")))

    def path(self, settings: Settings) -> Path:
        """Return where the file lies.

        Raises:
            NotFound: it is not there (any more).
        """
        return upload_path(settings, self.upload) if self.upload else inbox_path(settings, self.inbox)

    def drop(self, settings: Settings) -> None:
        """Remove an upload that was imported; a file of the inbox belongs to the person who put it there."""
        if self.upload and _KEY.fullmatch(self.upload):
            with suppress(OSError):
                # What cannot be removed now is removed when it is a week old.
                (settings.workspace / UPLOADS / self.upload).unlink(missing_ok=True)


def keep_upload(settings: Settings, name: str, content: BinaryIO) -> str:
    """Keep an upload in the workspace and return the key that finds it again, also after a restart.

    Raises:
        InvalidInput: it is empty or larger than an upload may be; the browser's own check can be passed by.
        WorkspaceUnreadable: it cannot be written.
    """
    folder = settings.workspace / UPLOADS
    scratch = folder / f".{time.monotonic_ns()}.part"
    digest, size = hashlib.sha256(), 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        content.seek(0)
        with scratch.open("wb") as file:
            while chunk := content.read(_CHUNK):
                size += len(chunk)
                if size > MAX_UPLOAD_MB * _CHUNK:
                    raise InvalidInput(
                        f"The file {name} is larger than {MAX_UPLOAD_MB} MiB. Nothing was imported. Put it into the "
                        f"folder {INBOX} of the workspace, or use `pld import`."
                    )
                digest.update(chunk)
                file.write(chunk)
        key = digest.hexdigest()
        scratch.replace(folder / key)
    except OSError as error:
        raise WorkspaceUnreadable(
            f"The upload cannot be kept in {folder}: {error.strerror}. Nothing was imported. "
            "Check the permissions and the free space."
        ) from error
    finally:
        # The sentence above says more than that there is nothing to remove.
        with suppress(OSError):
            scratch.unlink(missing_ok=True)
    return key


def upload_path(settings: Settings, key: str) -> Path:
    """Return where an upload lies.

    Raises:
        NotFound: it is not there (any more).
    """
    path = settings.workspace / UPLOADS / key
    if not _KEY.fullmatch(key) or not path.is_file():
        raise NotFound("The uploaded file is not there any more. Nothing was imported. Upload it again.")
    return path


def forget_old_uploads(settings: Settings, needed: Iterable[str]) -> None:
    """Remove uploads that nobody imported within a week, except those that a job still needs."""
    folder, keep = settings.workspace / UPLOADS, set(needed)
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name not in keep and time.time() - path.stat().st_mtime > FORGET_AFTER_S:
            path.unlink(missing_ok=True)


def inbox_files(settings: Settings) -> tuple[str, ...]:
    """Return the names of the files in the inbox, in alphabetical order."""
    folder = settings.workspace / INBOX
    if not folder.is_dir():
        return ()
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")))


def inbox_path(settings: Settings, name: str) -> Path:
    """Return where a file of the inbox lies; a name that leads elsewhere is none of its files.

    Raises:
        NotFound: there is no such file.
    """
    if name not in inbox_files(settings):
        raise NotFound(f"There is no file {name!r} in the inbox. Nothing was imported.")
    return settings.workspace / INBOX / name
