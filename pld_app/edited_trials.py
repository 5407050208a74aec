"""Proposals with other texts, for jobs and pages: trying them again, and bringing what was tried into review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pld_app import wiring
from pld_app.loop_student import loop_student
from pld_app.synthesis_work import compared
from pld_app.wiring import App
from pld_core import edited_trial
from pld_core.canonical import Json
from pld_core.conflicts.edited import EditedTexts
from pld_core.conflicts.records import ProposalOutcome, Stage, Tried
from pld_core.models import Job, RuleText
from pld_core.permissions import Step, guarded_app
from pld_core.ports import Progress

KIND = "try_edited"
"""The kind of job."""


@dataclass(frozen=True)
class EditOrder:
    """A trial as a job holds it.

    Attributes:
        loop: its number.
        proposal: hash of the proposal whose texts were edited.
        texts: hash of the stored texts.
        title: of the texts, for people.
    """

    task: str
    loop: int
    proposal: str
    texts: str
    title: str = ""

    @property
    def words(self) -> str:
        return f"loop {self.loop}, {self.title}" if self.title else f"loop {self.loop}"

    def as_json(self) -> dict[str, Json]:
        """Return the order as a job keeps it."""
        return {"loop": self.loop, "proposal": self.proposal, "texts": self.texts, "title": self.title}

    @classmethod
    def from_json(cls, task: str, value: Mapping[str, Json]) -> EditOrder:
        loop, proposal, texts, title = (value.get(name, "") for name in ("loop", "proposal", "texts", "title"))
        return cls(task, int(str(loop or 0)), str(proposal), str(texts), str(title))


@guarded_app(Step.ACCEPT_PROPOSAL)
def order(app: App, loop: int, proposal: str, texts: Sequence[RuleText]) -> Job:
    """Store edited texts and order their trial.

    Raises:
        InvalidInput: the proposal is decided on, or the texts are no rules, or not as many as the proposal has.
    """
    task = app.store.resolutions.get(loop).order.task
    edited = app.store.proposals.edit(loop, proposal, texts, app.actor)
    title = "; ".join(text.title for text in edited.texts)
    return app.store.jobs.enqueue(KIND, task, EditOrder(task, loop, proposal, edited.hash, title).as_json(), app.actor)


@guarded_app(Step.ACCEPT_PROPOSAL)
def try_texts(app: App, wanted: EditOrder, report: Progress) -> Tried:
    """Try stored texts on the whole validation split; see `edited_trial.try_edited` for what it may raise."""
    loop = app.store.resolutions.get(wanted.loop)

    async def work() -> Tried:
        async with loop_student(app, loop) as (student, working):
            return await edited_trial.try_edited(
                app.store, student, wanted.loop, wanted.proposal, wanted.texts, app.actor, report, working
            )

    return wiring.run_async(work())


@dataclass(frozen=True)
class EditedTrial:
    """Texts that somebody wrote in place of the proposed ones, with the trial of exactly these.

    Attributes:
        tried: None while there is none.
    """

    edited: EditedTexts
    tried: Tried | None


def newest_edits(app: App, loop: int, trials: Sequence[Tried]) -> dict[str, EditedTrial]:
    """Return the newest texts that were written for each proposal of a loop, by its hash.

    Args:
        trials: among which theirs are looked for.
    """
    having = {
        (content, tried.texts): tried for tried in trials if tried.stage is Stage.EDITED for content in tried.proposals
    }
    oldest_first = reversed(app.store.proposals.edits(loop))
    return {one.proposal: EditedTrial(one, having.get((one.proposal, one.hash))) for one in oldest_first}


@guarded_app(Step.ACCEPT_PROPOSAL)
def accept(app: App, loop: int, proposal: str, texts: Sequence[RuleText], reason: str) -> tuple[ProposalOutcome, str]:
    """Bring edited texts into review, and compare them with the other rules; see `resolution_work.accept`."""
    outcome = app.store.proposals.accept(loop, proposal, reason, app.actor, texts)
    return outcome, compared(app, outcome.rules[0]) if outcome.rules else ""
