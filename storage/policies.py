"""The policy of each task: every change is a row that stays; the newest counts."""

from __future__ import annotations

import sqlite3

from pld_core.canonical import Json
from pld_core.errors import PolicyMovedOn
from pld_core.models import Actor
from pld_core.permissions import Step, guarded
from pld_core.policy import PLAIN, Policy, PolicyChange, check_change, differences
from storage.connection import Database
from storage.task_queries import load_task

_COLUMNS = "four_eyes, blind, second_look, known_bad, fresh_sign_in"


class SqlitePolicies:
    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, task: str) -> Policy:
        """Return the policy in force."""
        with self._database.read() as conn:
            load_task(conn, task)
            return load_policy(conn, task)

    def history(self, task: str) -> tuple[PolicyChange, ...]:
        """Return every change, newest first."""
        with self._database.read() as conn:
            load_task(conn, task)
            return policy_changes(conn, task)[::-1]

    @guarded(Step.CHANGE_POLICY)
    def change(self, task: str, seen: Policy, policy: Policy, reason: str, actor: Actor) -> PolicyChange:
        """Set another policy; `seen` is the one that the person looked at.

        Raises:
            PolicyMovedOn: somebody changed it meanwhile.
            InvalidInput: a policy that cannot be, or the one in force.
            MissingReason: no reason.
        """
        with self._database.write() as write:
            load_task(write.conn, task)
            before = load_policy(write.conn, task)
            if before != seen:
                raise PolicyMovedOn(
                    f"Somebody changed the policy of {task} since you looked at it. Nothing was changed, and what you "
                    "chose is kept. Look at the policy as it is now, then decide again."
                )
            check_change(before, policy, reason)
            why = " ".join(reason.split())
            number = write.insert(
                "policy",
                {
                    "task": task,
                    **_values(policy),
                    "reason": why,
                    "by": actor.name,
                    "at": write.now,
                },
            )
            payload: dict[str, Json] = {
                "policy": number,
                "before": {name: old for name, (old, _) in differences(before, policy).items()},
                "after": {name: new for name, (_, new) in differences(before, policy).items()},
                "reason": why,
                "signed_as": actor.signed_as,
            }
            write.event(actor, "policy.changed", task, payload)
            return PolicyChange(number, policy, why, actor.name, write.now)


def load_policy(conn: sqlite3.Connection, task: str) -> Policy:
    """Return the policy of a task that is in force, the plain one if nobody set any."""
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM policy WHERE task = ? ORDER BY id DESC LIMIT 1",  # noqa: S608 - a constant
        (task,),
    ).fetchone()
    return PLAIN if row is None else _policy(row)


def policy_changes(conn: sqlite3.Connection, task: str) -> tuple[PolicyChange, ...]:
    """Return every change of a task's policy, oldest first."""
    found = conn.execute("SELECT * FROM policy WHERE task = ? ORDER BY id", (task,))
    return tuple(PolicyChange(row["id"], _policy(row), row["reason"], row["by"], row["at"]) for row in found)


def _policy(row: sqlite3.Row) -> Policy:
    return Policy(
        four_eyes=bool(row["four_eyes"]),
        blind=bool(row["blind"]),
        second_look=row["second_look"],
        known_bad=row["known_bad"],
        fresh_sign_in=row["fresh_sign_in"],
    )


def _values(policy: Policy) -> dict[str, int]:
    return {
        "four_eyes": int(policy.four_eyes),
        "blind": int(policy.blind),
        "second_look": policy.second_look,
        "known_bad": policy.known_bad,
        "fresh_sign_in": policy.fresh_sign_in,
    }
