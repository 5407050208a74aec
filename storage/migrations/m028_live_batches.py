"""Batches of live questions to a student, and its answers."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m028_live_batches(db: Tables) -> None:
    each(
        db,
        """CREATE TABLE live_batch (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL REFERENCES task(name), prompt_number INTEGER NOT NULL,
            prompt_sha256 TEXT NOT NULL, student TEXT NOT NULL, digest TEXT NOT NULL, source TEXT NOT NULL,
            inputs TEXT NOT NULL, empty INTEGER NOT NULL, sent TEXT NOT NULL, at TEXT NOT NULL, by TEXT NOT NULL,
            FOREIGN KEY (task, prompt_number) REFERENCES prompt_version (task, number)) STRICT""",
        "CREATE INDEX live_batch_by_task ON live_batch (task, id)",
        """CREATE TABLE live_batch_answer (
            batch_id INTEGER NOT NULL REFERENCES live_batch(id), text_hash TEXT NOT NULL, answer TEXT NOT NULL,
            at TEXT NOT NULL, PRIMARY KEY (batch_id, text_hash)) STRICT""",
    )
