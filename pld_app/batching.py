"""Extraction in batches, for commands, jobs and pages: submit, look, collect, cancel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from pld_app import extracting, wiring
from pld_app.extract_order import ExtractOrder
from pld_app.wiring import App
from pld_core.batch_extraction import batch_teacher, to_ask
from pld_core.batch_run import Batching, BatchTeacher, check_cap, tell
from pld_core.batches import StoredBatch, look_after_s
from pld_core.errors import BackendBusy, BackendUnreachable, BatchTaken, InvalidInput, JobCancelled, JobDeferred
from pld_core.extraction import TEMPLATE
from pld_core.models import Job
from pld_core.pace import Clock, LoopClock
from pld_core.permissions import Step, guarded_app
from pld_core.ports import Progress
from pld_core.pricing import FREE, micro, money
from pld_core.templates import template

Result = TypeVar("Result")


@dataclass(frozen=True)
class Standing:
    """Where a task's batches stand: those still open, and those that ended while somebody looked, oldest first."""

    open: tuple[StoredBatch, ...]
    ended: tuple[StoredBatch, ...]

    @property
    def words(self) -> str:
        """What came of those that ended, and how far the others are."""
        parts = [f"Batch {batch.id}: {batch.note.message}" for batch in self.ended]
        if self.open:
            done = sum(batch.note.done + batch.note.failed for batch in self.open)
            size = sum(batch.size for batch in self.open)
            parts.append(f"At the provider: {done:,} of {size:,} requests answered so far.")
        return " ".join(parts)


def batches(app: App, task: str) -> tuple[StoredBatch, ...]:
    """Return the batches of a task, newest first.

    Raises:
        NotFound: no such task.
    """
    app.store.tasks.get(task)
    return app.store.batches.all(task)


def open_batches(app: App, task: str) -> tuple[StoredBatch, ...]:
    """Return the batches of a task that are not closed, oldest first."""
    return tuple(batch for batch in reversed(app.store.batches.all(task)) if not batch.state.is_final)


def check_teacher(app: App, name: str) -> None:
    """Raise `InvalidInput` if a teacher takes no batches by its kind; sends nothing."""

    async def look() -> None:
        await wiring.open_batch_teacher(name, app.settings).aclose()

    wiring.run_async(look())


@guarded_app(Step.EXTRACT)
def begin(app: App, order: ExtractOrder, run: str) -> tuple[StoredBatch, ...]:
    """Store what is to be asked as batches, unless batches are open or the run has had its own; sends nothing.

    Raises:
        InvalidInput: the teacher takes no batches, or there is a cap in money and no price.
        BatchOverCap: the estimate does not fit the cap.
    """
    known = app.store.batches.all(order.task)
    if any(not b.state.is_final or (b.run == run and b.note.remote_id) for b in known):
        return ()
    name = extracting.teacher_name(app, app.store.tasks.get(order.task))
    check_teacher(app, name)
    own = order.settings(app.settings.teacher)
    spent = app.store.logic.spend(order.task, run)
    most = None if own.max_cost is None else micro(own.max_cost)
    found = extracting.estimated(app, order)
    check_cap(found, own.max_calls, most, spent.calls, spent.cost, own.currency)

    async def prepare(teacher: BatchTeacher) -> tuple[StoredBatch, ...]:
        requests = to_ask(app.store, name, order.task, run, extracting.chosen(app, order), order.limit)
        return teacher.prepare(requests, template(TEMPLATE).hash)

    return _run(app, order.task, name, run, prepare)


@guarded_app(Step.EXTRACT)
def advance(app: App, task: str) -> Standing:
    """Submit what waits, look at what runs, collect what ended; once.

    Raises:
        BackendError, BatchTaken: what was collected is kept.
    """
    before = open_batches(app, task)

    async def once(teacher: BatchTeacher) -> None:
        await teacher.round()

    for name in _teachers(before):
        _run(app, task, name, "", once)
    return standing(app, before)


