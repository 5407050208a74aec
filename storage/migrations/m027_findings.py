"""Findings: answers that people marked, the rules they are about, and what became of them there."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m027_findings(db: Tables) -> None:
    each(
        db,
        """CREATE TABLE finding (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL REFERENCES task(name),
            live_test_id INTEGER REFERENCES live_test(id), run_id INTEGER REFERENCES run(id),
            example_hash TEXT NOT NULL, fields TEXT NOT NULL, prompt_sha256 TEXT NOT NULL,
            prompt_number INTEGER NOT NULL, student TEXT NOT NULL, digest TEXT NOT NULL, answer TEXT NOT NULL,
            mark TEXT NOT NULL CHECK (mark IN ('right', 'wrong')), label TEXT NOT NULL, note TEXT NOT NULL,
            at TEXT NOT NULL, by TEXT NOT NULL,
            CHECK ((live_test_id IS NULL) <> (run_id IS NULL))) STRICT""",
        "CREATE INDEX finding_by_task ON finding (task, id)",
        "CREATE INDEX finding_by_live_test ON finding (live_test_id, by)",
        "CREATE INDEX finding_by_run ON finding (run_id, example_hash, by)",
        """CREATE TABLE finding_rule (
            finding_id INTEGER NOT NULL REFERENCES finding(id), rule_id TEXT NOT NULL REFERENCES rule(id),
            at TEXT NOT NULL, by TEXT NOT NULL, PRIMARY KEY (finding_id, rule_id)) STRICT""",
        "CREATE INDEX finding_rule_by_rule ON finding_rule (rule_id, finding_id)",
        """CREATE TABLE finding_outcome (
            finding_id INTEGER NOT NULL REFERENCES finding(id), rule_id TEXT NOT NULL, role TEXT NOT NULL,
            reason TEXT NOT NULL, example_hash TEXT NOT NULL, at TEXT NOT NULL, by TEXT NOT NULL,
            PRIMARY KEY (finding_id, rule_id)) STRICT""",
    )
