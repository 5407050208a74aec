"""Rules with their revisions, transitions, evidence and decisions."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m003_rules_and_decisions(db: Tables) -> None:
    each(
        db,
        # `rule` is a projection of revision, transition and evidence for the queue; those three are the truth.
        """CREATE TABLE rule (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, task TEXT NOT NULL REFERENCES task(name),
            origin TEXT NOT NULL, clustering_id INTEGER NOT NULL REFERENCES clustering(id), cluster INTEGER NOT NULL,
            head TEXT NOT NULL, in_force TEXT NOT NULL, revision INTEGER NOT NULL, state TEXT NOT NULL,
            title TEXT NOT NULL, labels TEXT NOT NULL, search TEXT NOT NULL, support INTEGER NOT NULL,
            contradictions INTEGER NOT NULL, changed_at TEXT NOT NULL, changed_by TEXT NOT NULL,
            UNIQUE (task, origin)) STRICT""",
        "CREATE INDEX rule_by_state ON rule (task, state)",
        """CREATE TABLE revision (
            hash TEXT PRIMARY KEY, rule_id TEXT NOT NULL REFERENCES rule(id) DEFERRABLE INITIALLY DEFERRED,
            number INTEGER NOT NULL, title TEXT NOT NULL, condition TEXT NOT NULL, labels TEXT NOT NULL,
            exceptions TEXT NOT NULL, rationale TEXT NOT NULL, author TEXT NOT NULL, author_kind TEXT NOT NULL,
            parent TEXT NOT NULL, note TEXT NOT NULL, at TEXT NOT NULL, UNIQUE (rule_id, number)) STRICT""",
        """CREATE TABLE transition (
            id INTEGER PRIMARY KEY, revision_hash TEXT NOT NULL REFERENCES revision(hash), state TEXT NOT NULL,
            action TEXT NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL) STRICT""",
        "CREATE INDEX transition_by_revision ON transition (revision_hash, id)",
        """CREATE TABLE evidence (
            id INTEGER PRIMARY KEY, revision_hash TEXT NOT NULL REFERENCES revision(hash), task TEXT NOT NULL,
            example_hash TEXT NOT NULL, role TEXT NOT NULL, closeness REAL NOT NULL, by TEXT NOT NULL,
            at TEXT NOT NULL, FOREIGN KEY (task, example_hash) REFERENCES example (task, hash)) STRICT""",
        "CREATE INDEX evidence_by_revision ON evidence (revision_hash, example_hash, id)",
        """CREATE TABLE decision (
            id INTEGER PRIMARY KEY, rule_id TEXT NOT NULL REFERENCES rule(id),
            revision_hash TEXT NOT NULL REFERENCES revision(hash), evidence_hash TEXT NOT NULL,
            verdict TEXT NOT NULL, category TEXT NOT NULL, reason TEXT NOT NULL, reviewer TEXT NOT NULL,
            opened_at TEXT NOT NULL, decided_at TEXT NOT NULL) STRICT""",
        "CREATE INDEX decision_by_rule ON decision (rule_id, id)",
    )