@guarded_app(Step.EXTRACT)
def wait(app: App, task: str, report: Progress, clock: Clock | None = None) -> Standing:
    """Go on until no batch of the task is open.

    Raises:
        BackendError, BatchTaken, whatever `report` raises: what was collected is kept, the rest can be collected later.
    """
    before = open_batches(app, task)

    async def to_the_end(teacher: BatchTeacher) -> None:
        await teacher.wait(report, clock or LoopClock())

    for name in _teachers(before):
        _run(app, task, name, "", to_the_end)
    return standing(app, before)


@guarded_app(Step.EXTRACT)
def cancel(app: App, task: str, only: Sequence[StoredBatch]) -> None:
    """Have batches cancelled at the provider; what they answered by then is still to be collected.

    Raises:
        BackendError, BatchTaken: some may not be cancelled; try again.
    """
    for name in _teachers(only):

        async def stop(teacher: BatchTeacher, name: str = name) -> None:
            await teacher.cancel([batch for batch in only if batch.teacher == name])

        _run(app, task, name, "", stop)


def standing(app: App, before: Sequence[StoredBatch]) -> Standing:
    """Return where the batches stand now that were open before."""
    now = [app.store.batches.get(batch.id) for batch in before]
    return Standing(
        tuple(batch for batch in now if not batch.state.is_final), tuple(batch for batch in now if batch.state.is_final)
    )


@guarded_app(Step.EXTRACT)
def run_job(app: App, job: Job, report: Progress) -> str:
    """Do what can be done of a batch job now and return how it ended.

    Raises:
        JobDeferred: batches are still open; the job goes on later.
        JobCancelled: they were cancelled, and what they answered is collected.
    """
    order, run = ExtractOrder.from_json(job.task, job.params), f"job {job.id}"
    later = look_after_s(job.attempts - 1)
    is_cancelled = False
    try:
        report(job.done, job.total, "answered at the provider")
    except JobCancelled:
        is_cancelled = True
    try:
        if is_cancelled:
            cancel(app, job.task, open_batches(app, job.task))
        else:
            begin(app, order, run)
        found = advance(app, job.task)
    except (BackendBusy, BackendUnreachable, BatchTaken) as error:
        raise JobDeferred(f"{error} It is tried again by itself.", later) from error
    if found.open:
        try:
            tell(found.open, report)
        except JobCancelled as error:
            # Once more at once, to cancel; where that was done already, as the provider's time allows.
            raise JobDeferred("Cancelling at the provider.", later if is_cancelled else 0.0) from error
        raise JobDeferred(found.words, later)
    ended = found.ended or tuple(b for b in reversed(app.store.batches.all(job.task)) if b.run == run)
    words = Standing((), ended).words or "There was nothing to ask."
    spent = app.store.logic.spend(job.task, run)
    if is_cancelled:
        raise JobCancelled(words)
    return f"{words} {spent.calls:,} calls, {money(spent.cost, app.settings.teacher.currency)}."


def _teachers(found: Sequence[StoredBatch]) -> list[str]:
    return list(dict.fromkeys(batch.teacher for batch in found))


def _run(
    app: App, task: str, name: str, run: str, work: Callable[[BatchTeacher], Coroutine[None, None, Result]]
) -> Result:
    own = app.settings.teacher
    batching = Batching(app.actor, own.batch_price(name) or FREE, own.batch_tokens, run)

    async def worked() -> Result:
        async with _opened(app, name, task, batching) as teacher:
            return await work(teacher)

    return wiring.run_async(worked())


@asynccontextmanager
async def _opened(app: App, name: str, task: str, batching: Batching) -> AsyncIterator[BatchTeacher]:
    chat = wiring.open_batch_teacher(name, app.settings)
    try:
        yield batch_teacher(app.store, chat, task, batching)
    finally:
        await chat.aclose()


def batch_named(app: App, task: str, number: int) -> StoredBatch:
    """Return an open batch of a task by its number.

    Raises:
        InvalidInput: it is none of the open ones.
    """
    found = {batch.id: batch for batch in open_batches(app, task)}
    if number not in found:
        there = ", ".join(str(n) for n in found) or "none"
        raise InvalidInput(f"Batch {number} is no open batch of {task}. Open are: {there}.")
    return found[number]
