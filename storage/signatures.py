"""Signing a decision inside its transaction, and reading what was signed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from pld_core.canonical import Json, canonical_json
from pld_core.models import ATTESTATION, Actor, Decision, RuleSummary
from pld_core.review import Action
from pld_core.signing import MEANINGS, Signature, require_fresh_sign_in
from storage.connection import Write
from storage.desk_begun import forget_begun
from storage.policies import load_policy
from storage.task_queries import load_task


def sign(write: Write, rule: RuleSummary, action: Action, actor: Actor) -> dict[str, Json]:
    """Return what the event of a decision tells of its signature, beside revision, evidence, reason and time.

    What the actor had begun on the rule and not signed is gone with it.

    Raises:
        StaleSignIn: the task's policy asks for a fresher sign-in.
    """
    require_fresh(write, rule.task, actor)
    forget_begun(write, rule.id, actor)
    return {
        "meaning": MEANINGS[action],
        "guideline_version": load_task(write.conn, rule.task).guideline_version,
        "signed_as": actor.signed_as,
    }


def require_fresh(write: Write, task: str, actor: Actor) -> None:
    """Raise `StaleSignIn` if the task's policy asks for a fresher sign-in than the actor's."""
    require_fresh_sign_in(actor, load_policy(write.conn, task).fresh_sign_in, datetime.fromisoformat(write.now))


def load_signatures(conn: sqlite3.Connection, decisions: Sequence[Decision]) -> dict[int, Signature]:
    """Return what was recorded with each of these decisions, by its number."""
    found = conn.execute(
        """SELECT payload FROM event WHERE subject IN (SELECT value FROM json_each(?))
           AND kind IN ('rule.approved', 'rule.rejected', 'rule.changes_requested')""",
        (canonical_json(sorted({decision.rule_id for decision in decisions})),),
    )
    payloads = {payload["decision"]: payload for payload in (json.loads(row["payload"]) for row in found)}
    return {d.id: _signature(payloads[d.id]) for d in decisions if d.id in payloads}


def _signature(payload: dict[str, Json]) -> Signature:
    signed_as = payload.get("signed_as")
    told = signed_as if isinstance(signed_as, dict) else {}
    return Signature(str(payload.get("meaning", "")), str(told.get("kind", ATTESTATION)), str(told.get("name", "")))
