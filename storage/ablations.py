"""What was measured by leaving rules out of the prompt of a run."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from pld_core.ablation import Ablated, Ablation, Scope, StoredAblation
from pld_core.canonical import Json, canonical_json
from pld_core.effect import Outcome, StudentKey
from pld_core.models import Actor
from pld_core.permissions import Step, guarded
from storage.case_rows import case_from, case_json
from storage.connection import Database


class SqliteAblations:
    def __init__(self, database: Database) -> None:
        self._database = database

    def affected(self, run_id: int, rule_id: str) -> frozenset[str]:
        """Return the hashes of the run's examples that the rule claims by any method, its own sources included."""
        with self._database.read() as conn:
            found = conn.execute(
                """SELECT example_hash FROM attribution INDEXED BY attribution_by_rule
                   WHERE run_id = ? AND method IN ('evidence', 'cited') AND rule_id = ?""",
                (run_id, rule_id),
            )
            return frozenset(str(row["example_hash"]) for row in found)

    @guarded(Step.EVALUATE)
    def record(self, ablation: Ablation, actor: Actor) -> StoredAblation:
        """Store an ablation with its event; an equal one is returned, not added."""
        content, of, student = ablation.hash, ablation.of, ablation.student
        with self._database.write() as write:
            same = write.conn.execute("SELECT * FROM ablation WHERE hash = ?", (content,)).fetchone()
            if same is not None:
                return _stored_from(same)
            number = write.insert(
                "ablation",
                {
                    "task": ablation.task,
                    "run_id": of.run_id,
                    "rule_id": of.rule_id,
                    "revision_hash": of.revision_hash,
                    "with_sha256": of.with_sha256,
                    "without_sha256": of.without_sha256,
                    "scope": of.scope.value,
                    "student": student.name,
                    "digest": student.digest,
                    "options": student.options,
                    "cases": canonical_json([case_json(case) for case in ablation.cases]),
                    "citing": canonical_json(list(ablation.citing)),
                    "hash": content,
                    "by": actor.name,
                    "at": write.now,
                },
            )
            write.event(actor, "run.ablated", f"{ablation.task} run {of.run_id}", _told(ablation, number))
            return StoredAblation(number, ablation, write.now, actor.name)

    def of_run(self, run_id: int) -> tuple[StoredAblation, ...]:
        """Return the newest ablation of each rule and scope in a run, newest first."""
        with self._database.read() as conn:
            found = conn.execute(
                """SELECT * FROM ablation WHERE id IN (
                       SELECT max(id) FROM ablation WHERE run_id = ? GROUP BY rule_id, scope) ORDER BY id DESC""",
                (run_id,),
            )
            return tuple(_stored_from(row) for row in found)

    def at_fault(self, student: StudentKey, prompt_sha256: str) -> Mapping[str, frozenset[str]]:
        """Return the ids of the rules of a prompt without which the student's answer was right, by example hash."""
        with self._database.read() as conn:
            found = conn.execute(
                """SELECT * FROM ablation WHERE with_sha256 = ? AND student = ? AND digest = ? AND options = ?
                   ORDER BY id""",
                (prompt_sha256, student.name, student.digest, student.options),
            )
            newest: dict[tuple[str, str], Outcome] = {}
            for row in found:
                ablation = _stored_from(row).ablation
                newest |= {(case.example_hash, ablation.of.rule_id): case.outcome for case in ablation.cases}
        rules: dict[str, set[str]] = {}
        for (content, rule_id), outcome in newest.items():
            if outcome is Outcome.BROKEN:
                rules.setdefault(content, set()).add(rule_id)
        return {content: frozenset(ids) for content, ids in rules.items()}


def _told(ablation: Ablation, number: int) -> dict[str, Json]:
    of = ablation.of
    return {
        "ablation": number,
        "hash": ablation.hash,
        "rule": of.rule_id,
        "revision": of.revision_hash,
        "with": of.with_sha256,
        "without": of.without_sha256,
        "scope": of.scope.value,
        "n": len(ablation.cases),
        "fixed": ablation.fixed,
        "broken": ablation.broken,
    }


def _stored_from(row: sqlite3.Row) -> StoredAblation:
    ablation = Ablation(
        task=row["task"],
        of=Ablated(
            row["run_id"],
            row["rule_id"],
            row["revision_hash"],
            row["with_sha256"],
            row["without_sha256"],
            Scope(row["scope"]),
        ),
        student=StudentKey(row["student"], row["digest"], row["options"]),
        cases=tuple(case_from(case) for case in json.loads(row["cases"])),
        citing=tuple(json.loads(row["citing"])),
    )
    return StoredAblation(row["id"], ablation, row["at"], row["by"])
