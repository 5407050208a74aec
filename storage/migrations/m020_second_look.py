"""Rejections that were drawn for a second look, and what came of it."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m020_second_look(db: Tables) -> None:
    each(
        db,
        """CREATE TABLE second_look (
            id INTEGER PRIMARY KEY, decision_id INTEGER NOT NULL UNIQUE REFERENCES decision(id),
            at TEXT NOT NULL) STRICT""",
        """CREATE TABLE second_look_outcome (
            id INTEGER PRIMARY KEY, decision_id INTEGER NOT NULL UNIQUE REFERENCES second_look(decision_id),
            outcome TEXT NOT NULL CHECK (outcome IN ('confirm', 'reopen')), reason TEXT NOT NULL, by TEXT NOT NULL,
            at TEXT NOT NULL) STRICT""",
    )
