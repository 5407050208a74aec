"""Jobs and the event log."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m005_jobs_and_events(db: Tables) -> None:
    each(
        db,
        """CREATE TABLE job (
            id INTEGER PRIMARY KEY, kind TEXT NOT NULL, task TEXT NOT NULL, params TEXT NOT NULL, state TEXT NOT NULL,
            done INTEGER NOT NULL, total INTEGER NOT NULL, message TEXT NOT NULL, owner TEXT NOT NULL,
            heartbeat_at TEXT NOT NULL, created_at TEXT NOT NULL, created_by TEXT NOT NULL, started_at TEXT NOT NULL,
            finished_at TEXT NOT NULL, attempts INTEGER NOT NULL, cancel_requested INTEGER NOT NULL) STRICT""",
        "CREATE INDEX job_by_state ON job (state, id)",
        """CREATE TABLE event (
            seq INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
            payload TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL) STRICT""",
        "CREATE INDEX event_by_kind ON event (kind, seq)",
    )
