"""Failures that belong together: the same implicated rules, the same confusion. One teacher call each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pld_core.canonical import Json, hash_json
from pld_core.conflicts.chart import Implication
from pld_core.models import Example


class Source(StrEnum):
    """Where a conflict was found."""

    STUDENT = "student"
    RULES = "rules"
    PEOPLE = "people"


@dataclass(frozen=True)
class Observed:
    """An example and what the student said to it; None for no usable answer, which counts as wrong.

    Attributes:
        asked: False where no student was asked: then `said` is what the rule concludes.
    """

    example: Example
    said: str | None
    cited: tuple[str, ...] = ()
    asked: bool = True

    @property
    def is_right(self) -> bool:
        return self.said == self.example.label


@dataclass(frozen=True)
class Finding:
    """What a person holds against rules: a wrong answer that was marked, or an example that was ticked.

    Attributes:
        example: the input with the right label; that of a marked answer need not be an example of the task.
        rules: ids of the rules that it is laid to.
        asked: as of `Observed`: False for an example that was ticked.
    """

    example: Example
    said: str
    rules: tuple[str, ...]
    asked: bool = True


@dataclass(frozen=True)
class Group:
    """What one teacher call is about.

    Attributes:
        rules: ids of the implicated rules, by number; empty where no rule comes near.
        gold, said: the confusion; empty for two rules that are compared before any student has run.
        successes: right answers of the same rules.
        matching: examples that both of two compared rules reach; nothing was said to them.
        voices: what people said of the rules, in sentences; material for the teacher, never an instruction.
    """

    source: Source
    rules: tuple[str, ...]
    gold: str
    said: str
    failures: tuple[Observed, ...] = ()
    successes: tuple[Observed, ...] = ()
    matching: tuple[Example, ...] = ()
    voices: tuple[str, ...] = ()

    @property
    def hash(self) -> str:
        """Content address of what the group is about; what most groups do not have is left out where it is empty."""
        shown = (*self.failures, *self.successes)
        about: dict[str, Json] = {
            "source": self.source.value,
            "rules": list(self.rules),
            "confusion": [self.gold, self.said],
            "answers": [[one.example.hash, one.said] for one in shown],
            "matching": [example.hash for example in self.matching],
        }
        if unasked := [one.example.hash for one in shown if not one.asked]:
            about["unasked"] = list(unasked)
        if self.voices:
            about["voices"] = list(self.voices)
        return hash_json(about)


def student_groups(observed: Sequence[Observed], implication: Implication) -> tuple[Group, ...]:
    """Group the wrong answers of a run, the largest group first.

    Answers that state no label are in no group: no rule's words make an answer readable. They stay wrong in the score.
    """
    laid = {
        one.example.hash: implication.rules_of(one.example.hash, one.example.label, one.said, one.cited)
        for one in observed
    }
    found: dict[tuple[tuple[str, ...], str, str], list[Observed]] = {}
    for one in observed:
        if not one.is_right and one.said is not None:
            found.setdefault((laid[one.example.hash], one.example.label, one.said), []).append(one)
    right = [one for one in observed if one.is_right]
    groups = [
        Group(
            Source.STUDENT,
            rules,
            gold,
            said,
            tuple(failures),
            tuple(one for one in right if set(laid[one.example.hash]) & set(rules)),
        )
        for (rules, gold, said), failures in found.items()
    ]
    return tuple(sorted(groups, key=lambda g: (-len(g.failures), g.gold, g.said, g.rules)))


def pair_groups(
    pairs: Iterable[tuple[str, str]], examples: Sequence[Example], implication: Implication
) -> tuple[Group, ...]:
    """Return a group for each pair of close rules with different labels that some examples match both of."""
    groups = []
    for low, high in pairs:
        both = implication.reaching_both(low, high)
        if matching := tuple(example for example in examples if example.hash in both):
            groups.append(Group(Source.RULES, (low, high), "", "", matching=matching))
    return tuple(groups)


def finding_groups(findings: Sequence[Finding], known: Sequence[str]) -> tuple[Group, ...]:
    """Group what people found, by rules and confusion; rules that are not `known` any more are left out."""
    found: dict[tuple[tuple[str, ...], str, str], list[Observed]] = {}
    for finding in findings:
        rules = tuple(rule_id for rule_id in finding.rules if rule_id in known)
        key = (rules, finding.example.label, finding.said)
        found.setdefault(key, []).append(Observed(finding.example, finding.said, asked=finding.asked))
    return tuple(
        Group(Source.PEOPLE, rules, gold, said, tuple(failures)) for (rules, gold, said), failures in found.items()
    )


def without_covered(groups: Sequence[Group], covering: Sequence[Group]) -> tuple[Group, ...]:
    """Return the groups about rules that no covering group holds all of: one call about the same rules is enough."""
    return tuple(g for g in groups if not any(set(g.rules) <= set(other.rules) for other in covering if g.rules))
