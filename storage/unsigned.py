"""Decisions that wait for their signature. Private to the person, changed in place, no part of the record."""

from __future__ import annotations

from pld_core.models import Actor, RejectCategory
from pld_core.permissions import Step, guarded
from pld_core.review import Action
from pld_core.signing import UnsignedDecision
from storage.connection import Database, Write
from storage.rule_queries import load_revision, load_summary


class SqliteUnsigned:
    def __init__(self, database: Database) -> None:
        self._database = database

    @guarded(Step.JUDGE)
    def keep(self, decision: UnsignedDecision, actor: Actor) -> None:
        """Keep it in place of what the actor kept for the rule before."""
        with self._database.write() as write:
            rule = load_summary(write.conn, decision.rule_id)
            load_revision(write.conn, decision.revision)
            write.conn.execute(
                """INSERT OR REPLACE INTO unsigned_decision
                   (person, rule_id, action, revision, evidence, reason, category, opened_at, at)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                (
                    actor.name,
                    rule.id,
                    decision.action.value,
                    decision.revision,
                    decision.evidence,
                    decision.reason,
                    decision.category.value if decision.category else "",
                    decision.opened_at,
                    write.now,
                ),
            )

    def of_rule(self, rule_id: str, actor: Actor) -> UnsignedDecision | None:
        """Return what the actor kept for a rule."""
        with self._database.read() as conn:
            row = conn.execute(
                "SELECT * FROM unsigned_decision WHERE person = ? AND rule_id = ?", (actor.name, rule_id.upper())
            ).fetchone()
        if row is None:
            return None
        return UnsignedDecision(
            row["rule_id"],
            Action(row["action"]),
            row["revision"],
            row["evidence"],
            row["reason"],
            RejectCategory(row["category"]) if row["category"] else None,
            row["opened_at"],
            row["at"],
        )

    @guarded(Step.JUDGE)
    def drop(self, rule_id: str, actor: Actor) -> None:
        """Drop what the actor kept for a rule, if anything."""
        with self._database.write() as write:
            forget_unsigned(write, rule_id.upper(), actor)


def forget_unsigned(write: Write, rule_id: str, actor: Actor) -> None:
    write.conn.execute("DELETE FROM unsigned_decision WHERE person = ? AND rule_id = ?", (actor.name, rule_id))
