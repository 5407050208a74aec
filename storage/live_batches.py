"""Batches of live questions and the student's answers to them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from pld_core.canonical import Json, canonical_json, hash_json
from pld_core.errors import NotFound
from pld_core.live_batch import (
    BatchAnswer,
    BatchInput,
    BatchOrder,
    LiveBatch,
    ReadInputs,
    lines_of,
    right_of,
    unusable_of,
)
from pld_core.models import Actor, Answer
from pld_core.permissions import Step, guarded
from storage import rows
from storage.connection import Database


class SqliteLiveBatches:
    def __init__(self, database: Database) -> None:
        self._database = database

    @guarded(Step.ASK)
    def order(self, order: BatchOrder, actor: Actor) -> LiveBatch:
        """Store a batch that is to be asked, word for word."""
        inputs = _inputs_json(order.read.inputs)
        with self._database.write() as write:
            number = write.insert(
                "live_batch",
                {
                    "task": order.task,
                    "prompt_number": order.prompt_number,
                    "prompt_sha256": order.prompt_sha256,
                    "student": order.student,
                    "digest": order.digest,
                    "source": order.read.source,
                    "inputs": canonical_json(inputs),
                    "empty": order.read.empty,
                    "sent": canonical_json(dict(order.sent)),
                    "at": write.now,
                    "by": actor.name,
                },
            )
            payload: dict[str, Json] = {
                "batch": number,
                "prompt": order.prompt_number,
                "sha256": order.prompt_sha256,
                "student": order.student,
                "digest": order.digest,
                "inputs": len(order.read.inputs),
                "inputs_hash": hash_json(inputs),
                "sent": hash_json(dict(order.sent)),
                "source": order.read.source,
            }
            write.event(actor, "student.batch_ordered", f"{order.task} live batch {number}", payload)
            return LiveBatch(number, order, write.now, actor.name)

    def get(self, number: int) -> LiveBatch:
        with self._database.read() as conn:
            return _load(conn, number)

    def all(self, task: str) -> tuple[LiveBatch, ...]:
        """Return the batches of a task, newest first."""
        with self._database.read() as conn:
            found = conn.execute("SELECT * FROM live_batch WHERE task = ? ORDER BY id DESC", (task,))
            return tuple(_batch_from(row) for row in found)

    def answers(self, number: int) -> dict[str, Answer]:
        """Return the answers of a batch so far, by hash of the text."""
        with self._database.read() as conn:
            return _answers(conn, number)

    def keep(self, number: int, answers: Sequence[BatchAnswer]) -> None:
        """Keep answers; where there is one already, it stays: a worker may have been relieved too early."""
        with self._database.write() as write:
            there = _answers(write.conn, number)
            first = {kept.text_hash: kept for kept in reversed(answers)}
            write.insert_all(
                "live_batch_answer",
                [
                    {
                        "batch_id": number,
                        "text_hash": kept.text_hash,
                        "answer": canonical_json(rows.answer_json(kept.answer)),
                        "at": write.now,
                    }
                    for kept in first.values()
                    if kept.text_hash not in there
                ],
            )

    @guarded(Step.ASK)
    def finish(self, number: int, actor: Actor) -> None:
        """Append to the audit chain what came of a batch; one that was complete already has it there."""
        with self._database.write() as write:
            batch = _load(write.conn, number)
            subject = f"{batch.order.task} live batch {number}"
            there = "SELECT 1 FROM event WHERE kind = 'student.asked_batch' AND subject = ?"
            if write.conn.execute(there, (subject,)).fetchone() is not None:
                return
            answers = _answers(write.conn, number)
            lines = lines_of(batch.order.read.inputs, answers)
            right = right_of(lines)
            told: dict[str, Json] = {content: rows.answer_json(answer) for content, answer in sorted(answers.items())}
            payload: dict[str, Json] = {
                "batch": number,
                "student": batch.order.student,
                "digest": batch.order.digest,
                "inputs": len(lines),
                "asked": len(answers),
                "answers_hash": hash_json(told),
                "unusable": unusable_of(lines),
                "right": right.k,
                "with_gold": right.n,
            }
            write.event(actor, "student.asked_batch", subject, payload)


def _load(conn: sqlite3.Connection, number: int) -> LiveBatch:
    row = conn.execute("SELECT * FROM live_batch WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise NotFound(f"There is no batch {number} of live questions. `pld ask-batch --list` lists those there are.")
    return _batch_from(row)


def _answers(conn: sqlite3.Connection, number: int) -> dict[str, Answer]:
    found = conn.execute("SELECT text_hash, answer FROM live_batch_answer WHERE batch_id = ?", (number,))
    return {str(row["text_hash"]): rows.answer_from(json.loads(row["answer"])) for row in found}


def _inputs_json(inputs: Sequence[BatchInput]) -> list[Json]:
    return [{"fields": [list(pair) for pair in given.fields], "gold": given.gold} for given in inputs]


def _batch_from(row: sqlite3.Row) -> LiveBatch:
    inputs = tuple(
        BatchInput(tuple((name, text) for name, text in given["fields"]), given["gold"])
        for given in json.loads(row["inputs"])
    )
    order = BatchOrder(
        row["task"],
        row["prompt_number"],
        row["prompt_sha256"],
        row["student"],
        row["digest"],
        ReadInputs(row["source"], inputs, row["empty"]),
        json.loads(row["sent"]),
    )
    return LiveBatch(row["id"], order, row["at"], row["by"])
