"""What a rule does to the student: its answers as a cache, and what was measured with them."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m017_effect(db: Tables) -> None:
    each(
        db,
        """CREATE TABLE student_answer (
            id INTEGER PRIMARY KEY, prompt_sha256 TEXT NOT NULL, student TEXT NOT NULL, digest TEXT NOT NULL,
            options TEXT NOT NULL, example_hash TEXT NOT NULL, answer TEXT NOT NULL, at TEXT NOT NULL,
            UNIQUE (prompt_sha256, student, digest, options, example_hash)) STRICT""",
        """CREATE TABLE rule_effect (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL REFERENCES task(name),
            rule_id TEXT NOT NULL REFERENCES rule(id), revision_hash TEXT NOT NULL REFERENCES revision(hash),
            evidence_hash TEXT NOT NULL, without_sha256 TEXT NOT NULL, with_sha256 TEXT NOT NULL,
            validation INTEGER NOT NULL, student TEXT NOT NULL, digest TEXT NOT NULL, options TEXT NOT NULL,
            manifest TEXT NOT NULL, cases TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, by TEXT NOT NULL,
            at TEXT NOT NULL) STRICT""",
        "CREATE INDEX rule_effect_by_rule ON rule_effect (rule_id, id)",
    )
