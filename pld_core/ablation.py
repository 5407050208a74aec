"""What changes when one rule is left out of a prompt. Pure; `ablating.py` asks the student.

The answers with the rule are those of a complete run; only those without it are asked for. Affected are the answers
that the rule claims by evidence or that cite it: of the others nothing is known unless all of them are asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from pld_core.canonical import Json, hash_json
from pld_core.effect import Case, Outcome, StudentKey
from pld_core.metrics import Cell
from pld_core.models import Answer, Prediction
from pld_core.paired import Comparison, Pair, compare_counted
from pld_core.proportion import Proportion

CHANGED_AT_LEAST = 5
"""With fewer answers that changed between right and wrong nothing is concluded."""
NEUTRAL = 0.005
"""A difference of macro F1 of at most this makes no rule worth its tokens, nor worth removing."""


class Scope(StrEnum):
    """Which answers of the run are asked for without the rule."""

    AFFECTED = "affected"
    ALL = "all"


class AblationVerdict(StrEnum):
    """What leaving a rule out shows of it."""

    HELPS = "the rule helps"
    HARMS = "the rule harms"
    NEUTRAL = "the rule makes no difference worth naming"
    NOT_SHOWN = "no difference shown"
    INCONCLUSIVE = "inconclusive: fewer than 5 answers changed"


@dataclass(frozen=True)
class Ablated:
    """What was left out of what.

    Attributes:
        with_sha256, without_sha256: hashes of the texts of the run's prompt and of the one without the rule.
    """

    run_id: int
    rule_id: str
    revision_hash: str
    with_sha256: str
    without_sha256: str
    scope: Scope


@dataclass(frozen=True)
class Ablation:
    """The answers to the same examples with and without a rule.

    Attributes:
        student: whose answers without the rule these are.
        cases: one for each example that was asked for; what the run itself got no answer to is left out.
        citing: hashes of those examples whose answer with the rule cites it.
    """

    task: str
    of: Ablated
    student: StudentKey
    cases: tuple[Case, ...]
    citing: tuple[str, ...]

    @property
    def hash(self) -> str:
        """Content address of the measurement, times left aside."""
        cases: list[Json] = [
            [case.example_hash, case.gold, case.without.label, case.with_rule.label] for case in self.cases
        ]
        content: dict[str, Json] = {**asdict(self.of), "scope": self.of.scope.value, "student": asdict(self.student)}
        return hash_json({**content, "task": self.task, "cases": cases, "citing": list(self.citing)})

    def _count(self, outcome: Outcome) -> int:
        return sum(case.outcome is outcome for case in self.cases)

    @property
    def fixed(self) -> int:
        """Answers that are right only with the rule."""
        return self._count(Outcome.FIXED)

    @property
    def broken(self) -> int:
        """Answers that are right only without it."""
        return self._count(Outcome.BROKEN)

    @property
    def net(self) -> int:
        return self.fixed - self.broken

    @property
    def confirmed(self) -> Proportion:
        """The share of the answers that cite the rule and say another label without it."""
        said = {case.example_hash: case.without.label != case.with_rule.label for case in self.cases}
        return Proportion.of(sum(said[content] for content in self.citing), len(self.citing))


@dataclass(frozen=True)
class AblationFigures:
    """What an ablation shows over the whole run; answers that were not asked for count as unchanged.

    Attributes:
        comparison: the prompt without the rule before, the one with it after.
    """

    comparison: Comparison
    verdict: AblationVerdict


@dataclass(frozen=True)
class StoredAblation:
    """An ablation as the store holds it."""

    id: int
    ablation: Ablation
    at: str
    by: str


@dataclass(frozen=True)
class ShownAblation:
    """An ablation with what it shows over its run."""

    stored: StoredAblation
    figures: AblationFigures

    @property
    def asked_words(self) -> str:
        """Such as `21 affected answers` or `all 51 answers`."""
        n, scope = len(self.stored.ablation.cases), self.stored.ablation.of.scope
        return f"{n:,} {scope.value} answers" if scope is Scope.AFFECTED else f"all {n:,} answers"

    def as_json(self) -> dict[str, Json]:
        measured, of = self.stored.ablation, self.stored.ablation.of
        return {
            "rule": of.rule_id,
            "revision": of.revision_hash,
            "scope": of.scope.value,
            "n": len(measured.cases),
            "fixed": measured.fixed,
            "broken": measured.broken,
            "net": measured.net,
            "verdict": self.figures.verdict.name.lower(),
            "with_against_without": self.figures.comparison.as_json(),
            "citations_confirmed": measured.confirmed.as_json(),
            "at": self.stored.at,
            "by": self.stored.by,
        }


def confirmed_in_all(found: Sequence[ShownAblation]) -> Proportion:
    """Return the share of the citations of rules that were left out which say another label without the rule.

    Of a rule that was left out in both scopes, the wider one counts. An answer that cites two rules counts twice.
    """
    by_rule: dict[str, Ablation] = {}
    for one in sorted(found, key=lambda one: one.stored.ablation.of.scope is Scope.ALL):
        by_rule[one.stored.ablation.of.rule_id] = one.stored.ablation
    shares = [ablation.confirmed for ablation in by_rule.values()]
    return Proportion.of(sum(share.k for share in shares), sum(share.n for share in shares))


def figures_of(ablation: Ablation, labels: Sequence[str], answers: Mapping[Cell, int]) -> AblationFigures:
    """Return what an ablation shows over the run's answers.

    Args:
        labels: the declared ones.
        answers: how many of the run are of each kind, those that were asked for again among them; at least one.
    """
    pairs: Counter[Pair] = Counter()
    for cell, n in answers.items():
        pairs[Pair(cell.gold, cell.said, cell.said)] += n
    for case in ablation.cases:
        pairs[Pair(case.gold, case.with_rule.label, case.with_rule.label)] -= 1
        pairs[Pair(case.gold, case.without.label, case.with_rule.label)] += 1
    found = compare_counted(labels, +pairs)
    return AblationFigures(found, verdict_on(ablation.fixed + ablation.broken, found))


def verdict_on(changed: int, found: Comparison) -> AblationVerdict:
    """Return what is concluded from so many changed answers and this comparison of without against with."""
    if changed < CHANGED_AT_LEAST:
        return AblationVerdict.INCONCLUSIVE
    if abs(found.difference) <= NEUTRAL:
        return AblationVerdict.NEUTRAL
    if found.low > 0:
        return AblationVerdict.HELPS
    return AblationVerdict.HARMS if found.high < 0 else AblationVerdict.NOT_SHOWN


def ablation_of(
    task: str, of: Ablated, student: StudentKey, asked: Sequence[Prediction], without: Mapping[str, Answer]
) -> Ablation:
    """Put the answers together; `without` holds one for each of the run's answers that were asked for again."""
    cases = tuple(Case(p.example_hash, p.gold, without[p.example_hash], p.answer) for p in asked)
    citing = tuple(sorted(p.example_hash for p in asked if of.rule_id in p.answer.cited))
    return Ablation(task, of, student, cases, citing)
