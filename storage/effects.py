"""The student's answers by prompt, student and example, and the effects of rules that were measured with them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from pld_core.canonical import Json, canonical_json, hash_json
from pld_core.effect import Basis, Effect, StoredEffect, StudentKey
from pld_core.effect_ports import KeptAnswer
from pld_core.models import Actor, Answer
from pld_core.permissions import Step, guarded
from storage.answers import keep_answers, load_answers
from storage.case_rows import case_from, case_json
from storage.connection import Database


class SqliteEffects:
    def __init__(self, database: Database) -> None:
        self._database = database

    def answers(self, student: StudentKey, prompt_sha256: str, example_hashes: Sequence[str]) -> dict[str, Answer]:
        """Return the answers to those of the examples that have one, by hash."""
        with self._database.read() as conn:
            return load_answers(conn, student, prompt_sha256, example_hashes)

    def keep(self, student: StudentKey, answers: Sequence[KeptAnswer]) -> None:
        """Keep answers; where there is one already, it stays: two workers may have asked the same."""
        with self._database.write() as write:
            keep_answers(write, student, answers)

    @guarded(Step.MEASURE_EFFECT)
    def record(self, effect: Effect, actor: Actor) -> StoredEffect:
        """Store an effect with its event; an equal one is returned, not added."""
        content = effect.hash
        with self._database.write() as write:
            same = write.conn.execute("SELECT * FROM rule_effect WHERE hash = ?", (content,)).fetchone()
            if same is not None:
                return _effect_from(same)
            basis, student = effect.basis, effect.student
            number = write.insert(
                "rule_effect",
                {
                    "task": effect.task,
                    "rule_id": basis.rule_id,
                    "revision_hash": basis.revision_hash,
                    "evidence_hash": basis.evidence_hash,
                    "without_sha256": basis.without_sha256,
                    "with_sha256": basis.with_sha256,
                    "validation": basis.validation,
                    "student": student.name,
                    "digest": student.digest,
                    "options": student.options,
                    "manifest": canonical_json(dict(effect.manifest)),
                    "cases": canonical_json([case_json(case) for case in effect.cases]),
                    "hash": content,
                    "by": actor.name,
                    "at": write.now,
                },
            )
            write.event(actor, "rule.effect_measured", basis.rule_id, _told(effect, number))
            return StoredEffect(number, effect, write.now, actor.name)

    def of_rule(self, rule_id: str) -> tuple[StoredEffect, ...]:
        """Return the measured effects of a rule, newest first."""
        with self._database.read() as conn:
            found = conn.execute("SELECT * FROM rule_effect WHERE rule_id = ? ORDER BY id DESC", (rule_id,))
            return tuple(_effect_from(row) for row in found)


def _told(effect: Effect, number: int) -> dict[str, Json]:
    return {
        "effect": number,
        "hash": effect.hash,
        "revision": effect.basis.revision_hash,
        "without": effect.basis.without_sha256,
        "with": effect.basis.with_sha256,
        "manifest": hash_json(dict(effect.manifest)),
        "student": effect.student.name,
        "digest": effect.student.digest,
        "n": len(effect.cases),
        "fixed": effect.fixed,
        "broken": effect.broken,
    }


def _effect_from(row: sqlite3.Row) -> StoredEffect:
    cases = tuple(case_from(case) for case in json.loads(row["cases"]))
    effect = Effect(
        task=row["task"],
        basis=Basis(
            row["rule_id"],
            row["revision_hash"],
            row["evidence_hash"],
            row["without_sha256"],
            row["with_sha256"],
            row["validation"],
        ),
        student=StudentKey(row["student"], row["digest"], row["options"]),
        cases=cases,
        manifest=json.loads(row["manifest"]),
    )
    return StoredEffect(row["id"], effect, row["at"], row["by"])
