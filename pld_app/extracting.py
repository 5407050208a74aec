"""The teacher's work for commands, jobs and pages: which teacher, within which cap, at which estimated cost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from pld_app import wiring
from pld_app.extract_order import Delivery, ExtractOrder
from pld_app.settings import Settings
from pld_app.teacher_settings import teaching_of
from pld_app.wiring import App
from pld_core import pipeline
from pld_core.errors import InvalidInput
from pld_core.estimate import Estimate, estimate
from pld_core.extraction import TEMPLATE, extraction_request
from pld_core.model_ports import BackendStatus, Chat
from pld_core.models import Task
from pld_core.permissions import Step, guarded_app
from pld_core.pipeline import Outcome
from pld_core.ports import Progress
from pld_core.records import TeacherCall
from pld_core.teaching import sort_asks
from pld_core.templates import template

PROBE = 5
"""Calls that are made to learn what a call takes; they are kept, so nothing is paid for twice."""


def teacher_name(app: App, task: Task, purpose: str = "extraction") -> str:
    """Return the teacher of a task: its own, else that of the settings for this purpose.

    Raises:
        InvalidInput: there is none.
    """
    settings = app.settings.teacher
    for_purpose = {"synthesis": settings.synthesis, "conflicts": settings.conflicts}.get(purpose, "")
    name = task.teacher or for_purpose or settings.extraction
    if not name:
        raise InvalidInput(
            f"Task {task.name} has no teacher. Name one on the Settings page, or with "
            "`pld settings set teacher.extraction`, such as openai:gpt-4.1-mini or ollama:gemma3:4b."
        )
    return name


def has_teacher(app: App, task: Task) -> bool:
    """Whether the task names a teacher, or the settings do."""
    return bool(task.teacher or app.settings.teacher.extraction)


@asynccontextmanager
async def opened_teacher(settings: Settings, name: str, in_flight: int) -> AsyncIterator[Chat]:
    """Open a teacher with room for its calls, and close it at the end."""
    chat = wiring.open_teacher(name, settings, in_flight)
    try:
        yield chat
    finally:
        await chat.aclose()


@guarded_app(Step.EXTRACT)
def extract(app: App, order: ExtractOrder, run: str, report: Progress) -> Outcome:
    """Extract what is missing; the run's name makes a second start of it count against the same cap."""
    only = chosen(app, order)
    name = teacher_name(app, app.store.tasks.get(order.task))
    settings = order.settings(app.settings.teacher)
    teaching = teaching_of(settings, name, run)

    async def work() -> Outcome:
        async with opened_teacher(app.settings, name, settings.in_flight) as teacher:
            return await pipeline.extract(app.store, teacher, order.task, report, teaching, order.limit, only)

    return wiring.run_async(work())


@guarded_app(Step.EXTRACT)
def probe(app: App, order: ExtractOrder, run: str, report: Progress) -> Outcome:
    """Make the first few calls of an order, so that its estimate rests on this teacher and these texts."""
    few = min(PROBE, order.limit or PROBE)
    return extract(app, replace(order, limit=few), run, report)


def estimated(app: App, order: ExtractOrder) -> Estimate:
    """Return what an order would take; sends nothing."""
    task = app.store.tasks.get(order.task)
    name = teacher_name(app, task)
    settings = order.settings(app.settings.teacher)
    asks, _ = pipeline.open_extractions(app.store, order.task, chosen(app, order))
    todo = [ask.request for ask in sort_asks(app.store, name, order.task, asks, order.is_choice).todo][: order.limit]
    measured = app.store.logic.measured_calls(order.task, name, template(TEMPLATE).hash)
    requests = [extraction_request(task, app.store.tasks.example(order.task, call.subjects[0])) for call in measured]
    pairs = list(zip(requests, measured, strict=True))
    if order.delivery is Delivery.BATCH:
        return replace(estimate(todo, pairs, settings.batch_price(name), settings.limits), seconds=None)
    return estimate(todo, pairs, settings.price(name), settings.limits)


def chosen(app: App, order: ExtractOrder) -> frozenset[str] | None:
    """Return the hashes of the examples that an order names or whose failures it repeats; None for no choice."""
    if not order.is_choice:
        return None
    again = {call.subjects[0] for call in newest_failures(app, order.task) if call.failure in order.retry}
    return frozenset(again.union(order.examples))


def newest_failures(app: App, task: str) -> tuple[TeacherCall, ...]:
    """Return the newest failure of each example that has no instruction since."""
    return tuple({call.subjects[0]: call for call in failures(app, task)}.values())


def last_run(app: App, task: str) -> str | None:
    """Return the name of the task's newest extraction run; None if nothing was begun.

    What it spent counts against the caps of whoever goes on with it.
    """
    return app.store.logic.last_run(task, "extraction")


def failures(app: App, task: str) -> tuple[TeacherCall, ...]:
    """Return the extraction calls that failed and whose example has no instruction since, oldest first."""
    have = {instruction.example_hash for instruction in app.store.logic.instructions(task)}
    found = app.store.logic.failed_calls(task)
    return tuple(c for c in found if c.purpose == "extraction" and not have.intersection(c.subjects))


def teacher_status(settings: Settings, name: str) -> BackendStatus:
    """Look whether a teacher can be asked right now; sends no text."""

    async def look() -> BackendStatus:
        async with opened_teacher(settings, name, 1) as teacher:
            return await teacher.status()

    return wiring.run_async(look())
