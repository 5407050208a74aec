"""What teachers take overlapping rules for, by the two revisions that they were shown."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m032_pair_judgements(db: Tables) -> None:
    each(
        db,
        """CREATE TABLE pair_judgement (
            id INTEGER PRIMARY KEY, low TEXT NOT NULL REFERENCES revision(hash),
            high TEXT NOT NULL REFERENCES revision(hash), verdict TEXT NOT NULL, reason TEXT NOT NULL,
            examples TEXT NOT NULL, teacher TEXT NOT NULL, request_hash TEXT NOT NULL, by TEXT NOT NULL,
            at TEXT NOT NULL, UNIQUE (low, high, teacher, request_hash)) STRICT""",
    )
