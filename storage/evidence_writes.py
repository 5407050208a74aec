"""Changing what a rule rests on, inside somebody else's transaction: versions are added, none is ever changed."""

from __future__ import annotations

import sqlite3

from pld_core.canonical import Json, canonical_json
from pld_core.lineage import UpdateCount, came_and_went, change_words, for_labels, takes_over
from pld_core.models import (
    SYSTEM,
    Actor,
    Evidence,
    EvidenceRole,
    ExampleState,
    RevisionState,
    RuleSummary,
    evidence_set_hash,
)
from pld_core.review import Action, Standing, next_state
from storage.connection import Write
from storage.rule_queries import (
    LIVE,
    VERSION,
    effective_evidence,
    gold_labels,
    load_revision,
    load_state,
    load_summary,
)
from storage.rule_writes import add_evidence, count_role, move, update_rule

_STEP = {
    RevisionState.APPROVED: Action.MARK_STALE,
    RevisionState.FIRST_APPROVED: Action.BEGIN_AGAIN,
    RevisionState.DISPUTED: Action.BEGIN_AGAIN,
}
"""What a change of its evidence does to a revision that somebody decided on."""


def change_evidence(
    write: Write, rule: RuleSummary, new: tuple[Evidence, ...], active: frozenset[str], cause: str, actor: Actor
) -> UpdateCount:
    """Give the newest revision the new evidence, and the one in force too if it is another; count one rule at most."""
    stale = changed = 0
    for revision_hash in dict.fromkeys([rule.head, *([rule.in_force] if rule.in_force else [])]):
        revision, state = load_revision(write.conn, revision_hash), load_state(write.conn, revision_hash)
        fitting = new
        if revision_hash != rule.head:
            labels = gold_labels(write.conn, rule.task, [e.example_hash for e in new])
            fitting = for_labels(new, revision.text.labels, labels)
        old = effective_evidence(write.conn, revision_hash)
        if not takes_over(state, old, fitting, active):
            continue
        changed = 1
        after = state
        if action := _STEP.get(state):
            after = next_state(Standing(state, revision.author, revision.author_kind), action, SYSTEM)
        stale |= after is RevisionState.STALE and after is not state
        _append(write, rule, revision_hash, old, fitting, (state, after), cause, actor)
    return UpdateCount(changed, int(stale))


def _append(
    write: Write,
    rule: RuleSummary,
    revision_hash: str,
    old: tuple[Evidence, ...],
    new: tuple[Evidence, ...],
    states: tuple[RevisionState, RevisionState],
    cause: str,
    actor: Actor,
) -> None:
    before, after = states
    added, removed = came_and_went(old, new)
    reason = change_words(len(added), len(removed), cause)
    number = 1 + _version(write.conn, revision_hash)
    add_evidence(write, rule.task, revision_hash, number, new, SYSTEM.name)
    write.insert(
        "evidence_version",
        {
            "revision_hash": revision_hash,
            "number": number,
            "evidence_hash": evidence_set_hash(new),
            "added": canonical_json(added),
            "removed": canonical_json(removed),
            "reason": reason,
            "state": after.value,
            "by": actor.name,
            "at": write.now,
        },
    )
    if after is not before:
        move(write, revision_hash, after, _STEP[before].value, SYSTEM.name, reason)
    changed: dict[str, int | str] = {}
    if revision_hash == rule.head:
        changed |= {
            "state": after.value,
            "support": count_role(new, EvidenceRole.SUPPORTS),
            "contradictions": count_role(new, EvidenceRole.CONTRADICTS),
        }
    if after is RevisionState.STALE:
        changed["in_force"] = ""
    update_rule(write, rule.id, changed, SYSTEM.name)
    payload: dict[str, Json] = {
        "revision": revision_hash,
        "version": number,
        "evidence": evidence_set_hash(new),
        "before": evidence_set_hash(old),
        "added": list(added),
        "removed": list(removed),
        "from": before.value,
        "to": after.value,
        "reason": reason,
    }
    write.event(actor, "rule.evidence_changed", rule.id, payload)


def _version(conn: sqlite3.Connection, revision_hash: str) -> int:
    sql = "SELECT coalesce(max(number), 1) FROM evidence_version WHERE revision_hash = ?"
    return int(conn.execute(sql, (revision_hash,)).fetchone()[0])


def drop_inactive(write: Write, task: str, cause: str, actor: Actor) -> UpdateCount:
    """Take examples that take no part any more out of the evidence of live rules, at once and not at the next run."""
    found = write.conn.execute(
        f"""SELECT DISTINCT r.number, r.id FROM rule AS r
            JOIN evidence ON evidence.revision_hash IN (r.head, r.in_force)
            JOIN example AS e ON e.task = evidence.task AND e.hash = evidence.example_hash
            WHERE r.task = ? AND r.state {LIVE} AND e.state <> ? AND evidence.version = {VERSION}
            ORDER BY r.number""",  # noqa: S608 - constants of this package
        (task, ExampleState.ACTIVE.value),
    ).fetchall()
    changed = stale = 0
    for row in found:
        rule = load_summary(write.conn, str(row["id"]))
        evidence = effective_evidence(write.conn, rule.head)
        active = _active(write.conn, task, evidence)
        kept = tuple(e for e in evidence if e.example_hash in active)
        count = change_evidence(write, rule, kept, active, cause, actor)
        changed, stale = changed + count.changed, stale + count.stale
    return UpdateCount(changed, stale)


def _active(conn: sqlite3.Connection, task: str, evidence: tuple[Evidence, ...]) -> frozenset[str]:
    sql = "SELECT hash FROM example WHERE task = ? AND state = ? AND hash IN (SELECT value FROM json_each(?))"
    values = (task, ExampleState.ACTIVE.value, canonical_json([e.example_hash for e in evidence]))
    return frozenset(str(row["hash"]) for row in conn.execute(sql, values))
