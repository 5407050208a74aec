"""Rules that a reviewer locked: no proposal of a loop may change them. Every word on it is kept."""

from __future__ import annotations

import sqlite3

from pld_core.canonical import Json
from pld_core.conflicts.records import RuleLock
from pld_core.errors import InvalidInput, MissingReason
from pld_core.models import Actor
from pld_core.permissions import Step, guarded
from storage.connection import Database, Write
from storage.rule_queries import load_summary
from storage.task_queries import load_task

_NEWEST = "SELECT max(id) FROM rule_lock GROUP BY rule_id"


class SqliteLocks:
    def __init__(self, database: Database) -> None:
        self._database = database

    @guarded(Step.LOCK)
    def lock(self, rule_id: str, reason: str, actor: Actor) -> RuleLock:
        """Lock a rule.

        Raises:
            InvalidInput: it is locked.
            MissingReason: no reason.
        """
        with self._database.write() as write:
            return _set(write, rule_id, True, reason, actor)

    @guarded(Step.LOCK)
    def unlock(self, rule_id: str, reason: str, actor: Actor) -> RuleLock:
        """Unlock a rule; errors as those of `lock`."""
        with self._database.write() as write:
            return _set(write, rule_id, False, reason, actor)

    def locked(self, task: str) -> frozenset[str]:
        """Return the ids of the locked rules of a task."""
        with self._database.read() as conn:
            load_task(conn, task)
            return locked_rules(conn, task)

    def history(self, rule_id: str) -> tuple[RuleLock, ...]:
        """Return every word on a rule, newest first."""
        with self._database.read() as conn:
            found = conn.execute("SELECT * FROM rule_lock WHERE rule_id = ? ORDER BY id DESC", (rule_id.upper(),))
            return tuple(_lock_from(row) for row in found)


def _set(write: Write, rule_id: str, locked: bool, reason: str, actor: Actor) -> RuleLock:
    if not reason.strip():
        raise MissingReason("Locking and unlocking a rule need a reason. Nothing was changed; say why.")
    why = " ".join(reason.split())
    rule = load_summary(write.conn, rule_id)
    if (rule.id in locked_rules(write.conn, rule.task)) is locked:
        raise InvalidInput(f"{rule.id} is {'locked already' if locked else 'not locked'}. Nothing was changed.")
    row: dict[str, int | str] = {"rule_id": rule.id, "locked": int(locked), "reason": why}
    write.insert("rule_lock", {**row, "by": actor.name, "at": write.now})
    payload: dict[str, Json] = {"reason": why, "signed_as": actor.signed_as}
    write.event(actor, "rule.locked" if locked else "rule.unlocked", rule.id, payload)
    return RuleLock(rule.id, locked, why, actor.name, write.now)


def locked_rules(conn: sqlite3.Connection, task: str) -> frozenset[str]:
    """Return the ids of the locked rules of a task."""
    found = conn.execute(
        f"""SELECT l.rule_id FROM rule_lock AS l JOIN rule AS r ON r.id = l.rule_id
            WHERE r.task = ? AND l.locked = 1 AND l.id IN ({_NEWEST})""",  # noqa: S608 - a constant
        (task,),
    )
    return frozenset(str(row["rule_id"]) for row in found)


def _lock_from(row: sqlite3.Row) -> RuleLock:
    return RuleLock(row["rule_id"], bool(row["locked"]), row["reason"], row["by"], row["at"])
