"""Reading moves of release labels, inside somebody else's transaction."""

from __future__ import annotations

import json
import sqlite3

from pld_core.gate_facts import Gate
from pld_core.releases import BreakGlass, MoveKind, Release, ReleaseLabel


def load_moves(conn: sqlite3.Connection, task: str, label: ReleaseLabel | None = None) -> tuple[Release, ...]:
    """Return the moves of a task's labels, or of one of them, oldest first."""
    sql = "SELECT * FROM release_move WHERE task = ? AND ? IN ('', label) ORDER BY id"
    return tuple(map(release_from, conn.execute(sql, (task, label.value if label else ""))))


def release_from(row: sqlite3.Row) -> Release:
    until = row["exception_until"]
    return Release(
        number=row["id"],
        task=row["task"],
        label=ReleaseLabel(row["label"]),
        version=row["version"],
        sha256=row["sha256"],
        kind=MoveKind(row["kind"]),
        reason=row["reason"],
        by=row["by"],
        at=row["at"],
        run=row["run_id"],
        gates=tuple(Gate.from_json(gate) for gate in json.loads(row["gates"])),
        break_glass=BreakGlass(row["exception_reason"], until) if until else None,
    )
