"""Decisions that wait for their signature, and the way from a rule to its events."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m022_signing(db: Tables) -> None:
    each(
        db,
        # Private, changed in place, no part of the record: gone once it is signed.
        """CREATE TABLE unsigned_decision (
            person TEXT NOT NULL, rule_id TEXT NOT NULL REFERENCES rule(id), action TEXT NOT NULL,
            revision TEXT NOT NULL REFERENCES revision(hash), evidence TEXT NOT NULL, reason TEXT NOT NULL,
            category TEXT NOT NULL, opened_at TEXT NOT NULL, at TEXT NOT NULL,
            PRIMARY KEY (person, rule_id)) STRICT, WITHOUT ROWID""",
        "CREATE INDEX event_by_subject ON event (subject, seq)",
    )
