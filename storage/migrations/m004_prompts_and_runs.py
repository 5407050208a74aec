"""Prompt versions, evaluations and live tests."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m004_prompts_and_runs(db: Tables) -> None:
    each(
        db,
        """CREATE TABLE prompt_version (
            task TEXT NOT NULL REFERENCES task(name), number INTEGER NOT NULL, sha256 TEXT NOT NULL,
            manifest_hash TEXT NOT NULL, text TEXT NOT NULL, manifest TEXT NOT NULL, at TEXT NOT NULL,
            by TEXT NOT NULL, PRIMARY KEY (task, number), UNIQUE (task, sha256, manifest_hash)) STRICT""",
        """CREATE TABLE run (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL REFERENCES task(name), prompt_number INTEGER NOT NULL,
            prompt_sha256 TEXT NOT NULL, student TEXT NOT NULL, digest TEXT NOT NULL, split TEXT NOT NULL,
            total INTEGER NOT NULL, job_id INTEGER, at TEXT NOT NULL, by TEXT NOT NULL,
            FOREIGN KEY (task, prompt_number) REFERENCES prompt_version (task, number)) STRICT""",
        "CREATE INDEX run_by_job ON run (job_id)",
        """CREATE TABLE prediction (
            run_id INTEGER NOT NULL REFERENCES run(id), example_hash TEXT NOT NULL, gold TEXT NOT NULL,
            answer TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (run_id, example_hash)) STRICT""",
        """CREATE TABLE live_test (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL REFERENCES task(name), prompt_sha256 TEXT NOT NULL,
            student TEXT NOT NULL, sent TEXT NOT NULL, answer TEXT NOT NULL, at TEXT NOT NULL,
            by TEXT NOT NULL) STRICT""",
    )
