"""Carrying out what a change makes of decisions, inside the transaction of that change."""

from __future__ import annotations

import json
import sqlite3

from pld_core.canonical import Json
from pld_core.lineage import Setback
from pld_core.models import SYSTEM, Actor, RevisionState
from pld_core.review import Action, Standing, next_state
from pld_core.staleness import UPSET, Consequence, Decided, Effects
from storage.connection import Write
from storage.rule_queries import load_revision, load_summary
from storage.rule_writes import move, update_rule

_HALF = ", ".join(repr(state.value) for state in UPSET if state is not RevisionState.APPROVED)

_STEPS = ", ".join(sorted({repr(step.value) for step in UPSET.values()}))


def decided_revisions(conn: sqlite3.Connection, task: str) -> tuple[Decided, ...]:
    """Return the revisions of a task that are in force or half decided, in the order of the rules' numbers."""
    found = conn.execute(
        f"""SELECT r.id, v.hash, v.labels, iif(v.hash = r.in_force, 'approved', r.state) AS state
            FROM rule AS r JOIN revision AS v ON v.hash IN (r.head, r.in_force)
            WHERE r.task = ? AND (v.hash = r.in_force OR r.state IN ({_HALF})) ORDER BY r.number, v.number""",  # noqa: S608 - literals
        (task,),
    )
    return tuple(
        Decided(row["id"], row["hash"], tuple(json.loads(row["labels"])), RevisionState(row["state"])) for row in found
    )


def carry_out(write: Write, effects: Effects, reason: str, actor: Actor) -> None:
    """Mark revisions stale and begin reviews anew, each with its event; `reason` is why the change was made."""
    for consequence in effects.consequences:
        _carry_out(write, consequence, f"{consequence.cause}. {reason}" if reason else consequence.cause, actor)


def _carry_out(write: Write, consequence: Consequence, reason: str, actor: Actor) -> None:
    decided = consequence.decided
    revision, rule = load_revision(write.conn, decided.revision_hash), load_summary(write.conn, decided.rule_id)
    standing = Standing(decided.state, revision.author, revision.author_kind)
    after = next_state(standing, consequence.step, SYSTEM)
    move(write, revision.hash, after, consequence.step.value, SYSTEM.name, reason)
    changed: dict[str, int | str] = {"state": after.value} if revision.hash == rule.head else {}
    if after is RevisionState.STALE:
        changed["in_force"] = ""
    update_rule(write, rule.id, changed, SYSTEM.name)
    payload: dict[str, Json] = {
        "revision": revision.hash,
        "from": decided.state.value,
        "to": after.value,
        "reason": reason,
    }
    is_stale = consequence.step is Action.MARK_STALE
    write.event(actor, "rule.marked_stale" if is_stale else "rule.begun_again", rule.id, payload)


def load_setbacks(conn: sqlite3.Connection, rule_id: str) -> tuple[Setback, ...]:
    """Return what made decisions on a rule obsolete, oldest first; changed evidence tells of itself."""
    found = conn.execute(
        f"""SELECT v.number, t.state, t.reason, t.at FROM transition AS t JOIN revision AS v ON v.hash = t.revision_hash
            WHERE v.rule_id = ? AND t.action IN ({_STEPS}) AND NOT EXISTS (
                SELECT 1 FROM evidence_version AS e WHERE e.revision_hash = t.revision_hash AND e.at = t.at)
            ORDER BY t.id""",  # noqa: S608 - literals
        (rule_id,),
    )
    return tuple(Setback(row["number"], RevisionState(row["state"]), row["reason"], row["at"]) for row in found)
