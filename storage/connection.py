"""A connection per operation, or one for the reads of a block; one writer at a time; and errors in words."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database as Tables

from pld_core.audit import GENESIS, seal
from pld_core.canonical import Json, canonical_json
from pld_core.errors import NotFound, StorageFull, WorkspaceError, WorkspaceUnreadable
from pld_core.models import Actor
from storage.search import holds
from storage.shared_reading import SharedReading

Clock = Callable[[], datetime]
Value = None | int | float | str
BUSY_MS = 20_000
ROWS_A_STATEMENT = 500
"""With the widest table well below the 32,766 values that a statement may hold."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Write:
    """One write transaction: its tables, its time, and the way to append its event."""

    tables: Tables
    now: str

    @property
    def conn(self) -> sqlite3.Connection:
        return self.tables.conn

    def insert(self, table: str, row: dict[str, Value]) -> int:
        """Insert a row and return its rowid."""
        names = ", ".join(row)
        marks = ", ".join("?" for _ in row)
        sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - table and columns are literals of this package
        cursor = self.conn.execute(sql, tuple(row.values()))
        return int(cursor.lastrowid or 0)

    def insert_all(self, table: str, rows: Sequence[Mapping[str, Value]]) -> None:
        """Insert rows of equal columns, many a statement.

        A statement a row would let go of the interpreter and wait for it again for each row, and while replies come in
        the event loop's thread is slow to give it back.
        """
        for start in range(0, len(rows), ROWS_A_STATEMENT):
            part = rows[start : start + ROWS_A_STATEMENT]
            marks = f"({', '.join('?' for _ in part[0])})"
            sql = f"INSERT INTO {table} ({', '.join(part[0])}) VALUES {', '.join([marks] * len(part))}"  # noqa: S608 - as above
            self.conn.execute(sql, [value for row in part for value in row.values()])

    def event(self, actor: Actor, kind: str, subject: str, payload: dict[str, Json]) -> None:
        """Append an event to the audit chain, in this transaction."""
        last = self.conn.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        seq, prev = (last["seq"] + 1, last["hash"]) if last else (1, GENESIS)
        event = seal(seq, self.now, actor.name, kind, subject, payload, prev)
        self.insert(
            "event",
            {
                "seq": event.seq,
                "at": event.at,
                "actor": event.actor,
                "kind": event.kind,
                "subject": event.subject,
                "payload": canonical_json(event.payload),
                "prev": event.prev,
                "hash": event.hash,
            },
        )


