"""The schema as ordered, named migrations, and the append-only guards that are asserted after each of them."""

from __future__ import annotations

import sqlite3

from sqlite_utils import Database as Tables

from pld_core.errors import GuardsMissing, SchemaMismatch
from storage.migrations import (
    m001_tasks_and_examples,
    m002_from_examples_to_clusters,
    m003_rules_and_decisions,
    m004_prompts_and_runs,
    m005_jobs_and_events,
    m006_data_sets,
    m007_calls,
    m008_embeddings,
    m009_lineage,
    m010_batches,
    m013_roles,
    m015_desk,
    m016_policy,
    m017_effect,
    m019_guidelines,
    m020_second_look,
    m021_seeded_checks,
    m022_signing,
    m023_attention,
    m024_begun_decisions,
    m025_prompt_versions,
    m026_releases,
    m027_findings,
    m028_live_batches,
    m029_run_setup,
    m030_attribution,
    m031_resolutions,
    m032_pair_judgements,
    m033_proving,
    m034_figures_by_index,
    m035_kept_columns,
)
from storage.migrations.steps import migrations

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
    "policy": (("id",),),
    "role_change": (("id",),),
    "withdrawal": (("id",), ("decision_id",)),
    "second_opinion": (("id",),),
    "comment": (("id",),),
    "comment_state": (("id",),),
    "derivation": (("id",),),
    "decision_attention": (("decision_id",),),
    "seeded_check": (("id",), ("rule_id",)),
    "check_outcome": (("id",), ("rule_id",)),
    "student_answer": (("id",), ("prompt_sha256", "student", "digest", "options", "example_hash")),
    "rule_effect": (("id",), ("hash",)),
    "second_look": (("id",), ("decision_id",)),
    "second_look_outcome": (("id",), ("decision_id",)),
    "prompt_count": (("id",),),
    "release_move": (("id",),),
    "gate_policy": (("id",),),
    "finding": (("id",),),
    "finding_rule": (("finding_id", "rule_id"), ("rowid",)),
    "finding_outcome": (("finding_id", "rule_id"), ("rowid",)),
    "run_prompt": (("run_id",),),
    "live_batch": (("id",),),
    "live_batch_answer": (("batch_id", "text_hash"), ("rowid",)),
    "attribution_made": (("run_id", "method"),),
    "attribution": (("run_id", "method", "example_hash", "rule_id"),),
    "rule_figure": (("run_id", "method", "rule_id"),),
    "rule_confusion": (("run_id", "method", "rule_id", "gold", "said"),),
    "ablation": (("id",), ("hash",)),
    "answer_confusion": (("run_id", "gold", "said"),),
    "answer_figure": (("run_id", "quantity", "value"),),
    "label_figure": (("run_id", "method", "label"),),
    "claim_overlap": (("run_id", "method", "low", "high"),),
    "resolution": (("id",), ("key",)),
    "conflict_round": (("id",), ("resolution_id", "number")),
    "proposal": (("id",), ("resolution_id", "hash")),
    "proposal_trial": (("id",),),
    "resolution_score": (("id",), ("resolution_id",)),
    "proposal_outcome": (("id",), ("resolution_id", "proposal")),
    "rule_lock": (("id",),),
    "edited_texts": (("id",),),
    "resolution_stop": (("id",),),
    "pair_judgement": (("id",), ("low", "high", "teacher", "request_hash")),
}
"""Tables in which nothing is ever changed, each with its keys: a REPLACE on any of them would delete a row unseen.

A table whose key is not an integer has the hidden key `rowid` beside it, unless it is made without one.
"""

STEPS = (
    m001_tasks_and_examples.m001_tasks_and_examples,
    m002_from_examples_to_clusters.m002_from_examples_to_clusters,
    m003_rules_and_decisions.m003_rules_and_decisions,
    m004_prompts_and_runs.m004_prompts_and_runs,
    m005_jobs_and_events.m005_jobs_and_events,
    m006_data_sets.m006_data_sets,
    m007_calls.m007_calls,
    m008_embeddings.m008_embeddings,
    m009_lineage.m009_lineage,
    m010_batches.m010_batches,
    m013_roles.m013_roles,
    m015_desk.m015_desk,
    m016_policy.m016_policy,
    m017_effect.m017_effect,
    m019_guidelines.m019_guidelines,
    m020_second_look.m020_second_look,
    m021_seeded_checks.m021_seeded_checks,
    m022_signing.m022_signing,
    m023_attention.m023_attention,
    m024_begun_decisions.m024_begun_decisions,
    m025_prompt_versions.m025_prompt_versions,
    m026_releases.m026_releases,
    m027_findings.m027_findings,
    m028_live_batches.m028_live_batches,
    m029_run_setup.m029_run_setup,
    m030_attribution.m030_attribution,
    m031_resolutions.m031_resolutions,
    m032_pair_judgements.m032_pair_judgements,
    m033_proving.m033_proving,
    m034_figures_by_index.m034_figures_by_index,
    m035_kept_columns.m035_kept_columns,
)
"""Every migration, oldest first; each has added itself to `migrations` when it was imported."""


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
