"""What the decisions tell about the oversight itself: agreement, edits, time beside length. Never a ranking of people.

Every share is given with its n and an interval; what cannot be told (no second opinion yet) is None, never zero.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pld_core.canonical import Json
from pld_core.evaluation import SMALL_SAMPLE, Proportion
from pld_core.models import AuthorKind, RejectCategory, Verdict

LENGTH_BANDS = (1_000, 3_000, 10_000)
"""Upper ends, in characters, of the bands of text length: about a minute, three minutes, ten minutes of reading."""


@dataclass(frozen=True)
class DecisionFacts:
    """What the figures need to know of one decision.

    Attributes:
        revision_hash: what was decided on.
        author_kind: who wrote that revision.
        seconds: from opening the rule to deciding; None if the opening was not noted or lies after the decision.
        text_length: characters of the rule and of all its evidence, as they stood before the reviewer.
    """

    revision_hash: str
    author_kind: AuthorKind
    verdict: Verdict
    category: RejectCategory | None
    reviewer: str
    seconds: float | None
    text_length: int


@dataclass(frozen=True)
class RuleFacts:
    """What the figures need to know of one rule: whether a person rewrote it, and whether anybody decided on it."""

    edited: bool
    decided: bool


@dataclass(frozen=True)
class Agreement:
    """How far two people agree on the same revision, beyond what their habits alone would give.

    Attributes:
        n: revisions with two opinions.
        agreed: of these, how many had the same verdict.
        kappa: Cohen's kappa, -1 to 1; None without a pair, or where both only ever gave one and the same verdict.
        expected: agreement that their habits alone would give, 0 to 1; None without a pair.
        prevalence: share of each verdict among all 2 n opinions. A kappa near 0 beside one verdict at 95 % says little:
            where nearly all is alike, little agreement is left to be earned.
    """

    n: int
    agreed: int
    kappa: float | None
    expected: float | None
    prevalence: dict[str, float]


def agreement(pairs: Sequence[tuple[str, str]]) -> Agreement:
    """Return the agreement over (first opinion, second opinion) pairs.

    Source: Cohen 1960, "A coefficient of agreement for nominal scales". Two of two people agree on 3 of 4 rules, one
    approving 3 and the other 2 of them: observed 0.75, expected 0.5, kappa 0.5.

    >>> agreement([("a", "a"), ("a", "a"), ("a", "r"), ("r", "r")]).kappa
    0.5
    """
    n = len(pairs)
    if n == 0:
        return Agreement(0, 0, None, None, {})
    first, second = Counter(pair[0] for pair in pairs), Counter(pair[1] for pair in pairs)
    agreed = sum(a == b for a, b in pairs)
    # Whole numbers until the last step, so that full chance agreement is recognised exactly.
    by_chance = sum(first[name] * second[name] for name in first)
    kappa = None if by_chance == n * n else (agreed * n - by_chance) / (n * n - by_chance)
    both = first + second
    return Agreement(n, agreed, kappa, by_chance / (n * n), {name: both[name] / (2 * n) for name in sorted(both)})


def opinion_pairs(decisions: Iterable[DecisionFacts]) -> tuple[tuple[str, str], ...]:
    """Return the verdicts of the first two people on each revision that two people decided on, in their order."""
    heard: dict[str, list[DecisionFacts]] = {}
    for decision in decisions:
        so_far = heard.setdefault(decision.revision_hash, [])
        if len(so_far) < 2 and decision.reviewer not in {d.reviewer for d in so_far}:
            so_far.append(decision)
    return tuple((d[0].verdict.value, d[1].verdict.value) for d in heard.values() if len(d) == 2)


@dataclass(frozen=True)
class TimeBand:
    """Decisions on texts of about one length: how many had a time, and the quartiles of their seconds.

    Attributes:
        longest: most characters of the band; None for the last, which has no end.
        median, low, high: None below 10 decisions, as their times say little.
    """

    longest: int | None
    n: int
    median: float | None
    low: float | None
    high: float | None


def time_bands(decisions: Iterable[DecisionFacts]) -> tuple[TimeBand, ...]:
    """Return the seconds from opening to deciding, by length of the text, shortest texts first."""
    ends: tuple[int | None, ...] = (*LENGTH_BANDS, None)
    seconds: dict[int | None, list[float]] = {end: [] for end in ends}
    for decision in decisions:
        if decision.seconds is not None:
            end = next((end for end in LENGTH_BANDS if decision.text_length <= end), None)
            seconds[end].append(decision.seconds)
    return tuple(_band(end, seconds[end]) for end in ends)


def _band(longest: int | None, seconds: list[float]) -> TimeBand:
    if len(seconds) < SMALL_SAMPLE:
        return TimeBand(longest, len(seconds), None, None, None)
    low, median, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return TimeBand(longest, len(seconds), median, low, high)


@dataclass(frozen=True)
class Oversight:
    """The figures of a task.

    Attributes:
        verdicts, categories: number of decisions by verdict and, of rejections, by category.
        overridden: of the decisions on the teacher's own words, how many were not an approval.
        edited: of the rules that somebody decided on or rewrote, how many a person rewrote.
    """

    decisions: int
    reviewers: int
    verdicts: dict[Verdict, int]
    categories: dict[RejectCategory, int]
    overridden: Proportion
    edited: Proportion
    agreement: Agreement
    times: tuple[TimeBand, ...]
    without_time: int

    def as_json(self) -> dict[str, Json]:
        return {
            "decisions": self.decisions,
            "reviewers": self.reviewers,
            "verdicts": {verdict.value: n for verdict, n in self.verdicts.items()},
            "reject_categories": {category.value: n for category, n in self.categories.items()},
            "overridden_teacher_revisions": _share(self.overridden),
            "rules_edited_by_a_person": _share(self.edited),
            "agreement": {
                "pairs": self.agreement.n,
                "agreed": self.agreement.agreed,
                "cohens_kappa": self.agreement.kappa,
                "expected_by_chance": self.agreement.expected,
                "prevalence": self.agreement.prevalence,
            },
            "seconds_from_opening_to_decision": [
                {
                    "text_up_to_characters": band.longest,
                    "decisions": band.n,
                    "lower_quartile": band.low,
                    "median": band.median,
                    "upper_quartile": band.high,
                }
                for band in self.times
            ],
            "decisions_without_a_noted_opening": self.without_time,
        }


def oversight(decisions: Sequence[DecisionFacts], rules: Sequence[RuleFacts]) -> Oversight:
    """Return the figures over all decisions of a task, in the order in which they were made, and over all its rules."""
    verdicts = Counter(decision.verdict for decision in decisions)
    categories = Counter(decision.category for decision in decisions if decision.category)
    on_teacher = [decision for decision in decisions if decision.author_kind is AuthorKind.TEACHER]
    touched = [rule for rule in rules if rule.decided or rule.edited]
    return Oversight(
        decisions=len(decisions),
        reviewers=len({decision.reviewer for decision in decisions}),
        verdicts={verdict: verdicts[verdict] for verdict in Verdict},
        categories={category: categories[category] for category in RejectCategory},
        overridden=Proportion.of(sum(d.verdict is not Verdict.APPROVE for d in on_teacher), len(on_teacher)),
        edited=Proportion.of(sum(rule.edited for rule in touched), len(touched)),
        agreement=agreement(opinion_pairs(decisions)),
        times=time_bands(decisions),
        without_time=sum(decision.seconds is None for decision in decisions),
    )


def _share(share: Proportion) -> dict[str, Json]:
    known = share.low is not None and share.high is not None
    return {"k": share.k, "n": share.n, "rate": share.rate, "interval_95": [share.low, share.high] if known else None}
