"""How a run asks, which of its answers came from the cache, and the prompts that are no version."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m029_run_setup(db: Tables) -> None:
    each(
        db,
        "ALTER TABLE run ADD COLUMN temperature REAL NOT NULL DEFAULT 0",
        "ALTER TABLE run ADD COLUMN seed INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE run ADD COLUMN shuffled INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE run ADD COLUMN repeat_group TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE run ADD COLUMN options TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE run ADD COLUMN reason TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE prediction ADD COLUMN from_cache INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX run_by_group ON run (repeat_group)",
        # The latency of a student is asked for on every look at the page.
        "CREATE INDEX student_answer_by_student ON student_answer (student, id)",
        """CREATE TABLE run_prompt (
            run_id INTEGER PRIMARY KEY REFERENCES run(id), sha256 TEXT NOT NULL, text TEXT NOT NULL,
            manifest TEXT NOT NULL) STRICT""",
    )
