"""The conflict loop for commands, jobs and pages: ordering it, what it would take, and deciding on its proposals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from pld_app import embedding, wiring
from pld_app.disputes import from_people
from pld_app.extracting import opened_teacher, teacher_name
from pld_app.synthesis_work import compared
from pld_app.teacher_settings import teaching_of, within
from pld_app.wiring import App
from pld_core import loop_estimate, resolving
from pld_core.backends.tfidf import TfidfEmbedder
from pld_core.calls import Limits
from pld_core.canonical import Json
from pld_core.conflicts.acceptance import Bar
from pld_core.conflicts.records import LoopLimits, LoopOrder, MadeProposal, ProposalOutcome, Resolution
from pld_core.count_words import count
from pld_core.errors import InvalidInput
from pld_core.loop_estimate import LoopEstimate
from pld_core.permissions import Step, guarded_app
from pld_core.ports import Progress
from pld_core.resolving import LoopModels, Resolved, Working

KIND = "resolve"
"""The kind of job that runs a loop."""


@dataclass(frozen=True)
class ResolveOrder:
    """A loop as a command or a page orders it.

    Attributes:
        student: whose failures are looked at; empty for the one in the settings.
        teacher: who proposes; empty for that of the task or of the settings.
        resume: key of the loop that is to go on, with its own student and teacher; empty for a new one.
        budget: most calls to the teacher over all starts of the loop; None for the cap of the settings, which holds as
            well.
    """

    task: str
    student: str = ""
    seed: int = 0
    limits: LoopLimits = field(default_factory=LoopLimits)
    teacher: str = ""
    resume: str = ""
    budget: int | None = None

    def as_json(self) -> dict[str, Json]:
        """Return the order as a job keeps it."""
        return {
            "student": self.student,
            "seed": self.seed,
            "limits": self.limits.as_json(),
            "teacher": self.teacher,
            "resume": self.resume,
            "budget": self.budget,
        }

    @property
    def words(self) -> str:
        """Such as `at most 3 rounds and 500 questions, seed 0`."""
        limits = self.limits
        cap = "" if limits.student_calls is None else f" and {limits.student_calls:,} questions"
        cap += "" if self.budget is None else f" and {count(self.budget, 'call')} to the teacher"
        if self.resume:
            return f"going on with the loop of {self.resume}{cap.replace(' and', ', at most', 1)}"
        return f"at most {limits.rounds} rounds{cap}, seed {self.seed}" + (
            ", added up in order" if limits.greedy else ""
        )

    @classmethod
    def from_json(cls, task: str, value: Mapping[str, Json]) -> ResolveOrder:
        limits = value.get("limits")
        given = LoopLimits(**limits) if isinstance(limits, dict) else LoopLimits()
        student, teacher, resume = (str(value.get(name, "")) for name in ("student", "teacher", "resume"))
        budget = value.get("budget")
        most = None if budget is None else int(str(budget))
        return cls(task, student, int(str(value.get("seed", 0))), given, teacher, resume, most)

    def loop(self, app: App, key: str) -> LoopOrder:
        """Return the order of the loop; a label may lose no more than the task's release gates allow."""
        bar = Bar(label_margin=app.store.gate_policies.of(self.task).label_margin)
        return LoopOrder(self.task, key, self.seed, self.limits, bar)


@guarded_app(Step.RESOLVE)
def resolve(app: App, order: ResolveOrder, key: str, report: Progress) -> Resolved:
    """Run a loop to its end, or go on with the one of the same key, within the teacher's limits and cap.

    Raises:
        InvalidInput: also if the loop that is to go on was never begun.
        BudgetReached, BackendError: as `resolving.resolve`; what was answered is kept.
    """
    if order.resume and app.store.resolutions.begun_as(order.resume) is None:
        raise InvalidInput(f"No loop was begun as {order.resume}. Nothing was asked. Order a new one.")

    async def work() -> Resolved:
        async with loop_models(app, order, key, report) as (models, working):
            return await resolving.resolve(app.store, models, order.loop(app, key), app.actor, report, working)

    return wiring.run_async(work())


