"""Which rule is behind an answer: the answers' figures as columns, claims of rules on them, and counts of those."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations

_METHOD = "method TEXT NOT NULL CHECK (method IN ('evidence', 'cited'))"


@migrations()
def m030_attribution(db: Tables) -> None:
    each(
        db,
        *(
            f"ALTER TABLE prediction ADD COLUMN {name} {kind} "
            f"GENERATED ALWAYS AS (json_extract(answer, '$.{key}')) VIRTUAL"
            for name, kind, key in (
                ("said", "TEXT", "label"),
                ("status", "TEXT", "status"),
                ("latency_ms", "INTEGER", "latency_ms"),
                ("prompt_tokens", "INTEGER", "prompt_tokens"),
                ("output_tokens", "INTEGER", "output_tokens"),
            )
        ),
        # What is counted over a whole run is read from the indexes: the answers themselves are ten times as large.
        """CREATE INDEX prediction_figures
            ON prediction (run_id, gold, said, example_hash, status, latency_ms, prompt_tokens, output_tokens)""",
        "CREATE INDEX prediction_said ON prediction (run_id, example_hash, gold, said)",
        "CREATE INDEX prediction_wrong ON prediction (run_id, gold, example_hash, said) WHERE said IS NOT gold",
        f"""CREATE TABLE attribution_made (
            run_id INTEGER NOT NULL REFERENCES run(id), {_METHOD}, embedder TEXT NOT NULL, basis TEXT NOT NULL,
            by TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (run_id, method)) STRICT, WITHOUT ROWID""",
        f"""CREATE TABLE attribution (
            run_id INTEGER NOT NULL, {_METHOD}, example_hash TEXT NOT NULL, rule_id TEXT NOT NULL,
            is_owner INTEGER NOT NULL, is_source INTEGER NOT NULL, is_right INTEGER NOT NULL, closeness REAL,
            PRIMARY KEY (run_id, method, example_hash, rule_id),
            FOREIGN KEY (run_id, method) REFERENCES attribution_made (run_id, method)) STRICT, WITHOUT ROWID""",
        """CREATE INDEX attribution_by_rule
            ON attribution (run_id, method, rule_id, is_owner, is_right, example_hash, is_source, closeness)""",
        """CREATE INDEX attribution_wrong ON attribution (run_id, method, example_hash, rule_id)
            WHERE is_owner = 1 AND is_source = 0 AND is_right = 0""",
        # The rest follows from attribution and prediction, neither of which ever changes.
        f"""CREATE TABLE rule_figure (
            run_id INTEGER NOT NULL, {_METHOD}, rule_id TEXT NOT NULL, covered INTEGER NOT NULL, wrong INTEGER NOT NULL,
            own_sources INTEGER NOT NULL, own_wrong INTEGER NOT NULL, claims INTEGER NOT NULL,
            PRIMARY KEY (run_id, method, rule_id),
            FOREIGN KEY (run_id, method) REFERENCES attribution_made (run_id, method)) STRICT, WITHOUT ROWID""",
        "CREATE INDEX rule_figure_by_rule ON rule_figure (rule_id, method, run_id)",
        f"""CREATE TABLE rule_confusion (
            run_id INTEGER NOT NULL, {_METHOD}, rule_id TEXT NOT NULL, gold TEXT NOT NULL, said TEXT NOT NULL,
            n INTEGER NOT NULL, PRIMARY KEY (run_id, method, rule_id, gold, said),
            FOREIGN KEY (run_id, method) REFERENCES attribution_made (run_id, method)) STRICT, WITHOUT ROWID""",
        """CREATE TABLE answer_confusion (
            run_id INTEGER NOT NULL REFERENCES run(id), gold TEXT NOT NULL, said TEXT NOT NULL, n INTEGER NOT NULL,
            PRIMARY KEY (run_id, gold, said)) STRICT, WITHOUT ROWID""",
        """CREATE TABLE answer_figure (
            run_id INTEGER NOT NULL REFERENCES run(id),
            quantity TEXT NOT NULL CHECK (quantity IN ('latency_ms', 'prompt_tokens', 'output_tokens')),
            value INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (run_id, quantity, value)) STRICT, WITHOUT ROWID""",
        f"""CREATE TABLE label_figure (
            run_id INTEGER NOT NULL, {_METHOD}, label TEXT NOT NULL, covered INTEGER NOT NULL, wrong INTEGER NOT NULL,
            uncovered INTEGER NOT NULL, uncovered_wrong INTEGER NOT NULL, own_sources INTEGER NOT NULL,
            PRIMARY KEY (run_id, method, label),
            FOREIGN KEY (run_id, method) REFERENCES attribution_made (run_id, method)) STRICT, WITHOUT ROWID""",
        f"""CREATE TABLE claim_overlap (
            run_id INTEGER NOT NULL, {_METHOD}, low TEXT NOT NULL, high TEXT NOT NULL, n INTEGER NOT NULL,
            wrong INTEGER NOT NULL, PRIMARY KEY (run_id, method, low, high),
            FOREIGN KEY (run_id, method) REFERENCES attribution_made (run_id, method)) STRICT, WITHOUT ROWID""",
        "CREATE INDEX claim_overlap_by_wrong ON claim_overlap (run_id, method, wrong DESC, n DESC, low, high)",
        """CREATE TABLE ablation (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL REFERENCES task(name),
            run_id INTEGER NOT NULL REFERENCES run(id), rule_id TEXT NOT NULL REFERENCES rule(id),
            revision_hash TEXT NOT NULL REFERENCES revision(hash),
            with_sha256 TEXT NOT NULL, without_sha256 TEXT NOT NULL,
            scope TEXT NOT NULL CHECK (scope IN ('affected', 'all')), student TEXT NOT NULL, digest TEXT NOT NULL,
            options TEXT NOT NULL, cases TEXT NOT NULL, citing TEXT NOT NULL, hash TEXT NOT NULL UNIQUE,
            by TEXT NOT NULL, at TEXT NOT NULL) STRICT""",
        "CREATE INDEX ablation_by_run ON ablation (run_id, rule_id, scope, id)",
    )
