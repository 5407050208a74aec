"""What the decisions tell about the oversight itself. Never a ranking of people: nobody is named or compared.

Every share is given with its n and an interval; what cannot be told (no second opinion, nothing noted) is None or
counted apart, never zero.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pld_core.agreement import Agreement, agreement
from pld_core.attention import Attention
from pld_core.canonical import Json
from pld_core.models import AuthorKind, RejectCategory, Verdict
from pld_core.proportion import SMALL_SAMPLE, Proportion

LENGTH_BANDS = (1_000, 3_000, 10_000)
"""Upper ends, in characters, of the bands of text length: about a minute, three minutes, ten minutes of reading."""


@dataclass(frozen=True)
class DecisionFacts:
    """What the figures need to know of one decision.

    Attributes:
        revision_hash, evidence_hash: what was decided on, beside which evidence.
        author_kind: who wrote that revision.
        seconds: from opening the rule to deciding; None if the opening was not noted or lies after the decision.
        text_length: characters of the rule and of all its evidence, as they stood before the reviewer.
        attention: what the page noted; None for a decision that was made elsewhere or before it was noted.
        withdrawn: whoever made it took it back.
    """

    revision_hash: str
    evidence_hash: str
    author_kind: AuthorKind
    verdict: Verdict
    category: RejectCategory | None
    reviewer: str
    seconds: float | None
    text_length: int
    attention: Attention | None = None
    withdrawn: bool = False


@dataclass(frozen=True)
class RuleFacts:
    """What the figures need to know of one rule: whether a person rewrote it, and whether anybody decided on it."""

    edited: bool
    decided: bool


@dataclass(frozen=True)
class OversightFacts:
    """What the figures of a task are made of.

    Attributes:
        decisions: in the order in which they were made.
        asked, answered: requests for a second opinion, and those after which somebody else decided.
    """

    decisions: tuple[DecisionFacts, ...]
    rules: tuple[RuleFacts, ...]
    asked: int = 0
    answered: int = 0


def seconds_between(opened_at: str, decided_at: str) -> float | None:
    """Return the seconds from opening to deciding, None where the opening is unknown or lies after the decision."""
    if not opened_at:
        return None
    try:
        seconds = (datetime.fromisoformat(decided_at) - datetime.fromisoformat(opened_at)).total_seconds()
    except (ValueError, TypeError):
        # A command may be given any text as the time of opening; what is no time tells nothing.
        return None
    return seconds if seconds >= 0 else None


def opinion_pairs(decisions: Iterable[DecisionFacts]) -> tuple[tuple[str, str], ...]:
    """Return the verdicts of the first two people on each revision that two decided on beside the same evidence.

    In their order; what somebody took back is no opinion any more.
    """
    heard: dict[tuple[str, str], list[DecisionFacts]] = {}
    for decision in decisions:
        so_far = heard.setdefault((decision.revision_hash, decision.evidence_hash), [])
        if not decision.withdrawn and len(so_far) < 2 and decision.reviewer not in {d.reviewer for d in so_far}:
            so_far.append(decision)
    return tuple((d[0].verdict.value, d[1].verdict.value) for d in heard.values() if len(d) == 2)


# --- time beside length -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TimeBand:
    """Decisions on texts of about one length: how many had a time, and the quartiles of their seconds.

    Attributes:
        longest: most characters of the band; None for the last, which has no end.
        median, low, high: None below 10 decisions, as quartiles of so few say little.
        dots: the seconds themselves, in order, where there are fewer than 10; empty otherwise.
    """

    longest: int | None
    n: int
    median: float | None
    low: float | None
    high: float | None
    dots: tuple[float, ...] = ()

    def as_json(self) -> dict[str, Json]:
        return {
            "text_up_to_characters": self.longest,
            "decisions": self.n,
            "lower_quartile": self.low,
            "median": self.median,
            "upper_quartile": self.high,
            "fewer_than_ten": list(self.dots),
        }


def time_bands(times: Iterable[tuple[int, float]]) -> tuple[TimeBand, ...]:
    """Return the bands of (length of the text in characters, seconds) pairs, shortest texts first."""
    ends: tuple[int | None, ...] = (*LENGTH_BANDS, None)
    seconds: dict[int | None, list[float]] = {end: [] for end in ends}
    for length, taken in times:
        seconds[next((end for end in LENGTH_BANDS if length <= end), None)].append(taken)
    return tuple(_band(end, sorted(seconds[end])) for end in ends)


def _band(longest: int | None, seconds: list[float]) -> TimeBand:
    if len(seconds) < SMALL_SAMPLE:
        return TimeBand(longest, len(seconds), None, None, None, tuple(seconds))
    low, median, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return TimeBand(longest, len(seconds), median, low, high)


# --- evidence before approval -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ApprovalEvidence:
    """What was on the screen before approvals, as far as it was noted.

    Attributes:
        approvals: all of them.
        unknown: those of which nothing was noted; they are in none of the shares.
        contradicting, contradicting_in_full: of the approvals of rules with contradicting examples, how many had all of
            these on the screen, and how many with their whole texts.
        all_shown, all_in_full: the same for all examples of the evidence, of all approvals that are known.
    """

    approvals: int
    unknown: int
    contradicting: Proportion
    contradicting_in_full: Proportion
    all_shown: Proportion
    all_in_full: Proportion

    def as_json(self) -> dict[str, Json]:
        return {
            "approvals": self.approvals,
            "not_noted": self.unknown,
            "every_contradicting_example_shown": self.contradicting.as_json(),
            "every_contradicting_example_in_full": self.contradicting_in_full.as_json(),
            "every_example_shown": self.all_shown.as_json(),
            "every_example_in_full": self.all_in_full.as_json(),
        }


def approval_evidence(decisions: Iterable[DecisionFacts]) -> ApprovalEvidence:
    """Return what was on the screen before the approvals among these decisions."""
    noted = [decision.attention for decision in decisions if decision.verdict is Verdict.APPROVE]
    known = [attention for attention in noted if attention is not None]
    contradicted = [attention.contradicting for attention in known if attention.contradicting.total]
    evidence = [attention.evidence for attention in known]
    return ApprovalEvidence(
        approvals=len(noted),
        unknown=len(noted) - len(known),
        contradicting=Proportion.of(sum(s.shown == s.total for s in contradicted), len(contradicted)),
        contradicting_in_full=Proportion.of(sum(s.in_full == s.total for s in contradicted), len(contradicted)),
        all_shown=Proportion.of(sum(s.shown == s.total for s in evidence), len(evidence)),
        all_in_full=Proportion.of(sum(s.in_full == s.total for s in evidence), len(evidence)),
    )


# --- all of it --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Oversight:
    """The figures of a task. Decisions that were withdrawn count as made, but not as opinions.

    Attributes:
        verdicts, categories: number of decisions by verdict and, of rejections, by category.
        overridden: of the decisions on the teacher's own words, how many were not an approval.
        edited: of the rules that somebody decided on or rewrote, how many a person rewrote.
        active: active time by length of the text; `without_attention` decisions have none.
        elapsed: time from opening to deciding, pauses included; `without_opening` decisions have none.
        opinions: of the requests for a second opinion, how many were followed by somebody else's decision.
    """

    decisions: int
    reviewers: int
    withdrawn: int
    verdicts: dict[Verdict, int]
    categories: dict[RejectCategory, int]
    overridden: Proportion
    edited: Proportion
    agreement: Agreement
    active: tuple[TimeBand, ...]
    without_attention: int
    elapsed: tuple[TimeBand, ...]
    without_opening: int
    evidence: ApprovalEvidence
    opinions: Proportion

    def as_json(self) -> dict[str, Json]:
        return {
            "decisions": self.decisions,
            "reviewers": self.reviewers,
            "withdrawn": self.withdrawn,
            "verdicts": {verdict.value: n for verdict, n in self.verdicts.items()},
            "reject_categories": {category.value: n for category, n in self.categories.items()},
            "overridden_teacher_revisions": self.overridden.as_json(),
            "rules_edited_by_a_person": self.edited.as_json(),
            "agreement": self.agreement.as_json(),
            "active_seconds": [band.as_json() for band in self.active],
            "decisions_without_active_time": self.without_attention,
            "seconds_from_opening_to_decision": [band.as_json() for band in self.elapsed],
            "decisions_without_a_noted_opening": self.without_opening,
            "evidence_before_approval": self.evidence.as_json(),
            "second_opinions_answered": self.opinions.as_json(),
        }


def oversight(facts: OversightFacts) -> Oversight:
    """Return the figures over all decisions and rules of a task."""
    decisions = facts.decisions
    verdicts = Counter(decision.verdict for decision in decisions)
    categories = Counter(decision.category for decision in decisions if decision.category)
    standing = [decision for decision in decisions if not decision.withdrawn]
    on_teacher = [decision for decision in standing if decision.author_kind is AuthorKind.TEACHER]
    touched = [rule for rule in facts.rules if rule.decided or rule.edited]
    return Oversight(
        decisions=len(decisions),
        reviewers=len({decision.reviewer for decision in decisions}),
        withdrawn=len(decisions) - len(standing),
        verdicts={verdict: verdicts[verdict] for verdict in Verdict},
        categories={category: categories[category] for category in RejectCategory},
        overridden=Proportion.of(sum(d.verdict is not Verdict.APPROVE for d in on_teacher), len(on_teacher)),
        edited=Proportion.of(sum(rule.edited for rule in touched), len(touched)),
        agreement=agreement(opinion_pairs(decisions), len(Verdict)),
        active=time_bands(_active(decisions)),
        without_attention=sum(decision.attention is None for decision in decisions),
        elapsed=time_bands((d.text_length, d.seconds) for d in decisions if d.seconds is not None),
        without_opening=sum(decision.seconds is None for decision in decisions),
        evidence=approval_evidence(decisions),
        opinions=Proportion.of(facts.answered, facts.asked),
    )


def _active(decisions: Sequence[DecisionFacts]) -> list[tuple[int, float]]:
    return [(d.text_length, float(d.attention.active_seconds)) for d in decisions if d.attention is not None]
