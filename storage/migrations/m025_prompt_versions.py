"""How long a prompt version is, as one student after the other counts it."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m025_prompt_versions(db: Tables) -> None:
    each(
        db,
        """CREATE TABLE prompt_count (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL, number INTEGER NOT NULL, tokens INTEGER NOT NULL,
            method TEXT NOT NULL CHECK (method IN ('tokenizer', 'probe', 'estimate')), counter TEXT NOT NULL,
            note TEXT NOT NULL, at TEXT NOT NULL, by TEXT NOT NULL,
            FOREIGN KEY (task, number) REFERENCES prompt_version (task, number)) STRICT""",
        "CREATE INDEX prompt_count_by_version ON prompt_count (task, number, id)",
    )
