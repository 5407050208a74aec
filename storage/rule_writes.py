"""Writing a rule and its parts inside somebody else's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from pld_core.canonical import Json
from pld_core.errors import InvalidInput
from pld_core.models import (
    NOISE,
    SYSTEM,
    Evidence,
    EvidenceRole,
    ExampleState,
    Revision,
    RevisionState,
    evidence_set_hash,
)
from pld_core.ports import NewRule
from pld_core.review import clean_rule_text
from storage import rows
from storage.connection import Write
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
            "changed_at": write.now,
            "changed_by": rule.author,
        },
    )
    add_revision(write, task, revision, rule.evidence)
    move(write, revision.hash, RevisionState.PROPOSED, "propose", rule.author, "")
    return revision


def proposal(task: str, revision: Revision, rule: NewRule) -> dict[str, Json]:
    return {
        "task": task,
        "revision": revision.hash,
        "evidence": evidence_set_hash(rule.evidence),
        "author": rule.author,
        "cluster": rule.cluster,
        "clustering": rule.clustering_id,
    }


def add_revision(
    write: Write, task: str, revision: Revision, evidence: Sequence[Evidence], by: str = SYSTEM.name
) -> None:
    write.insert("revision", rows.revision_row(revision, write.now))
    write.conn.executemany(
        """INSERT INTO evidence (revision_hash, task, example_hash, role, closeness, by, at)
           VALUES (?, ?, ?, ?, ?, ?, ?)""",
        [(revision.hash, task, e.example_hash, e.role.value, e.closeness, by, write.now) for e in evidence],
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
        "search": rows.search_text(revision.rule_id, revision.text),
        "support": count_role(evidence, EvidenceRole.SUPPORTS),
        "contradictions": count_role(evidence, EvidenceRole.CONTRADICTS),
    }


def count_role(evidence: Sequence[Evidence], role: EvidenceRole) -> int:
    return sum(e.role is role for e in evidence)
