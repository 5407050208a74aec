"""Batches at a provider."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m010_batches(db: Tables) -> None:
    each(
        db,
        """CREATE TABLE batch (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL REFERENCES task(name), key TEXT NOT NULL UNIQUE,
            purpose TEXT NOT NULL, teacher TEXT NOT NULL, template_hash TEXT NOT NULL, run TEXT NOT NULL,
            tokens INTEGER NOT NULL, at TEXT NOT NULL, by TEXT NOT NULL) STRICT""",
        "CREATE INDEX batch_by_task ON batch (task, id)",
        """CREATE TABLE batch_item (
            batch_id INTEGER NOT NULL REFERENCES batch(id), request_hash TEXT NOT NULL, subjects TEXT NOT NULL,
            most INTEGER NOT NULL, PRIMARY KEY (batch_id, request_hash)) STRICT""",
        """CREATE TABLE batch_note (
            id INTEGER PRIMARY KEY, batch_id INTEGER NOT NULL REFERENCES batch(id), state TEXT NOT NULL,
            remote_id TEXT NOT NULL, file_id TEXT NOT NULL, done INTEGER NOT NULL, failed INTEGER NOT NULL,
            message TEXT NOT NULL, at TEXT NOT NULL, by TEXT NOT NULL) STRICT""",
        "CREATE INDEX batch_note_by_batch ON batch_note (batch_id, id)",
        # A reply is recorded in the transaction that notes it here, so that collecting twice records it once.
        """CREATE TABLE batch_result (
            batch_id INTEGER NOT NULL, request_hash TEXT NOT NULL, PRIMARY KEY (batch_id, request_hash),
            FOREIGN KEY (batch_id, request_hash) REFERENCES batch_item (batch_id, request_hash)) STRICT""",
        # A job that waits for somebody else is not claimed before this time; empty for at once.
        "ALTER TABLE job ADD COLUMN not_before TEXT NOT NULL DEFAULT ''",
    )
