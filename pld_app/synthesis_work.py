"""Rules from clusters, for commands, jobs and pages: what a run would take, the run, and comparing rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pld_app import embedding, wiring
from pld_app.embedding import ToEmbed
from pld_app.extracting import opened_teacher, teacher_name
from pld_app.teacher_settings import teaching_of
from pld_app.wiring import App
from pld_core import synthesising
from pld_core.backends.tfidf import TfidfEmbedder
from pld_core.canonical import Json
from pld_core.conflicts.pairs import JudgedPair
from pld_core.desk import Half, SeenRule
from pld_core.errors import PldError
from pld_core.estimate import Estimate, estimate
from pld_core.extraction import request_hash
from pld_core.models import Revision, RevisionState, RuleText
from pld_core.pair_judging import judged_pairs
from pld_core.permissions import Step, guarded_app, permits
from pld_core.ports import Progress
from pld_core.synthesising import Synthesised, SynthesisPlan


@dataclass(frozen=True)
class SynthesisOrder:
    """What to make rules of.

    Attributes:
        limit: at most so many clusters are asked about, in the order of their numbers.
        retry_failed: also those whose reply could not be used before.
    """

    clustering: int
    limit: int | None = None
    retry_failed: bool = True

    def as_json(self) -> dict[str, Json]:
        """Return the order as a job keeps it."""
        return {"clustering": self.clustering, "limit": self.limit, "retry_failed": self.retry_failed}

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> SynthesisOrder:
        limit = value.get("limit")
        return cls(
            int(str(value["clustering"])),
            None if limit is None else int(str(limit)),
            bool(value.get("retry_failed", True)),
        )


@dataclass(frozen=True)
class SynthesisEstimate:
    """What a synthesis would take, and what is there already.

    Attributes:
        answered: clusters that are answered in the store already; making their rules costs nothing.
        there: clusters that go on as a rule that is there.
        to_embed: what has to be embedded first.
    """

    estimate: Estimate
    answered: int
    there: int
    to_embed: ToEmbed


@guarded_app(Step.SYNTHESISE)
def synthesise(app: App, order: SynthesisOrder, run: str, report: Progress) -> Synthesised:
    """Merge the clusters of a stored clustering into rules, within the teacher's limits and cap.

    Texts are compared by the embedder that the clustering names; what it still has to embed counts against that cap.

    Raises:
        InvalidInput: the task has no teacher, or there is a cap in money for a model without a price.
        BackendError: the clustering's embedder is needed and not there.
    """
    clustering = app.store.logic.clustering(order.clustering)
    name = teacher_name(app, app.store.tasks.get(clustering.task), "synthesis")
    teaching = teaching_of(app.settings.teacher, name, run)

    async def work() -> Synthesised:
        async with (
            opened_teacher(app.settings, name, 1) as teacher,
            embedding.embedder_of(app, clustering, run, report) as embedder,
        ):
            return await synthesising.synthesise(
                app.store,
                teacher,
                embedder,
                order.clustering,
                app.actor,
                report,
                teaching,
                order.limit,
                order.retry_failed,
            )

    return wiring.run_async(work())


def estimated(app: App, order: SynthesisOrder) -> SynthesisEstimate:
    """Return what an order would take; sends nothing and changes nothing."""
    clustering = app.store.logic.clustering(order.clustering)
    wanted = embedding.to_compare(app, clustering)
    # Which clusters are asked about is stored; without the vectors only the examples shown for contrast differ.
    embedder = TfidfEmbedder() if wanted.texts else embedding.at_hand(app, clustering.params.embedder)

    async def work() -> SynthesisPlan:
        return await synthesising.plan_synthesis(app.store, embedder, order.clustering)

    plan = wiring.run_async(work())
    name = teacher_name(app, plan.task, "synthesis")
    requests = {request_hash(name, ask.request): ask.request for ask in plan.asks(order.limit)}
    settled = set(app.store.logic.stored_replies(list(requests)))
    if not order.retry_failed:
        failed = app.store.logic.failed_calls(plan.task.name)
        settled |= {c.request_hash for c in failed if c.failure and not c.failure.is_passing} & set(requests)
    todo = [request for key, request in requests.items() if key not in settled]
    settings = app.settings.teacher
    found = estimate(todo, [], settings.price(name), settings.limits)
    return SynthesisEstimate(found, len(settled), len(plan.clusters) - len(plan.open), wanted)


@guarded_app(Step.EDIT)
def edit(
    app: App, rule_id: str, seen_revision: str, seen_state: RevisionState, text: RuleText, note: str
) -> tuple[Revision, str]:
    """Make an edited revision and compare it with the other rules.

    Returns the revision, and why it could not be compared; empty if it was. The edit is saved either way.
    """
    made = app.store.rules.edit(rule_id, seen_revision, seen_state, text, note, app.actor)
    return made, compared(app, rule_id)


def split(app: App, seen: SeenRule, halves: tuple[Half, Half], reason: str) -> tuple[tuple[str, str], str]:
    """Make two rules of one and compare them with the others.

    Returns their ids, and why they could not be compared; empty if they were. The split is made either way.
    """
    made = app.store.desk.parts.split(seen, halves, reason, app.actor)
    return made, compared(app, made[0])


def merge(app: App, seen: tuple[SeenRule, SeenRule], text: RuleText, reason: str) -> tuple[str, str]:
    """Make one rule of two and compare it with the others; returns its id, and why it could not be compared."""
    made = app.store.desk.parts.merge(seen, text, reason, app.actor)
    return made, compared(app, made)


@guarded_app(Step.COMPARE)
def compared(app: App, rule_id: str) -> str:
    """Compare the rules of a rule's task, and return why that could not be done; empty if it was."""
    try:
        compare(app, app.store.rules.summary(rule_id).task)
    except PldError as error:
        return f"It was not compared with the other rules: {error}"
    return ""


@guarded_app(Step.COMPARE)
def compare(app: App, task: str) -> None:
    """Find the rules that overlap, if one has changed since they were compared last.

    Raises:
        BackendError: the embedder cannot be reached; the rules that were compared before stay compared.
    """
    if app.store.lineage.uncompared(task):
        kept = app.store.logic.clusterings(task)
        name = kept[0].params.embedder if kept else embedding.embedder_name(app.settings)

        async def work() -> None:
            embedder = embedding.open_embedder(app, task, name, "", _silently)
            try:
                await synthesising.compare_rules(app.store, embedder, task)
            finally:
                await embedder.aclose()

        wiring.run_async(work())


def bring_up_to_date(app: App, task: str) -> None:
    """Compare the rules of a task if the person may; for others the overlaps stay as they were found last.

    Raises:
        BackendError: a rule has changed, and the embedder cannot be reached.
    """
    if permits(app.actor, Step.COMPARE):
        compare(app, task)


def _silently(done: int, total: int, message: str) -> None:
    """Comparing an edited rule embeds one text; there is no progress to show."""


def overlaps(app: App, task: str) -> tuple[JudgedPair, ...]:
    """Return the rules that overlap, as `bring_up_to_date` leaves them, the worst first; for errors see there."""
    bring_up_to_date(app, task)
    return judged_pairs(app.store, task)
