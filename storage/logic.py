"""Teacher calls, micro-instructions and clusterings."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from pld_core.batches import BatchState
from pld_core.canonical import canonical_json
from pld_core.errors import NotFound
from pld_core.models import NOISE, Actor, ClusterParams, ClusterPoint, ExampleState, MicroInstruction
from pld_core.permissions import Step, guarded
from pld_core.records import Spend, StoredClustering, TeacherCall
from storage import rows
from storage.connection import Database, Write

_OPEN_BATCHES = canonical_json([state.value for state in BatchState if not state.is_final])


class SqliteLogic:
    def __init__(self, database: Database) -> None:
        self._database = database

    def record_calls(self, task: str, calls: Sequence[tuple[TeacherCall, MicroInstruction | None]]) -> None:
        """Record calls, each with the instruction that was read from it; an example that has one keeps it."""
        with self._database.write() as write:
            write_calls(write, task, calls)

    def stored_replies(self, request_hashes: Sequence[str]) -> dict[str, str]:
        """Return the usable replies to those of the requests that have one, by request hash; the newest counts."""
        with self._database.read() as conn:
            found = conn.execute(
                """SELECT request_hash, reply FROM teacher_call
                   WHERE problem = '' AND request_hash IN (SELECT value FROM json_each(?)) ORDER BY id""",
                (canonical_json(list(request_hashes)),),
            )
            return {str(row["request_hash"]): str(row["reply"]) for row in found}

    def measured_calls(self, task: str, teacher: str, template_hash: str, limit: int = 50) -> tuple[TeacherCall, ...]:
        """Return the newest usable calls of a teacher with a template, newest first."""
        with self._database.read() as conn:
            found = conn.execute(
                """SELECT * FROM teacher_call WHERE task = ? AND teacher = ? AND template_hash = ? AND problem = ''
                   ORDER BY id DESC LIMIT ?""",
                (task, teacher, template_hash, limit),
            )
            return tuple(rows.call_from(row) for row in found)

    def spend(self, task: str, run: str = "") -> Spend:
        """Return what the calls of a task took, or those of one run."""
        with self._database.read() as conn:
            row = conn.execute(
                """SELECT coalesce(sum(attempts), 0) AS calls, coalesce(sum(cost), 0) AS cost,
                       coalesce(sum(prompt_tokens), 0) AS prompt_tokens,
                       coalesce(sum(output_tokens), 0) AS output_tokens
                   FROM teacher_call WHERE task = ? AND (? = '' OR run = ?)""",
                (task, run, run),
            ).fetchone()
        return Spend(row["calls"], row["cost"], row["prompt_tokens"], row["output_tokens"])

    def in_batches(self, task: str) -> frozenset[str]:
        """Return the hashes of requests in open batches of a task that have no record yet."""
        with self._database.read() as conn:
            return requests_in_batches(conn, task)

    def last_run(self, task: str, purpose: str) -> str | None:
        """Return the run of the newest call for a purpose, empty if it was made for none; None without any call."""
        with self._database.read() as conn:
            row = conn.execute(
                "SELECT run FROM teacher_call WHERE task = ? AND purpose = ? ORDER BY id DESC LIMIT 1", (task, purpose)
            ).fetchone()
        return None if row is None else str(row["run"])

    def failed_calls(self, task: str) -> tuple[TeacherCall, ...]:
        """Return the calls that failed and were not answered since, oldest first."""
        with self._database.read() as conn:
            found = conn.execute(
                """SELECT * FROM teacher_call AS c WHERE task = ? AND problem <> '' AND NOT EXISTS (
                       SELECT 1 FROM teacher_call AS later
                       WHERE later.request_hash = c.request_hash AND later.id > c.id)
                   ORDER BY id""",
                (task,),
            )
            return tuple(rows.call_from(row) for row in found)

    def add_instruction(self, task: str, instruction: MicroInstruction) -> None:
        with self._database.write() as write:
            write.insert("micro_instruction", rows.instruction_row(task, instruction, write.now))

    def instructions(self, task: str) -> tuple[MicroInstruction, ...]:
        """Return all micro-instructions in the order of their examples, which does not depend on who finished first."""
        with self._database.read() as conn:
            found = conn.execute(
                """SELECT m.* FROM micro_instruction AS m
                   JOIN example AS e ON e.task = m.task AND e.hash = m.example_hash WHERE m.task = ? ORDER BY e.id""",
                (task,),
            )
            return tuple(rows.instruction_from(row) for row in found)

    def active_instructions(self, task: str) -> tuple[MicroInstruction, ...]:
        with self._database.read() as conn:
            found = conn.execute(
                """SELECT m.* FROM micro_instruction AS m
                   JOIN example AS e ON e.task = m.task AND e.hash = m.example_hash
                   WHERE m.task = ? AND e.state = ? ORDER BY e.id""",
                (task, ExampleState.ACTIVE.value),
            )
            return tuple(rows.instruction_from(row) for row in found)

    @guarded(Step.CLUSTER)
    def add_clustering(
        self, task: str, params: ClusterParams, points: Sequence[ClusterPoint], actor: Actor
    ) -> StoredClustering:
        clusters = len({p.cluster for p in points if p.cluster != NOISE})
        noise = sum(p.cluster == NOISE for p in points)
        with self._database.write() as write:
            clustering_id = write.insert(
                "clustering",
                {
                    "task": task,
                    "params": canonical_json(params.as_json()),
                    "clusters": clusters,
                    "noise": noise,
                    "at": write.now,
                    "by": actor.name,
                },
            )
            write.conn.executemany(
                """INSERT INTO cluster_point (clustering_id, example_hash, label, cluster, x, y)
                   VALUES (?, ?, ?, ?, ?, ?)""",
                [(clustering_id, p.example_hash, p.label, p.cluster, p.x, p.y) for p in points],
            )
            write.event(
                actor,
                "clustering.saved",
                task,
                {"clustering": clustering_id, "clusters": clusters, "noise": noise, "params": params.as_json()},
            )
        return self.clustering(clustering_id)

    def clusterings(self, task: str) -> tuple[StoredClustering, ...]:
        """Return the clusterings of a task without their points, newest first."""
        with self._database.read() as conn:
            found = conn.execute("SELECT * FROM clustering WHERE task = ? ORDER BY id DESC", (task,))
            return tuple(rows.clustering_from(row) for row in found)

    def clustering(self, clustering_id: int) -> StoredClustering:
        with self._database.read() as conn:
            row = conn.execute("SELECT * FROM clustering WHERE id = ?", (clustering_id,)).fetchone()
            if row is None:
                raise NotFound(f"There is no clustering {clustering_id}. The Clusters page lists what is there.")
            points = conn.execute(
                "SELECT * FROM cluster_point WHERE clustering_id = ? ORDER BY rowid", (clustering_id,)
            ).fetchall()
        return rows.clustering_from(row, tuple(rows.point_from(point) for point in points))


def write_calls(write: Write, task: str, calls: Sequence[tuple[TeacherCall, MicroInstruction | None]]) -> None:
    """Record calls, each with the instruction that was read from it unless its example has one."""
    write.insert_all("teacher_call", [rows.call_row(task, call, write.now) for call, _ in calls])
    made = {i.example_hash: i for _, i in reversed(calls) if i is not None}
    have = _instructed(write, task, list(made))
    new = [made[key] for key in reversed(made) if key not in have]
    write.insert_all("micro_instruction", [rows.instruction_row(task, i, write.now) for i in new])


def requests_in_batches(conn: sqlite3.Connection, task: str) -> frozenset[str]:
    """Return the hashes of requests in open batches of a task that have no record yet."""
    found = conn.execute(
        """SELECT i.request_hash FROM batch AS b JOIN batch_item AS i ON i.batch_id = b.id
           WHERE b.task = ? AND (SELECT n.state FROM batch_note AS n WHERE n.batch_id = b.id ORDER BY n.id DESC LIMIT 1)
                   IN (SELECT value FROM json_each(?))
               AND NOT EXISTS (SELECT 1 FROM batch_result AS r
                   WHERE r.batch_id = i.batch_id AND r.request_hash = i.request_hash)""",
        (task, _OPEN_BATCHES),
    )
    return frozenset(str(row["request_hash"]) for row in found)


def _instructed(write: Write, task: str, example_hashes: Sequence[str]) -> frozenset[str]:
    """Return those of the examples that have an instruction."""
    found = write.conn.execute(
        """SELECT example_hash FROM micro_instruction
           WHERE task = ? AND example_hash IN (SELECT value FROM json_each(?))""",
        (task, canonical_json(list(example_hashes))),
    )
    return frozenset(str(row["example_hash"]) for row in found)
