"""Writing a rule and its parts inside somebody else's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from pld_core.canonical import Json, canonical_json, hash_json
from pld_core.errors import InvalidInput
from pld_core.lineage import Lineage
from pld_core.models import (
    NOISE,
    SYSTEM,
    Actor,
    Evidence,
    EvidenceRole,
    ExampleState,
    Revision,
    RevisionState,
    RuleSummary,
    evidence_set_hash,
)
from pld_core.records import NewRule
from pld_core.review import Action, Standing, clean_rule_text, next_state
from storage import rows
from storage.connection import Write
from storage.rule_queries import load_standing, load_summary
from storage.task_queries import load_task


def rule_of(conn: sqlite3.Connection, task: str, origin: str) -> str:
    """Return the id of the rule of this origin, empty if there is none."""
    row = conn.execute("SELECT id FROM rule WHERE task = ? AND origin = ?", (task, origin)).fetchone()
    return "" if row is None else str(row["id"])


def refuse_no_noise(conn: sqlite3.Connection, task: str, rule: NewRule) -> None:
    """Refuse a rule unless it rests on one active example that is noise in its clustering."""
    hashes = [evidence.example_hash for evidence in rule.evidence]
    found = conn.execute(
        """SELECT 1 FROM cluster_point AS p JOIN clustering AS c ON c.id = p.clustering_id
           JOIN example AS e ON e.task = c.task AND e.hash = p.example_hash
           WHERE c.id = ? AND c.task = ? AND p.example_hash = ? AND p.cluster = ? AND e.state = ?""",
        (rule.clustering_id, task, hashes[0] if len(hashes) == 1 else "", NOISE, ExampleState.ACTIVE.value),
    )
    if rule.cluster != NOISE or found.fetchone() is None:
        raise InvalidInput(
            f"This example is not noise of clustering {rule.clustering_id}, or takes no part any more. Nothing was "
            "changed; open the Clusters page again."
        )


def add_rule(write: Write, task: str, rule: NewRule) -> Revision:
    """Write a rule with its first revision, its evidence and its first transition; it is proposed."""
    declared = load_task(write.conn, task).label_names
    number = int(write.conn.execute("SELECT coalesce(max(number), 0) + 1 FROM rule").fetchone()[0])
    text = clean_rule_text(rule.text, declared)
    revision = Revision(f"R{number}", 1, text, rule.author, rule.author_kind)
    write.insert(
        "rule",
        {
            "number": number,
            "id": revision.rule_id,
            "task": task,
            "origin": rule.origin,
            "clustering_id": rule.clustering_id,
            "cluster": rule.cluster,
            "head": revision.hash,
            "in_force": "",
            "state": RevisionState.PROPOSED.value,
            "revision": 1,
            **projection(revision, rule.evidence),
            "uncovered": canonical_json(list(rule.uncovered)),
            "changed_at": write.now,
            "changed_by": rule.author,
        },
    )
    add_revision(write, task, revision, rule.evidence)
    add_lineage(
        write,
        revision.rule_id,
        Lineage(rule.clustering_id, rule.cluster, rule.members, rule.uncovered, rule.shown, rule.ignored),
    )
    move(write, revision.hash, RevisionState.PROPOSED, "propose", rule.author, "")
    return revision


def add_lineage(write: Write, rule_id: str, lineage: Lineage) -> None:
    write.insert(
        "lineage",
        {
            "rule_id": rule_id,
            "clustering_id": lineage.clustering_id,
            "cluster": lineage.cluster,
            "members": canonical_json(list(lineage.members)),
            "uncovered": canonical_json(list(lineage.uncovered)),
            "shown": canonical_json(list(lineage.shown)),
            "ignored": canonical_json(list(lineage.ignored)),
            "at": write.now,
        },
    )


def bring_into_review(write: Write, rule_id: str, actor: Actor) -> RuleSummary:
    """Submit the newest revision; the caller appends the event."""
    head = load_summary(write.conn, rule_id)
    settle(write, head, next_state(load_standing(write.conn, head), Action.SUBMIT, actor), Action.SUBMIT, actor, "")
    return head


def settle(write: Write, head: RuleSummary, new: RevisionState, action: Action, actor: Actor, reason: str) -> None:
    """Record the transition of the newest revision and show it in the queue."""
    move(write, head.head, new, action.value, actor.name, reason)
    update_rule(write, head.id, {"state": new.value}, actor.name)


def enter_revision(
    write: Write, head: RuleSummary, revision: Revision, evidence: Sequence[Evidence], actor: Actor
) -> None:
    """Append a new revision of a rule and bring it into review; the caller appends the event."""
    add_revision(write, head.task, revision, evidence, actor.name)
    move(write, revision.hash, RevisionState.PROPOSED, "propose", actor.name, revision.note)
    fresh = Standing(RevisionState.PROPOSED, revision.author, revision.author_kind)
    state = next_state(fresh, Action.SUBMIT, actor)
    move(write, revision.hash, state, Action.SUBMIT.value, actor.name, revision.note)
    changed: dict[str, int | str] = {
        "head": revision.hash,
        "revision": revision.number,
        "state": state.value,
        **projection(revision, evidence),
    }
    update_rule(write, head.id, changed, actor.name)


def proposal(task: str, revision: Revision, rule: NewRule) -> dict[str, Json]:
    """Return the event of a new rule: what it is and rests on, and how much of its cluster the teacher was shown."""
    return {
        "task": task,
        "revision": revision.hash,
        "evidence": evidence_set_hash(rule.evidence),
        "author": rule.author,
        "cluster": rule.cluster,
        "clustering": rule.clustering_id,
        "uncovered": list(rule.uncovered),
        "shown": {"examples": len(rule.shown), "hash": hash_json(list(rule.shown))},
        "ignored": list(rule.ignored),
    }


def add_revision(
    write: Write, task: str, revision: Revision, evidence: Sequence[Evidence], by: str = SYSTEM.name
) -> None:
    write.insert("revision", rows.revision_row(revision, write.now))
    add_evidence(write, task, revision.hash, 1, evidence, by)


def add_evidence(
    write: Write, task: str, revision_hash: str, version: int, evidence: Sequence[Evidence], by: str
) -> None:
    write.conn.executemany(
        """INSERT INTO evidence (revision_hash, task, example_hash, role, closeness, note, ticked_by, version, by,
               at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            (
                revision_hash,
                task,
                e.example_hash,
                e.role.value,
                e.closeness,
                e.note,
                e.ticked_by,
                version,
                e.ticked_by or by,
                write.now,
            )
            for e in evidence
        ],
    )


