"""Lineage, versions of the evidence, and overlaps."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m009_lineage(db: Tables) -> None:
    each(
        db,
        "ALTER TABLE revision ADD COLUMN priority INTEGER NOT NULL DEFAULT 2",
        # Evidence comes in versions: the rows of the newest one count, those of the others are history.
        "ALTER TABLE evidence ADD COLUMN version INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE evidence ADD COLUMN note TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE rule ADD COLUMN priority INTEGER NOT NULL DEFAULT 2",
        "ALTER TABLE rule ADD COLUMN uncovered TEXT NOT NULL DEFAULT '[]'",
        # Hash of the revision that was last compared with the other rules.
        "ALTER TABLE rule ADD COLUMN compared TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX rule_by_head ON rule (head)",
        """CREATE TABLE evidence_version (
            id INTEGER PRIMARY KEY, revision_hash TEXT NOT NULL REFERENCES revision(hash), number INTEGER NOT NULL,
            evidence_hash TEXT NOT NULL, added TEXT NOT NULL, removed TEXT NOT NULL, reason TEXT NOT NULL,
            state TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL, UNIQUE (revision_hash, number)) STRICT""",
        """CREATE TABLE lineage (
            id INTEGER PRIMARY KEY, rule_id TEXT NOT NULL REFERENCES rule(id),
            clustering_id INTEGER NOT NULL REFERENCES clustering(id), cluster INTEGER NOT NULL, members TEXT NOT NULL,
            uncovered TEXT NOT NULL, shown TEXT NOT NULL, ignored TEXT NOT NULL, at TEXT NOT NULL) STRICT""",
        "CREATE INDEX lineage_by_rule ON lineage (rule_id, id)",
        # What supported a rule at first is what it was merged from.
        """INSERT INTO lineage (rule_id, clustering_id, cluster, members, uncovered, shown, ignored, at)
            SELECT r.id, r.clustering_id, r.cluster, (
                SELECT json_group_array(example_hash) FROM (
                    SELECT DISTINCT e.example_hash FROM evidence AS e JOIN revision AS v ON v.hash = e.revision_hash
                    WHERE v.rule_id = r.id AND v.number = 1 AND e.role = 'supports' ORDER BY e.example_hash)),
                '[]', '[]', '[]', r.changed_at FROM rule AS r ORDER BY r.number""",
        """CREATE TABLE overlap (
            task TEXT NOT NULL REFERENCES task(name), low TEXT NOT NULL REFERENCES revision(hash),
            high TEXT NOT NULL REFERENCES revision(hash), closeness REAL NOT NULL,
            PRIMARY KEY (low, high)) STRICT, WITHOUT ROWID""",
        "CREATE INDEX overlap_by_high ON overlap (high)",
        "CREATE INDEX overlap_by_task ON overlap (task)",
    )
