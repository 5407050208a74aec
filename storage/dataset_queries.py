"""Reading data sets and what rests on them, inside somebody else's transaction."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from pld_core.errors import DataInUse, NotFound
from pld_core.records import Dataset, DatasetState
from storage.example_rows import dataset_from

DATASET = """SELECT * FROM (SELECT d.*, (SELECT s.state FROM dataset_state AS s WHERE s.dataset_id = d.id
    ORDER BY s.id DESC LIMIT 1) AS state FROM dataset AS d)"""

# The examples that no other data set holds; a deleted data set has no rows any more.
ONLY_HERE = """SELECT r.example_id FROM dataset_row AS r WHERE r.dataset_id = :dataset AND NOT EXISTS (
    SELECT 1 FROM dataset_row AS o WHERE o.example_id = r.example_id AND o.dataset_id <> :dataset)"""

_NAMED = 10


def load_dataset(conn: sqlite3.Connection, dataset_id: int) -> Dataset:
    row = conn.execute(f"{DATASET} WHERE id = ?", (dataset_id,)).fetchone()
    if row is None:
        raise NotFound(f"There is no data set {dataset_id} in this workspace. The Data page lists those there are.")
    return dataset_from(row)


def load_standing_dataset(conn: sqlite3.Connection, dataset_id: int) -> Dataset:
    """Return a data set that can still be changed.

    Raises:
        NotFound: there is none of this id, or it was deleted.
    """
    dataset = load_dataset(conn, dataset_id)
    if dataset.state is DatasetState.DELETED:
        raise NotFound(
            f"Data set {dataset_id} ({dataset.about.file}) was deleted; only its record is kept. Nothing was changed. "
            "Import the file again to have its examples back."
        )
    return dataset


def find_active(conn: sqlite3.Connection, task: str, sha256: str, params_hash: str) -> Dataset | None:
    """Return the active data set of this file and these params, if there is one."""
    row = conn.execute(
        f"{DATASET} WHERE task = ? AND sha256 = ? AND params_hash = ? AND state = 'active' ORDER BY id LIMIT 1",
        (task, sha256, params_hash),
    ).fetchone()
    return None if row is None else dataset_from(row)


def count_conflicts(conn: sqlite3.Connection, task: str) -> int:
    """Return the number of texts with an unsettled label conflict."""
    sql = "SELECT count(DISTINCT text_hash) FROM example WHERE task = ? AND state = 'conflict'"
    return int(conn.execute(sql, (task,)).fetchone()[0])


@dataclass(frozen=True)
class Usage:
    """What would lose an example if the data set went: rules by id, numbers of instructions and predictions."""

    rules: tuple[str, ...]
    instructions: int
    predictions: int

    def refuse(self, dataset: Dataset) -> None:
        """Raise `DataInUse` if anything rests on the data set."""
        named = ", ".join(self.rules[:_NAMED])
        more = f" and {len(self.rules) - _NAMED} more ({len(self.rules)} in all)" if len(self.rules) > _NAMED else ""
        parts = [f"the evidence of {named}{more}"] if self.rules else []
        parts += [f"{self.instructions:,} teacher instructions"] if self.instructions else []
        parts += [f"{self.predictions:,} evaluated answers"] if self.predictions else []
        if parts:
            raise DataInUse(
                f"Data set {dataset.id} ({dataset.about.file}) cannot be deleted: on its examples rest "
                f"{'; '.join(parts)}. Nothing was changed. Archive it instead: its examples then take no part any more "
                "and stay readable."
            )


def load_usage(conn: sqlite3.Connection, dataset: Dataset) -> Usage:
    given = {"dataset": dataset.id, "task": dataset.task}
    made = conn.execute(
        f"""SELECT count(*) FROM micro_instruction AS m JOIN example AS e ON e.task = m.task AND e.hash = m.example_hash
            WHERE m.task = :task AND e.id IN ({ONLY_HERE})""",  # noqa: S608 - literals of this module
        given,
    ).fetchone()
    asked = conn.execute(
        f"""SELECT count(*) FROM run AS u JOIN prediction AS p ON p.run_id = u.id
            JOIN example AS e ON e.task = u.task AND e.hash = p.example_hash
            WHERE u.task = :task AND e.id IN ({ONLY_HERE})""",  # noqa: S608 - literals of this module
        given,
    ).fetchone()
    return Usage(resting_rules(conn, dataset), int(made[0]), int(asked[0]))


def resting_rules(conn: sqlite3.Connection, dataset: Dataset) -> tuple[str, ...]:
    """Return the rules any revision of which has evidence among the examples that only this data set holds."""
    found = conn.execute(
        f"""SELECT DISTINCT r.number, r.id FROM evidence AS v
            JOIN example AS e ON e.task = v.task AND e.hash = v.example_hash
            JOIN revision AS s ON s.hash = v.revision_hash JOIN rule AS r ON r.id = s.rule_id
            WHERE v.task = :task AND e.id IN ({ONLY_HERE}) ORDER BY r.number""",  # noqa: S608 - literals of this module
        {"dataset": dataset.id, "task": dataset.task},
    )
    return tuple(str(row["id"]) for row in found)
