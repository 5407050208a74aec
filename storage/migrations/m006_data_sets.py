"""Data sets: which row of which file an example stands in."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from pld_core.canonical import hash_json, hash_text
from storage.migrations.steps import each, migrations


@migrations()
def m006_data_sets(db: Tables) -> None:
    db.conn.create_function("hash_text", 1, hash_text, deterministic=True)
    each(
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
