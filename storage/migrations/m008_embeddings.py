"""The cache of vectors."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m008_embeddings(db: Tables) -> None:
    # A cache, not a record, so without guards: a model's vectors may be dropped. Its calls stay in teacher_call.
    each(
        db,
        """CREATE TABLE embedding (
            model TEXT NOT NULL, text_hash TEXT NOT NULL, at TEXT NOT NULL, vector BLOB NOT NULL,
            PRIMARY KEY (model, text_hash)) STRICT""",
    )
