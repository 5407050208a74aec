"""Release labels move by move, and the limits of the gates change by change."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m026_releases(db: Tables) -> None:
    each(
        db,
        """CREATE TABLE release_move (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL,
            label TEXT NOT NULL CHECK (label IN ('candidate', 'production')),
            version INTEGER NOT NULL, sha256 TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('move', 'rollback')),
            reason TEXT NOT NULL, run_id INTEGER REFERENCES run(id), gates TEXT NOT NULL,
            exception_reason TEXT NOT NULL, exception_until TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL,
            FOREIGN KEY (task, version) REFERENCES prompt_version (task, number)) STRICT""",
        "CREATE INDEX release_move_by_label ON release_move (task, label, id)",
        """CREATE TABLE gate_policy (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL REFERENCES task(name), limits TEXT NOT NULL,
            reason TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL) STRICT""",
        "CREATE INDEX gate_policy_by_task ON gate_policy (task, id)",
        "CREATE INDEX run_by_prompt ON run (task, prompt_sha256)",
    )
