"""From examples to clusters: calls, instructions, clusterings."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m002_from_examples_to_clusters(db: Tables) -> None:
    each(
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
