"""Proposals with other texts, for jobs and pages: trying them again, and bringing what was tried into review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pld_app import wiring
from pld_app.resolution_work import ResolveOrder, loop_models
from pld_app.synthesis_work import compared
from pld_app.wiring import App
from pld_core import edited_trial
from pld_core.canonical import Json
from pld_core.conflicts.changeset import Change, applied
from pld_core.conflicts.records import MadeProposal, ProposalOutcome, Resolution, RoundRecord, Stage, Tried
from pld_core.edited_trial import with_texts
from pld_core.models import Job, RuleText
from pld_core.permissions import Step, guarded_app
from pld_core.ports import Progress

KIND = "try_edited"
"""The kind of job."""
LOOKED_THROUGH = 200
"""So many of the newest jobs of a task are looked through for the texts that were tried."""


@dataclass(frozen=True)
class EditOrder:
    """A trial as a page orders it.

    Attributes:
        loop: its number.
        proposal: hash of the proposal whose texts were edited.
        texts: as many as the proposal has, in its order.
    """

    task: str
    loop: int
    proposal: str
    texts: tuple[RuleText, ...]

    @property
    def words(self) -> str:
        return f"loop {self.loop}, {'; '.join(text.title for text in self.texts)}"

    def as_json(self) -> dict[str, Json]:
        """Return the order as a job keeps it."""
        return {"loop": self.loop, "proposal": self.proposal, "texts": [text.as_json() for text in self.texts]}

    @classmethod
    def from_json(cls, task: str, value: Mapping[str, Json]) -> EditOrder:
        given = value.get("texts")
        texts = tuple(_text_from(one) for one in given if isinstance(one, dict)) if isinstance(given, list) else ()
        return cls(task, int(str(value.get("loop", 0))), str(value.get("proposal", "")), texts)


def _text_from(value: Mapping[str, Json]) -> RuleText:
    labels, exceptions = value["labels"], value["exceptions"]
    return RuleText(
        str(value["title"]),
        str(value["condition"]),
        tuple(map(str, labels)) if isinstance(labels, list) else (),
        tuple(map(str, exceptions)) if isinstance(exceptions, list) else (),
        str(value["rationale"]),
        int(str(value["priority"])),
    )


@guarded_app(Step.ACCEPT_PROPOSAL)
def order(app: App, wanted: EditOrder) -> Job:
    """Order a trial of edited texts.

    Raises:
        InvalidInput: the texts are no rules, or not as many as the proposal has.
    """
    made = app.store.proposals.get(wanted.loop, wanted.proposal)
    cleaned = with_texts(app.store.tasks.get(wanted.task), made.proposal, wanted.texts)
    params = replace(wanted, texts=tuple(one.text for one in cleaned.texts)).as_json()
    return app.store.jobs.enqueue(KIND, wanted.task, params, app.actor)


@guarded_app(Step.ACCEPT_PROPOSAL)
def try_texts(app: App, wanted: EditOrder, run: str, report: Progress) -> Tried:
    """Try edited texts on the whole validation split; see `edited_trial.try_edited` for what it may raise."""
    student = app.store.resolutions.get(wanted.loop).basis.student.name

    async def work() -> Tried:
        async with loop_models(app, ResolveOrder(wanted.task, student), run, report) as (models, working):
            return await edited_trial.try_edited(
                app.store, models, wanted.loop, wanted.proposal, wanted.texts, app.actor, report, working
            )

    return wiring.run_async(work())


@dataclass(frozen=True)
class EditedText:
    """Texts that somebody tried in place of the proposed ones.

    Attributes:
        tried: None while the trial has not ended.
    """

    texts: tuple[RuleText, ...]
    by: str
    tried: Tried | None


def newest_edit(
    app: App, jobs: Sequence[Job], loop: Resolution, base: RoundRecord, made: MadeProposal, trials: Sequence[Tried]
) -> EditedText | None:
    """Return the texts that were ordered last for a proposal, with their trial: the one of the prompt they compile to.

    Args:
        jobs: of the task, newest first.
        base: the round before that of the proposal.
        trials: of the proposal's round.
    """
    content, task = made.proposal.hash, app.store.tasks.get(loop.order.task)
    for job in jobs:
        found = EditOrder.from_json(task.name, job.params) if job.kind == KIND else None
        if found is None or (found.loop, found.proposal) != (loop.id, content):
            continue
        texts = tuple(replace(old, text=text) for old, text in zip(made.proposal.texts, found.texts, strict=True))
        change = Change(replace(made.proposal, texts=texts), made.evidence)
        prompt = applied(base.rules, (change,), job.created_by).prompt(task).sha256
        edited = [one for one in trials if one.stage is Stage.EDITED and content in one.proposals]
        tried = next((one for one in reversed(edited) if one.prompt_sha256 == prompt), None)
        return EditedText(found.texts, job.created_by, tried)
    return None


@guarded_app(Step.ACCEPT_PROPOSAL)
def accept(app: App, wanted: EditOrder, reason: str) -> tuple[ProposalOutcome, str]:
    """Bring edited texts into review, and compare them with the other rules; see `resolution_work.accept`."""
    outcome = app.store.proposals.accept(wanted.loop, wanted.proposal, reason, app.actor, wanted.texts)
    return outcome, compared(app, outcome.rules[0]) if outcome.rules else ""
