"""Overlapping rules judged by the teacher, for commands, jobs and pages: what it would take, and doing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pld_app import embedding, synthesis_work, wiring
from pld_app.extracting import opened_teacher, teacher_name
from pld_app.teacher_settings import teaching_of, within
from pld_app.wiring import App
from pld_core import pair_judging
from pld_core.backends.tfidf import TfidfEmbedder
from pld_core.canonical import Json
from pld_core.conflicts.chart import charted_texts
from pld_core.estimate import Estimate, estimate
from pld_core.models import Split
from pld_core.pair_judging import PairsJudged
from pld_core.permissions import Step, guarded_app
from pld_core.ports import Progress
from pld_core.records import ExampleFilter
from pld_core.teaching import sort_asks


@dataclass(frozen=True)
class PairOrder:
    """Which pairs to judge.

    Attributes:
        limit: at most so many, the closest first; None for all that were not judged.
        max_calls: most calls over all starts of the run; None for the teacher's own cap. The lower of both holds.
    """

    task: str
    limit: int | None = None
    max_calls: int | None = None

    def as_json(self) -> dict[str, Json]:
        """Return the order as a job keeps it."""
        return {"limit": self.limit, "max_calls": self.max_calls}

    @property
    def words(self) -> str:
        """Such as `at most 5 pairs and 10 calls`."""
        pairs = "every pair that is open" if self.limit is None else f"at most {self.limit:,} pairs"
        return pairs if self.max_calls is None else f"{pairs}, at most {self.max_calls:,} calls"

    @classmethod
    def from_json(cls, task: str, value: Mapping[str, Json]) -> PairOrder:
        limit, most = (value.get(name) for name in ("limit", "max_calls"))
        return cls(task, None if limit is None else int(str(limit)), None if most is None else int(str(most)))


@dataclass(frozen=True)
class PairEstimate:
    """What judging would take, and what is there already.

    Attributes:
        pairs: how many would get a word, those included whose reply is stored already.
        judged: how many have one.
    """

    estimate: Estimate
    pairs: int
    judged: int


@guarded_app(Step.JUDGE_PAIRS)
def judge(app: App, order: PairOrder, run: str, report: Progress) -> PairsJudged:
    """Compare the rules if one has changed, then ask the teacher about each open pair, within its limits and caps.

    Raises:
        InvalidInput: the task has no teacher, or there is a cap in money for a model without a price.
        BackendError, BudgetReached: what was answered is kept.
    """
    name = teacher_name(app, app.store.tasks.get(order.task), "conflicts")
    teaching = within(teaching_of(app.settings.teacher, name, run), order.max_calls)
    synthesis_work.bring_up_to_date(app, order.task)

    async def work() -> PairsJudged:
        embedder = embedding.open_embedder(app, order.task, _compares(app, order.task), run, report)
        try:
            async with opened_teacher(app.settings, name, teaching.limits.in_flight) as teacher:
                return await pair_judging.judge_pairs(
                    app.store, teacher, embedder, order.task, app.actor, report, teaching, order.limit
                )
        finally:
            await embedder.aclose()

    return wiring.run_async(work())


def estimated(app: App, order: PairOrder) -> PairEstimate:
    """Return what an order would take; sends nothing and changes nothing.

    Pairs are those that were found when the rules were compared last.
    """
    task = app.store.tasks.get(order.task)
    name = teacher_name(app, task, "conflicts")
    pairs, judged = pair_judging.open_pairs(app.store, task.name, order.limit)
    compares = _compares(app, task.name)
    texts = charted_texts(app.store.tasks.examples(task.name, ExampleFilter(split=Split.TRAIN)), ())
    # Which pairs are asked about is stored; without the vectors only the examples that are shown differ.
    missing = embedding.to_embed(app, compares, texts).texts
    embedder = TfidfEmbedder() if missing else embedding.at_hand(app, compares)
    asks = wiring.run_async(pair_judging.pair_asks(app.store, embedder, task, pairs))
    todo = sort_asks(app.store, name, task.name, asks, True).todo
    own = app.settings.teacher
    found = estimate([ask.request for ask in todo], (), own.price(name), own.limits)
    return PairEstimate(found, len(pairs), judged)


def _compares(app: App, task: str) -> str:
    kept = app.store.logic.clusterings(task)
    return kept[0].params.embedder if kept else embedding.embedder_name(app.settings)
