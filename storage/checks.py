"""Reading seeded checks: figures for everybody, a single one only when it is closed."""

from __future__ import annotations

import sqlite3

from pld_core.checks import CatchRate, CheckKind, Ending, Outcome, SeededCheck, catch_rate
from pld_core.models import Actor
from storage.connection import Database
from storage.task_queries import load_task

NO_CHECK = "NOT IN (SELECT rule_id FROM seeded_check)"
"""On a rule's id: for what is about the rules themselves, such as coverage, overlaps and prompts."""
NO_CLOSED_CHECK = "NOT IN (SELECT rule_id FROM check_outcome)"
"""On a rule's id: for figures beside the queue, in which an open check must not show by being missing."""
_CHECK = """SELECT c.*, v.rule_id AS parent, o.how, o.by, o.at AS closed_at FROM seeded_check AS c
    JOIN rule AS r ON r.id = c.rule_id JOIN revision AS v ON v.hash = c.parent_revision
    LEFT JOIN check_outcome AS o ON o.rule_id = c.rule_id"""


class SqliteChecks:
    def __init__(self, database: Database) -> None:
        self._database = database

    def figures(self, task: str) -> CatchRate:
        """Return what became of the checks of a task."""
        with self._database.read() as conn:
            load_task(conn, task)
            return catch_rate(load_checks(conn, task))

    def mine(self, task: str, actor: Actor) -> CatchRate:
        """Return what became of those that the actor closed; nobody sees another person's."""
        with self._database.read() as conn:
            load_task(conn, task)
            return catch_rate(c for c in load_checks(conn, task) if c.outcome and c.outcome.by == actor.name)

    def closed(self, rule_id: str) -> SeededCheck | None:
        """Return the check that the rule was, None if it was none or is still open."""
        with self._database.read() as conn:
            check = load_check(conn, rule_id)
        return check if check and check.outcome else None


def load_checks(conn: sqlite3.Connection, task: str) -> tuple[SeededCheck, ...]:
    """Return all checks of a task, open ones too, in the order of drawing."""
    return tuple(map(_check, conn.execute(f"{_CHECK} WHERE r.task = ? ORDER BY c.id", (task,))))


def load_check(conn: sqlite3.Connection, rule_id: str) -> SeededCheck | None:
    """Return the check that the rule is, open or closed; None if it is none."""
    row = conn.execute(f"{_CHECK} WHERE c.rule_id = ?", (rule_id.upper(),)).fetchone()
    return None if row is None else _check(row)


def _check(row: sqlite3.Row) -> SeededCheck:
    return SeededCheck(
        rule_id=row["rule_id"],
        revision_hash=row["revision_hash"],
        kind=CheckKind(row["kind"]),
        parent=row["parent"],
        parent_revision=row["parent_revision"],
        policy=row["policy"],
        at=row["at"],
        outcome=Outcome(Ending(row["how"]), row["by"], row["closed_at"]) if row["how"] else None,
    )
