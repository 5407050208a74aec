"""Loops that have not ended: whether a job works on one, where it stopped, and how it goes on."""

from __future__ import annotations

from pld_app.resolution_work import KIND, ResolveOrder
from pld_app.wiring import App
from pld_core.conflicts.records import Resolution
from pld_core.errors import RAISE_THE_CAP
from pld_core.models import Job, JobState

RECENT = 50
"""So many jobs of the task are looked at."""


def jobs_of(app: App, loop: Resolution) -> tuple[Job, ...]:
    """Return the jobs that began a loop or went on with it, newest first."""
    recent = app.store.jobs.recent(loop.order.task, RECENT)
    return tuple(job for job in recent if job.kind == KIND and _key_of(job) == loop.order.key)


def is_going_on(app: App, loop: Resolution) -> bool:
    """Return whether a job works on a loop, or waits to. What runs in a terminal is not known."""
    return any(not job.state.is_final for job in jobs_of(app, loop))


def capped_loop(app: App, job: Job) -> Resolution | None:
    """Return the loop of a job that stopped at its cap; None for any other job.

    Such a job is not continued, as it would stop at the same cap: the loop goes on with another one.
    """
    if job.kind != KIND or job.state is not JobState.FAILED or not job.message.endswith(RAISE_THE_CAP):
        return None
    return app.store.resolutions.begun_as(_key_of(job))


def resume_command(loop: Resolution, more: str = "") -> str:
    """Return the command that goes on with a loop; `more` are further options, each after a space."""
    return f'pld resolve --task {loop.order.task} --resume "{loop.order.key}"{more}'


def standing_words(app: App, loop: Resolution) -> str:
    """Return where a loop stands that has not ended, and how it goes on; empty for one that has ended."""
    if app.store.resolutions.score(loop.id) is not None:
        return ""
    if is_going_on(app, loop):
        return f"Loop {loop.id} is going on, as a job."
    stop = next(iter(app.store.resolutions.stops(loop.id)), None)
    if stop is not None:
        return f"Loop {loop.id} stopped before its end: {stop.reason} Go on with: {resume_command(loop)}"
    return (
        f"Loop {loop.id} was interrupted, or still runs in another terminal: no end of it is recorded. "
        f"If nothing runs it, go on with: {resume_command(loop)}"
    )


def _key_of(job: Job) -> str:
    return ResolveOrder.from_json(job.task, job.params).resume or f"job {job.id}"
