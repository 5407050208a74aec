"""Changing what a rule rests on, inside somebody else's transaction: versions are added, none is ever changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from pld_core.canonical import Json, canonical_json
from pld_core.lineage import (
    UpdateCount,
    came_and_went,
    change_words,
    for_labels,
    keep_ticks,
    lost_ticks,
    takes_over,
)
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
from pld_core.staleness import UPSET
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


@dataclass(frozen=True)
class NextVersion:
    """A new version of a revision's evidence.

    Attributes:
        before, after: the revision's state.
        step: what brings it from one to the other; None if it stays where it is.
        reason: why, in one sentence.
        by: who takes that step and gets the blame for the rule's last change.
        ticked: hash of the example that a person gave another role, if that is the change.
    """

    rule: RuleSummary
    revision_hash: str
    old: tuple[Evidence, ...]
    new: tuple[Evidence, ...]
    before: RevisionState
    after: RevisionState
    step: Action | None
    reason: str
    by: Actor
    ticked: str = ""


def append_version(write: Write, version: NextVersion, actor: Actor) -> int:
    """Append the evidence with its consequences for the revision and the queue; return its number.

    The caller appends the event.
    """
    rule, new = version.rule, version.new
    added, removed = came_and_went(version.old, new)
    number = 1 + _version(write.conn, version.revision_hash)
    add_evidence(write, rule.task, version.revision_hash, number, new, SYSTEM.name)
    write.insert(
        "evidence_version",
        {
            "revision_hash": version.revision_hash,
            "number": number,
            "evidence_hash": evidence_set_hash(new),
            "added": canonical_json(added),
            "removed": canonical_json(removed),
            "reason": version.reason,
            "state": version.after.value,
            "ticked": version.ticked,
            "by": actor.name,
            "at": write.now,
        },
    )
    if version.step is not None and version.after is not version.before:
        move(write, version.revision_hash, version.after, version.step.value, version.by.name, version.reason)
    changed: dict[str, int | str] = {}
    if version.revision_hash == rule.head:
        changed |= {
            "state": version.after.value,
            "support": count_role(new, EvidenceRole.SUPPORTS),
            "contradictions": count_role(new, EvidenceRole.CONTRADICTS),
        }
    if version.after is RevisionState.STALE:
        changed["in_force"] = ""
    update_rule(write, rule.id, changed, version.by.name)
    return number


def change_evidence(
    write: Write, rule: RuleSummary, new: tuple[Evidence, ...], active: frozenset[str], cause: str, actor: Actor
) -> UpdateCount:
    """Give the newest revision the new evidence, and the one in force too if it is another; count one rule at most.

    A role that a person gave to an example of a revision stands, as long as the example is among its evidence.
    """
    fitting = {rule.head: new}
    if rule.in_force and rule.in_force != rule.head:
        labels = gold_labels(write.conn, rule.task, [e.example_hash for e in new])
        fitting[rule.in_force] = for_labels(new, load_revision(write.conn, rule.in_force).text.labels, labels)
    return _change(write, rule, fitting, active, cause, actor)


def _change(
    write: Write,
    rule: RuleSummary,
    fitting: Mapping[str, tuple[Evidence, ...]],
    active: frozenset[str],
    cause: str,
    actor: Actor,
) -> UpdateCount:
    """Give revisions of a rule, by their hash, the evidence that fits them."""
    stale = changed = 0
    for revision_hash, found in fitting.items():
        revision, state = load_revision(write.conn, revision_hash), load_state(write.conn, revision_hash)
        old = effective_evidence(write.conn, revision_hash)
        new = keep_ticks(old, found)
        if not takes_over(state, old, new, active):
            continue
        changed = 1
        after, step = state, UPSET.get(state)
        if step:
            after = next_state(Standing(state, revision.author, revision.author_kind), step, SYSTEM)
        stale |= after is RevisionState.STALE and after is not state
        added, removed = came_and_went(old, new)
        reason = change_words(len(added), len(removed), cause, len(lost_ticks(old, new)))
        _append(write, NextVersion(rule, revision_hash, old, new, state, after, step, reason, SYSTEM), actor)
    return UpdateCount(changed, int(stale))


def _append(write: Write, version: NextVersion, actor: Actor) -> None:
    number = append_version(write, version, actor)
    added, removed = came_and_went(version.old, version.new)
    payload: dict[str, Json] = {
        "revision": version.revision_hash,
        "version": number,
        "evidence": evidence_set_hash(version.new),
        "before": evidence_set_hash(version.old),
        "added": list(added),
        "removed": list(removed),
        "lost_ticks": [
            {"example": e.example_hash, "role": e.role.value, "by": e.ticked_by}
            for e in lost_ticks(version.old, version.new)
        ],
        "from": version.before.value,
        "to": version.after.value,
        "reason": version.reason,
    }
    write.event(actor, "rule.evidence_changed", version.rule.id, payload)


def _version(conn: sqlite3.Connection, revision_hash: str) -> int:
    sql = "SELECT coalesce(max(number), 1) FROM evidence_version WHERE revision_hash = ?"
    return int(conn.execute(sql, (revision_hash,)).fetchone()[0])


def drop_inactive(write: Write, task: str, cause: str, actor: Actor) -> UpdateCount:
    """Take examples that take no part any more out of evidence, at once and not at the next run.

    That is the evidence of live rules, and of what is still in force where the newest revision was rejected.
    """
    found = write.conn.execute(
        f"""SELECT DISTINCT r.number, r.id FROM rule AS r
            JOIN evidence ON evidence.revision_hash IN (r.head, r.in_force)
            JOIN example AS e ON e.task = evidence.task AND e.hash = evidence.example_hash
            WHERE r.task = ? AND (r.state {LIVE} OR r.in_force <> '') AND e.state <> ?
                AND evidence.version = {VERSION}
            ORDER BY r.number""",  # noqa: S608 - constants of this package
        (task, ExampleState.ACTIVE.value),
    ).fetchall()
    changed = stale = 0
    for row in found:
        rule = load_summary(write.conn, str(row["id"]))
        held = {h: effective_evidence(write.conn, h) for h in (rule.head, rule.in_force) if h}
        active = _active(write.conn, task, tuple(e for evidence in held.values() for e in evidence))
        kept = {h: tuple(e for e in evidence if e.example_hash in active) for h, evidence in held.items()}
        count = _change(write, rule, kept, active, cause, actor)
        changed, stale = changed + count.changed, stale + count.stale
    return UpdateCount(changed, stale)


def _active(conn: sqlite3.Connection, task: str, evidence: tuple[Evidence, ...]) -> frozenset[str]:
    sql = "SELECT hash FROM example WHERE task = ? AND state = ? AND hash IN (SELECT value FROM json_each(?))"
    values = (task, ExampleState.ACTIVE.value, canonical_json([e.example_hash for e in evidence]))
    return frozenset(str(row["hash"]) for row in conn.execute(sql, values))
