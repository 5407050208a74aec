"""The guideline of each task: every version stays; the newest is in force."""

from __future__ import annotations

import sqlite3

from pld_core.canonical import Json, hash_text
from pld_core.errors import GuidelineMovedOn
from pld_core.guideline import GuidelineVersion, checked_change, is_same
from pld_core.models import Actor
from pld_core.permissions import Step, guarded
from pld_core.staleness import NOTHING, Effects, guideline_effects
from storage.connection import Database
from storage.staleness import carry_out, decided_revisions
from storage.task_queries import load_task


class SqliteGuidelines:
    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self, task: str) -> GuidelineVersion:
        """Return the guideline in force."""
        return self.history(task)[0]

    def history(self, task: str) -> tuple[GuidelineVersion, ...]:
        """Return every version, newest first."""
        with self._database.read() as conn:
            load_task(conn, task)
            return guideline_versions(conn, task)[::-1]

    def effects(self, task: str, text: str) -> Effects:
        """Return what another text would make of the decisions of the task; nothing is changed."""
        with self._database.read() as conn:
            there = load_task(conn, task)
            if is_same(there.guideline, text):
                return NOTHING
            version = there.guideline_version
            return guideline_effects(version, version + 1, decided_revisions(conn, task))

    @guarded(Step.CHANGE_GUIDELINE)
    def change(
        self, task: str, seen_version: int, text: str, reason: str, actor: Actor
    ) -> tuple[GuidelineVersion, Effects]:
        """Set another guideline; `seen_version` is the one that the person looked at. Return it with what it did.

        Raises:
            GuidelineMovedOn: somebody changed it meanwhile.
            InvalidInput: no text, one that is too long, or the one in force.
            MissingReason: no reason.
        """
        with self._database.write() as write:
            before = load_task(write.conn, task)
            if before.guideline_version != seen_version:
                raise GuidelineMovedOn(
                    f"Somebody changed the guideline of {task} since you looked at it: version "
                    f"{before.guideline_version} is in force, not {seen_version}. Nothing was changed, and what you "
                    "wrote is kept. Compare the two, then save again."
                )
            cleaned, why = checked_change(before.guideline, text, reason)
            version = before.guideline_version + 1
            effects = guideline_effects(before.guideline_version, version, decided_revisions(write.conn, task))
            write.insert(
                "guideline",
                {
                    "task": task,
                    "version": version,
                    "text": cleaned,
                    "reason": why,
                    "created_at": write.now,
                    "created_by": actor.name,
                },
            )
            write.conn.execute("UPDATE task SET guideline_version = ? WHERE name = ?", (version, task))
            payload: dict[str, Json] = {
                "version": version,
                "before": {"version": before.guideline_version, "text": hash_text(before.guideline)},
                "after": {"version": version, "text": hash_text(cleaned)},
                "reason": why,
                **effects.as_json(),
                "signed_as": actor.signed_as,
            }
            write.event(actor, "guideline.changed", task, payload)
            carry_out(write, effects, why, actor)
            return GuidelineVersion(version, cleaned, why, actor.name, write.now), effects


def guideline_versions(conn: sqlite3.Connection, task: str) -> tuple[GuidelineVersion, ...]:
    """Return every version of a task's guideline, oldest first."""
    found = conn.execute("SELECT * FROM guideline WHERE task = ? ORDER BY version", (task,))
    return tuple(
        GuidelineVersion(r["version"], r["text"], r["reason"], r["created_by"], r["created_at"]) for r in found
    )
