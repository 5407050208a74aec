"""The schema as ordered, named migrations, and the append-only guards that are asserted after each of them."""

from __future__ import annotations

import sqlite3

from sqlite_utils import Database as Tables
from sqlite_utils import Migrations

from pld_core.canonical import hash_json, hash_text
from pld_core.errors import GuardsMissing, SchemaMismatch

APPEND_ONLY: dict[str, tuple[tuple[str, ...], ...]] = {
    "event": (("seq",),),
    "guideline": (("task", "version"), ("rowid",)),
    "teacher_call": (("id",),),
    "micro_instruction": (("id",), ("task", "example_hash")),
    "clustering": (("id",),),
    "cluster_point": (("clustering_id", "example_hash"), ("rowid",)),
    "revision": (("hash",), ("rule_id", "number"), ("rowid",)),
    "transition": (("id",),),
    "evidence": (("id",),),
    "decision": (("id",),),
    "prompt_version": (("task", "number"), ("task", "sha256", "manifest_hash"), ("rowid",)),
    "run": (("id",),),
    "prediction": (("run_id", "example_hash"), ("rowid",)),
    "live_test": (("id",),),
    "dataset": (("id",),),
    "dataset_state": (("id",),),
    "batch": (("id",), ("key",)),
    "batch_item": (("batch_id", "request_hash"), ("rowid",)),
    "batch_note": (("id",),),
    "batch_result": (("batch_id", "request_hash"), ("rowid",)),
    "lineage": (("id",),),
    "evidence_version": (("id",), ("revision_hash", "number")),
    "role_change": (("id",),),
    "withdrawal": (("id",), ("decision_id",)),
    "second_opinion": (("id",),),
    "comment": (("id",),),
    "comment_state": (("id",),),
    "derivation": (("id",),),
}
"""Tables in which nothing is ever changed, each with its keys: a REPLACE on any of them would delete a row unseen.

A table whose key is not an integer has the hidden key `rowid` beside it.
"""

migrations = Migrations("pld")


@migrations()
def m001_tasks_and_examples(db: Tables) -> None:
    _each(
        db,
        """CREATE TABLE task (
            name TEXT PRIMARY KEY, title TEXT NOT NULL, input_fields TEXT NOT NULL, labels TEXT NOT NULL,
            guideline_version INTEGER NOT NULL, four_eyes INTEGER NOT NULL, teacher TEXT NOT NULL,
            created_at TEXT NOT NULL) STRICT""",
        """CREATE TABLE guideline (
            task TEXT NOT NULL REFERENCES task(name), version INTEGER NOT NULL, text TEXT NOT NULL,
            created_at TEXT NOT NULL, created_by TEXT NOT NULL, PRIMARY KEY (task, version)) STRICT""",
        """CREATE TABLE example (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL REFERENCES task(name), hash TEXT NOT NULL,
            fields TEXT NOT NULL, text TEXT NOT NULL, label TEXT NOT NULL,
            split TEXT NOT NULL CHECK (split IN ('train', 'validation', 'test')),
            source TEXT NOT NULL, group_name TEXT NOT NULL, UNIQUE (task, hash)) STRICT""",
        "CREATE INDEX example_by_split ON example (task, split, label)",
    )


@migrations()
def m002_from_examples_to_clusters(db: Tables) -> None:
    _each(
        db,
        """CREATE TABLE teacher_call (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL REFERENCES task(name), request_hash TEXT NOT NULL,
            purpose TEXT NOT NULL, subjects TEXT NOT NULL, teacher TEXT NOT NULL, template_hash TEXT NOT NULL,
            reply TEXT NOT NULL, problem TEXT NOT NULL, prompt_tokens INTEGER, output_tokens INTEGER,
            latency_ms INTEGER NOT NULL, at TEXT NOT NULL) STRICT""",
        "CREATE INDEX teacher_call_by_request ON teacher_call (request_hash)",
        """CREATE TABLE micro_instruction (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL, example_hash TEXT NOT NULL, condition TEXT NOT NULL,
            label TEXT NOT NULL, reasoning TEXT NOT NULL, exceptions TEXT NOT NULL, cues TEXT NOT NULL,
            teacher TEXT NOT NULL, template_hash TEXT NOT NULL, at TEXT NOT NULL,
            UNIQUE (task, example_hash), FOREIGN KEY (task, example_hash) REFERENCES example (task, hash)) STRICT""",
        """CREATE TABLE clustering (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL REFERENCES task(name), params TEXT NOT NULL,
            clusters INTEGER NOT NULL, noise INTEGER NOT NULL, at TEXT NOT NULL, by TEXT NOT NULL) STRICT""",
        """CREATE TABLE cluster_point (
            clustering_id INTEGER NOT NULL REFERENCES clustering(id), example_hash TEXT NOT NULL,
            label TEXT NOT NULL, cluster INTEGER NOT NULL, x REAL NOT NULL, y REAL NOT NULL,
            PRIMARY KEY (clustering_id, example_hash)) STRICT""",
    )


