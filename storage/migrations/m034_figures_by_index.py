"""Indexes in place of whole rows: for lists of prompt versions, for context windows, and for the harm of rules."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations

BYTES = "length(CAST({} AS BLOB))"


@migrations()
def m034_figures_by_index(db: Tables) -> None:
    each(
        db,
        *(
            f"ALTER TABLE prompt_version ADD COLUMN {name} {kind} GENERATED ALWAYS AS ({made_of}) VIRTUAL"
            for name, kind, made_of in (
                # Manifests of format 1 have neither: such versions are of rules and answer with a label.
                ("kind", "TEXT", "coalesce(json_extract(manifest, '$.kind'), 'rules')"),
                ("style", "TEXT", "coalesce(json_extract(manifest, '$.style'), 'label')"),
                ("rules", "INTEGER", "json_array_length(manifest, '$.rules')"),
                ("size", "INTEGER", BYTES.format("text")),
            )
        ),
        "CREATE INDEX prompt_version_listed ON prompt_version (task, number, kind, style, rules, size, sha256, at, by)",
        f"CREATE INDEX example_by_size ON example (task, state, {BYTES.format('fields')})",
        # SQLite looks each row of the table up for what a partial index tells by itself but does not hold.
        "DROP INDEX attribution_wrong",
        """CREATE INDEX attribution_wrong
            ON attribution (run_id, method, example_hash, rule_id, is_owner, is_source, is_right)
            WHERE is_owner = 1 AND is_source = 0 AND is_right = 0""",
    )
