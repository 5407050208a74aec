"""Loops of conflict resolution: rounds, proposals, trials, what people made of them, and rules locked against them."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m031_resolutions(db: Tables) -> None:
    each(
        db,
        """CREATE TABLE resolution (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL REFERENCES task(name), key TEXT NOT NULL UNIQUE,
            seed INTEGER NOT NULL, limits TEXT NOT NULL, bar TEXT NOT NULL, teacher TEXT NOT NULL,
            student TEXT NOT NULL, digest TEXT NOT NULL, options TEXT NOT NULL, rules TEXT NOT NULL,
            prompt_sha256 TEXT NOT NULL, first_free INTEGER NOT NULL, examples TEXT NOT NULL,
            answers_before INTEGER NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL) STRICT""",
        "CREATE INDEX resolution_by_task ON resolution (task, id)",
        """CREATE TABLE conflict_round (
            id INTEGER PRIMARY KEY, resolution_id INTEGER NOT NULL REFERENCES resolution(id), number INTEGER NOT NULL,
            rules TEXT NOT NULL, prompt_sha256 TEXT NOT NULL, tokens INTEGER NOT NULL, train TEXT NOT NULL,
            validation TEXT NOT NULL, unusable INTEGER NOT NULL, groups TEXT NOT NULL, stop TEXT NOT NULL,
            at TEXT NOT NULL, UNIQUE (resolution_id, number)) STRICT""",
        """CREATE TABLE proposal (
            id INTEGER PRIMARY KEY, resolution_id INTEGER NOT NULL REFERENCES resolution(id), round INTEGER NOT NULL,
            hash TEXT NOT NULL, action TEXT NOT NULL, refusal TEXT NOT NULL, content TEXT NOT NULL,
            evidence TEXT NOT NULL, at TEXT NOT NULL, UNIQUE (resolution_id, hash)) STRICT""",
        """CREATE TABLE proposal_trial (
            id INTEGER PRIMARY KEY, resolution_id INTEGER NOT NULL REFERENCES resolution(id), round INTEGER NOT NULL,
            stage TEXT NOT NULL, proposals TEXT NOT NULL, base_sha256 TEXT NOT NULL, prompt_sha256 TEXT NOT NULL,
            tokens INTEGER NOT NULL, base_tokens INTEGER NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL,
            comparison TEXT NOT NULL, labels TEXT NOT NULL, examples TEXT NOT NULL, at TEXT NOT NULL) STRICT""",
        "CREATE INDEX proposal_trial_by_round ON proposal_trial (resolution_id, round, id)",
        """CREATE TABLE resolution_score (
            id INTEGER PRIMARY KEY, resolution_id INTEGER NOT NULL UNIQUE REFERENCES resolution(id),
            best_round INTEGER NOT NULL, first TEXT NOT NULL, best TEXT NOT NULL, by TEXT NOT NULL,
            at TEXT NOT NULL) STRICT""",
        """CREATE TABLE proposal_outcome (
            id INTEGER PRIMARY KEY, resolution_id INTEGER NOT NULL REFERENCES resolution(id), proposal TEXT NOT NULL,
            fate TEXT NOT NULL, reason TEXT NOT NULL, revisions TEXT NOT NULL, rules TEXT NOT NULL, by TEXT NOT NULL,
            at TEXT NOT NULL, UNIQUE (resolution_id, proposal)) STRICT""",
        """CREATE TABLE rule_lock (
            id INTEGER PRIMARY KEY, rule_id TEXT NOT NULL REFERENCES rule(id), locked INTEGER NOT NULL,
            reason TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL) STRICT""",
        "CREATE INDEX rule_lock_by_rule ON rule_lock (rule_id, id)",
    )
