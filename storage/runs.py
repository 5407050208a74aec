"""Evaluation runs and their answers, looks at the test split, and live tests."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from pld_core.canonical import Json, canonical_json, hash_json
from pld_core.effect import StudentKey
from pld_core.effect_ports import KeptAnswer
from pld_core.errors import MissingReason, NotFound
from pld_core.metrics import Cell
from pld_core.models import Actor, Answer, AnswerStatus, CompiledPrompt, Example, ExampleState, Prediction, Run, Split
from pld_core.permissions import Step, guarded
from storage import rows
from storage.answers import BY_STUDENT, keep_answers
from storage.connection import Value, Write
from storage.run_answers import SqliteRunAnswers

OF_VERSIONS = "temperature = 0 AND shuffled = 0"
"""Runs that say how a version does; the others draw lots to see how stable answers are, see `RunSetup.is_trial`."""
LATENCIES = 200


MOST_COUNTED = 1_000
"""So many complete runs are remembered; a run has as many counts as its labels have pairs."""
_COUNTED: dict[tuple[Path, int, str], Counter[Cell]] = {}
"""Counts of complete runs, by database, number, and when the run was begun."""


class SqliteRuns(SqliteRunAnswers):
    @guarded(Step.EVALUATE)
    def start(self, run: Run, actor: Actor, prompt: CompiledPrompt | None = None) -> Run:
        """Store a new run and return it with its id; a job that is resumed gets the run it had begun.

        Raises:
            MissingReason: it looks at the test split, and does not say why.
        """
        with self._database.write() as write:
            if run.job_id is not None:
                begun = write.conn.execute("SELECT * FROM run WHERE job_id = ?", (run.job_id,)).fetchone()
                if begun is not None:
                    return rows.run_from(begun)
            reason = _reason(run)
            run_id = write.insert("run", _row(run, reason, actor, write.now))
            if prompt is not None:
                trial: dict[str, Value] = {"run_id": run_id, "sha256": prompt.sha256, "text": prompt.text}
                write.insert("run_prompt", trial | {"manifest": canonical_json(prompt.manifest())})
            write.event(actor, "run.started", f"{run.task} run {run_id}", _started(write, run, reason))
            row = write.conn.execute("SELECT * FROM run WHERE id = ?", (run_id,)).fetchone()
            return rows.run_from(row)

    def get(self, run_id: int) -> Run:
        with self._database.read() as conn:
            return load_run(conn, run_id)

    def all(self, task: str) -> tuple[Run, ...]:
        """Return the runs that say how a version of a task does, newest first."""
        return self._runs(f"task = ? AND {OF_VERSIONS}", task)

    def trials(self, task: str) -> tuple[Run, ...]:
        """Return the runs of a task that drew lots, newest first."""
        return self._runs(f"task = ? AND NOT ({OF_VERSIONS})", task)

    def repeats(self, group: str) -> tuple[Run, ...]:
        """Return the runs of a group, in the order of their seeds."""
        return tuple(sorted(self._runs("repeat_group = ?", group), key=lambda run: (run.setup.seed, run.id)))

    def looks(self, task: str) -> tuple[Run, ...]:
        """Return every run of a task over the test split, newest first: each was a look at it."""
        return self._runs(f"task = ? AND split = '{Split.TEST.value}'", task)

    def _runs(self, where: str, given: str) -> tuple[Run, ...]:
        with self._database.read() as conn:
            found = conn.execute(f"SELECT * FROM run WHERE {where} ORDER BY id DESC", (given,))  # noqa: S608 - literals of this class
            return tuple(rows.run_from(row) for row in found)

    def trial_prompt(self, run_id: int) -> CompiledPrompt | None:
        """Return the prompt that a run asked with where it is no version's; None for the version's own."""
        with self._database.read() as conn:
            row = conn.execute(
                "SELECT p.*, r.task FROM run_prompt AS p JOIN run AS r ON r.id = p.run_id WHERE p.run_id = ?", (run_id,)
            ).fetchone()
            return None if row is None else rows.compiled_from(row["task"], row)

    def take_cached(self, run: Run, student: StudentKey, examples: Sequence[Example]) -> int:
        """Answer from the cache what the run has no answer to yet, and return how many answers that were."""
        asked = canonical_json([[example.hash, example.label] for example in examples])
        with self._database.write() as write:
            return write.conn.execute(
                f"""INSERT INTO prediction (run_id, example_hash, gold, answer, at, from_cache)
                    SELECT ?, a.example_hash, e.value ->> 1, a.answer, ?, 1
                    FROM json_each(?) AS e JOIN student_answer AS a
                        ON a.example_hash = e.value ->> 0 AND a.prompt_sha256 = ? AND {BY_STUDENT}
                    WHERE NOT EXISTS (
                        SELECT 1 FROM prediction AS p WHERE p.run_id = ? AND p.example_hash = a.example_hash)
                    ORDER BY e.key""",  # noqa: S608 - a constant of this package
                (
                    *(run.id, write.now, asked, run.prompt_sha256),
                    *(student.name, student.digest, student.options, run.id),
                ),
            ).rowcount

    def known(self, student: StudentKey, prompt_sha256: str, task: str, split: Split) -> int:
        """Return how many active examples of a split the cache has an answer to."""
        with self._database.read() as conn:
            found = conn.execute(
                f"""SELECT count(*) FROM example AS e JOIN student_answer AS a
                        ON a.example_hash = e.hash AND a.prompt_sha256 = ? AND {BY_STUDENT}
                    WHERE e.task = ? AND e.split = ? AND e.state = ?""",  # noqa: S608 - a constant of this package
                (
                    *(prompt_sha256, student.name, student.digest, student.options),
                    *(task, split.value, ExampleState.ACTIVE.value),
                ),
            )
            return int(found.fetchone()[0])

    def from_cache(self, run_id: int) -> int:
        """Return how many answers of a run came from the cache, so that no call was made for them."""
        with self._database.read() as conn:
            found = conn.execute("SELECT coalesce(sum(from_cache), 0) FROM prediction WHERE run_id = ?", (run_id,))
            return int(found.fetchone()[0])

    def add_predictions(
        self, run_id: int, predictions: Sequence[Prediction], student: StudentKey | None = None
    ) -> None:
        """Store answers; the first to an example stays, so a worker relieved too early cannot stop its relief.

        Args:
            student: who gave them, to keep them in the cache too; what got no answer is not kept there.
        """
        with self._database.write() as write:
            found = write.conn.execute(
                """SELECT example_hash FROM prediction
                   WHERE run_id = ? AND example_hash IN (SELECT value FROM json_each(?))""",
                (run_id, canonical_json([p.example_hash for p in predictions])),
            )
            have = {str(row["example_hash"]) for row in found}
            first = {p.example_hash: p for p in reversed(predictions)}
            new = [first[key] for key in reversed(first) if key not in have]
            write.insert_all("prediction", [_prediction_row(run_id, p, write.now) for p in new])
            if student is not None:
                sha256 = write.conn.execute("SELECT prompt_sha256 FROM run WHERE id = ?", (run_id,)).fetchone()[0]
                given = [p for p in new if p.answer.status is not AnswerStatus.FAILED]
                keep_answers(write, student, [KeptAnswer(sha256, p.example_hash, p.answer) for p in given])

    def predictions(self, run_id: int) -> tuple[Prediction, ...]:
        with self._database.read() as conn:
            return load_predictions(conn, run_id)

    def counted(self, run_id: int) -> Counter[Cell]:
        """Return how many answers of a run are of each kind; all figures are made of these counts.

        Those of a complete run are counted once in this process: answers are only ever added, and none is left to add.
        """
        with self._database.read() as conn:
            run = conn.execute("SELECT total, at FROM run WHERE id = ?", (run_id,)).fetchone()
            if run is None:
                return Counter()
            key = (self._database.path, run_id, str(run["at"]))
            if (known := _COUNTED.get(key)) is not None:
                return Counter(known)
            found = conn.execute(
                """SELECT gold, said, status, count(*) AS n FROM prediction INDEXED BY prediction_figures
                   WHERE run_id = ? GROUP BY 1, 2, 3""",
                (run_id,),
            )
            cells = Counter({Cell(row["gold"], row["said"], AnswerStatus(row["status"])): row["n"] for row in found})
        if cells.total() == run["total"]:
            if len(_COUNTED) >= MOST_COUNTED:
                _COUNTED.clear()
            _COUNTED[key] = Counter(cells)
        return cells

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

    def latency_ms(self, student: str) -> float | None:
        """Return the median wall time of the newest answers of a student; None if it gave none yet."""
        with self._database.read() as conn:
            found = conn.execute(
                """SELECT json_extract(answer, '$.latency_ms') FROM student_answer WHERE student = ?
                   ORDER BY id DESC LIMIT ?""",
                (student, LATENCIES),
            )
            times = [int(row[0]) for row in found]
        return median(times) if times else None

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


def load_run(conn: sqlite3.Connection, run_id: int) -> Run:
    """Return a run.

    Raises:
        NotFound: there is no such run.
    """
    row = conn.execute("SELECT * FROM run WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        raise NotFound(f"There is no run {run_id}. The Evaluate page lists those there are.")
    return rows.run_from(row)


def load_predictions(conn: sqlite3.Connection, run_id: int) -> tuple[Prediction, ...]:
    """Return the answers of a run, in the order in which they came."""
    # The columns by name: those that are computed from the answer would be computed for nothing.
    sql = "SELECT example_hash, gold, answer FROM prediction WHERE run_id = ? ORDER BY rowid"
    return tuple(rows.prediction_from(row) for row in conn.execute(sql, (run_id,)))


def _reason(run: Run) -> str:
    """Return why the run looks at the test split, with white space folded."""
    reason = " ".join(run.setup.reason.split())
    if run.split is Split.TEST and not reason:
        raise MissingReason(
            "A look at the test split needs a reason, which is kept and shown. Nothing was asked. Say why, or choose "
            "the validation split."
        )
    return reason


def _row(run: Run, reason: str, actor: Actor, now: str) -> dict[str, Value]:
    setup = run.setup
    return {
        "task": run.task,
        "prompt_number": run.prompt_number,
        "prompt_sha256": run.prompt_sha256,
        "student": run.student,
        "digest": run.digest,
        "split": run.split.value,
        "total": run.total,
        "job_id": run.job_id,
        "at": now,
        "by": actor.name,
        "temperature": setup.temperature,
        "seed": setup.seed,
        "shuffled": int(setup.shuffled),
        "repeat_group": setup.group,
        "options": setup.options,
        "reason": reason,
    }


def _started(write: Write, run: Run, reason: str) -> dict[str, Json]:
    """Return what the event says: of a look at the test split also its number, this one included."""
    told: dict[str, Json] = {
        "prompt": run.prompt_number,
        "sha256": run.prompt_sha256,
        "student": run.student,
        "digest": run.digest,
        "split": run.split.value,
        "examples": run.total,
        "job": run.job_id,
        **run.setup.as_json(),
    }
    if run.split is Split.TEST:
        told |= {"look": _looks(write.conn, run.task), "reason": reason}
    return told


def _looks(conn: sqlite3.Connection, task: str) -> int:
    return int(conn.execute("SELECT count(*) FROM run WHERE task = ? AND split = 'test'", (task,)).fetchone()[0])


def _prediction_row(run_id: int, prediction: Prediction, now: str) -> dict[str, Value]:
    return {
        "run_id": run_id,
        "example_hash": prediction.example_hash,
        "gold": prediction.gold,
        "answer": canonical_json(rows.answer_json(prediction.answer)),
        "at": now,
    }
