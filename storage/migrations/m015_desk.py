"""The review desk."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m015_desk(db: Tables) -> None:
    each(
        db,
        # Who gave an example its role, and the example that a version of the evidence is about; empty where code did.
        "ALTER TABLE evidence ADD COLUMN ticked_by TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE evidence_version ADD COLUMN ticked TEXT NOT NULL DEFAULT ''",
        # What somebody typed and has not saved: private, and changed with every pause.
        """CREATE TABLE draft (
            person TEXT NOT NULL, rule_id TEXT NOT NULL REFERENCES rule(id),
            base TEXT NOT NULL REFERENCES revision(hash), fields TEXT NOT NULL, at TEXT NOT NULL,
            PRIMARY KEY (person, rule_id, base)) STRICT, WITHOUT ROWID""",
        """CREATE TABLE lease (
            rule_id TEXT PRIMARY KEY REFERENCES rule(id), holder TEXT NOT NULL, since TEXT NOT NULL,
            until TEXT NOT NULL) STRICT, WITHOUT ROWID""",
        # Projections for the queue; the events are the record.
        "ALTER TABLE rule ADD COLUMN assignee TEXT NOT NULL DEFAULT ''",
        """CREATE TABLE rule_tag (
            rule_id TEXT NOT NULL REFERENCES rule(id), tag TEXT NOT NULL,
            PRIMARY KEY (rule_id, tag)) STRICT, WITHOUT ROWID""",
        # The queue's order, so that a page and the next rule are found without sorting all rules.
        """CREATE INDEX rule_in_queue ON rule (task,
            CASE state WHEN 'stale' THEN 0 WHEN 'disputed' THEN 1 WHEN 'first_approved' THEN 2 WHEN 'in_review' THEN 3
                WHEN 'proposed' THEN 4 ELSE 99 END,
            contradictions = 0, support, head, state, assignee)""",
        """CREATE TABLE withdrawal (
            id INTEGER PRIMARY KEY, decision_id INTEGER NOT NULL UNIQUE REFERENCES decision(id), reason TEXT NOT NULL,
            by TEXT NOT NULL, at TEXT NOT NULL) STRICT""",
        """CREATE TABLE second_opinion (
            id INTEGER PRIMARY KEY, revision_hash TEXT NOT NULL REFERENCES revision(hash), note TEXT NOT NULL,
            by TEXT NOT NULL, at TEXT NOT NULL) STRICT""",
        "CREATE INDEX second_opinion_by_revision ON second_opinion (revision_hash)",
        "CREATE INDEX decision_by_revision ON decision (revision_hash, id)",
        """CREATE TABLE comment (
            id INTEGER PRIMARY KEY, rule_id TEXT NOT NULL REFERENCES rule(id),
            revision_hash TEXT NOT NULL REFERENCES revision(hash), example_hash TEXT NOT NULL,
            parent INTEGER REFERENCES comment(id), text TEXT NOT NULL, mentions TEXT NOT NULL, by TEXT NOT NULL,
            at TEXT NOT NULL) STRICT""",
        "CREATE INDEX comment_by_rule ON comment (rule_id, id)",
        """CREATE TABLE comment_state (
            id INTEGER PRIMARY KEY, comment_id INTEGER NOT NULL REFERENCES comment(id),
            resolved INTEGER NOT NULL CHECK (resolved IN (0, 1)), by TEXT NOT NULL, at TEXT NOT NULL) STRICT""",
        "CREATE INDEX comment_state_by_comment ON comment_state (comment_id, id)",
        """CREATE TABLE derivation (
            id INTEGER PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('split', 'merge')),
            parent_rule TEXT NOT NULL REFERENCES rule(id), parent_revision TEXT NOT NULL REFERENCES revision(hash),
            child_rule TEXT NOT NULL REFERENCES rule(id), reason TEXT NOT NULL, by TEXT NOT NULL,
            at TEXT NOT NULL) STRICT""",
        "CREATE INDEX derivation_by_parent ON derivation (parent_rule)",
        "CREATE INDEX derivation_by_child ON derivation (child_rule)",
    )
