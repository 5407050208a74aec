"""What is added to a loop once a round or a start of it is over: a greedy order, and where it stopped."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from pld_core.canonical import Json
from pld_core.conflicts.records import Tried
from pld_core.conflicts.stopped import LoopStop
from pld_core.models import Actor
from storage import resolution_rows as shapes
from storage.connection import Write


def write_steps(write: Write, resolution_id: int, task: str, number: int, steps: Sequence[Tried], actor: Actor) -> None:
    """Write the trials of a greedy order with their event."""
    place: dict[str, int | str] = {"resolution_id": resolution_id, "round": number, "at": write.now}
    write.insert_all("proposal_trial", [{**place, **shapes.trial_row(tried)} for tried in steps])
    payload: dict[str, Json] = {
        "resolution": resolution_id,
        "round": number,
        "prompts": [tried.prompt_sha256 for tried in steps],
        "verdicts": [tried.result.verdict.value for tried in steps],
    }
    write.event(actor, "resolution.added_up", task, payload)


def write_stop(write: Write, resolution_id: int, task: str, stop: LoopStop, actor: Actor) -> None:
    """Write where a loop stopped with its event."""
    row = {"used": stop.used, "cap": stop.cap, "reason": stop.reason}
    write.insert("resolution_stop", {"resolution_id": resolution_id, **row, "by": actor.name, "at": write.now})
    write.event(actor, "resolution.stopped", task, {"resolution": resolution_id, **row})


def load_stops(conn: sqlite3.Connection, resolution_id: int) -> tuple[LoopStop, ...]:
    """Return where a loop stopped, newest first."""
    found = conn.execute("SELECT * FROM resolution_stop WHERE resolution_id = ? ORDER BY id DESC", (resolution_id,))
    return tuple(LoopStop(row["used"], row["cap"], row["reason"], row["at"]) for row in found)
