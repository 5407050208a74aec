"""The jobs table: claimed by compare-and-set, kept alive by heartbeats, taken over when they stop."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from pld_core.canonical import Json, canonical_json
from pld_core.errors import InvalidInput, JobCancelled, JobLost, NotFound
from pld_core.models import SYSTEM, Actor, Job, JobState
from pld_core.permissions import require_job
from storage import rows
from storage.connection import Database, Write


class SqliteJobs:
    def __init__(self, database: Database) -> None:
        self._database = database

    def enqueue(self, kind: str, task: str, params: Mapping[str, Json], actor: Actor) -> Job:
        require_job(actor, kind)
        with self._database.write() as write:
            job_id = write.insert(
                "job",
                {
                    "kind": kind,
                    "task": task,
                    "params": canonical_json(dict(params)),
                    "state": JobState.QUEUED.value,
                    "done": 0,
                    "total": 0,
                    "message": "",
                    "owner": "",
                    "heartbeat_at": "",
                    "created_at": write.now,
                    "created_by": actor.name,
                    "started_at": "",
                    "finished_at": "",
                    "attempts": 0,
                    "cancel_requested": 0,
                    "not_before": "",
                },
            )
            write.event(actor, "job.queued", f"job {job_id}", {"kind": kind, "task": task, "params": dict(params)})
        return self.get(job_id)

    def get(self, job_id: int) -> Job:
        with self._database.read() as conn:
            row = conn.execute("SELECT * FROM job WHERE id = ?", (job_id,)).fetchone()
        if row is None:
            raise NotFound(f"There is no job {job_id}. The Home page lists recent ones.")
        return rows.job_from(row)

    def recent(self, task: str = "", limit: int = 20) -> tuple[Job, ...]:
        """Return the newest jobs, of one task or of all, newest first."""
        with self._database.read() as conn:
            found = conn.execute(
                "SELECT * FROM job WHERE (? = '' OR task = ?) ORDER BY id DESC LIMIT ?", (task, task, limit)
            )
            return tuple(rows.job_from(row) for row in found)

    def claim(self, owner: str, lease_s: float) -> Job | None:
        """Take the oldest job that waits, or that ran without a heartbeat for `lease_s` seconds; None if none does."""
        with self._database.write() as write:
            limit = _earlier(write.now, lease_s)
            row = write.conn.execute(
                """SELECT * FROM job WHERE (state = 'queued' AND not_before <= ?)
                       OR (state = 'running' AND heartbeat_at < ?)
                   ORDER BY id LIMIT 1""",
                (write.now, limit),
            ).fetchone()
            if row is None:
                return None
            seen = rows.job_from(row)
            # One writer at a time makes the read above and this set one step; the condition says what is relied on.
            changed = write.conn.execute(
                """UPDATE job SET state = 'running', owner = ?, heartbeat_at = ?, attempts = attempts + 1,
                       not_before = '', started_at = CASE started_at WHEN '' THEN ? ELSE started_at END
                   WHERE id = ? AND state = ? AND owner = ? AND heartbeat_at = ?""",
                (owner, write.now, write.now, seen.id, seen.state.value, seen.owner, seen.heartbeat_at),
            ).rowcount
            if changed != 1:
                return None
            if seen.state is JobState.RUNNING:
                write.event(SYSTEM, "job.taken_over", f"job {seen.id}", {"from": seen.owner, "to": owner})
            return rows.job_from(write.conn.execute("SELECT * FROM job WHERE id = ?", (seen.id,)).fetchone())

    def beat(self, job_id: int, owner: str) -> Job:
        """Note that the worker is alive.

        Raises:
            JobLost: another worker took the job over, or it is finished.
        """
        with self._database.write() as write:
            return _own(write, job_id, owner)

    def progress(self, job_id: int, owner: str, done: int, total: int, message: str) -> None:
        """Note how far the job is; also a heartbeat.

        Raises:
            JobLost: as `beat`.
            JobCancelled: somebody asked for it; the caller stops, and what it stored is kept.
        """
        with self._database.write() as write:
            job = _own(write, job_id, owner)
            write.conn.execute(
                "UPDATE job SET done = ?, total = ?, message = ? WHERE id = ?", (done, total, message, job_id)
            )
        if job.cancel_requested:
            raise JobCancelled(f"Job {job_id} was cancelled after {done} of {total}; what was done is kept.")

    def defer(self, job_id: int, owner: str, seconds: float, message: str) -> None:
        """Put a job back into the queue, not to be claimed before so many seconds: it waits for somebody else.

        Raises:
            JobLost: as `beat`.
        """
        with self._database.write() as write:
            _own(write, job_id, owner)
            write.conn.execute(
                "UPDATE job SET state = 'queued', owner = '', not_before = ?, message = ? WHERE id = ?",
                (_earlier(write.now, -seconds), message, job_id),
            )

    def finish(self, job_id: int, owner: str, state: str, message: str) -> None:
        """Close the job as done, failed or cancelled."""
        final = JobState(state)
        with self._database.write() as write:
            job = _own(write, job_id, owner)
            write.conn.execute(
                "UPDATE job SET state = ?, message = ?, finished_at = ? WHERE id = ?",
                (final.value, message, write.now, job_id),
            )
            write.event(
                SYSTEM,
                f"job.{final.value}",
                f"job {job_id}",
                {"kind": job.kind, "task": job.task, "done": job.done, "total": job.total, "message": message},
            )

    def request_cancel(self, job_id: int, actor: Actor) -> None:
        """Ask a running job to stop at its next step; a queued one is cancelled at once.

        One that was begun and waits is run once more, to give up what it waits for.
        """
        with self._database.write() as write:
            row = write.conn.execute("SELECT * FROM job WHERE id = ?", (job_id,)).fetchone()
            if row is None:
                raise NotFound(f"There is no job {job_id}. The Home page lists recent ones.")
            job = rows.job_from(row)
            require_job(actor, job.kind)
            if job.state.is_final or job.cancel_requested:
                return
            if job.not_before:
                write.conn.execute("UPDATE job SET not_before = ? WHERE id = ?", (write.now, job_id))
            elif job.state is JobState.QUEUED:
                write.conn.execute(
                    "UPDATE job SET state = 'cancelled', finished_at = ?, message = ? WHERE id = ?",
                    (write.now, "Cancelled before it began.", job_id),
                )
            write.conn.execute("UPDATE job SET cancel_requested = 1 WHERE id = ?", (job_id,))
            write.event(actor, "job.cancel_requested", f"job {job_id}", {"kind": job.kind, "task": job.task})

    def resume(self, job_id: int, actor: Actor) -> None:
        """Queue a failed or cancelled job again; it continues where it was."""
        require_job(actor, self.get(job_id).kind)
        with self._database.write() as write:
            changed = write.conn.execute(
                """UPDATE job SET state = 'queued', owner = '', finished_at = '', message = '', cancel_requested = 0,
                       not_before = ''
                   WHERE id = ? AND state IN ('failed', 'cancelled')""",
                (job_id,),
            ).rowcount
            if changed != 1:
                raise InvalidInput(f"Job {job_id} is neither failed nor cancelled, so there is nothing to resume.")
            write.event(actor, "job.resumed", f"job {job_id}", {})


def _own(write: Write, job_id: int, owner: str) -> Job:
    changed = write.conn.execute(
        "UPDATE job SET heartbeat_at = ? WHERE id = ? AND owner = ? AND state = 'running'",
        (write.now, job_id, owner),
    ).rowcount
    if changed != 1:
        raise JobLost(f"Job {job_id} is no longer this worker's: another one took it over, or it was finished.")
    return rows.job_from(write.conn.execute("SELECT * FROM job WHERE id = ?", (job_id,)).fetchone())


def _earlier(now: str, seconds: float) -> str:
    moment = datetime.fromisoformat(now) - timedelta(seconds=seconds)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
