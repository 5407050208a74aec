"""What people say of evidence: a new version of it, in the transaction of its consequences."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from pld_core.desk import Tick, Ticked
from pld_core.errors import NotFound
from pld_core.models import Actor, evidence_set_hash
from pld_core.permissions import Step, guarded
from pld_core.review import Action, next_state
from storage.connection import Database
from storage.evidence_writes import NextVersion, append_version
from storage.rule_queries import (
    effective_evidence,
    load_standing,
    load_summary,
    refuse_moved_on,
    refuse_other_evidence,
)


class SqliteTicks:
    def __init__(self, database: Database) -> None:
        self._database = database

    @guarded(Step.TICK)
    def tick(self, tick: Tick, actor: Actor) -> Ticked:
        """Give an example of the evidence another role; the row before stays."""
        with self._database.write() as write:
            head = load_summary(write.conn, tick.rule_id)
            # The state may have changed meanwhile, as the guard decides on the one that is there now.
            refuse_moved_on(write.conn, head, tick.seen_revision, head.state, actor)
            old = effective_evidence(write.conn, head.head)
            refuse_other_evidence(write.conn, head, tick.seen_evidence, evidence_set_hash(old), actor)
            link = next((e for e in old if e.example_hash == tick.example_hash), None)
            if link is None:
                raise NotFound(f"{head.id} has no evidence {tick.example_hash[:19]}. Nothing was changed.")
            state = next_state(load_standing(write.conn, head), Action.TICK, actor)
            if link.role is tick.role:
                return Ticked(link.role, head.state, tick.seen_evidence)
            # Whoever agrees with code again says nothing of his own: later evidence may bring another role.
            agrees = _role_by_code(write.conn, head.head, tick.example_hash) == tick.role.value
            ticked = replace(link, role=tick.role, ticked_by="" if agrees else actor.name)
            new = tuple(ticked if e is link else e for e in old)
            reason = f"{actor.name} ticked an example as {tick.role.value.replace('_', ' ')}"
            version = NextVersion(
                head, head.head, old, new, head.state, state, Action.TICK, reason, actor, tick.example_hash
            )
            number = append_version(write, version, actor)
            now = evidence_set_hash(new)
            write.event(
                actor,
                "rule.evidence_ticked",
                head.id,
                {
                    "revision": head.head,
                    "version": number,
                    "example": tick.example_hash,
                    "before": link.role.value,
                    "role": tick.role.value,
                    "evidence": now,
                    "from": head.state.value,
                    "to": state.value,
                },
            )
            return Ticked(link.role, state, now)


def _role_by_code(conn: sqlite3.Connection, revision_hash: str, example_hash: str) -> str:
    """Return the role that code gave the example last; empty if people did ever since the revision was made."""
    row = conn.execute(
        """SELECT role FROM evidence WHERE revision_hash = ? AND example_hash = ? AND ticked_by = ''
           ORDER BY id DESC LIMIT 1""",
        (revision_hash, example_hash),
    ).fetchone()
    return "" if row is None else str(row["role"])