@migrations()
def m003_rules_and_decisions(db: Tables) -> None:
    _each(
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


@migrations()
def m004_prompts_and_runs(db: Tables) -> None:
    _each(
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


@migrations()
def m005_jobs_and_events(db: Tables) -> None:
    _each(
        db,
        """CREATE TABLE job (
            id INTEGER PRIMARY KEY, kind TEXT NOT NULL, task TEXT NOT NULL, params TEXT NOT NULL, state TEXT NOT NULL,
            done INTEGER NOT NULL, total INTEGER NOT NULL, message TEXT NOT NULL, owner TEXT NOT NULL,
            heartbeat_at TEXT NOT NULL, created_at TEXT NOT NULL, created_by TEXT NOT NULL, started_at TEXT NOT NULL,
            finished_at TEXT NOT NULL, attempts INTEGER NOT NULL, cancel_requested INTEGER NOT NULL) STRICT""",
        "CREATE INDEX job_by_state ON job (state, id)",
        """CREATE TABLE event (
            seq INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
            payload TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL) STRICT""",
        "CREATE INDEX event_by_kind ON event (kind, seq)",
    )


@migrations()
def m006_data_sets(db: Tables) -> None:
    db.conn.create_function("hash_text", 1, hash_text, deterministic=True)
    _each(
        db,
        "ALTER TABLE example ADD COLUMN text_hash TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE example ADD COLUMN ref TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE example ADD COLUMN personal TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE example ADD COLUMN masked INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE example ADD COLUMN spans TEXT NOT NULL DEFAULT '[]'",
        """ALTER TABLE example ADD COLUMN state TEXT NOT NULL DEFAULT 'active'
            CHECK (state IN ('active', 'conflict', 'withdrawn', 'archived'))""",
        # `fields` is the canonical JSON that the text's content address is made of.
        "UPDATE example SET text_hash = hash_text(fields)",
        "CREATE INDEX example_by_text ON example (task, text_hash)",
        "DROP INDEX example_by_split",
        "CREATE INDEX example_by_state ON example (task, state, split, label)",
        # Ends in the row's id, so a page in the order of import needs no sorting.
        "CREATE INDEX example_in_order ON example (task, state)",
        # Without it each deleted example would cost a scan of all evidence.
        "CREATE INDEX evidence_by_example ON evidence (task, example_hash)",
        """UPDATE example SET state = 'conflict' WHERE EXISTS (SELECT 1 FROM example AS o
            WHERE o.task = example.task AND o.text_hash = example.text_hash AND o.id <> example.id)""",
        """CREATE TABLE dataset (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL REFERENCES task(name), file TEXT NOT NULL, sha256 TEXT NOT NULL,
            unit TEXT NOT NULL, importer TEXT NOT NULL, params TEXT NOT NULL, params_hash TEXT NOT NULL,
            report TEXT NOT NULL, row_count INTEGER NOT NULL, at TEXT NOT NULL, by TEXT NOT NULL) STRICT""",
        "CREATE INDEX dataset_by_file ON dataset (task, sha256, params_hash)",
        """CREATE TABLE dataset_state (
            id INTEGER PRIMARY KEY, dataset_id INTEGER NOT NULL REFERENCES dataset(id),
            state TEXT NOT NULL CHECK (state IN ('active', 'archived', 'deleted')), reason TEXT NOT NULL,
            by TEXT NOT NULL, at TEXT NOT NULL) STRICT""",
        "CREATE INDEX dataset_state_by_dataset ON dataset_state (dataset_id, id)",
        # Deferred: the rows come first, the data set with their number last.
        """CREATE TABLE dataset_row (
            dataset_id INTEGER NOT NULL REFERENCES dataset(id) DEFERRABLE INITIALLY DEFERRED, number INTEGER NOT NULL,
            example_id INTEGER NOT NULL REFERENCES example(id),
            PRIMARY KEY (dataset_id, number)) STRICT, WITHOUT ROWID""",
        "CREATE INDEX dataset_row_by_example ON dataset_row (example_id)",
        """CREATE TABLE column_choice (
            shape TEXT PRIMARY KEY, choice TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL) STRICT""",
        """CREATE VIRTUAL TABLE example_fts USING fts5(
            text, content='example', content_rowid='id', tokenize='unicode61 remove_diacritics 2')""",
        # An import of 200,000 texts is indexed in memory and written once: 3.0 s in place of 5.2 s.
        "INSERT INTO example_fts (example_fts, rank) VALUES ('hashsize', 33554432)",
        "INSERT INTO example_fts (example_fts) VALUES ('rebuild')",
    )
    _gather_earlier_imports(db)


@migrations()
def m007_calls(db: Tables) -> None:
    _each(
        db,
        "ALTER TABLE teacher_call ADD COLUMN model TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE teacher_call ADD COLUMN finish TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE teacher_call ADD COLUMN failure TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE teacher_call ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1",
        # Micro-units (millionths) of the currency: sums of whole numbers are exact.
        "ALTER TABLE teacher_call ADD COLUMN cost INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE teacher_call ADD COLUMN run TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX teacher_call_by_run ON teacher_call (task, run)",
    )


@migrations()
def m008_embeddings(db: Tables) -> None:
    # A cache, not a record, so without guards: a model's vectors may be dropped. Its calls stay in teacher_call.
    _each(
        db,
        """CREATE TABLE embedding (
            model TEXT NOT NULL, text_hash TEXT NOT NULL, at TEXT NOT NULL, vector BLOB NOT NULL,
            PRIMARY KEY (model, text_hash)) STRICT""",
    )


@migrations()
def m009_lineage(db: Tables) -> None:
    _each(
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


@migrations()
def m010_batches(db: Tables) -> None:
    _each(
        db,
        """CREATE TABLE batch (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL REFERENCES task(name), key TEXT NOT NULL UNIQUE,
            purpose TEXT NOT NULL, teacher TEXT NOT NULL, template_hash TEXT NOT NULL, run TEXT NOT NULL,
            tokens INTEGER NOT NULL, at TEXT NOT NULL, by TEXT NOT NULL) STRICT""",
        "CREATE INDEX batch_by_task ON batch (task, id)",
        """CREATE TABLE batch_item (
            batch_id INTEGER NOT NULL REFERENCES batch(id), request_hash TEXT NOT NULL, subjects TEXT NOT NULL,
            most INTEGER NOT NULL, PRIMARY KEY (batch_id, request_hash)) STRICT""",
        """CREATE TABLE batch_note (
            id INTEGER PRIMARY KEY, batch_id INTEGER NOT NULL REFERENCES batch(id), state TEXT NOT NULL,
            remote_id TEXT NOT NULL, file_id TEXT NOT NULL, done INTEGER NOT NULL, failed INTEGER NOT NULL,
            message TEXT NOT NULL, at TEXT NOT NULL, by TEXT NOT NULL) STRICT""",
        "CREATE INDEX batch_note_by_batch ON batch_note (batch_id, id)",
        # A reply is recorded in the transaction that notes it here, so that collecting twice records it once.
        """CREATE TABLE batch_result (
            batch_id INTEGER NOT NULL, request_hash TEXT NOT NULL, PRIMARY KEY (batch_id, request_hash),
            FOREIGN KEY (batch_id, request_hash) REFERENCES batch_item (batch_id, request_hash)) STRICT""",
        # A job that waits for somebody else is not claimed before this time; empty for at once.
        "ALTER TABLE job ADD COLUMN not_before TEXT NOT NULL DEFAULT ''",
    )


@migrations()
def m013_roles(db: Tables) -> None:
    _each(
        db,
        """CREATE TABLE role_change (
            id INTEGER PRIMARY KEY, person TEXT NOT NULL,
            role TEXT NOT NULL
                CHECK (role IN ('reviewer', 'lead', 'release_manager', 'analyst', 'auditor', 'admin')),
            granted INTEGER NOT NULL CHECK (granted IN (0, 1)), reason TEXT NOT NULL,
            first_admin INTEGER NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL) STRICT""",
        # Ends in the row's id, so the newest change of each person and role is found without a scan.
        "CREATE INDEX role_change_by_person ON role_change (person, role)",
    )


@migrations()
def m015_desk(db: Tables) -> None:
    _each(
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


def _gather_earlier_imports(db: Tables) -> None:
    """Make one data set a task of the examples that are there, so that every example stands in some data set.

    Without it an old example that comes again in a file would be deleted together with that file's data set.
    """
    for (task,) in db.execute("SELECT DISTINCT task FROM example ORDER BY task").fetchall():
        found = db.execute("SELECT id, hash FROM example WHERE task = ? ORDER BY id", (task,)).fetchall()
        at, by = db.execute(
            """SELECT at, actor FROM (SELECT seq, at, actor FROM event WHERE kind = 'examples.imported' AND subject = ?
               UNION ALL SELECT 0, created_at, 'system' FROM task WHERE name = ?) ORDER BY seq DESC LIMIT 1""",
            (task, task),
        ).fetchone()
        dataset_id = db.execute(
            """INSERT INTO dataset (task, file, sha256, unit, importer, params, params_hash, report, row_count, at, by)
               VALUES (?, 'earlier imports', ?, 'item', 'built in', '{}', ?, '{}', ?, ?, ?) RETURNING id""",
            (task, hash_json([str(row[1]) for row in found]), hash_json({}), len(found), at, by),
        ).fetchone()[0]
        db.execute(
            "INSERT INTO dataset_state (dataset_id, state, reason, by, at) VALUES (?, 'active', '', ?, ?)",
            (dataset_id, by, at),
        )
        numbered = [(dataset_id, number, row[0]) for number, row in enumerate(found, 1)]
        db.conn.executemany("INSERT INTO dataset_row (dataset_id, number, example_id) VALUES (?, ?, ?)", numbered)


def guard_triggers() -> dict[str, str]:
    """Return the SQL of every append-only guard by trigger name."""
    triggers: dict[str, str] = {}
    for table, keys in APPEND_ONLY.items():
        for verb in ("UPDATE", "DELETE"):
            name = f"{table}_no_{verb.lower()}"
            triggers[name] = (
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: {verb} refused'); END"
            )
        existing = " OR ".join(
            f"EXISTS (SELECT 1 FROM {table} WHERE {' AND '.join(f'{column} = NEW.{column}' for column in key)})"  # noqa: S608 - names from the constant above
            for key in keys
        )
        name = f"{table}_no_replace"
        triggers[name] = (
            f"CREATE TRIGGER {name} BEFORE INSERT ON {table} WHEN {existing} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: REPLACE refused'); END"
        )
    return triggers


def migrate(db: Tables) -> None:
    """Bring the database to this version's schema, then set the guards and assert them.

    Migrations may rebuild tables, and rebuilding drops triggers, so the guards are set again after every change.

    Raises:
        SchemaMismatch: the workspace was made by a newer version.
        GuardsMissing: a guard is missing although no migration was pending: somebody removed it.
    """
    check_schema(db)
    if not migrations.pending(db):
        assert_guards(db.conn)
        return
    # One transaction with the lock taken at once: a second process waits, and a crash leaves no schema without guards.
    db.conn.execute("BEGIN IMMEDIATE")
    try:
        if migrations.pending(db):
            migrations.apply(db)
            for name, sql in guard_triggers().items():
                db.conn.execute(f"DROP TRIGGER IF EXISTS {name}")
                db.conn.execute(sql)
        assert_guards(db.conn)
        db.conn.execute("COMMIT")
    except BaseException:
        if db.conn.in_transaction:
            db.conn.execute("ROLLBACK")
        raise


def check_schema(db: Tables) -> None:
    """Raise `SchemaMismatch` if migrations are recorded that this version does not know."""
    known = {migration.name for migration in migrations.pending(db)} | _applied(db)
    own = {migration.name for migration in migrations._migrations}
    if foreign := sorted(known - own):
        raise SchemaMismatch(
            f"This workspace was made by a newer pld-review (its schema has {foreign[0]}). Nothing was changed. "
            "Update pld-review, or open another workspace."
        )


def missing_guards(conn: sqlite3.Connection) -> tuple[str, ...]:
    """Return the names of append-only guards that are absent or differ, in alphabetical order."""
    rows = conn.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    found = {str(row[0]): str(row[1]) for row in rows}
    return tuple(sorted(name for name, sql in guard_triggers().items() if found.get(name) != sql))


def assert_guards(conn: sqlite3.Connection) -> None:
    """Raise `GuardsMissing` unless every append-only guard is in place, word for word."""
    if missing := missing_guards(conn):
        raise GuardsMissing(
            f"The append-only guard {missing[0]} of this workspace is missing or was changed, so its records can no "
            "longer be trusted to be complete. Nothing was changed. Run `pld audit verify`, then restore a backup."
        )


def _applied(db: Tables) -> set[str]:
    return {migration.name for migration in migrations.applied(db)}


def _each(db: Tables, *statements: str) -> None:
    for statement in statements:
        db.execute(statement)
