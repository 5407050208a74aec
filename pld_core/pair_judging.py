"""Overlapping rules judged by a teacher before any student has run, as a use case. A note beside them comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pld_core.conflicts.chart import Implication
from pld_core.conflicts.pair_request import TEMPLATE, ShownPair, drawn_pair, pair_request, read_pair
from pld_core.conflicts.pairs import JudgedPair, PairJudgement, worst_first
from pld_core.grouping import charted
from pld_core.model_ports import Chat, Embedder
from pld_core.models import Actor, Split, Task
from pld_core.overlaps import OverlapPair
from pld_core.permissions import Step, require
from pld_core.ports import Progress, Store
from pld_core.records import ExampleFilter
from pld_core.sampling import Lots
from pld_core.teaching import Answered, Ask, Teacher, Teaching
from pld_core.templates import template

SEED = 0
"""Of the samples that the teacher is shown."""
TOLD_EVERY = 100


@dataclass(frozen=True)
class PairsJudged:
    """How the judging ended.

    Attributes:
        made: pairs with a word that is new.
        already: pairs that had one; they were not asked about.
        failed: pairs whose reply could not be used, or that got none.
    """

    made: int
    already: int
    failed: int

    @property
    def words(self) -> str:
        """Such as `4 judged, 2 judged before, 0 without a usable reply`."""
        return f"{self.made:,} judged, {self.already:,} judged before, {self.failed:,} without a usable reply"


def open_pairs(store: Store, task: str, limit: int | None = None) -> tuple[tuple[OverlapPair, ...], int]:
    """Return the overlapping pairs that no teacher judged yet, the closest first, and how many were judged."""
    judged = {one.rules for one in store.pairs.judged(task)}
    pairs = store.lineage.overlaps(task)
    todo = tuple(pair for pair in pairs if (pair.low, pair.high) not in judged)
    return todo[:limit], len(pairs) - len(todo)


def judged_pairs(store: Store, task: str, rule_id: str = "") -> tuple[JudgedPair, ...]:
    """Return the overlapping pairs of a task, or those of one rule, with the word on each, the worst first."""
    judged = {one.rules: one for one in store.pairs.judged(task)}
    return worst_first(store.lineage.overlaps(task, rule_id), judged, store.pairs.judged_earlier(task))


async def pair_asks(
    store: Store, embedder: Embedder, task: Task, pairs: Sequence[OverlapPair], report: Progress | None = None
) -> list[Ask[ShownPair]]:
    """Return what the teacher would be asked about pairs: both rules, and training examples that match both.

    Raises:
        JobCancelled: by `report`, which is told every hundred pairs: thousands of them take a while.
    """
    if not pairs:
        return []
    rules = {rule.id: rule for rule in store.pairs.overlapping(task.name)}
    train = store.tasks.examples(task.name, ExampleFilter(split=Split.TRAIN))
    reach = Implication(await charted(embedder, train), list(rules.values()))
    lots = Lots(train, task.label_names, SEED)
    asks = []
    for number, pair in enumerate(pairs):
        if report is not None and number % TOLD_EVERY == 0:
            report(number, len(pairs), "pairs prepared")
        matching = reach.reaching_both(pair.low, pair.high)
        shown = drawn_pair(task, rules[pair.low], rules[pair.high], lots, matching)
        asks.append(Ask(shown, pair_request(task, shown)))
    return asks


async def judge_pairs(
    store: Store,
    teacher: Chat,
    embedder: Embedder,
    task_name: str,
    actor: Actor,
    report: Progress,
    teaching: Teaching | None = None,
    limit: int | None = None,
) -> PairsJudged:
    """Ask about each overlapping pair that was not judged, and keep each word as it comes.

    Args:
        limit: at most so many pairs, the closest first.

    Raises:
        MissingRole: the actor may not let a teacher judge pairs.
        AccessRefused, ModelMissing, CallsStopped, BudgetReached, JobCancelled: what was answered is kept.
    """
    require(actor, Step.JUDGE_PAIRS)
    task = store.tasks.get(task_name)
    pairs, already = open_pairs(store, task.name, limit)
    asks = await pair_asks(store, embedder, task, pairs, report)

    def read(pair: ShownPair, text: str) -> PairJudgement:
        return read_pair(task, pair, text, teacher.name)

    def keep(answers: Sequence[Answered[ShownPair, PairJudgement]]) -> None:
        store.logic.record_calls(task.name, [(a.call, None) for a in answers if a.call is not None])
        for answer in answers:
            if answer.result is not None:
                store.pairs.keep(answer.result, actor)

    asking = Teacher(store, teacher, task.name, template(TEMPLATE).hash, read, keep, teaching or Teaching())
    await asking.ask(asks, True, report, already, "pairs judged")
    failed = sum(asking.tally.failed.values()) + asking.tally.left
    return PairsJudged(asking.tally.made, already, failed)
