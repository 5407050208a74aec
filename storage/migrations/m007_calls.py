"""What calls took."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m007_calls(db: Tables) -> None:
    each(
        db,
        "ALTER TABLE teacher_call ADD COLUMN model TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE teacher_call ADD COLUMN finish TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE teacher_call ADD COLUMN failure TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE teacher_call ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1",
        # Micro-units (millionths) of the currency: sums of whole numbers are exact.
        "ALTER TABLE teacher_call ADD COLUMN cost INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE teacher_call ADD COLUMN run TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX teacher_call_by_run ON teacher_call (task, run)",
    )
