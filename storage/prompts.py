"""Prompt versions, evaluation runs and live tests."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from pld_core.canonical import Json, canonical_json, hash_json
from pld_core.errors import InvalidInput, NotFound
from pld_core.models import Actor, Answer, CompiledPrompt, Prediction, PromptVersion, Run
from pld_core.permissions import Step, guarded
from pld_core.prompt_manifest import TokenCount
from pld_core.publishing import PublishedModel
from storage import rows
from storage.check_writes import refuse_known_bad
from storage.connection import Database, Write


class SqlitePrompts:
    def __init__(self, database: Database) -> None:
        self._database = database

    @guarded(Step.COMPILE)
    def save(self, prompt: CompiledPrompt, actor: Actor, tokens: TokenCount | None = None) -> PromptVersion:
        """Store a compiled prompt as the next version; an equal one (bytes and manifest) is returned, not added.

        `tokens` is kept beside the version if it tells more than the newest count there.

        Raises:
            KnownBad: a rule of it is a seeded check.
            InvalidInput: it is a trial prompt, which nobody reviewed.
        """
        if prompt.build.unreviewed:
            raise InvalidInput(
                "A trial prompt is no version: its rules need no approval. Nothing was stored. Send what it tried to "
                "review, then compile the approved rules."
            )
        with self._database.write() as write:
            refuse_known_bad(write, prompt)
            same = write.conn.execute(
                f"{rows.VERSIONS} WHERE v.task = ? AND v.sha256 = ? AND v.manifest_hash = ?",
                (prompt.task, prompt.sha256, prompt.manifest_hash),
            ).fetchone()
            if same is None:
                number = _add_version(write, prompt, actor, tokens)
            else:
                version = rows.prompt_from(same)
                if tokens is None or not tokens.adds_to(version.tokens):
                    return version
                number = version.number
                write.event(actor, "prompt.counted", f"{prompt.task} v{number}", tokens.as_json())
            if tokens is not None:
                _add_count(write, prompt.task, number, tokens, actor)
            return load_version(write.conn, prompt.task, number)

    def get(self, task: str, number: int) -> PromptVersion:
        with self._database.read() as conn:
            return load_version(conn, task, number)

    def all(self, task: str) -> tuple[PromptVersion, ...]:
        """Return the versions of a task, newest first."""
        with self._database.read() as conn:
            found = conn.execute(f"{rows.VERSIONS} WHERE v.task = ? ORDER BY v.number DESC", (task,))
            return tuple(rows.prompt_from(row) for row in found)

    @guarded(Step.PUBLISH)
    def record_publication(self, task: str, number: int, made: PublishedModel, reason: str, actor: Actor) -> None:
        """Append to the audit chain that a version was published as a model."""
        version = self.get(task, number)
        with self._database.write() as write:
            write.event(
                actor,
                "prompt.published",
                f"{task} v{number}",
                {"sha256": version.prompt.sha256, "reason": reason, **made.as_json()},
            )

    def publications(self, task: str, number: int) -> tuple[PublishedModel, ...]:
        """Return what a version was published as, newest first."""
        with self._database.read() as conn:
            found = conn.execute(
                "SELECT payload FROM event WHERE kind = 'prompt.published' AND subject = ? ORDER BY seq DESC",
                (f"{task} v{number}",),
            )
            return tuple(PublishedModel.from_json(json.loads(row["payload"])) for row in found)


def load_version(conn: sqlite3.Connection, task: str, number: int) -> PromptVersion:
    """Return a prompt version of a task with the newest count of its tokens.

    Raises:
        NotFound: there is no such version.
    """
    row = conn.execute(f"{rows.VERSIONS} WHERE v.task = ? AND v.number = ?", (task, number)).fetchone()
    if row is None:
        raise NotFound(f"Task {task} has no prompt version {number}. The Prompt page lists those there are.")
    return rows.prompt_from(row)


def _add_version(write: Write, prompt: CompiledPrompt, actor: Actor, tokens: TokenCount | None) -> int:
    newest = write.conn.execute("SELECT coalesce(max(number), 0) FROM prompt_version WHERE task = ?", (prompt.task,))
    number = int(newest.fetchone()[0]) + 1
    write.insert(
        "prompt_version",
        {
            "task": prompt.task,
            "number": number,
            "sha256": prompt.sha256,
            "manifest_hash": prompt.manifest_hash,
            "text": prompt.text,
            "manifest": canonical_json(prompt.manifest()),
            "at": write.now,
            "by": actor.name,
        },
    )
    build = prompt.build
    reasons = [build.order.reason, *(one.reason for one in build.left_out)]
    payload: dict[str, Json] = {
        "sha256": prompt.sha256,
        "manifest": prompt.manifest_hash,
        "rules": [r.rule_id for r in prompt.rules],
        "kind": build.kind.words,
        "style": prompt.style.value,
        "left_out": [one.rule_id for one in build.left_out],
        "order": build.order.as_json(),
        "tokens": None if tokens is None else tokens.as_json(),
        "reason": "; ".join(dict.fromkeys(filter(None, reasons))),
        "signed_as": actor.signed_as,
    }
    write.event(actor, "prompt.compiled", f"{prompt.task} v{number}", payload)
    return number


def _add_count(write: Write, task: str, number: int, tokens: TokenCount, actor: Actor) -> None:
    write.insert(
        "prompt_count",
        {
            "task": task,
            "number": number,
            "tokens": tokens.tokens,
            "method": tokens.method.value,
            "counter": tokens.counter,
            "note": tokens.note,
            "at": write.now,
            "by": actor.name,
        },
    )


class SqliteRuns:
    def __init__(self, database: Database) -> None:
        self._database = database

    @guarded(Step.EVALUATE)
    def start(self, run: Run, actor: Actor) -> Run:
        """Store a new run and return it with its id; a job that is resumed gets the run it had begun."""
        with self._database.write() as write:
            if run.job_id is not None:
                begun = write.conn.execute("SELECT * FROM run WHERE job_id = ?", (run.job_id,)).fetchone()
                if begun is not None:
                    return rows.run_from(begun)
            run_id = write.insert(
                "run",
                {
                    "task": run.task,
                    "prompt_number": run.prompt_number,
                    "prompt_sha256": run.prompt_sha256,
                    "student": run.student,
                    "digest": run.digest,
                    "split": run.split.value,
                    "total": run.total,
                    "job_id": run.job_id,
                    "at": write.now,
                    "by": actor.name,
                },
            )
            write.event(
                actor,
                "run.started",
                f"{run.task} run {run_id}",
                {
                    "prompt": run.prompt_number,
                    "sha256": run.prompt_sha256,
                    "student": run.student,
                    "digest": run.digest,
                    "split": run.split.value,
                    "examples": run.total,
                },
            )
            row = write.conn.execute("SELECT * FROM run WHERE id = ?", (run_id,)).fetchone()
            return rows.run_from(row)

    def get(self, run_id: int) -> Run:
        with self._database.read() as conn:
            row = conn.execute("SELECT * FROM run WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise NotFound(f"There is no run {run_id}. The Evaluate page lists those there are.")
        return rows.run_from(row)

    def all(self, task: str) -> tuple[Run, ...]:
        """Return the runs of a task, newest first."""
        with self._database.read() as conn:
            found = conn.execute("SELECT * FROM run WHERE task = ? ORDER BY id DESC", (task,))
            return tuple(rows.run_from(row) for row in found)

    def add_predictions(self, run_id: int, predictions: Sequence[Prediction]) -> None:
        """Store answers; the first to an example stays, so a worker relieved too early cannot stop its relief."""
        with self._database.write() as write:
            found = write.conn.execute(
                """SELECT example_hash FROM prediction
                   WHERE run_id = ? AND example_hash IN (SELECT value FROM json_each(?))""",
                (run_id, canonical_json([p.example_hash for p in predictions])),
            )
            have = {str(row["example_hash"]) for row in found}
            first = {p.example_hash: p for p in reversed(predictions)}
            new = [first[key] for key in reversed(first) if key not in have]
            write.insert_all(
                "prediction",
                [
                    {
                        "run_id": run_id,
                        "example_hash": p.example_hash,
                        "gold": p.gold,
                        "answer": canonical_json(rows.answer_json(p.answer)),
                        "at": write.now,
                    }
                    for p in new
                ],
            )

    def predictions(self, run_id: int) -> tuple[Prediction, ...]:
        with self._database.read() as conn:
            found = conn.execute("SELECT * FROM prediction WHERE run_id = ? ORDER BY rowid", (run_id,))
            return tuple(rows.prediction_from(row) for row in found)

    @guarded(Step.EVALUATE)
    def finish(self, run_id: int, summary: Mapping[str, Json], actor: Actor) -> None:
        """Append the figures of a finished run to the audit chain; they are recomputed from predictions for screens.

        A run that was resumed although it was complete has them there already.
        """
        subject = f"{self.get(run_id).task} run {run_id}"
        with self._database.write() as write:
            there = "SELECT 1 FROM event WHERE kind = 'run.finished' AND subject = ?"
            if write.conn.execute(there, (subject,)).fetchone() is None:
                write.event(actor, "run.finished", subject, dict(summary))

    @guarded(Step.ASK)
    def record_live_test(
        self, task: str, prompt_sha256: str, student: str, sent: Mapping[str, Json], answer: Answer, actor: Actor
    ) -> int:
        """Store what was sent, word for word, and what came back; return the number of the live test."""
        with self._database.write() as write:
            test_id = write.insert(
                "live_test",
                {
                    "task": task,
                    "prompt_sha256": prompt_sha256,
                    "student": student,
                    "sent": canonical_json(dict(sent)),
                    "answer": canonical_json(rows.answer_json(answer)),
                    "at": write.now,
                    "by": actor.name,
                },
            )
            write.event(
                actor,
                "student.asked",
                f"{task} live test {test_id}",
                {
                    "prompt_sha256": prompt_sha256,
                    "student": student,
                    "sent": hash_json(dict(sent)),
                    "status": answer.status.value,
                    "label": answer.label or "",
                },
            )
            return test_id
