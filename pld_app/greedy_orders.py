"""Adding up the proposals of a round that is over, for commands, jobs and pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pld_app import wiring
from pld_app.loop_student import loop_student
from pld_app.resolution_work import loop_of
from pld_app.wiring import App
from pld_core import greedy_order
from pld_core.canonical import Json
from pld_core.conflicts.records import Tried
from pld_core.conflicts.running_score import running_score
from pld_core.permissions import Step, guarded_app
from pld_core.ports import Progress

KIND = "greedy"
"""The kind of job."""


@dataclass(frozen=True)
class GreedyOrder:
    """Which round of which loop is to be added up.

    Attributes:
        loop: its number; 0 for the newest of the task.
    """

    task: str
    loop: int
    number: int

    @property
    def words(self) -> str:
        return f"loop {self.loop}, round {self.number}"

    def as_json(self) -> dict[str, Json]:
        """Return the order as a job keeps it."""
        return {"loop": self.loop, "round": self.number}

    @classmethod
    def from_json(cls, task: str, value: Mapping[str, Json]) -> GreedyOrder:
        return cls(task, int(str(value.get("loop", 0))), int(str(value.get("round", 0))))


@dataclass(frozen=True)
class AddedUp:
    """A greedy order that was made, step by step."""

    order: GreedyOrder
    steps: tuple[Tried, ...]

    @property
    def words(self) -> str:
        """Such as `Loop 3, round 1: 2 of 4 proposals stay in; fixes 7, breaks 2 of 48 (net +5, …).`"""
        found = running_score(self.steps)
        inside = [step for step in found if step.stays]
        what = inside[-1].tried.words if inside else "none brings a gain"
        words = f"{self.order.words}: {len(inside):,} of {len(found):,} proposals stay in; {what}."
        return words[:1].upper() + words[1:]


@guarded_app(Step.RESOLVE)
def add_up(app: App, order: GreedyOrder, report: Progress) -> AddedUp:
    """Add up a round's proposals; see `greedy_order.add_up` for what it may raise."""
    loop = loop_of(app, order.task, order.loop or None)

    async def work() -> tuple[Tried, ...]:
        async with loop_student(app, loop) as (student, working):
            return await greedy_order.add_up(app.store, student, loop.id, order.number, app.actor, report, working)

    return AddedUp(replace(order, loop=loop.id), wiring.run_async(work()))
