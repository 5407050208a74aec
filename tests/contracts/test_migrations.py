"""Opening a workspace: brought up to date, or refused in one sentence with the file as it was."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database as Tables

from pld_core.errors import (
    InvalidInput,
    PldError,
    SchemaMismatch,
    WorkspaceMissing,
    WorkspaceUnreadable,
)
from storage import create_store, open_for_audit, open_store
from storage.migrations import guard_triggers, migrate, migrations, missing_guards
from tests.factories import ANNA, fill, make_task, url_of


def schema(path: Path) -> set[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as conn:
        return {(str(a), str(b)) for a, b in conn.execute("SELECT name, sql FROM sqlite_master") if a[0] != "_"}


def test_a_new_workspace_has_every_migration_and_guard_and_opens_again(workspace: Path) -> None:
    store = create_store(url_of(workspace))
    fill(store)
    again = open_store(url_of(workspace))
    assert again.tasks.get("posts") == make_task()
    assert create_store(url_of(workspace)).tasks.all() == again.tasks.all()
    with closing(sqlite3.connect(workspace)) as conn:
        names = [row[0] for row in conn.execute("SELECT name FROM _sqlite_migrations ORDER BY rowid")]
        assert missing_guards(conn) == ()
        assert conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert len(names) == len(set(names)) >= 5
    assert len(guard_triggers()) == 42


@pytest.mark.parametrize("stop", [m.name for m in migrations._migrations][1:])
def test_a_workspace_of_every_older_schema_is_brought_to_the_same_schema(tmp_path: Path, stop: str) -> None:
    create_store(url_of(tmp_path / "new.db"))
    old = tmp_path / "old.db"
    with closing(sqlite3.connect(old)) as conn:
        migrations.apply(Tables(conn), stop_before=stop)
        conn.commit()
    fill(open_store(url_of(old)))
    assert schema(old) == schema(tmp_path / "new.db")


def test_a_migration_that_is_cut_short_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "pld.db"
    with closing(sqlite3.connect(path)) as conn:
        migrations.apply(Tables(conn), stop_before=migrations._migrations[2].name)
        conn.execute("CREATE TABLE prompt_version (in_the_way)")
        conn.commit()
    before = schema(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        with pytest.raises(sqlite3.OperationalError, match="prompt_version already exists"):
            migrate(Tables(conn))
        assert not conn.in_transaction
    assert schema(path) == before
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("DROP TABLE prompt_version")
    open_store(url_of(path))


def test_a_workspace_of_a_newer_version_is_refused_by_the_migrations_name(workspace: Path) -> None:
    create_store(url_of(workspace))
    with closing(sqlite3.connect(workspace)) as conn:
        conn.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('pld', 'm099_later', '')"
        )
        conn.commit()
    for opening in (open_store, open_for_audit, create_store):
        with pytest.raises(SchemaMismatch, match=r"newer pld-review .*m099_later.* Update pld-review"):
            opening(url_of(workspace))


@pytest.mark.parametrize(
    "content", [b"hello", b"SQLite format 3\x00", b"SQLite format 3\x00" + b"\x07" * 5000, b"\x00" * 4096]
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(content)
    for opening in (open_store, open_for_audit, create_store):
        with pytest.raises(WorkspaceUnreadable, match=r"notes\.db.* Nothing was changed"):
            opening(url_of(path))
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_somebody_elses_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "photos.db"
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TABLE photo (id)")
        conn.commit()
    before = path.read_bytes()
    for opening in (open_store, open_for_audit, create_store):
        with pytest.raises(WorkspaceUnreadable, match="not a pld-review workspace"):
            opening(url_of(path))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_workspace_that_is_not_there_is_not_made_by_opening(tmp_path: Path) -> None:
    for opening in (open_store, open_for_audit):
        with pytest.raises(WorkspaceMissing, match=r"no workspace at .* `pld demo` makes one"):
            opening(url_of(tmp_path / "none" / "pld.db"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    for opening in (open_store, open_for_audit, create_store):
        with pytest.raises(PldError, match="Nothing was changed"):
            opening(url_of(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(WorkspaceUnreadable, match=r"cannot be made: .* --workspace"):
        create_store(url_of(tmp_path / "file" / "space" / "pld.db"))


@pytest.mark.parametrize("url", ["", "pld.db", "sqlite:///", "postgres://x/y", "sqlite:/x"])
def test_what_is_no_store_address_is_refused(url: str) -> None:
    for opening in (open_store, open_for_audit, create_store):
        with pytest.raises(InvalidInput, match="is not a store address"):
            opening(url)


@pytest.mark.parametrize("name", ["a b", "50%41", "what?", "c#", "ünï", "x&mode=rw"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    url = url_of(tmp_path / name / "pld.db")
    create_store(url).tasks.add(make_task(), ANNA)
    assert open_store(url).tasks.get("posts") == make_task()
    assert open_for_audit(url).events.verify().intact
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_empty_file_left_by_a_crash_becomes_a_workspace(tmp_path: Path) -> None:
    path = tmp_path / "pld.db"
    path.touch()
    with pytest.raises(WorkspaceUnreadable):
        open_store(url_of(path))
    assert create_store(url_of(path)).tasks.all() == ()


def test_a_damaged_page_is_told_in_words(workspace: Path) -> None:
    fill(create_store(url_of(workspace)))
    data = bytearray(workspace.read_bytes())
    for at in range(4096, len(data)):
        data[at] = 0x5A
    workspace.write_bytes(bytes(data))
    with pytest.raises(WorkspaceUnreadable, match="Nothing was changed"):
        open_store(url_of(workspace)).events.verify()
