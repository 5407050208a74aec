"""Unsaved edits. Private to the person, changed in place, no part of the record."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict

from pld_core.canonical import canonical_json
from pld_core.desk import Draft, DraftText
from pld_core.models import Actor
from pld_core.permissions import Step, guarded
from storage.connection import Database
from storage.rule_queries import load_revision, load_summary

_DRAFT = """SELECT d.*, v.number FROM draft AS d JOIN revision AS v ON v.hash = d.base
    JOIN rule AS r ON r.id = d.rule_id WHERE d.person = ?"""


class SqliteDrafts:
    def __init__(self, database: Database) -> None:
        self._database = database

    @guarded(Step.EDIT)
    def save(self, rule_id: str, base: str, text: DraftText, actor: Actor) -> None:
        """Keep what was typed for an edit of this revision, in place of what was kept before."""
        with self._database.write() as write:
            rule = load_summary(write.conn, rule_id)
            load_revision(write.conn, base)
            write.conn.execute(
                """INSERT INTO draft (person, rule_id, base, fields, at) VALUES (?, ?, ?, ?, ?)
                   ON CONFLICT (person, rule_id, base) DO UPDATE SET fields = excluded.fields, at = excluded.at""",
                (actor.name, rule.id, base, canonical_json({**asdict(text), "labels": list(text.labels)}), write.now),
            )

    def of_rule(self, rule_id: str, actor: Actor) -> tuple[Draft, ...]:
        """Return the actor's drafts on a rule, newest first."""
        with self._database.read() as conn:
            sql = f"{_DRAFT} AND d.rule_id = ? ORDER BY d.at DESC, d.base"
            return tuple(_draft(row) for row in conn.execute(sql, (actor.name, rule_id.upper())))

    def mine(self, task: str, actor: Actor) -> tuple[Draft, ...]:
        """Return the actor's drafts in a task, newest first."""
        with self._database.read() as conn:
            sql = f"{_DRAFT} AND r.task = ? ORDER BY d.at DESC, d.rule_id, d.base"
            return tuple(_draft(row) for row in conn.execute(sql, (actor.name, task)))

    @guarded(Step.EDIT)
    def discard(self, rule_id: str, base: str, actor: Actor) -> DraftText | None:
        """Drop a draft and return what it held; None if there was none."""
        with self._database.write() as write:
            row = write.conn.execute(
                "DELETE FROM draft WHERE person = ? AND rule_id = ? AND base = ? RETURNING fields",
                (actor.name, rule_id.upper(), base),
            ).fetchone()
            return None if row is None else _text(row)


def _draft(row: sqlite3.Row) -> Draft:
    return Draft(row["rule_id"], row["base"], row["number"], _text(row), row["at"])


def _text(row: sqlite3.Row) -> DraftText:
    fields = json.loads(row["fields"])
    return DraftText(**{**fields, "labels": tuple(fields["labels"])})
