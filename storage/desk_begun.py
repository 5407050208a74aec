"""Decisions that are begun and not signed. Private to the person, changed in place, no part of the record."""

from __future__ import annotations

import sqlite3

from pld_core.begun import BegunDecision, BegunText
from pld_core.models import Actor, RejectCategory, Verdict
from pld_core.permissions import Step, guarded
from storage.connection import Database
from storage.rule_queries import load_revision, load_summary

_MINE = "person = ? AND rule_id = ? AND base = ? AND verdict = ?"


class SqliteBegun:
    def __init__(self, database: Database) -> None:
        self._database = database

    @guarded(Step.JUDGE)
    def keep(self, rule_id: str, base: str, verdict: Verdict, text: BegunText, actor: Actor) -> None:
        """Keep what was typed, in place of what was kept before; fields without anything in them keep nothing."""
        with self._database.write() as write:
            rule = load_summary(write.conn, rule_id)
            load_revision(write.conn, base)
            mine = (actor.name, rule.id, base, verdict.value)
            write.conn.execute(f"DELETE FROM begun_decision WHERE {_MINE}", mine)  # noqa: S608 - a constant
            if not text.is_empty:
                category = text.category.value if text.category else ""
                write.conn.execute(
                    """INSERT INTO begun_decision (person, rule_id, base, verdict, reason, category, at)
                       VALUES (?, ?, ?, ?, ?, ?, ?)""",
                    (*mine, text.reason, category, write.now),
                )

    def of_rule(self, rule_id: str, actor: Actor) -> tuple[BegunDecision, ...]:
        """Return what the actor has begun on a rule, newest first."""
        with self._database.read() as conn:
            found = conn.execute(
                """SELECT b.*, v.number FROM begun_decision AS b JOIN revision AS v ON v.hash = b.base
                   WHERE b.person = ? AND b.rule_id = ? ORDER BY b.at DESC, b.base, b.verdict""",
                (actor.name, rule_id.upper()),
            )
            return tuple(_begun(row) for row in found)

    @guarded(Step.JUDGE)
    def drop(self, rule_id: str, base: str, verdict: Verdict, actor: Actor) -> BegunText | None:
        """Drop what was begun and return what it held; None if there was nothing."""
        with self._database.write() as write:
            row = write.conn.execute(
                f"DELETE FROM begun_decision WHERE {_MINE} RETURNING reason, category",  # noqa: S608 - a constant
                (actor.name, rule_id.upper(), base, verdict.value),
            ).fetchone()
            return None if row is None else _text(row)


def _begun(row: sqlite3.Row) -> BegunDecision:
    verdict = Verdict(row["verdict"])
    return BegunDecision(row["rule_id"], row["base"], row["number"], verdict, _text(row), row["at"])


def _text(row: sqlite3.Row) -> BegunText:
    return BegunText(row["reason"], RejectCategory(row["category"]) if row["category"] else None)
