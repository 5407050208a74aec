"""Connections that wait: used again while the file is as they know it, by one at a time, and never after an error."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage.idle_connections import MOST, IdleConnections

LOOK = "SELECT value FROM note"


class Opening:
    """A file with a note in it, and how many connections to it were opened."""

    def __init__(self, path: Path) -> None:
        self.path, self.opened = path, list[sqlite3.Connection]()
        self.idle = IdleConnections(path, self.connect)
        with closing(sqlite3.connect(path)) as conn, conn:
            conn.executescript(
                "PRAGMA journal_mode = WAL; CREATE TABLE note (value); INSERT INTO note VALUES ('first')"
            )

    def connect(self) -> sqlite3.Connection:
        conn = sqlite3.connect(self.path, check_same_thread=False)
        self.opened.append(conn)
        return conn

    def look(self) -> str:
        with self.idle.lent() as conn:
            return str(conn.execute(LOOK).fetchone()[0])


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Opening]:
    opening = Opening(tmp_path / "notes.db")
    yield opening
    for conn in opening.opened:
        conn.close()


def test_one_that_waits_is_used_again(file: Opening) -> None:
    assert [file.look() for _ in range(5)] == ["first"] * 5
    assert len(file.opened) == 1


def test_what_another_connection_writes_is_read(file: Opening) -> None:
    file.look()
    with closing(sqlite3.connect(file.path)) as other, other:
        other.execute("UPDATE note SET value = 'second'")
    assert file.look() == "second"


def test_a_file_put_in_the_place_of_the_one_that_it_knows_is_read(file: Opening, tmp_path: Path) -> None:
    file.look()
    with closing(sqlite3.connect(tmp_path / "restored.db")) as other, other:
        other.executescript("CREATE TABLE note (value); INSERT INTO note VALUES ('restored')")
    for left in (file.path, *tmp_path.glob("notes.db-*")):
        left.unlink()
    shutil.move(tmp_path / "restored.db", file.path)
    assert file.look() == "restored"
    assert len(file.opened) == 2


def test_a_byte_changed_behind_its_back_is_noticed(file: Opening) -> None:
    file.look()
    file.path.write_bytes(file.path.read_bytes().replace(b"first", b"burst"))
    assert file.look() == "burst"


def test_each_has_one_for_itself_and_not_all_of_them_wait(file: Opening) -> None:
    def nested(depth: int) -> None:
        if depth:
            with file.idle.lent() as conn:
                assert conn.execute(LOOK).fetchone()
                nested(depth - 1)

    nested(MOST + 2)
    assert len(set(map(id, file.opened))) == MOST + 2
    closed = 0
    for conn in file.opened:
        try:
            conn.execute(LOOK)
        except sqlite3.ProgrammingError:
            closed += 1
    assert closed == 2
    nested(MOST)
    assert len(file.opened) == MOST + 2


def test_one_on_which_something_failed_is_not_used_again(file: Opening) -> None:
    with pytest.raises(sqlite3.OperationalError), file.idle.lent() as conn:
        conn.execute("SELECT * FROM nothing")
    assert file.look() == "first"
    assert len(file.opened) == 2


def test_they_end_with_what_holds_them(file: Opening) -> None:
    file.look()
    del file.idle
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        file.opened[0].execute(LOOK)
