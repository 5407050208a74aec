"""Decisions that are begun and not signed. Private to the person, changed in place, no part of the record."""

from __future__ import annotations

import sqlite3

from pld_core.begun import BegunDecision, BegunText
from pld_core.models import Actor, RejectCategory
from pld_core.permissions import Step, guarded
from pld_core.review import Action
from storage.connection import Database, Write
from storage.rule_queries import load_revision, load_summary


class SqliteBegun:
    def __init__(self, database: Database) -> None:
        self._database = database

    @guarded(Step.JUDGE)
    def keep(self, begun: BegunDecision, actor: Actor) -> None:
        """Keep what was typed, in place of what the actor kept for this step on this revision before."""
        with self._database.write() as write:
            rule = load_summary(write.conn, begun.rule_id)
            load_revision(write.conn, begun.base)
            category = begun.text.category.value if begun.text.category else ""
            write.conn.execute(
                """INSERT OR REPLACE INTO begun_decision
                   (person, rule_id, base, action, reason, category, evidence, opened_at, at)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                (
                    actor.name,
                    rule.id,
                    begun.base,
                    begun.action.value,
                    begun.text.reason,
                    category,
                    begun.evidence,
                    begun.opened_at,
                    write.now,
                ),
            )

    def of_rule(self, rule_id: str, actor: Actor) -> tuple[BegunDecision, ...]:
        """Return what the actor has begun on a rule and not signed, newest first."""
        with self._database.read() as conn:
            found = conn.execute(
                """SELECT b.*, v.number FROM begun_decision AS b JOIN revision AS v ON v.hash = b.base
                   WHERE b.person = ? AND b.rule_id = ? ORDER BY b.at DESC, b.base, b.action""",
                (actor.name, rule_id.upper()),
            )
            return tuple(_begun(row) for row in found)

    @guarded(Step.JUDGE)
    def drop(self, rule_id: str, base: str, action: Action, actor: Actor) -> None:
        """Drop what was begun, if anything was."""
        with self._database.write() as write:
            write.conn.execute(
                "DELETE FROM begun_decision WHERE person = ? AND rule_id = ? AND base = ? AND action = ?",
                (actor.name, rule_id.upper(), base, action.value),
            )


def forget_begun(write: Write, rule_id: str, actor: Actor) -> None:
    """Drop everything that the actor has begun on a rule: one of it was signed."""
    write.conn.execute("DELETE FROM begun_decision WHERE person = ? AND rule_id = ?", (actor.name, rule_id))


def _begun(row: sqlite3.Row) -> BegunDecision:
    text = BegunText(row["reason"], RejectCategory(row["category"]) if row["category"] else None)
    return BegunDecision(
        row["rule_id"],
        row["base"],
        Action(row["action"]),
        text,
        row["evidence"],
        row["opened_at"],
        row["number"],
        row["at"],
    )
