"""Which rule each answer of a run is put down to."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from pld_core.attribution import UNCOVERED, Attribution, Method, RuleSources, refuse_trial
from pld_core.attribution_ports import AttributionMade
from pld_core.canonical import Json, canonical_json
from pld_core.models import Actor, CompiledRule, EvidenceRole, evidence_set_hash
from pld_core.permissions import Step, guarded
from storage.attribution_writes import add_claims, count_answers, refuse_incomplete
from storage.connection import Database
from storage.rule_queries import effective_evidence
from storage.runs import load_run


class SqliteAttributions:
    def __init__(self, database: Database) -> None:
        self._database = database

    def sources(self, rules: Sequence[CompiledRule]) -> tuple[RuleSources, ...]:
        """Return what the rules of a prompt rest on now, in their order."""
        with self._database.read() as conn:
            return tuple(_sources_of(conn, rule) for rule in rules)

    def texts(self, task: str, example_hashes: Sequence[str]) -> dict[str, str]:
        """Return the texts of those of the examples that are there, by hash, whether they take part or not."""
        with self._database.read() as conn:
            found = conn.execute(
                "SELECT hash, text FROM example WHERE task = ? AND hash IN (SELECT value FROM json_each(?))",
                (task, canonical_json(list(example_hashes))),
            )
            return {str(row["hash"]): str(row["text"]) for row in found}

    def made(self, run_id: int) -> tuple[AttributionMade, ...]:
        """Return by which methods the answers of a run were put down to rules, in alphabetical order."""
        with self._database.read() as conn:
            found = conn.execute("SELECT * FROM attribution_made WHERE run_id = ? ORDER BY method", (run_id,))
            return tuple(_made_from(row) for row in found)

    @guarded(Step.EVALUATE)
    def record(self, run_id: int, found: Attribution, actor: Actor) -> AttributionMade:
        """Store an attribution with the figures that follow from it, and its event; if there is one, that stays."""
        there = "SELECT * FROM attribution_made WHERE run_id = ? AND method = ?"
        key = (run_id, found.method.value)
        with self._database.write() as write:
            run = load_run(write.conn, run_id)
            refuse_trial(run)
            refuse_incomplete(write.conn, run)
            if (row := write.conn.execute(there, key).fetchone()) is not None:
                return _made_from(row)
            made = {"run_id": run_id, "method": found.method.value, "embedder": found.embedder, "basis": found.basis}
            write.insert("attribution_made", {**made, "by": actor.name, "at": write.now})
            count_answers(write, run)
            add_claims(write, run, found)
            owners = [claim for claim in found.claims if claim.is_owner]
            payload: dict[str, Json] = {
                "method": found.method.value,
                "embedder": found.embedder,
                "basis": found.basis,
                "rules": len(found.rule_ids),
                "answers": len(owners),
                "uncovered": sum(claim.rule_id == UNCOVERED for claim in owners),
                "sources": sum(claim.is_source for claim in owners),
            }
            write.event(actor, "run.attributed", f"{run.task} run {run_id}", payload)
            return _made_from(write.conn.execute(there, key).fetchone())


def _sources_of(conn: sqlite3.Connection, rule: CompiledRule) -> RuleSources:
    evidence = effective_evidence(conn, rule.revision_hash)
    supporting = sorted(e.example_hash for e in evidence if e.role is EvidenceRole.SUPPORTS)
    return RuleSources(rule.rule_id, rule.revision_hash, evidence_set_hash(evidence), tuple(supporting))


def _made_from(row: sqlite3.Row) -> AttributionMade:
    return AttributionMade(row["run_id"], Method(row["method"]), row["embedder"], row["basis"], row["by"], row["at"])