def move(write: Write, revision_hash: str, state: RevisionState, action: str, actor: str, reason: str) -> None:
    write.insert(
        "transition",
        {
            "revision_hash": revision_hash,
            "state": state.value,
            "action": action,
            "actor": actor,
            "reason": reason,
            "at": write.now,
        },
    )


def update_rule(write: Write, rule_id: str, changed: dict[str, int | str], by: str) -> None:
    values: dict[str, int | str] = {**changed, "changed_at": write.now, "changed_by": by}
    sets = ", ".join(f"{column} = ?" for column in values)
    write.conn.execute(
        f"UPDATE rule SET {sets} WHERE id = ?",  # noqa: S608 - columns are literals of this module
        (*values.values(), rule_id),
    )


def projection(revision: Revision, evidence: Sequence[Evidence]) -> dict[str, int | str]:
    row = rows.revision_row(revision, "")
    return {
        "title": str(row["title"]),
        "labels": str(row["labels"]),
        "priority": revision.text.priority,
        "search": rows.search_text(revision.rule_id, revision.text),
        "support": count_role(evidence, EvidenceRole.SUPPORTS),
        "contradictions": count_role(evidence, EvidenceRole.CONTRADICTS),
    }


def count_role(evidence: Sequence[Evidence], role: EvidenceRole) -> int:
    return sum(e.role is role for e in evidence)
