"""The policy of a task, change by change; four eyes move there from the task."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m016_policy(db: Tables) -> None:
    each(
        db,
        """CREATE TABLE policy (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL REFERENCES task(name),
            four_eyes INTEGER NOT NULL CHECK (four_eyes IN (0, 1)), blind INTEGER NOT NULL CHECK (blind IN (0, 1)),
            second_look INTEGER NOT NULL, known_bad INTEGER NOT NULL, fresh_sign_in INTEGER NOT NULL,
            reason TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL) STRICT""",
        "CREATE INDEX policy_by_task ON policy (task, id)",
        """INSERT INTO policy (task, four_eyes, blind, second_look, known_bad, fresh_sign_in, reason, by, at)
            SELECT name, 1, 0, 0, 0, 0, 'set when the task was made', 'system', created_at FROM task
            WHERE four_eyes = 1""",
        "ALTER TABLE task DROP COLUMN four_eyes",
    )
