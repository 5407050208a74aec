"""Reading a whole task in one state of the database, and the log in order, for auditors."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager

from pld_core.audit_ports import (
    AnswerCount,
    CallFigures,
    EvidenceLink,
    EvidenceVersion,
    ExampleLine,
    LineageRecord,
    Move,
    RevisionRecord,
    RuleRecord,
)
from pld_core.blind import refuse_blind
from pld_core.canonical import Json
from pld_core.checks import SeededCheck
from pld_core.gate_policy import GatePolicyChange
from pld_core.guideline import GuidelineVersion
from pld_core.models import (
    ANYBODY,
    Actor,
    AnswerStatus,
    CompiledPrompt,
    Decision,
    Event,
    EvidenceRole,
    Example,
    ExampleState,
    PromptVersion,
    RevisionState,
    Run,
    Split,
    Task,
)
from pld_core.oversight import OversightFacts
from pld_core.permissions import Step, guarded
from pld_core.policy import PolicyChange
from pld_core.records import Dataset, EventFilter, StoredClustering
from pld_core.releases import Release
from storage import rows
from storage.attention import load_attention
from storage.checks import load_checks
from storage.connection import Database
from storage.dataset_queries import DATASET
from storage.events import each_event
from storage.example_queries import EXAMPLE
from storage.example_rows import dataset_from, example_from
from storage.gate_policies import gate_policy_changes
from storage.guidelines import guideline_versions
from storage.oversight_queries import load_facts
from storage.policies import policy_changes
from storage.release_rows import load_moves
from storage.rule_queries import load_revisions
from storage.task_queries import load_task
from storage.veils import veils


class SqliteAudit:
    def __init__(self, database: Database) -> None:
        self._database = database

    @guarded(Step.EXPORT)
    @contextmanager
    def snapshot(self, task: str, actor: Actor) -> Generator[SqliteSnapshot]:
        """Open one state of the database for reading; it is let go at the end of the block."""
        with self._database.read() as conn:
            # The first read fixes the state that all others see.
            wanted = load_task(conn, task)
            refuse_blind(tuple(veils(conn, actor)), actor)
            yield SqliteSnapshot(conn, wanted)

    def kept_from(self, actor: Actor) -> tuple[str, ...]:
        """Return the ids of rules, of all tasks, whose first decision the actor sees after deciding."""
        with self._database.read() as conn:
            return tuple(veils(conn, actor))

    def log(self, where: EventFilter, actor: Actor = ANYBODY) -> Iterator[Event]:
        with self._database.read() as conn:
            yield from each_event(conn, where, veils(conn, actor))

    @guarded(Step.EXPORT)
    def record_export(self, task: str, payload: Mapping[str, Json], actor: Actor) -> None:
        with self._database.write() as write:
            load_task(write.conn, task)
            write.event(actor, "audit.pack_exported", task, dict(payload))


class SqliteSnapshot:
    """A task as one transaction sees it."""

    def __init__(self, conn: sqlite3.Connection, task: Task) -> None:
        self._conn = conn
        self.task = task

    # --- what the rules were made of ----------------------------------------------------------------------------------

    def policies(self) -> tuple[PolicyChange, ...]:
        return policy_changes(self._conn, self.task.name)

    def checks(self) -> tuple[SeededCheck, ...]:
        return load_checks(self._conn, self.task.name)

    def guidelines(self) -> tuple[GuidelineVersion, ...]:
        return guideline_versions(self._conn, self.task.name)

    def datasets(self) -> tuple[Dataset, ...]:
        return tuple(map(dataset_from, self._all(f"{DATASET} WHERE task = ? ORDER BY id", self.task.name)))

    def example_counts(self) -> dict[tuple[Split, str, ExampleState], int]:
        found = self._all(
            """SELECT split, label, state, count(*) AS n FROM example WHERE task = ?
               GROUP BY split, label, state ORDER BY split, label, state""",
            self.task.name,
        )
        return {(Split(r["split"]), str(r["label"]), ExampleState(r["state"])): r["n"] for r in found}

    def count_examples(self) -> int:
        return self._count("SELECT count(*) FROM example WHERE task = ?")

    def example_lines(self) -> Iterator[ExampleLine]:
        found = self._conn.execute(
            """SELECT e.hash, e.label, e.split, e.state, e.personal, d.file, d.unit, f.number FROM example AS e
               LEFT JOIN dataset_row AS f ON (f.dataset_id, f.number) = (
                   SELECT r.dataset_id, r.number FROM dataset_row AS r WHERE r.example_id = e.id
                   ORDER BY r.dataset_id, r.number LIMIT 1)
               LEFT JOIN dataset AS d ON d.id = f.dataset_id
               WHERE e.task = ? ORDER BY e.id""",
            (self.task.name,),
        )
        for row in found:
            yield ExampleLine(
                hash=row["hash"],
                label=row["label"],
                split=Split(row["split"]),
                state=ExampleState(row["state"]),
                personal=tuple(json.loads(row["personal"])),
                file=row["file"] or "",
                unit=row["unit"] or "",
                number=row["number"],
            )

    def calls(self) -> tuple[CallFigures, ...]:
        found = self._all(
            """SELECT purpose, teacher, model, template_hash, sum(attempts) AS calls, sum(problem <> '') AS failures,
                   coalesce(sum(prompt_tokens), 0) AS prompt_tokens, coalesce(sum(output_tokens), 0) AS output_tokens,
                   sum(cost) AS cost, min(at) AS first_at, max(at) AS last_at
               FROM teacher_call WHERE task = ? GROUP BY purpose, teacher, model, template_hash
               ORDER BY min(id)""",
            self.task.name,
        )
        return tuple(CallFigures(**dict(row)) for row in found)

    def clusterings(self) -> tuple[StoredClustering, ...]:
        found = self._all("SELECT * FROM clustering WHERE task = ? ORDER BY id", self.task.name)
        return tuple(rows.clustering_from(row) for row in found)

    # --- what became of them ------------------------------------------------------------------------------------------

    def prompts(self) -> tuple[PromptVersion, ...]:
        found = self._all(f"{rows.VERSIONS} WHERE v.task = ? ORDER BY v.number", self.task.name)
        return tuple(map(rows.prompt_from, found))

    def releases(self) -> tuple[Release, ...]:
        return load_moves(self._conn, self.task.name)

    def gate_policies(self) -> tuple[GatePolicyChange, ...]:
        return gate_policy_changes(self._conn, self.task.name)

    def runs(self) -> tuple[Run, ...]:
        return tuple(map(rows.run_from, self._all("SELECT * FROM run WHERE task = ? ORDER BY id", self.task.name)))

    def trial_prompts(self) -> Iterator[tuple[Run, CompiledPrompt]]:
        found = self._conn.execute(
            """SELECT r.*, p.sha256, p.text, p.manifest FROM run_prompt AS p JOIN run AS r ON r.id = p.run_id
               WHERE r.task = ? ORDER BY r.id""",
            (self.task.name,),
        )
        for row in found:
            yield rows.run_from(row), rows.compiled_from(self.task.name, row)

    def answers(self, run_id: int) -> tuple[AnswerCount, ...]:
        found = self._all(
            """SELECT gold, json_extract(answer, '$.label') AS label, json_extract(answer, '$.status') AS status,
                   count(*) AS n
               FROM prediction WHERE run_id = ? GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
            run_id,
        )
        return tuple(AnswerCount(r["gold"], r["label"], AnswerStatus(r["status"]), r["n"]) for r in found)

    # --- rules --------------------------------------------------------------------------------------------------------

    def count_rules(self) -> int:
        return self._count("SELECT count(*) FROM rule WHERE task = ?")

    def rules(self) -> Iterator[RuleRecord]:
        for row in self._conn.execute("SELECT * FROM rule WHERE task = ? ORDER BY number", (self.task.name,)):
            yield self._record(row)

    def decisions(self) -> Iterator[Decision]:
        found = self._conn.execute(
            """SELECT d.* FROM decision AS d JOIN rule AS r ON r.id = d.rule_id WHERE r.task = ? ORDER BY d.id""",
            (self.task.name,),
        )
        return (rows.decision_from(row) for row in found)

    def oversight(self) -> OversightFacts:
        return load_facts(self._conn, self.task.name)

    # --- the chain ----------------------------------------------------------------------------------------------------

    def count_events(self) -> int:
        return int(self._conn.execute("SELECT count(*) FROM event").fetchone()[0])

    def events(self) -> Iterator[Event]:
        return each_event(self._conn)

    def _record(self, row: sqlite3.Row) -> RuleRecord:
        moves: dict[str, list[Move]] = {}
        for r in self._all(
            """SELECT t.* FROM transition AS t JOIN revision AS v ON v.hash = t.revision_hash
               WHERE v.rule_id = ? ORDER BY t.id""",
            row["id"],
        ):
            move = Move(RevisionState(r["state"]), r["action"], r["actor"], r["reason"], r["at"])
            moves.setdefault(r["revision_hash"], []).append(move)
        links: dict[str, list[EvidenceLink]] = {}
        for r in self._all(
            """SELECT e.* FROM evidence AS e JOIN revision AS v ON v.hash = e.revision_hash
               WHERE v.rule_id = ? ORDER BY e.id""",
            row["id"],
        ):
            links.setdefault(r["revision_hash"], []).append(_link(r))
        versions: dict[str, list[EvidenceVersion]] = {}
        for r in self._all(
            """SELECT e.* FROM evidence_version AS e JOIN revision AS v ON v.hash = e.revision_hash
               WHERE v.rule_id = ? ORDER BY e.id""",
            row["id"],
        ):
            version = EvidenceVersion(rows.evidence_change_from(r), r["by"])
            versions.setdefault(r["revision_hash"], []).append(version)
        lineages = self._all("SELECT * FROM lineage WHERE rule_id = ? ORDER BY id", row["id"])
        decisions = self._all("SELECT * FROM decision WHERE rule_id = ? ORDER BY id", row["id"])
        return RuleRecord(
            summary=rows.summary_from(row),
            clustering_id=row["clustering_id"],
            cluster=row["cluster"],
            lineages=tuple(LineageRecord(rows.lineage_from(r), r["at"]) for r in lineages),
            revisions=tuple(
                RevisionRecord(
                    revision,
                    at,
                    tuple(moves.get(revision.hash, ())),
                    tuple(links.get(revision.hash, ())),
                    tuple(versions.get(revision.hash, ())),
                )
                for revision, at in load_revisions(self._conn, row["id"])
            ),
            decisions=tuple(map(rows.decision_from, decisions)),
            attention=load_attention(self._conn, row["id"]),
            examples=self._examples(row["id"]),
        )

    def _examples(self, rule_id: str) -> dict[str, Example]:
        found = self._all(
            f"""{EXAMPLE} WHERE e.id IN (
                SELECT x.id FROM evidence AS v JOIN revision AS r ON r.hash = v.revision_hash
                JOIN example AS x ON x.task = v.task AND x.hash = v.example_hash
                WHERE r.rule_id = ?) ORDER BY e.id""",  # noqa: S608 - a constant of this package
            rule_id,
        )
        return {str(row["hash"]): example_from(row) for row in found}

    def _all(self, sql: str, value: str | int) -> list[sqlite3.Row]:
        return self._conn.execute(sql, (value,)).fetchall()

    def _count(self, sql: str) -> int:
        return int(self._conn.execute(sql, (self.task.name,)).fetchone()[0])


def _link(row: sqlite3.Row) -> EvidenceLink:
    return EvidenceLink(
        version=row["version"],
        example_hash=row["example_hash"],
        role=EvidenceRole(row["role"]),
        closeness=row["closeness"],
        note=row["note"],
        by=row["by"],
        at=row["at"],
    )
