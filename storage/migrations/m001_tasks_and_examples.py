"""A task, its guideline and its examples."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m001_tasks_and_examples(db: Tables) -> None:
    each(
        db,
        """CREATE TABLE task (
            name TEXT PRIMARY KEY, title TEXT NOT NULL, input_fields TEXT NOT NULL, labels TEXT NOT NULL,
            guideline_version INTEGER NOT NULL, four_eyes INTEGER NOT NULL, teacher TEXT NOT NULL,
            created_at TEXT NOT NULL) STRICT""",
        """CREATE TABLE guideline (
            task TEXT NOT NULL REFERENCES task(name), version INTEGER NOT NULL, text TEXT NOT NULL,
            created_at TEXT NOT NULL, created_by TEXT NOT NULL, PRIMARY KEY (task, version)) STRICT""",
        """CREATE TABLE example (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL REFERENCES task(name), hash TEXT NOT NULL,
            fields TEXT NOT NULL, text TEXT NOT NULL, label TEXT NOT NULL,
            split TEXT NOT NULL CHECK (split IN ('train', 'validation', 'test')),
            source TEXT NOT NULL, group_name TEXT NOT NULL, UNIQUE (task, hash)) STRICT""",
        "CREATE INDEX example_by_split ON example (task, split, label)",
    )
