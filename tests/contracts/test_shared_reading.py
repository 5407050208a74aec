"""One connection for the reads of a block: how often one is opened, what is read on it, and that it ends with it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from pld_core.errors import PldError
from storage import SqliteStore, open_store
from storage.connection import Database
from tests.factories import ANNA, make_task, url_of


class Opening(Database):
    """A database that keeps the connections it opened."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.opened: list[sqlite3.Connection] = []

    def _connect(self) -> sqlite3.Connection:
        conn = super()._connect()
        self.opened.append(conn)
        return conn


class Ended(BaseException):
    """As Streamlit ends the run of a page: no `Exception`."""


@pytest.fixture
def opening(sqlite_store: SqliteStore) -> Opening:
    return Opening(sqlite_store.database.path)


@pytest.fixture
def store(opening: Opening) -> SqliteStore:
    return SqliteStore(opening)


def is_closed(conn: sqlite3.Connection) -> bool:
    try:
        conn.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return True
    return False


def names(store: SqliteStore) -> list[str]:
    return [task.name for task in store.tasks.all()]


def broken_off(block: AbstractContextManager[object], store: SqliteStore, end: type[BaseException]) -> None:
    with block:
        names(store)
        raise end


def test_the_reads_of_a_block_share_one_connection_that_ends_with_it(store: SqliteStore, opening: Opening) -> None:
    with store.reading():
        assert opening.opened == []
        for _ in range(5):
            assert (names(store), store.events.count(), store.jobs.recent()) == ([], 0, ())
        assert len(opening.opened) == 1
        assert not opening.opened[0].in_transaction
        assert not is_closed(opening.opened[0])
    assert is_closed(opening.opened[0])


def test_outside_a_block_each_read_has_its_own_and_none_stays_open(store: SqliteStore, opening: Opening) -> None:
    names(store)
    with store.reading():
        names(store)
    names(store)
    assert len(opening.opened) == 3
    assert all(is_closed(conn) for conn in opening.opened)


def test_a_read_sees_what_the_same_thread_and_another_store_wrote_since_the_one_before(
    store: SqliteStore, opening: Opening
) -> None:
    with store.reading():
        assert names(store) == []
        store.tasks.create_with_examples(make_task("mine"), (), "test", ANNA)
        assert names(store) == ["mine"]
        others = open_store(url_of(opening.path))
        others.tasks.create_with_examples(make_task("theirs"), (), "test", ANNA)
        assert sorted(names(store)) == ["mine", "theirs"]
    assert len(opening.opened) == 2, "one for the reads, one for the write"
    assert store.events.verify().intact


@pytest.mark.parametrize("end", [Ended, PldError, ValueError])
def test_the_connection_ends_with_a_block_that_is_broken_off(
    store: SqliteStore, opening: Opening, end: type[BaseException]
) -> None:
    with pytest.raises(end):
        broken_off(store.reading(), store, end)
    assert [is_closed(conn) for conn in opening.opened] == [True]
    assert names(store) == []
    assert len(opening.opened) == 2, "the block is over"


def test_a_connection_on_which_a_read_was_broken_off_is_not_used_again(store: SqliteStore, opening: Opening) -> None:
    with store.reading():
        with pytest.raises(Ended):
            broken_off(opening.read(), store, Ended)
        assert is_closed(opening.opened[0])
        assert names(store) == []
    assert [is_closed(conn) for conn in opening.opened] == [True] * 2


def test_other_threads_open_their_own(store: SqliteStore, opening: Opening) -> None:
    found: list[list[str]] = []

    def look() -> None:
        found.extend(names(store) for _ in range(2))

    with store.reading():
        names(store)
        other = threading.Thread(target=look)
        other.start()
        other.join()
        names(store)
        assert (found, len(opening.opened)) == ([[], []], 3)
    assert is_closed(opening.opened[0])


def test_a_block_within_a_block_uses_the_same_until_the_outer_one_ends(store: SqliteStore, opening: Opening) -> None:
    with store.reading():
        with store.reading():
            names(store)
        with pytest.raises(Ended), store.reading():
            raise Ended
        names(store)
        assert len(opening.opened) == 1
        assert not is_closed(opening.opened[0])
    assert is_closed(opening.opened[0])


def test_a_read_within_a_read_sees_a_later_state_while_the_first_keeps_its_own(
    store: SqliteStore, opening: Opening
) -> None:
    with store.reading():
        with opening.read() as first:
            assert first.execute("SELECT count(*) FROM task").fetchone()[0] == 0
            store.tasks.create_with_examples(make_task("later"), (), "test", ANNA)
            assert names(store) == ["later"]
            assert first.execute("SELECT count(*) FROM task").fetchone()[0] == 0
        assert names(store) == ["later"]
        assert sum(not is_closed(conn) for conn in opening.opened) == 1
    assert all(is_closed(conn) for conn in opening.opened)


def test_a_read_that_outlives_its_block_is_closed_at_its_own_end(store: SqliteStore, opening: Opening) -> None:
    held = opening.read()
    with store.reading():
        conn = held.__enter__()
    assert conn.execute("SELECT count(*) FROM task").fetchone()[0] == 0
    held.__exit__(None, None, None)
    assert is_closed(conn)
