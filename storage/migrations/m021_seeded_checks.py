"""Seeded checks: which rules are known-bad variants, and how each was closed. No reviewer reads the first table."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m021_seeded_checks(db: Tables) -> None:
    each(
        db,
        """CREATE TABLE seeded_check (
            id INTEGER PRIMARY KEY, rule_id TEXT NOT NULL UNIQUE REFERENCES rule(id),
            revision_hash TEXT NOT NULL REFERENCES revision(hash),
            kind TEXT NOT NULL CHECK (kind IN ('flipped_label', 'dropped_exception', 'over_broad')),
            parent_revision TEXT NOT NULL REFERENCES revision(hash), policy INTEGER NOT NULL REFERENCES policy(id),
            at TEXT NOT NULL) STRICT""",
        """CREATE TABLE check_outcome (
            id INTEGER PRIMARY KEY, rule_id TEXT NOT NULL UNIQUE REFERENCES seeded_check(rule_id),
            how TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL) STRICT""",
    )
