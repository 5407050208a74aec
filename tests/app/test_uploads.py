"""Files that wait to be imported: kept under the hash of their content, found again, forgotten after a week."""

from __future__ import annotations

import hashlib
import io
import os
import time
from pathlib import Path

import pytest

from pld_app import uploads
from pld_app.settings import Settings, load_settings
from pld_app.uploads import FORGET_AFTER_S, MAX_UPLOAD_MB, Waiting, keep_upload
from pld_core.errors import InvalidInput, NotFound, WorkspaceUnreadable

CONTENT = b"text,label\na,x\nb,y\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(tmp_path / "space", {})


def folder(settings: Settings) -> Path:
    return settings.workspace / uploads.UPLOADS


def names(settings: Settings) -> list[str]:
    return sorted(path.name for path in folder(settings).iterdir())


class Endless(io.BytesIO):
    """A file of so many bytes that takes no memory."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._left = size

    def read(self, size: int | None = -1, /) -> bytes:
        taken = min(self._left, size or 0)
        self._left -= taken
        return bytes(taken)


def test_an_upload_is_kept_word_for_word_and_found_by_its_key(settings: Settings) -> None:
    stream = io.BytesIO(CONTENT)
    stream.read()
    key = keep_upload(settings, "a.csv", stream)
    assert key == hashlib.sha256(CONTENT).hexdigest()
    assert Waiting(upload=key).path(settings).read_bytes() == CONTENT
    assert keep_upload(settings, "the same again.csv", io.BytesIO(CONTENT)) == key
    assert names(settings) == [key]


def test_an_upload_over_the_limit_is_refused_and_nothing_of_it_is_left(settings: Settings) -> None:
    with pytest.raises(InvalidInput, match=f"large.csv is larger than {MAX_UPLOAD_MB} MiB. Nothing was imported"):
        keep_upload(settings, "large.csv", Endless((MAX_UPLOAD_MB << 20) + 1))
    assert names(settings) == []


def test_a_folder_that_cannot_be_written_is_one_sentence(settings: Settings) -> None:
    settings.workspace.mkdir()
    folder(settings).write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(WorkspaceUnreadable, match=r"The upload cannot be kept in .*Nothing was imported"):
        keep_upload(settings, "a.csv", io.BytesIO(CONTENT))


@pytest.mark.parametrize("key", ["", "x", "../pld.db", "/etc/passwd", "A" * 64, "a" * 63, "a" * 64, "a" * 64 + "\n"])
def test_a_key_that_is_no_hash_of_an_upload_leads_nowhere(settings: Settings, key: str) -> None:
    keep_upload(settings, "a.csv", io.BytesIO(CONTENT))
    (settings.workspace / "pld.db").write_bytes(b"the database")
    with pytest.raises(NotFound, match="Upload it again"):
        uploads.upload_path(settings, key)
    Waiting(upload=key).drop(settings)
    assert (settings.workspace / "pld.db").exists()
    assert len(names(settings)) == 1


@pytest.mark.parametrize("name", ["", "..", "../pld.db", "sub/a.csv", "/etc/passwd", ".hidden", "gone.csv", "sub"])
def test_a_name_that_is_no_file_of_the_inbox_leads_nowhere(settings: Settings, name: str) -> None:
    inbox = settings.workspace / uploads.INBOX
    (inbox / "sub").mkdir(parents=True)
    for path in (inbox / ".hidden", inbox / "sub" / "a.csv", settings.workspace / "pld.db"):
        path.write_bytes(CONTENT)
    with pytest.raises(NotFound, match=r"no file .* in the inbox"):
        Waiting(inbox=name).path(settings)


def test_the_inbox_lists_its_files_by_name(settings: Settings) -> None:
    assert uploads.inbox_files(settings) == ()
    inbox = settings.workspace / uploads.INBOX
    inbox.mkdir(parents=True)
    for name in ("b.csv", "a.csv", ".part"):
        (inbox / name).write_bytes(CONTENT)
    assert uploads.inbox_files(settings) == ("a.csv", "b.csv")
    Waiting(inbox="a.csv").drop(settings)
    assert Waiting(inbox="a.csv").path(settings).read_bytes() == CONTENT, "it belongs to whoever put it there"


def test_an_upload_is_dropped_once_and_a_second_time_harms_nothing(settings: Settings) -> None:
    waiting = Waiting(upload=keep_upload(settings, "a.csv", io.BytesIO(CONTENT)))
    waiting.drop(settings)
    waiting.drop(settings)
    with pytest.raises(NotFound, match="not there any more"):
        waiting.path(settings)


def test_uploads_are_forgotten_after_a_week_except_those_that_a_job_needs(settings: Settings) -> None:
    uploads.forget_old_uploads(settings, [])
    needed, old, young = (keep_upload(settings, "a.csv", io.BytesIO(CONTENT + bytes([n]))) for n in range(3))
    a_week_ago = time.time() - FORGET_AFTER_S - 60
    for key in (needed, old):
        os.utime(folder(settings) / key, (a_week_ago, a_week_ago))
    uploads.forget_old_uploads(settings, [needed])
    assert names(settings) == sorted([needed, young])


def test_where_a_file_waits_survives_the_way_through_a_job() -> None:
    for waiting in (Waiting(upload="a" * 64), Waiting(inbox="a.csv")):
        assert Waiting.from_json(waiting.as_json()) == waiting
    assert Waiting.from_json({}) == Waiting()
