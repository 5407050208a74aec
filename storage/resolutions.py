"""Loops of conflict resolution with their rounds, proposals and trials. A second start finds what the first kept."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from pld_core.canonical import Json, canonical_json
from pld_core.conflicts.acceptance import Bar
from pld_core.conflicts.records import (
    HeldOutScore,
    LoopBasis,
    LoopLimits,
    LoopOrder,
    MadeProposal,
    Resolution,
    RoundRecord,
    Stage,
    Tried,
)
from pld_core.conflicts.rounds import Stop
from pld_core.conflicts.rule_set import TrialRule
from pld_core.conflicts.stopped import LoopStop
from pld_core.effect import StudentKey
from pld_core.errors import NotFound
from pld_core.models import Actor, Split
from pld_core.permissions import Step, guarded
from storage import resolution_rows as shapes
from storage import rows
from storage.checks import NO_CHECK
from storage.connection import Database, Write
from storage.loop_notes import load_stops, write_steps, write_stop
from storage.rule_locks import locked_rules
from storage.rule_queries import effective_evidence, evidence_in_force
from storage.task_queries import load_task

_ESTIMATED_FROM = ("event", "transition", "student_answer", "teacher_call", "batch_item", "batch_result", "embedding")
"""Tables to which rows are only ever added."""


class SqliteResolutions:
    def __init__(self, database: Database) -> None:
        self._database = database

    # --- what a loop begins with --------------------------------------------------------------------------------------

    def rules_in_force(self, task: str) -> tuple[TrialRule, ...]:
        """Return the rules that a prompt may be compiled from, with their evidence and whether they are locked."""
        with self._database.read() as conn:
            load_task(conn, task)
            evidence = evidence_in_force(conn, task)
            found = _trial_rules(conn, task, "v.hash = r.in_force")
            return tuple(replace(rule, evidence=evidence.get(rule.revision.hash, ())) for rule in found)

    def rules_ticked_out(self, task: str) -> tuple[TrialRule, ...]:
        """Return the stale rules of which nothing is in force and against which somebody ticked an example."""
        with self._database.read() as conn:
            load_task(conn, task)
            stale = _trial_rules(conn, task, "v.hash = r.head AND r.state = 'stale' AND r.in_force = ''")
            found = [replace(rule, evidence=effective_evidence(conn, rule.revision.hash)) for rule in stale]
            return tuple(replace(rule, in_force=False) for rule in found if rule.is_ticked_against)

    def marks(self) -> tuple[int, ...]:
        """Return numbers of which one grows with each thing that is added to what a loop is estimated from.

        Decisions, locks, loops and data come with an event. Answers, the teacher's replies, vectors and what goes stale
        beside a new overlap are written by jobs without one.
        """
        newest = ", ".join(f"(SELECT coalesce(max(rowid), 0) FROM {table})" for table in _ESTIMATED_FROM)  # noqa: S608 - constants
        with self._database.read() as conn:
            return tuple(conn.execute(f"SELECT {newest}").fetchone())

    def first_free(self) -> int:
        """Return the number that the next new rule would have."""
        with self._database.read() as conn:
            return int(conn.execute("SELECT coalesce(max(number), 0) + 1 FROM rule").fetchone()[0])

    @guarded(Step.RESOLVE)
    def begin(self, order: LoopOrder, basis: LoopBasis, actor: Actor) -> Resolution:
        """Store a loop with its event, or return the one that was begun under the same key, as it was begun."""
        with self._database.write() as write:
            same = write.conn.execute("SELECT * FROM resolution WHERE key = ?", (order.key,)).fetchone()
            if same is not None:
                return _resolution_from(same)
            load_task(write.conn, order.task)
            number = write.insert("resolution", _resolution_row(write, order, basis, actor))
            payload: dict[str, Json] = {
                "resolution": number,
                "teacher": basis.teacher,
                "student": basis.student.name,
                "digest": basis.student.digest,
                "prompt": basis.prompt_sha256,
                "rules": [rule.revision.hash for rule in basis.rules.rules],
                "limits": order.limits.as_json(),
                "bar": order.bar.as_json(),
                "seed": order.seed,
            }
            write.event(actor, "resolution.begun", order.task, payload)
            return _resolution_from(_load(write.conn, number))

    def begun_as(self, key: str) -> Resolution | None:
        """Return the loop that was begun under this key."""
        with self._database.read() as conn:
            row = conn.execute("SELECT * FROM resolution WHERE key = ?", (key,)).fetchone()
            return None if row is None else _resolution_from(row)

    # --- what it keeps ------------------------------------------------------------------------------------------------

    def spent(self, resolution: Resolution, prompt_sha256: str, example_hashes: Sequence[str]) -> int:
        """Return how many of these questions were answered since the loop began."""
        student = resolution.basis.student
        with self._database.read() as conn:
            found = conn.execute(
                """SELECT count(*) FROM student_answer WHERE id > ? AND prompt_sha256 = ? AND student = ?
                   AND digest = ? AND options = ? AND example_hash IN (SELECT value FROM json_each(?))""",
                (
                    resolution.answers_before,
                    prompt_sha256,
                    student.name,
                    student.digest,
                    student.options,
                    canonical_json(list(example_hashes)),
                ),
            )
            return int(found.fetchone()[0])

    def keep_round(self, resolution_id: int, record: RoundRecord) -> None:
        """Store a round with its proposals and trials in one transaction; one that is there stays."""
        with self._database.write() as write:
            there = write.conn.execute(
                "SELECT 1 FROM conflict_round WHERE resolution_id = ? AND number = ?", (resolution_id, record.number)
            )
            if there.fetchone() is not None:
                return
            write.insert(
                "conflict_round",
                {
                    "resolution_id": resolution_id,
                    "number": record.number,
                    "rules": shapes.rules_text(record.rules),
                    "prompt_sha256": record.prompt_sha256,
                    "tokens": record.tokens,
                    "train": shapes.figure_text(record.train),
                    "validation": shapes.figure_text(record.validation),
                    "unusable": record.unusable,
                    "groups": shapes.groups_text(record.groups),
                    "stop": record.stop.value if record.stop else "",
                    "at": write.now,
                },
            )
            place: dict[str, int | str] = {"resolution_id": resolution_id, "at": write.now}
            write.insert_all("proposal", [{**place, **shapes.proposal_row(made)} for made in record.proposals])
            place["round"] = record.number
            write.insert_all("proposal_trial", [{**place, **shapes.trial_row(tried)} for tried in record.trials])

    def keep_trial(self, resolution_id: int, number: int, tried: Tried) -> None:
        """Store a trial of an edited proposal with the round that the proposal is of; an equal one stays alone."""
        with self._database.write() as write:
            if tried in _trials(write.conn, resolution_id, number):
                return
            place: dict[str, int | str] = {"resolution_id": resolution_id, "round": number, "at": write.now}
            write.insert("proposal_trial", {**place, **shapes.trial_row(tried)})

    @guarded(Step.RESOLVE)
    def keep_steps(self, resolution_id: int, number: int, steps: Sequence[Tried], actor: Actor) -> None:
        """Store the greedy order of a round that was over with its event; a round has one."""
        with self._database.write() as write:
            if not any(tried.stage is Stage.LATER for tried in _trials(write.conn, resolution_id, number)):
                task = _load(write.conn, resolution_id)["task"]
                write_steps(write, resolution_id, task, number, steps, actor)

    @guarded(Step.RESOLVE)
    def note_stop(self, resolution_id: int, stop: LoopStop, actor: Actor) -> None:
        """Record that a start of a loop came to no end, and what was spent by then."""
        with self._database.write() as write:
            write_stop(write, resolution_id, _load(write.conn, resolution_id)["task"], stop, actor)

    @guarded(Step.RESOLVE)
    def finish(self, resolution_id: int, score: HeldOutScore, actor: Actor) -> None:
        """Record the end of a loop with its event; a loop ends once."""
        with self._database.write() as write:
            if _load_score(write.conn, resolution_id) is not None:
                return
            resolution = _resolution_from(_load(write.conn, resolution_id))
            write.insert(
                "resolution_score",
                {
                    "resolution_id": resolution_id,
                    "best_round": score.best_round,
                    "first": shapes.figure_text(score.first),
                    "best": shapes.figure_text(score.best),
                    "by": actor.name,
                    "at": write.now,
                },
            )
            last = _load_rounds(write.conn, resolution_id)[-1]
            payload: dict[str, Json] = {
                "resolution": resolution_id,
                "best_round": score.best_round,
                "score": score.hash,
                "rounds": last.number,
                "why": last.stop.words if last.stop else "",
            }
            write.event(actor, "resolution.ended", resolution.order.task, payload)

    # --- reading ------------------------------------------------------------------------------------------------------

    def get(self, resolution_id: int) -> Resolution:
        with self._database.read() as conn:
            return _resolution_from(_load(conn, resolution_id))

    def all(self, task: str) -> tuple[Resolution, ...]:
        """Return the loops of a task, newest first."""
        with self._database.read() as conn:
            load_task(conn, task)
            found = conn.execute("SELECT * FROM resolution WHERE task = ? ORDER BY id DESC", (task,))
            return tuple(_resolution_from(row) for row in found)

    def rounds(self, resolution_id: int) -> tuple[RoundRecord, ...]:
        """Return the rounds of a loop that are over, round 0 first."""
        with self._database.read() as conn:
            _load(conn, resolution_id)
            return _load_rounds(conn, resolution_id)

    def stops(self, resolution_id: int) -> tuple[LoopStop, ...]:
        """Return where a loop stopped before its end, newest first."""
        with self._database.read() as conn:
            return load_stops(conn, resolution_id)

    def score(self, resolution_id: int) -> HeldOutScore | None:
        """Return the figures on the test split; None while the loop has not ended."""
        with self._database.read() as conn:
            _load(conn, resolution_id)
            return _load_score(conn, resolution_id)


def _trial_rules(conn: sqlite3.Connection, task: str, which: str) -> list[TrialRule]:
    """Return rules of a task by number, without their evidence; `which` is a condition on rule `r` and revision `v`."""
    locked = locked_rules(conn, task)
    found = conn.execute(
        f"""SELECT v.*, (SELECT max(d.id) FROM decision AS d
                        WHERE d.revision_hash = v.hash AND d.verdict = 'approve') AS decision_id
           FROM rule AS r JOIN revision AS v ON {which}
           WHERE r.task = ? AND r.id {NO_CHECK} ORDER BY r.number""",  # noqa: S608 - literals of this module
        (task,),
    )
    return [TrialRule(rows.revision_from(row), (), row["decision_id"] or 0, row["rule_id"] in locked) for row in found]


def load_resolution(conn: sqlite3.Connection, resolution_id: int) -> Resolution:
    """Return a loop.

    Raises:
        NotFound: there is none of this number.
    """
    return _resolution_from(_load(conn, resolution_id))


def _load(conn: sqlite3.Connection, resolution_id: int) -> sqlite3.Row:
    row: sqlite3.Row | None = conn.execute("SELECT * FROM resolution WHERE id = ?", (resolution_id,)).fetchone()
    if row is None:
        raise NotFound(f"There is no loop {resolution_id} in this workspace.")
    return row


def _resolution_row(write: Write, order: LoopOrder, basis: LoopBasis, actor: Actor) -> dict[str, rows.Value]:
    newest = write.conn.execute("SELECT coalesce(max(id), 0) FROM student_answer").fetchone()[0]
    free = write.conn.execute("SELECT coalesce(max(id), 0) + 1 FROM resolution").fetchone()[0]
    return {
        "task": order.task,
        "key": order.key or f"loop {free}",
        "seed": order.seed,
        "limits": canonical_json(order.limits.as_json()),
        "bar": canonical_json(order.bar.as_json()),
        "teacher": basis.teacher,
        "student": basis.student.name,
        "digest": basis.student.digest,
        "options": basis.student.options,
        "rules": shapes.rules_text(basis.rules),
        "prompt_sha256": basis.prompt_sha256,
        "first_free": basis.first_free,
        "examples": canonical_json({split.value: list(hashes) for split, hashes in basis.examples.items()}),
        "answers_before": int(newest),
        "by": actor.name,
        "at": write.now,
    }


def _resolution_from(row: sqlite3.Row) -> Resolution:
    limits, bar = LoopLimits(**json.loads(row["limits"])), Bar(**json.loads(row["bar"]))
    examples = {Split(split): tuple(hashes) for split, hashes in json.loads(row["examples"]).items()}
    student = StudentKey(row["student"], row["digest"], row["options"])
    basis = LoopBasis(
        row["teacher"],
        student,
        shapes.rules_from(row["rules"]),
        row["prompt_sha256"],
        row["first_free"],
        examples,
    )
    order = LoopOrder(row["task"], row["key"], row["seed"], limits, bar)
    return Resolution(row["id"], order, basis, row["answers_before"], row["at"], row["by"])


def _load_rounds(conn: sqlite3.Connection, resolution_id: int) -> tuple[RoundRecord, ...]:
    found = conn.execute("SELECT * FROM conflict_round WHERE resolution_id = ? ORDER BY number", (resolution_id,))
    return tuple(
        RoundRecord(
            number=row["number"],
            rules=shapes.rules_from(row["rules"]),
            prompt_sha256=row["prompt_sha256"],
            tokens=row["tokens"],
            train=shapes.figure_from(row["train"]),
            validation=shapes.figure_from(row["validation"]),
            unusable=row["unusable"],
            groups=shapes.groups_from(row["groups"]),
            proposals=_proposals(conn, resolution_id, row["number"]),
            trials=_trials(conn, resolution_id, row["number"]),
            stop=Stop(row["stop"]) if row["stop"] else None,
        )
        for row in found.fetchall()
    )


def _proposals(conn: sqlite3.Connection, resolution_id: int, number: int) -> tuple[MadeProposal, ...]:
    sql = "SELECT * FROM proposal WHERE resolution_id = ? AND round = ? ORDER BY id"
    return tuple(shapes.proposal_from(row) for row in conn.execute(sql, (resolution_id, number)))


def _trials(conn: sqlite3.Connection, resolution_id: int, number: int) -> tuple[Tried, ...]:
    sql = "SELECT * FROM proposal_trial WHERE resolution_id = ? AND round = ? ORDER BY id"
    return tuple(shapes.trial_from(row) for row in conn.execute(sql, (resolution_id, number)))


def _load_score(conn: sqlite3.Connection, resolution_id: int) -> HeldOutScore | None:
    row = conn.execute("SELECT * FROM resolution_score WHERE resolution_id = ?", (resolution_id,)).fetchone()
    if row is None:
        return None
    return HeldOutScore(row["best_round"], shapes.figure_from(row["first"]), shapes.figure_from(row["best"]))
