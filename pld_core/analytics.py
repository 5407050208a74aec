"""The figures behind the charts on errors, as frozen values. Every figure on rules says by which method it was made.

Figures on rules leave out the answers to a rule's own sources, which are counted beside them: what a rule was made from
says nothing of how it does on new examples. A run over the training examples has many, others have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pld_core.attribution import Method
from pld_core.models import AnswerStatus, Run, Split
from pld_core.proportion import Proportion

INVALID = "(no usable answer)"
"""Stands for what was said where nothing usable was; reads unlike any label that people declare."""


class BarSort(StrEnum):
    """What the rules with the largest bars stand first by: harm, wrong answers, covered examples, or share of wrong.

    A share of fewer than ten answers is none, so such rules stand last there.
    """

    HARM = "harm"
    WRONG = "wrong"
    COUNT = "count"
    RATE = "rate"


class Quantity(StrEnum):
    """What an answer cost: milliseconds, or tokens as the server counts them."""

    LATENCY = "latency_ms"
    PROMPT_TOKENS = "prompt_tokens"
    OUTPUT_TOKENS = "output_tokens"


@dataclass(frozen=True)
class ComparableRun:
    """A complete run, in `comparable` one over the same split by the same student with the same weights.

    Attributes:
        rules: how many its prompt holds; 0 for a baseline.
        methods: how its answers were put down to rules.
    """

    run: Run
    rules: int
    methods: tuple[Method, ...]


@dataclass(frozen=True)
class RuleBar:
    """What is put down to one rule, or to none.

    Attributes:
        rule_id: `attribution.UNCOVERED` for the bar of what no rule covers.
        covered: examples it owns, its own sources left out.
        wrong: of these, those with a wrong answer.
        harm: of the wrong ones, those that the baseline answers rightly; None without a baseline.
        own_sources, own_wrong: its own sources in this run, and those of them with a wrong answer.
    """

    rule_id: str
    title: str
    covered: int
    wrong: int
    harm: int | None
    own_sources: int
    own_wrong: int

    @property
    def correct(self) -> int:
        return self.covered - self.wrong

    @property
    def error_rate(self) -> Proportion:
        """The share of wrong answers with its interval."""
        return Proportion.of(self.wrong, self.covered)


@dataclass(frozen=True)
class RuleBars:
    """A page of bars.

    Attributes:
        baseline: the run that harm is told against; None if there is none.
        rules: how many rules the prompt has.
        own_sources: answers in the run to sources of rules, which no bar counts.
    """

    run: Run
    method: Method
    baseline: int | None
    sort: BarSort
    bars: tuple[RuleBar, ...]
    uncovered: RuleBar
    rules: int
    own_sources: int

    @property
    def note(self) -> str:
        """Say what the bars leave out, empty if nothing."""
        if not self.own_sources:
            return ""
        train = "This run is over training examples. " if self.run.split is Split.TRAIN else ""
        return (
            f"{train}{self.own_sources:,} answers to the rules' own sources are left out: they say nothing of how a "
            "rule does on new examples."
        )


@dataclass(frozen=True)
class LabelCell:
    """What one rule covers of one gold label."""

    rule_id: str
    label: str
    covered: int
    wrong: int


@dataclass(frozen=True)
class ConfusionCell:
    """How many examples of one gold label got one answer; within one rule where `rule_id` names one.

    Attributes:
        said: a label, or `INVALID` for no usable answer.
    """

    gold: str
    said: str
    n: int
    rule_id: str = ""


def said_label(stored: str | None) -> str:
    """Return what an answer said, `INVALID` for no usable answer."""
    return stored or INVALID


@dataclass(frozen=True)
class TrendPoint:
    """A rule in one of several comparable runs; both counts are None where the prompt did not hold it."""

    run_id: int
    prompt_number: int
    at: str
    covered: int | None
    wrong: int | None


@dataclass(frozen=True)
class SharedClaims:
    """Examples that two rules both claim, own sources included, and how many of them got a wrong answer."""

    low: str
    high: str
    examples: int
    wrong: int


@dataclass(frozen=True)
class LabelFigures:
    """Of the examples of one gold label, how many a rule covers, and how many answers are wrong with and without one.

    Attributes:
        own_sources: examples that a rule was made from, counted nowhere else.
    """

    label: str
    covered: int
    wrong: int
    uncovered: int
    uncovered_wrong: int
    own_sources: int

    @property
    def coverage(self) -> Proportion:
        return Proportion.of(self.covered, self.covered + self.uncovered)


@dataclass(frozen=True)
class Histogram:
    """How what the answers cost is spread.

    Attributes:
        low: where the first bin begins.
        width: of each bin; bin i holds `low + i * width` up to, not including, `low + (i + 1) * width`.
        counts: answers in each bin.
        missing: answers of which it is not known; calls that failed or were refused took none and are counted here.
    """

    quantity: Quantity
    low: int
    width: int
    counts: tuple[int, ...]
    missing: int


@dataclass(frozen=True)
class LabelChange:
    """What became of the answers to the examples of one gold label between two runs.

    Attributes:
        before, after: right answers in either run.
        fixed, broken, still_wrong: of the examples that both runs asked.
    """

    label: str
    before: int
    after: int
    fixed: int
    broken: int
    still_wrong: int

    @property
    def only_in_one(self) -> int:
        """What examples that only one of the runs asked add to the right answers, net."""
        return self.after - (self.before + self.fixed - self.broken)


@dataclass(frozen=True)
class ChangedExample:
    """An example that two runs asked; what was said is as in `ConfusionCell`."""

    example_hash: str
    gold: str
    before: str
    after: str


@dataclass(frozen=True)
class HarmPoint:
    """A rule in the scatter of support against harm: how many examples it rests on, and what it does."""

    rule_id: str
    support: int
    covered: int
    wrong: int
    harm: int


@dataclass(frozen=True)
class AnswerFilter:
    """Which answers of a rule. Empty strings mean any.

    Attributes:
        said: a label, or `INVALID` for no usable answer.
        wrong: only wrong ones.
        harmed_since: only wrong ones that this run answers rightly.
        claimed: those that the rule only claims too, beside those that it owns.
        claimed_with: only those that this rule claims as well.
    """

    gold: str = ""
    said: str = ""
    wrong: bool = False
    harmed_since: int | None = None
    claimed: bool = False
    claimed_with: str = ""


EVERY_ANSWER = AnswerFilter()


@dataclass(frozen=True)
class AttributedAnswer:
    """An answer that is put down to a rule; see `attribution.Claim`."""

    example_hash: str
    gold: str
    said: str
    status: AnswerStatus
    is_owner: bool
    is_source: bool
    closeness: float | None


def baseline_of(runs: tuple[ComparableRun, ...], run_id: int) -> int | None:
    """Return the run that harm is told against if nobody chose one: the newest without rules, else the one before.

    Args:
        runs: comparable with the run, newest first, itself left out.
    """
    bare = [one.run.id for one in runs if not one.rules]
    earlier = [one.run.id for one in runs if one.run.id < run_id]
    return next(iter(bare or earlier), None)


def harm_ground(runs: Sequence[ComparableRun]) -> tuple[int, int] | None:
    """Return the run that harm is counted in, and its baseline, where nobody chose; None if there are none such.

    It is the newest over validation of a prompt with rules, put down to them by evidence, that has a baseline.

    Args:
        runs: complete ones of a task, newest first.
    """
    for one in runs:
        if one.run.split is Split.VALIDATION and one.rules and Method.EVIDENCE in one.methods:
            like = tuple(other for other in runs if other is not one and _is_like(other.run, one.run))
            if (baseline := baseline_of(like, one.run.id)) is not None:
                return one.run.id, baseline
    return None


def _is_like(run: Run, other: Run) -> bool:
    return (run.student, run.digest, run.split) == (other.student, other.digest, other.split)
