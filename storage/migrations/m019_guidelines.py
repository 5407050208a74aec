"""Why guidelines were changed, and what else a decision was made beside."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m019_guidelines(db: Tables) -> None:
    each(
        db,
        "ALTER TABLE guideline ADD COLUMN reason TEXT NOT NULL DEFAULT ''",
        # 0 and nothing: of earlier decisions it was not recorded, and it is not made up.
        "ALTER TABLE decision ADD COLUMN guideline_version INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE decision ADD COLUMN overlaps TEXT NOT NULL DEFAULT '[]'",
    )
