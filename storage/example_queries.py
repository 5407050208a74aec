"""Reading examples, with where and how often they stand in files, inside somebody else's transaction."""

from __future__ import annotations

import sqlite3

from pld_core.models import Example
from pld_core.records import ExampleFilter, Page
from storage.example_rows import example_from
from storage.search import search_clause

# One statement for any number of examples: the index on dataset_row gives count and first row of each in place.
EXAMPLE = """SELECT e.*, d.file AS origin_file, d.sha256 AS origin_sha256, d.unit AS origin_unit,
        d.importer AS origin_importer, f.number AS origin_number,
        max(1, (SELECT count(*) FROM dataset_row AS c WHERE c.example_id = e.id)) AS copies
    FROM example AS e
    LEFT JOIN dataset_row AS f ON (f.dataset_id, f.number) = (
        SELECT r.dataset_id, r.number FROM dataset_row AS r WHERE r.example_id = e.id
        ORDER BY r.dataset_id, r.number LIMIT 1)
    LEFT JOIN dataset AS d ON d.id = f.dataset_id"""


def load_examples(
    conn: sqlite3.Connection, task: str, where: ExampleFilter, page: Page | None = None
) -> tuple[Example, ...]:
    """Return the examples in the order in which they were imported."""
    clause, values = example_clause(conn, task, where)
    limit = (page.limit, page.offset) if page else (-1, 0)
    # Whose turn it is is found in the indexes; only their texts are then read.
    wanted = f"SELECT e.id FROM example AS e WHERE {clause} ORDER BY e.id LIMIT ? OFFSET ?"  # noqa: S608 - literals
    found = conn.execute(f"{EXAMPLE} WHERE e.id IN ({wanted}) ORDER BY e.id", (*values, *limit))
    return tuple(example_from(row) for row in found)


def example_clause(conn: sqlite3.Connection, task: str, where: ExampleFilter) -> tuple[str, tuple[int | str, ...]]:
    """Return a condition on `example AS e` with its values."""
    clauses: list[str] = ["e.task = ?"]
    values: list[int | str] = [task]
    if where.states:
        clauses.append(f"e.state IN ({', '.join('?' for _ in where.states)})")
        values += [state.value for state in where.states]
    if where.split is not None:
        clauses.append("e.split = ?")
        values.append(where.split.value)
    if where.label:
        clauses.append("e.label = ?")
        values.append(where.label)
    if where.personal:
        clauses.append("e.personal <> '[]'")
    if where.dataset is not None:
        clauses.append("e.id IN (SELECT example_id FROM dataset_row WHERE dataset_id = ?)")
        values.append(where.dataset)
    found, words = search_clause(conn, task, where.search)
    if found:
        clauses.append(found)
        values += words
    return " AND ".join(clauses), tuple(values)