class Database:
    """The file of a workspace. Holds no connection between operations, so any thread or process may use it.

    Within a `reading` block its thread holds one, for reads alone.
    """

    def __init__(self, path: Path, clock: Clock = utc_now) -> None:
        self.path = path
        self.clock = clock
        self._shared = SharedReading()

    @property
    def head_path(self) -> Path:
        """The note of the audit chain's last event, kept beside the database so that a cut tail shows."""
        return self.path.with_name(self.path.name + ".head")

    def now(self) -> str:
        """UTC time as ISO 8601 with microseconds."""
        return self.clock().astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

    @contextmanager
    def read(self) -> Generator[sqlite3.Connection]:
        """Open a connection for reading; all reads in the block see one state of the database."""
        with self._translated(), self._shared.lent(self._connect) as conn:
            conn.execute("BEGIN")
            yield conn
            conn.execute("ROLLBACK")

    def reading(self) -> AbstractContextManager[None]:
        """Let the reads of this thread in the block take turns on one connection; see `SharedReading`."""
        return self._shared.block()

    @contextmanager
    def write(self) -> Generator[Write]:
        """Open a write transaction; it is rolled back whole if the block raises.

        `BEGIN IMMEDIATE` takes the write lock at once: a deferred begin loses to other writers at its first write.
        """
        with self._translated(), closing(self._connect()) as conn:
            conn.execute("BEGIN IMMEDIATE")
            before = conn.execute("SELECT max(seq) FROM event").fetchone()[0]
            try:
                yield Write(Tables(conn), self.now())
                after = conn.execute("SELECT max(seq) FROM event").fetchone()[0]
                conn.execute("COMMIT")
            except BaseException:
                # A full disk may have ended the transaction already; a second rollback would hide the reason.
                if conn.in_transaction:
                    conn.execute("ROLLBACK")
                raise
            if after != before:
                self._note_head(conn)

    @contextmanager
    def joined(self, within: Write | None) -> Generator[Write]:
        """Write inside the transaction that is given, or else in one of its own."""
        if within is not None:
            yield within
            return
        with self.write() as write:
            yield write

    @contextmanager
    def raw(self) -> Generator[Tables]:
        """Open the tables outside any transaction, for migrations and checks."""
        with self._translated(), closing(self._connect()) as conn:
            yield Tables(conn)

    def noted_head(self) -> tuple[int, str] | None:
        """Return (sequence number, hash) of the noted head, or None if there is no readable note."""
        try:
            note = json.loads(self.head_path.read_text(encoding="utf-8"))
            return int(note["seq"]), str(note["hash"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
            raise WorkspaceUnreadable(
                f"The head file {self.head_path.name} beside the database cannot be read ({error}). "
                "Nothing was changed. Restore it from a backup; without it a cut audit log cannot be noticed."
            ) from error

    def _note_head(self, conn: sqlite3.Connection) -> None:
        scratch = self.head_path.with_name(f"{self.head_path.name}.{os.getpid()}.new")
        try:
            # The write lock orders the notes of several processes; the note never runs ahead of what is committed.
            conn.execute("BEGIN IMMEDIATE")
            try:
                last = conn.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
                note = canonical_json({"seq": last["seq"], "hash": last["hash"]})
                scratch.write_text(note + "\n", encoding="utf-8")
                scratch.replace(self.head_path)
            finally:
                if conn.in_transaction:
                    conn.execute("ROLLBACK")
        except (OSError, sqlite3.DatabaseError) as error:
            with suppress(OSError):
                scratch.unlink(missing_ok=True)
            raise WorkspaceError(
                f"The change was saved, but the head file {self.head_path.name} beside the database could not be "
                f"written ({error}). Free some space or check the folder's permissions; the next change writes it."
            ) from error

    def _connect(self) -> sqlite3.Connection:
        conn = sqlite3.connect(self.path, timeout=BUSY_MS / 1000, isolation_level=None)
        try:
            conn.row_factory = sqlite3.Row
            conn.create_function("holds", 2, holds, deterministic=True)
            conn.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            conn.execute("PRAGMA journal_mode = WAL")
            # FULL: a decision that was confirmed on screen survives a power cut.
            conn.execute("PRAGMA synchronous = FULL")
            conn.execute("PRAGMA foreign_keys = ON")
            # Without it a REPLACE deletes the old row without firing the delete guard.
            conn.execute("PRAGMA recursive_triggers = ON")
        except BaseException:
            conn.close()
            raise
        return conn

    @contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise self._in_words(error) from error
        except OverflowError as error:
            raise NotFound("A number is too large for anything in this workspace. Nothing was changed.") from error
        except OSError as error:
            raise self._os_error(error) from error

    def _in_words(self, error: sqlite3.DatabaseError) -> WorkspaceError:
        text = str(error)
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return StorageFull(
                "The disk is full. This change was rolled back and everything before it is kept. "
                "Free some space, then try again."
            )
        if code == sqlite3.SQLITE_BUSY:
            return WorkspaceError(
                "Another process kept the workspace locked for 20 seconds. Nothing was changed. Try again in a moment."
            )
        reasons = {
            sqlite3.SQLITE_NOTADB: "is not a pld-review workspace",
            sqlite3.SQLITE_CORRUPT: "is damaged",
            sqlite3.SQLITE_CANTOPEN: "cannot be opened",
            sqlite3.SQLITE_READONLY: "may not be written by this user",
            sqlite3.SQLITE_PERM: "may not be read by this user",
            sqlite3.SQLITE_IOERR: "cannot be read or written (the disk reports an error)",
        }
        if reason := reasons.get(code):
            return WorkspaceUnreadable(
                f"The workspace file {self.path} {reason}. Nothing was changed. "
                "Check the path and its permissions, or restore a backup."
            )
        return WorkspaceError(f"The workspace refused the change: {text}. Nothing was changed.")

    def _os_error(self, error: OSError) -> WorkspaceError:
        return WorkspaceUnreadable(
            f"The workspace at {self.path} cannot be used: {error.strerror or error}. "
            "Nothing was changed by this step. Check the path, its permissions and the free space."
        )
