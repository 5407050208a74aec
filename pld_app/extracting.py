"""The teacher's work for commands, jobs and pages: which teacher, within which cap, at which estimated cost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

from pld_app import embedding, wiring
from pld_app.settings import Settings
from pld_app.teacher_settings import TeacherSettings, teaching_of
from pld_app.wiring import App
from pld_core import pipeline
from pld_core.canonical import Json
from pld_core.errors import InvalidInput
from pld_core.estimate import Estimate, estimate
from pld_core.extraction import TEMPLATE, extraction_request, request_hash, template_hash
from pld_core.models import Task
from pld_core.pipeline import Outcome
from pld_core.ports import BackendStatus, Chat, Progress, TeacherCall

PROBE = 5
"""Calls that are made to learn what a call takes; they are kept, so nothing is paid for twice."""


@dataclass(frozen=True)
class ExtractOrder:
    """What to extract, and what it may take; None leaves it to the settings.

    Attributes:
        limit: at most so many examples, in the order of import.
        retry_failed: also those whose reply could not be used before.
        max_cost: in units of the settings' currency.
    """

    task: str
    limit: int | None = None
    retry_failed: bool = False
    max_calls: int | None = None
    max_cost: Decimal | None = None
    in_flight: int | None = None

    def as_json(self) -> dict[str, Json]:
        """Return the order as a job keeps it; the task stands beside it."""
        return {
            "limit": self.limit,
            "retry_failed": self.retry_failed,
            "max_calls": self.max_calls,
            "max_cost": None if self.max_cost is None else str(self.max_cost),
            "in_flight": self.in_flight,
        }

    @classmethod
    def from_json(cls, task: str, value: Mapping[str, Json]) -> ExtractOrder:
        def whole(name: str) -> int | None:
            return None if value.get(name) is None else int(str(value[name]))

        cost = value.get("max_cost")
        return cls(
            task,
            whole("limit"),
            bool(value.get("retry_failed")),
            whole("max_calls"),
            None if cost is None else Decimal(str(cost)),
            whole("in_flight"),
        )


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


def settings_for(app: App, order: ExtractOrder) -> TeacherSettings:
    """Return the teacher's settings with what the order says otherwise."""
    own = app.settings.teacher
    return replace(
        own,
        max_calls=order.max_calls or own.max_calls,
        max_cost=order.max_cost or own.max_cost,
        in_flight=order.in_flight or own.in_flight,
    )


@asynccontextmanager
async def opened_teacher(settings: Settings, name: str, in_flight: int) -> AsyncIterator[Chat]:
    """Open a teacher with room for its calls, and close it at the end."""
    chat = wiring.open_teacher(name, settings, in_flight)
    try:
        yield chat
    finally:
        await chat.aclose()


def extract(app: App, order: ExtractOrder, run: str, report: Progress) -> Outcome:
    """Extract what is missing; the run's name makes a second start of it count against the same cap."""
    name = teacher_name(app, app.store.tasks.get(order.task))
    settings = settings_for(app, order)
    teaching = teaching_of(settings, name, run)

    async def work() -> Outcome:
        async with opened_teacher(app.settings, name, settings.in_flight) as teacher:
            return await pipeline.extract(
                app.store, teacher, order.task, report, teaching, order.limit, order.retry_failed
            )

    return wiring.run_async(work())


def synthesise(app: App, clustering_id: int, run: str, report: Progress) -> Outcome:
    """Merge the clusters of a stored clustering into rules, within the teacher's limits and cap.

    Texts are compared by the embedder that the clustering names; what it still has to embed counts against that cap.

    Raises:
        InvalidInput: the task has no teacher, or there is a cap in money for a model without a price.
        BackendError: the clustering's embedder is needed and not there.
    """
    clustering = app.store.logic.clustering(clustering_id)
    name = teacher_name(app, app.store.tasks.get(clustering.task), "synthesis")
    teaching = teaching_of(app.settings.teacher, name, run)

    async def work() -> Outcome:
        async with (
            opened_teacher(app.settings, name, 1) as teacher,
            embedding.embedder_of(app, clustering, run, report) as embedder,
        ):
            return await pipeline.synthesise(app.store, teacher, embedder, clustering_id, app.actor, report, teaching)

    return wiring.run_async(work())


def probe(app: App, order: ExtractOrder, run: str, report: Progress) -> Outcome:
    """Make the first few calls of an order, so that its estimate rests on this teacher and these texts."""
    few = min(PROBE, order.limit or PROBE)
    return extract(app, replace(order, limit=few), run, report)


def estimated(app: App, order: ExtractOrder) -> Estimate:
    """Return what an order would take; sends nothing."""
    task = app.store.tasks.get(order.task)
    name = teacher_name(app, task)
    settings = settings_for(app, order)
    asks, _ = pipeline.open_extractions(app.store, order.task, order.limit)
    keys = {request_hash(name, ask.request): ask for ask in asks}
    settled = set(app.store.logic.stored_replies(list(keys)))
    if not order.retry_failed:
        settled |= {c.request_hash for c in failures(app, order.task) if c.failure and not c.failure.is_passing}
    todo = [ask.request for key, ask in keys.items() if key not in settled]
    measured = app.store.logic.measured_calls(order.task, name, template_hash(TEMPLATE))
    requests = [extraction_request(task, app.store.tasks.example(order.task, call.subjects[0])) for call in measured]
    return estimate(todo, list(zip(requests, measured, strict=True)), settings.price(name), settings.limits)


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
