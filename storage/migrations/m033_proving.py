"""What a trial of edited texts tried, those texts, and where a loop stopped."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m033_proving(db: Tables) -> None:
    each(
        db,
        # An older trial names no texts, so it is no proof of any: they are tried again, from stored answers.
        "ALTER TABLE proposal_trial ADD COLUMN texts TEXT NOT NULL DEFAULT ''",
        """CREATE TABLE edited_texts (
            id INTEGER PRIMARY KEY, resolution_id INTEGER NOT NULL REFERENCES resolution(id), proposal TEXT NOT NULL,
            texts TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL) STRICT""",
        "CREATE INDEX edited_texts_by_proposal ON edited_texts (resolution_id, proposal, id)",
        """CREATE TABLE resolution_stop (
            id INTEGER PRIMARY KEY, resolution_id INTEGER NOT NULL REFERENCES resolution(id), used INTEGER NOT NULL,
            cap INTEGER, reason TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL) STRICT""",
        "CREATE INDEX resolution_stop_by_loop ON resolution_stop (resolution_id, id)",
    )
