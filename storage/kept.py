"""Kept columns: what rows of data sets say beside their examples, and runs cut by it. Reads only.

Of several rows that hold one example, the row of the newest data set counts, data sets in use before archived ones, and
in it the first row; a row that gives nothing counts for nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence

from pld_core.canonical import Json, canonical_json
from pld_core.metrics import Cell
from pld_core.models import AnswerStatus
from pld_core.records import KEEP
from storage.connection import Database
from storage.dataset_queries import DATASET

# Which data sets keep which columns, and where in the list of a row; the first counts.
_HOLDERS = f"""SELECT d.id AS dataset, k.value AS name, k.key AS place
    FROM ({DATASET}) AS d JOIN json_each(d.params, '$.{KEEP}') AS k
    WHERE d.task = ? AND d.state <> 'deleted' ORDER BY d.state = 'active' DESC, d.id DESC"""  # noqa: S608 - literals

_HOLDER = """WITH holder AS MATERIALIZED (
    SELECT value ->> 0 AS dataset, value ->> 1 AS path, key AS rank FROM json_each(:holders))"""
# The few rows of an example come first: there may be many data sets.
_SAID = """(SELECT r.kept ->> h.path FROM dataset_row AS r CROSS JOIN holder AS h
    WHERE r.example_id = e.id AND h.dataset = r.dataset_id AND r.kept ->> h.path <> ''
    ORDER BY h.rank, r.number LIMIT 1)"""
# The same of one data set: what it keeps is found in its rows alone, in a fraction of the time.
_SAID_BY = """(SELECT r.kept ->> '{path}' FROM dataset_row AS r INDEXED BY dataset_row_by_example
    WHERE r.example_id = e.id AND r.dataset_id = {dataset} AND r.kept ->> '{path}' <> '' ORDER BY r.number LIMIT 1)"""
_FEW = 4
_FIRST_DATASET = """(SELECT r.dataset_id FROM dataset_row AS r INDEXED BY dataset_row_by_example
    WHERE r.example_id = e.id ORDER BY r.dataset_id LIMIT 1)"""
# Examples are found in the index on their hash; their texts are not touched.
_COUNT = """SELECT {value} AS value, p.gold, p.said, p.status, count(*) AS n
    FROM prediction AS p INDEXED BY prediction_figures
    LEFT JOIN example AS e ON e.task = :task AND e.hash = p.example_hash
    WHERE p.run_id = :run GROUP BY 1, 2, 3, 4"""


class SqliteKept:
    def __init__(self, database: Database) -> None:
        self._database = database

    def columns(self, task: str) -> tuple[str, ...]:
        """Return the columns that data sets of a task keep, those of the newest first."""
        with self._database.read() as conn:
            return tuple(dict.fromkeys(str(row["name"]) for row in conn.execute(_HOLDERS, (task,))))

    def values(self, task: str, example_hashes: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return what is kept beside examples, by hash and column; what is not given is left out."""
        found: dict[str, dict[str, str]] = {}
        with self._database.read() as conn:
            holders = conn.execute(_HOLDERS, (task,)).fetchall()
            if not holders:
                return found
            rows = conn.execute(
                """SELECT e.hash, r.dataset_id, r.kept FROM example AS e JOIN dataset_row AS r ON r.example_id = e.id
                   WHERE e.task = ? AND e.hash IN (SELECT value FROM json_each(?)) ORDER BY r.number""",
                (task, canonical_json(list(example_hashes))),
            ).fetchall()
        said = [(str(row["hash"]), int(row["dataset_id"]), json.loads(row["kept"])) for row in rows]
        for holder in holders:
            for example_hash, dataset, kept in said:
                if dataset == holder["dataset"] and kept[holder["place"]]:
                    found.setdefault(example_hash, {}).setdefault(str(holder["name"]), kept[holder["place"]])
        return found

    def cut_by_column(self, run_id: int, column: str) -> dict[str, Counter[Cell]]:
        """Return the answers of a run, counted by what a kept column says of their examples; empty where nothing."""
        with self._database.read() as conn:
            task = _task_of(conn, run_id)
            found = conn.execute(_HOLDERS, (task,))
            holders = [(int(row["dataset"]), f"$[{int(row['place'])}]") for row in found if row["name"] == column]
            given = {"run": run_id, "task": task}
            if len(holders) <= _FEW:
                value = _first_of([_SAID_BY.format(dataset=dataset, path=path) for dataset, path in holders])
                return _cells(conn.execute(_COUNT.format(value=value), given))
            listed: list[Json] = [list(holder) for holder in holders]
            sql = f"{_HOLDER} {_COUNT.format(value=_SAID)}"
            return _cells(conn.execute(sql, {**given, "holders": canonical_json(listed)}))

    def cut_by_dataset(self, run_id: int) -> dict[str, Counter[Cell]]:
        """Return the answers of a run, counted by the data set that their example first came with."""
        with self._database.read() as conn:
            task = _task_of(conn, run_id)
            files = {row["id"]: row["file"] for row in conn.execute("SELECT id, file FROM dataset")}
            sql = _COUNT.format(value=_FIRST_DATASET)
            found = _cells(conn.execute(sql, {"run": run_id, "task": task}))
            return {f"{key}. {files[int(key)]}" if key else "": cells for key, cells in found.items()}


def _first_of(values: Sequence[str]) -> str:
    """Return SQL for the first of some values that is given; NULL stands at the end, as coalesce takes two at least."""
    return f"coalesce({', '.join((*values, 'NULL', 'NULL'))})"


def _task_of(conn: sqlite3.Connection, run_id: int) -> str:
    row = conn.execute("SELECT task FROM run WHERE id = ?", (run_id,)).fetchone()
    return "" if row is None else str(row["task"])


def _cells(rows: sqlite3.Cursor) -> dict[str, Counter[Cell]]:
    found: dict[str, Counter[Cell]] = {}
    for row in rows:
        value = "" if row["value"] is None else str(row["value"])
        found.setdefault(value, Counter())[Cell(row["gold"], row["said"], AnswerStatus(row["status"]))] += row["n"]
    return found
