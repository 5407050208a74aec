"""What the charts on errors need from a store: every query reads counts or one index, never all answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pld_core.analytics import (
    EVERY_ANSWER,
    AnswerFilter,
    AttributedAnswer,
    BarSort,
    ChangedExample,
    ComparableRun,
    ConfusionCell,
    HarmPoint,
    Histogram,
    LabelCell,
    LabelChange,
    LabelFigures,
    Quantity,
    RuleBars,
    SharedClaims,
    TrendPoint,
)
from pld_core.attribution import Method
from pld_core.effect import Outcome
from pld_core.records import Page


class AnalyticsStore(Protocol):
    """Figures on complete runs whose answers were put down to rules, which is when they are counted.

    They raise `NotFound` for other runs. Those that take a method do so too where the answers were not put down to
    rules by it, and raise `InvalidInput` for ablation, whose figures are others.
    """

    def complete(self, task: str) -> tuple[ComparableRun, ...]:
        """Return the complete runs of a task that say how a version does, newest first."""
        ...

    def comparable(self, run_id: int) -> tuple[ComparableRun, ...]:
        """Return the complete runs that can be held against this one, newest first, itself left out."""
        ...

    # --- on rules ---

    def rule_bars(
        self,
        run_id: int,
        method: Method,
        baseline: int | None = None,
        sort: BarSort = BarSort.HARM,
        page: Page | None = None,
    ) -> RuleBars:
        """Return what is put down to each rule, and to none; without a baseline harm counts as wrong in the order."""
        ...

    def by_label(self, run_id: int, method: Method, rule_ids: Sequence[str]) -> tuple[LabelCell, ...]:
        """Return the cells of rule x gold label that are not empty."""
        ...

    def by_confusion(self, run_id: int, method: Method, rule_ids: Sequence[str]) -> tuple[ConfusionCell, ...]:
        """Return the cells of rule x (gold, said) with wrong answers, the largest first."""
        ...

    def trend(self, rule_id: str, run_id: int, method: Method) -> tuple[TrendPoint, ...]:
        """Return the rule in this run and in those comparable with it that were put down to rules, oldest first."""
        ...

    def overlap(self, run_id: int, method: Method, limit: int = 50) -> tuple[SharedClaims, ...]:
        """Return pairs of rules that claim the same examples, those with the most wrong answers first."""
        ...

    def support_vs_harm(self, run_id: int, method: Method, baseline: int) -> tuple[HarmPoint, ...]:
        """Return a point for each rule of the prompt."""
        ...

    def examples_of(
        self,
        run_id: int,
        method: Method,
        rule_id: str,
        where: AnswerFilter = EVERY_ANSWER,
        page: Page | None = None,
    ) -> tuple[AttributedAnswer, ...]:
        """Return answers that are put down to a rule, or to none, in the order of their hashes."""
        ...

    def coverage(self, run_id: int, method: Method) -> tuple[LabelFigures, ...]:
        """Return for each gold label how many of its examples a rule covers."""
        ...

    # --- on answers ---

    def confusion(self, run_id: int) -> tuple[ConfusionCell, ...]:
        """Return the cells of gold label x answer that are not empty."""
        ...

    def histogram(self, run_id: int, quantity: Quantity, bins: int = 30) -> Histogram:
        """Return how a quantity is spread over at most so many bins of whole width."""
        ...

    def changes(self, before: int, after: int) -> tuple[LabelChange, ...]:
        """Return what changed between two runs for each gold label.

        Raises:
            InvalidInput: they are not of one task and one split.
        """
        ...

    def changed_examples(
        self, before: int, after: int, outcome: Outcome, label: str = "", page: Page | None = None
    ) -> tuple[ChangedExample, ...]:
        """Return the examples of one outcome between two runs, by gold label and hash; see `changes`."""
        ...
