"""Batches of teacher calls: append-only, so that what was handed to a provider is never forgotten or handed twice."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager

from pld_core.batches import BatchItem, BatchNote, BatchState, NewBatch, StoredBatch
from pld_core.canonical import Json, canonical_json
from pld_core.errors import BatchTaken, NotFound, WorkspaceError
from pld_core.models import Actor, MicroInstruction
from pld_core.permissions import Step, guarded
from pld_core.records import TeacherCall
from storage import rows
from storage.connection import Database, Write
from storage.logic import requests_in_batches, write_calls

_STANDING = """SELECT b.*, n.state, n.remote_id, n.file_id, n.done, n.failed, n.message, n.at AS noted_at,
        (SELECT count(*) FROM batch_item AS i WHERE i.batch_id = b.id) AS size,
        (SELECT count(*) FROM batch_result AS r WHERE r.batch_id = b.id) AS collected
    FROM batch AS b JOIN batch_note AS n ON n.id = (SELECT max(id) FROM batch_note WHERE batch_id = b.id)"""


class SqliteBatches:
    def __init__(self, database: Database) -> None:
        self._database = database

    @guarded(Step.EXTRACT)
    def add(self, task: str, batches: Sequence[NewBatch], actor: Actor) -> tuple[StoredBatch, ...]:
        """Store batches before anything is sent, all or none.

        Raises:
            BatchTaken: one of the requests is in an open batch already.
        """
        with self._database.write() as write:
            wanted = {item.request_hash for batch in batches for item in batch.items}
            if wanted & requests_in_batches(write.conn, task):
                raise BatchTaken(
                    f"Some of these requests of {task} are in an open batch already. Nothing was sent. "
                    f"`pld extract --task {task} --batch` collects it."
                )
            ids = [_add(write, task, batch, actor) for batch in batches]
        return tuple(self.get(batch_id) for batch_id in ids)

    def get(self, batch_id: int) -> StoredBatch:
        with self._database.read() as conn:
            return _load(conn, batch_id)

    def all(self, task: str) -> tuple[StoredBatch, ...]:
        """Return the batches of a task, newest first."""
        with self._database.read() as conn:
            found = conn.execute(f"{_STANDING} WHERE b.task = ? ORDER BY b.id DESC", (task,))
            return tuple(_batch_from(row) for row in found)

    def items(self, batch_id: int) -> tuple[BatchItem, ...]:
        with self._database.read() as conn:
            found = conn.execute("SELECT * FROM batch_item WHERE batch_id = ? ORDER BY rowid", (batch_id,))
            return tuple(
                BatchItem(row["request_hash"], tuple(json.loads(row["subjects"])), row["most"]) for row in found
            )

    @guarded(Step.EXTRACT)
    def note(self, batch_id: int, note: BatchNote, actor: Actor) -> StoredBatch:
        """Note where a batch stands; a note equal to the last one is not written, nor one on a closed batch."""
        with self._database.write() as write:
            before = _load(write.conn, batch_id)
            if before.state.is_final or before.note == note:
                return before
            write.insert("batch_note", _note_row(batch_id, note, write.now, actor))
            if before.state is not note.state:
                payload: dict[str, Json] = {"batch": before.key, "remote": note.remote_id, "requests": before.size}
                payload |= {"collected": before.collected, "message": note.message}
                write.event(actor, f"batch.{note.state.value}", before.task, payload)
        return self.get(batch_id)

    def record(self, batch_id: int, calls: Sequence[tuple[TeacherCall, MicroInstruction | None]]) -> int:
        """Record calls of a batch in one transaction, and return how many were new: each request is recorded once."""
        new = 0
        with self._database.write() as write:
            task = _load(write.conn, batch_id).task
            for call, instruction in calls:
                key = (batch_id, call.request_hash)
                sql = "SELECT 1 FROM batch_result WHERE batch_id = ? AND request_hash = ?"
                if write.conn.execute(sql, key).fetchone() is None:
                    write.insert("batch_result", {"batch_id": batch_id, "request_hash": call.request_hash})
                    write_calls(write, task, [(call, instruction)])
                    new += 1
        return new

    @contextmanager
    def submitting(self) -> Generator[None]:
        """Hold the right to submit; it ends with the process, however that ends.

        A lock of the operating system, through a database of its own: a lease by time would have to outlast an upload.

        Raises:
            BatchTaken: another process has it.
        """
        path = self._database.path.with_name(self._database.path.name + ".submitting")
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as conn:
            try:
                conn.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
                    raise WorkspaceError(
                        f"The lock file {path.name} beside the database cannot be used ({error}). Nothing was sent. "
                        "Check the folder's permissions and the free space."
                    ) from error
                raise BatchTaken(
                    "Another process is submitting batches right now. Nothing was sent by this one. "
                    "Start again in a moment."
                ) from error
            try:
                yield
            finally:
                conn.execute("ROLLBACK")


def _add(write: Write, task: str, batch: NewBatch, actor: Actor) -> int:
    batch_id = write.insert(
        "batch",
        {
            "task": task,
            # Unlike any other workspace's, which may share the provider's account.
            "key": f"pld-{uuid.uuid4().hex}",
            "purpose": batch.purpose,
            "teacher": batch.teacher,
            "template_hash": batch.template_hash,
            "run": batch.run,
            "tokens": batch.tokens,
            "at": write.now,
            "by": actor.name,
        },
    )
    write.conn.executemany(
        "INSERT INTO batch_item (batch_id, request_hash, subjects, most) VALUES (?, ?, ?, ?)",
        [(batch_id, i.request_hash, canonical_json(list(i.subjects)), i.most) for i in batch.items],
    )
    write.insert("batch_note", _note_row(batch_id, BatchNote(), write.now, actor))
    return batch_id


def _load(conn: sqlite3.Connection, batch_id: int) -> StoredBatch:
    row = conn.execute(f"{_STANDING} WHERE b.id = ?", (batch_id,)).fetchone()
    if row is None:
        raise NotFound(f"There is no batch {batch_id}. `pld teacher batches` lists those of a task.")
    return _batch_from(row)


def _note_row(batch_id: int, note: BatchNote, at: str, actor: Actor) -> dict[str, rows.Value]:
    return {
        "batch_id": batch_id,
        "state": note.state.value,
        "remote_id": note.remote_id,
        "file_id": note.file_id,
        "done": note.done,
        "failed": note.failed,
        "message": note.message,
        "at": at,
        "by": actor.name,
    }


def _batch_from(row: sqlite3.Row) -> StoredBatch:
    return StoredBatch(
        id=row["id"],
        task=row["task"],
        key=row["key"],
        purpose=row["purpose"],
        teacher=row["teacher"],
        template_hash=row["template_hash"],
        run=row["run"],
        tokens=row["tokens"],
        size=row["size"],
        collected=row["collected"],
        created_at=row["at"],
        created_by=row["by"],
        note=BatchNote(
            BatchState(row["state"]), row["remote_id"], row["file_id"], row["done"], row["failed"], row["message"]
        ),
        noted_at=row["noted_at"],
    )
