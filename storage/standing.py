"""Which examples take part: what is archived with its data set, what is in conflict, what is free again.

`withdrawn` is a person's decision; nothing here changes it.
"""

from __future__ import annotations

from collections.abc import Iterable

from pld_core.canonical import canonical_json
from pld_core.models import ExampleState
from pld_core.records import Dataset, DatasetState
from storage.connection import Write

_UNSETTLED = "('active', 'conflict')"
_ANOTHER_LABEL = f"""EXISTS (SELECT 1 FROM example AS o WHERE o.task = example.task AND o.text_hash = example.text_hash
    AND o.id <> example.id AND o.state IN {_UNSETTLED})"""  # noqa: S608 - literals of this module
_HELD = """EXISTS (SELECT 1 FROM dataset_row AS h WHERE h.example_id = example.id AND 'active' = (
    SELECT s.state FROM dataset_state AS s WHERE s.dataset_id = h.dataset_id ORDER BY s.id DESC LIMIT 1))"""
_ROWS = "SELECT example_id FROM dataset_row WHERE dataset_id = ?"


def enter_state(write: Write, dataset_id: int, state: DatasetState, reason: str, by: str) -> None:
    write.insert(
        "dataset_state",
        {"dataset_id": dataset_id, "state": state.value, "reason": reason, "by": by, "at": write.now},
    )


def archive_unheld(write: Write, dataset: Dataset) -> int:
    """Archive the examples of a data set that no active data set holds; return how many."""
    done = write.conn.execute(
        f"""UPDATE example SET state = 'archived' WHERE id IN ({_ROWS}) AND state IN {_UNSETTLED}
            AND NOT {_HELD}""",  # noqa: S608 - literals of this module
        (dataset.id,),
    )
    clear_conflicts(write, dataset.task)
    return done.rowcount


def revive(write: Write, dataset: Dataset) -> int:
    """Bring the archived examples of a data set back, as active or in conflict; return how many."""
    done = write.conn.execute(
        f"UPDATE example SET state = 'active' WHERE id IN ({_ROWS}) AND state = 'archived'",  # noqa: S608 - literals
        (dataset.id,),
    )
    _mark(write, dataset.task, f"SELECT text_hash FROM example WHERE id IN ({_ROWS})", dataset.id)  # noqa: S608
    return done.rowcount


def mark_conflicts(write: Write, task: str, text_hashes: Iterable[str]) -> int:
    """Set the unsettled examples of these texts to conflict where there is more than one label; return the texts."""
    listed = canonical_json(sorted(text_hashes))
    if listed == "[]":
        return 0
    _mark(write, task, "SELECT value FROM json_each(?)", listed)
    sql = """SELECT count(DISTINCT text_hash) FROM example WHERE task = ? AND state = 'conflict'
        AND text_hash IN (SELECT value FROM json_each(?))"""
    return int(write.conn.execute(sql, (task, listed)).fetchone()[0])


def clear_conflicts(write: Write, task: str) -> None:
    """Make those active again that stand alone, because the other label is gone."""
    write.conn.execute(
        f"UPDATE example SET state = 'active' WHERE task = ? AND state = 'conflict' AND NOT {_ANOTHER_LABEL}",  # noqa: S608 - literals
        (task,),
    )


def _mark(write: Write, task: str, texts: str, value: int | str) -> None:
    # The plus keeps the planner from the index on states, which would walk over every active example.
    write.conn.execute(
        f"""UPDATE example SET state = '{ExampleState.CONFLICT.value}'
            WHERE task = ? AND text_hash IN ({texts}) AND +state = 'active' AND {_ANOTHER_LABEL}""",  # noqa: S608 - literals
        (task, value),
    )