@guarded_app(Step.RESOLVE)
def estimated(app: App, order: ResolveOrder) -> LoopEstimate:
    """Return what a loop would take; asks no model but whether the student is there."""
    name = order.teacher or teacher_name(app, app.store.tasks.get(order.task), "conflicts")

    async def work() -> LoopEstimate:
        async with loop_models(app, order, "", _silently) as (models, working):
            price = app.settings.teacher.price(name)
            found = await loop_estimate.estimate_loop(app.store, models, order.loop(app, ""), price, working)
            most = working.teaching.max_calls
            return found if most is None else replace(found, teacher_most=min(found.teacher_most, most))

    return wiring.run_async(work())


@asynccontextmanager
async def loop_models(
    app: App, order: ResolveOrder, run: str, report: Progress
) -> AsyncIterator[tuple[LoopModels, Working]]:
    """Open the models that a loop works with, and close them at the end.

    Args:
        run: the loop's key; one that was begun under it goes on with the models that it began with.
    """
    begun = app.store.resolutions.begun_as(run)
    student = begun.basis.student.name if begun else order.student or app.settings.student
    name = begun.basis.teacher if begun else order.teacher
    name = name or teacher_name(app, app.store.tasks.get(order.task), "conflicts")
    teaching = within(teaching_of(app.settings.teacher, name, run), order.budget)
    kept = app.store.logic.clusterings(order.task)
    compares = kept[0].params.embedder if kept else embedding.embedder_name(app.settings)
    embedder = embedding.open_embedder(app, order.task, compares, run, report)
    try:
        async with (
            opened_teacher(app.settings, name, teaching.limits.in_flight) as teacher,
            wiring.student_backend(app, student) as chat,
        ):
            limits = Limits(in_flight=app.settings.in_flight(student))
            found = from_people(app, order.task)
            yield LoopModels(teacher, chat, embedder, TfidfEmbedder()), Working(teaching, limits, people=found)
    finally:
        await embedder.aclose()


# --- proposals --------------------------------------------------------------------------------------------------------


def loop_of(app: App, task: str, number: int | None = None) -> Resolution:
    """Return a loop of a task, the newest if no number is given.

    Raises:
        InvalidInput: there is none.
    """
    loops = app.store.resolutions.all(task)
    if not loops:
        raise InvalidInput(f"Task {task} has no loop yet. `pld resolve --task {task}` runs one.")
    found = [loop for loop in loops if number in (None, loop.id)]
    if not found:
        raise InvalidInput(f"Task {task} has no loop {number}; its newest is {loops[0].id}. Nothing was changed.")
    return found[0]


def proposals_of(app: App, loop: Resolution) -> tuple[MadeProposal, ...]:
    """Return the proposals of a loop in the order of its rounds."""
    return tuple(made for record in app.store.resolutions.rounds(loop.id) for made in record.proposals)


@guarded_app(Step.ACCEPT_PROPOSAL)
def accept(app: App, task: str, number: int | None, begun: str, reason: str) -> tuple[ProposalOutcome, str]:
    """Bring what a proposal says into review and compare it with the other rules.

    Returns what was made of it, and why that could not be compared; empty if it was. It is accepted either way.

    Args:
        number: of the loop; None for the newest.
        begun: the first digits of the proposal's hash, as many as tell it from others.
    """
    loop = loop_of(app, task, number)
    outcome = app.store.proposals.accept(loop.id, _hash_of(app, loop, begun), reason, app.actor)
    return outcome, compared(app, outcome.rules[0]) if outcome.rules else ""


@guarded_app(Step.DISMISS_PROPOSAL)
def dismiss(app: App, task: str, number: int | None, begun: str, reason: str) -> ProposalOutcome:
    """Record that nothing is made of a proposal; `number` and `begun` as for `accept`."""
    loop = loop_of(app, task, number)
    return app.store.proposals.dismiss(loop.id, _hash_of(app, loop, begun), reason, app.actor)


def _hash_of(app: App, loop: Resolution, begun: str) -> str:
    digits = begun.removeprefix("sha256:")
    hashes = [made.proposal.hash for made in proposals_of(app, loop)]
    found = [content for content in hashes if content.removeprefix("sha256:").startswith(digits)]
    if len(found) != 1 or not digits:
        raise InvalidInput(
            f"{len(found)} proposals of loop {loop.id} begin with {begun!r}. Nothing was changed. "
            f"`pld proposals list --task {loop.order.task}` lists them."
        )
    return found[0]


def _silently(done: int, total: int, message: str) -> None:
    """An estimate asks nothing that would take its time."""
