"""Decisions that come in together on a sheet: each judged for itself, all recorded in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager, suppress

from pld_core.canonical import Json
from pld_core.decision_check import Refusal, RowDecision, RowJudgement, SheetOutcome, SheetReading, moved_words
from pld_core.decision_sheet import SheetOrigin
from pld_core.errors import InvalidInput, NotAllowed, NotFound, RevisionMovedOn
from pld_core.models import Actor, Decision, RevisionState
from pld_core.permissions import Step, guarded
from pld_core.review import Action
from storage.connection import Database, Write
from storage.rule_queries import load_summary
from storage.rules import SqliteRules
from storage.task_queries import load_task


class SqliteSheets:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._rules = SqliteRules(database)

    def workspace(self) -> str:
        """Return what tells this workspace from others: the hash of its first event."""
        with self._database.read() as conn:
            return str(conn.execute("SELECT hash FROM event WHERE seq = 1").fetchone()[0])

    def origin(self, task: str, exported_by: str) -> SheetOrigin:
        """Return what a sheet that is exported now says of where it comes from."""
        with self._database.read() as conn:
            load_task(conn, task)
        return SheetOrigin(self.workspace(), task, self._database.now(), exported_by)

    @guarded(Step.JUDGE)
    def rehearse(self, reading: SheetReading, actor: Actor) -> SheetOutcome:
        """Return what `record` would do now; nothing is written."""
        with suppress(_Rehearsed), self._database.write() as write:
            outcome = self._judge_each(write, reading, actor)
            raise _Rehearsed
        return outcome

    @guarded(Step.JUDGE)
    def record(self, reading: SheetReading, actor: Actor) -> SheetOutcome:
        """Record the decisions of a sheet as the actor's, in one transaction with an event on the sheet.

        A row that moved on, or that the guard refuses, is reported and changes nothing. If no row is left, nothing is
        written at all.
        """
        with self._database.write() as write:
            outcome = self._judge_each(write, reading, actor)
            if outcome.decided:
                write.event(actor, "review.imported", reading.origin.task, _payload(reading, outcome, actor))
        return outcome

    def _judge_each(self, write: Write, reading: SheetReading, actor: Actor) -> SheetOutcome:
        load_task(write.conn, reading.origin.task)
        decided, refused = [], list(reading.refused)
        for row in reading.judgements:
            try:
                with _savepoint(write.conn):
                    decided.append(self._judge(write, row, reading.origin, actor))
            except RevisionMovedOn as error:
                refused.append(_refusal(row, moved_words(error, row.judgement.seen_state)))
            except (NotAllowed, NotFound, InvalidInput) as error:
                refused.append(_refusal(row, str(error)))
        return SheetOutcome(tuple(decided), tuple(sorted(refused, key=lambda found: found.number)), reading.skipped)

    def _judge(self, write: Write, row: RowJudgement, origin: SheetOrigin, actor: Actor) -> RowDecision:
        judgement = row.judgement
        if load_summary(write.conn, judgement.rule_id).task != origin.task:
            raise InvalidInput(f"it is no rule of the task {origin.task}. Nothing was recorded for it.")
        # Asked first: a decision that was withdrawn since leaves the rule as the sheet shows it.
        made = write.conn.execute(
            "SELECT id, verdict FROM decision WHERE revision_hash = ? AND reviewer = ? AND decided_at > ?",
            (judgement.seen_revision, actor.name, origin.exported_at),
        ).fetchone()
        if made is not None:
            raise InvalidInput(
                f"decided by you already since the sheet was exported ({made['verdict'].replace('_', ' ')}, decision "
                f"{made['id']}). Nothing was recorded twice. To decide anew, use the Review page or a new sheet."
            )
        decision = self._rules.judge(judgement, actor, write)
        return RowDecision(
            row.number, decision.rule_id, decision.verdict, decision.id, _decided_state(write.conn, decision)
        )


def _decided_state(conn: sqlite3.Connection, decision: Decision) -> RevisionState:
    """Return what the decision alone led to: what closes a seeded check must not show in a rehearsal."""
    row = conn.execute(
        "SELECT state FROM transition WHERE revision_hash = ? AND action <> ? ORDER BY id DESC LIMIT 1",
        (decision.revision_hash, Action.CLOSE_CHECK.value),
    ).fetchone()
    return RevisionState(row["state"])


class _Rehearsed(Exception):
    """Ends a transaction that was only tried."""


@contextmanager
def _savepoint(conn: sqlite3.Connection) -> Generator[None]:
    """Take back what the block wrote if it raises, and leave the rest of the transaction as it is."""
    conn.execute("SAVEPOINT one_row")
    try:
        yield
    except BaseException:
        # A full disk may have ended the transaction already.
        if conn.in_transaction:
            conn.execute("ROLLBACK TO one_row")
        raise
    finally:
        if conn.in_transaction:
            conn.execute("RELEASE one_row")


def _refusal(row: RowJudgement, problem: str) -> Refusal:
    return Refusal(row.number, row.judgement.rule_id, problem)


def _payload(reading: SheetReading, outcome: SheetOutcome, actor: Actor) -> dict[str, Json]:
    return {
        "file": reading.file,
        "sha256": reading.sha256,
        "exported_at": reading.origin.exported_at,
        "exported_by": reading.origin.exported_by,
        "decided": len(outcome.decided),
        "refused": len(outcome.refused),
        "skipped": outcome.skipped,
        "decisions": [{"row": row.number, "rule": row.rule_id, "decision": row.decision} for row in outcome.decided],
        "refusals": [refusal.as_json() for refusal in outcome.refused],
        "signed_as": actor.signed_as,
    }
