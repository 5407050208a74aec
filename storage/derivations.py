"""Rules that were made of other rules, and when they take their place."""

from __future__ import annotations

import sqlite3

from pld_core.desk import Derivation, Kin
from pld_core.models import SYSTEM, Actor, RevisionState
from pld_core.review import FINAL_STATES, Action, Standing, next_state
from storage.connection import Write
from storage.overlap_writes import settle_overlaps
from storage.rule_queries import load_revisions, load_state, load_summary
from storage.rule_writes import move, update_rule


def replace_parents(write: Write, child: str, actor: Actor) -> None:
    """Supersede the rules that `child` was made from, once their replacement stands.

    A replacement stands when each of its rules is in force or finally refused, and at least one is in force.
    """
    steps = write.conn.execute("SELECT * FROM derivation WHERE child_rule = ? ORDER BY id", (child,)).fetchall()
    for step in steps:
        found = write.conn.execute(
            "SELECT child_rule FROM derivation WHERE parent_rule = ? AND kind = ? AND at = ? ORDER BY id",
            (step["parent_rule"], step["kind"], step["at"]),
        )
        children = [load_summary(write.conn, str(row["child_rule"])) for row in found.fetchall()]
        standing = [c.id for c in children if c.in_force]
        waiting = [c for c in children if not c.in_force and c.state not in FINAL_STATES]
        if standing and not waiting:
            _supersede(write, str(step["parent_rule"]), standing)
            settle_overlaps(write, str(step["parent_rule"]), actor)


def _supersede(write: Write, parent: str, by: list[str]) -> None:
    rule = load_summary(write.conn, parent)
    for revision, _ in load_revisions(write.conn, rule.id):
        state = load_state(write.conn, revision.hash)
        if state not in (RevisionState.APPROVED, RevisionState.STALE):
            continue
        new = next_state(Standing(state, revision.author, revision.author_kind), Action.SUPERSEDE, SYSTEM)
        move(write, revision.hash, new, Action.SUPERSEDE.value, SYSTEM.name, f"Replaced by {', '.join(by)}")
        changed: dict[str, int | str] = {"in_force": ""}
        if revision.hash == rule.head:
            changed["state"] = new.value
        update_rule(write, rule.id, changed, SYSTEM.name)
        write.event(SYSTEM, "rule.superseded", rule.id, {"revision": revision.hash, "by": list(by)})


def kin_of(conn: sqlite3.Connection, rule_id: str) -> tuple[Kin, ...]:
    """Return what the rule was made from and what was made of it, oldest first."""
    found = conn.execute(
        """SELECT d.*, v.number FROM derivation AS d JOIN revision AS v ON v.hash = d.parent_revision
           WHERE d.child_rule = :rule OR d.parent_rule = :rule ORDER BY d.id""",
        {"rule": rule_id},
    )
    return tuple(
        Kin(
            Derivation(row["kind"]),
            row["parent_rule"],
            row["number"],
            row["child_rule"],
            row["reason"],
            row["by"],
            row["at"],
        )
        for row in found
    )
