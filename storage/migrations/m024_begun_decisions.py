"""Decisions that are begun and not signed."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m024_begun_decisions(db: Tables) -> None:
    each(
        db,
        # As `draft`: private, and changed with every pause, gone once it is signed.
        """CREATE TABLE begun_decision (
            person TEXT NOT NULL, rule_id TEXT NOT NULL REFERENCES rule(id),
            base TEXT NOT NULL REFERENCES revision(hash),
            action TEXT NOT NULL CHECK (action IN ('approve', 'reject', 'request_changes', 'withdraw')),
            reason TEXT NOT NULL, category TEXT NOT NULL, evidence TEXT NOT NULL, opened_at TEXT NOT NULL,
            at TEXT NOT NULL, PRIMARY KEY (person, rule_id, base, action)) STRICT, WITHOUT ROWID""",
    )
