"""The limits of each task's release gates: every change is a row that stays; the newest counts."""

from __future__ import annotations

import json
import sqlite3

from pld_core.canonical import Json, canonical_json
from pld_core.errors import PolicyMovedOn
from pld_core.gate_policy import AS_MADE, GatePolicy, GatePolicyChange, check_gate_change, limit_differences
from pld_core.models import Actor
from pld_core.permissions import Step, guarded
from storage.connection import Database
from storage.task_queries import load_task


class SqliteGatePolicies:
    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, task: str) -> GatePolicy:
        """Return the limits in force."""
        with self._database.read() as conn:
            load_task(conn, task)
            return load_gate_policy(conn, task)

    def history(self, task: str) -> tuple[GatePolicyChange, ...]:
        """Return every change, newest first."""
        with self._database.read() as conn:
            load_task(conn, task)
            return gate_policy_changes(conn, task)[::-1]

    @guarded(Step.CHANGE_POLICY)
    def change(self, task: str, seen: GatePolicy, policy: GatePolicy, reason: str, actor: Actor) -> GatePolicyChange:
        """Set other limits; `seen` are those that the person looked at.

        Raises:
            PolicyMovedOn: somebody changed them meanwhile.
            InvalidInput: limits that cannot be, or those in force.
            MissingReason: no reason.
        """
        with self._database.write() as write:
            load_task(write.conn, task)
            before = load_gate_policy(write.conn, task)
            if before != seen:
                raise PolicyMovedOn(
                    f"Somebody changed the limits of the gates of {task} since you looked at them. Nothing was "
                    "changed, and what you chose is kept. Look at the limits as they are now, then decide again."
                )
            check_gate_change(before, policy, reason)
            why = " ".join(reason.split())
            row = {"task": task, "limits": canonical_json(policy.as_json()), "reason": why}
            number = write.insert("gate_policy", {**row, "by": actor.name, "at": write.now})
            changed = limit_differences(before, policy)
            payload: dict[str, Json] = {
                "limits": number,
                "before": {name: old for name, (old, _) in changed.items()},
                "after": {name: new for name, (_, new) in changed.items()},
                "reason": why,
                "signed_as": actor.signed_as,
            }
            write.event(actor, "gates.changed", task, payload)
            return GatePolicyChange(number, policy, why, actor.name, write.now)


def load_gate_policy(conn: sqlite3.Connection, task: str) -> GatePolicy:
    """Return the limits in force, those that a task is made with if nobody set any."""
    changes = gate_policy_changes(conn, task)
    return changes[-1].policy if changes else AS_MADE


def gate_policy_changes(conn: sqlite3.Connection, task: str) -> tuple[GatePolicyChange, ...]:
    """Return every change of a task's limits, oldest first."""
    found = conn.execute("SELECT * FROM gate_policy WHERE task = ? ORDER BY id", (task,))
    return tuple(
        GatePolicyChange(row["id"], GatePolicy(**json.loads(row["limits"])), row["reason"], row["by"], row["at"])
        for row in found
    )
