"""What a rule does to the student: which validation examples it affects, the prompts with and without it, and how the
answers differ. Pure; `measuring.py` asks the student.

Affected are validation examples that lie as near to the rule's supporting examples as these do to each other. They say
nothing of the examples farther away, which a rule that reaches too far changes too: that is what a run over the whole
split is for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from pld_core.canonical import Json, hash_json
from pld_core.compilation import compile_trial
from pld_core.model_ports import Vectors
from pld_core.models import (
    Answer,
    AnswerStatus,
    CompiledPrompt,
    CompiledRule,
    EvidenceRole,
    Example,
    Revision,
    RuleDossier,
    Task,
    evidence_set_hash,
)
from pld_core.nearness import closeness_to, radius_of_new
from pld_core.paired import mcnemar
from pld_core.prompt_order import Candidate
from pld_core.proportion import Proportion

AT_LEAST = 10
"""So many of the nearest count as affected even if they lie farther away: below ten no rate is shown."""
AT_MOST = 50
"""A hundred questions: what a reviewer can wait for with a small student."""


class Outcome(StrEnum):
    """How the two answers to one example compare with its gold label; no usable answer is a wrong one."""

    FIXED = "fixed"
    BROKEN = "broken"
    STILL_RIGHT = "right both times"
    STILL_WRONG = "wrong both times"


@dataclass(frozen=True)
class Case:
    """One affected example: its gold label, and what the student said without and with the rule."""

    example_hash: str
    gold: str
    without: Answer
    with_rule: Answer

    @property
    def outcome(self) -> Outcome:
        before, after = self.without.label == self.gold, self.with_rule.label == self.gold
        if before == after:
            return Outcome.STILL_RIGHT if after else Outcome.STILL_WRONG
        return Outcome.FIXED if after else Outcome.BROKEN


@dataclass(frozen=True)
class Basis:
    """What an effect was measured for; if any of it is another one now, the effect is one of an earlier state.

    Attributes:
        without_sha256, with_sha256: hashes of the two prompts' texts.
        validation: how many validation examples the task had.
    """

    rule_id: str
    revision_hash: str
    evidence_hash: str
    without_sha256: str
    with_sha256: str
    validation: int

    def changes(self, now: Basis) -> tuple[str, ...]:
        """Return what is another one now, in words; empty if this still holds."""
        if self.revision_hash != now.revision_hash:
            return ("an earlier text of the rule",)
        found = []
        if (self.without_sha256, self.with_sha256) != (now.without_sha256, now.with_sha256):
            found.append("an earlier prompt")
        if self.evidence_hash != now.evidence_hash:
            found.append("earlier evidence")
        if self.validation != now.validation:
            found.append("another number of validation examples")
        return tuple(found)


@dataclass(frozen=True)
class Prompts:
    """The prompt of the rules in force without a rule, and the one with its newest revision."""

    without: CompiledPrompt
    with_rule: CompiledPrompt


@dataclass(frozen=True)
class Trial:
    """What is to be measured: two prompts over the affected examples, the nearest first."""

    task: Task
    basis: Basis
    prompts: Prompts
    examples: tuple[Example, ...]

    @property
    def questions(self) -> int:
        """How many questions it takes if none was answered before."""
        return 2 * len(self.examples)


@dataclass(frozen=True)
class StudentKey:
    """Who answers: answers of equal keys to equal prompts and examples are interchangeable.

    Attributes:
        digest: what identifies the weights, as exact as the server tells.
        options: hash of everything else that a question is asked with.
    """

    name: str
    digest: str
    options: str


@dataclass(frozen=True)
class Effect:
    """What was measured; `manifest` says of which revisions the prompt with the rule consists."""

    task: str
    basis: Basis
    student: StudentKey
    cases: tuple[Case, ...]
    manifest: Mapping[str, Json]

    @property
    def hash(self) -> str:
        """Content address of the measurement, times left aside."""
        cases: list[Json] = [
            [case.example_hash, case.gold, *_told(case.without), *_told(case.with_rule)] for case in self.cases
        ]
        return hash_json({"task": self.task, **asdict(self.basis), "student": asdict(self.student), "cases": cases})

    def having(self, outcome: Outcome) -> tuple[Case, ...]:
        return tuple(case for case in self.cases if case.outcome is outcome)

    @property
    def fixed(self) -> int:
        return len(self.having(Outcome.FIXED))

    @property
    def broken(self) -> int:
        return len(self.having(Outcome.BROKEN))

    @property
    def right_without(self) -> Proportion:
        return Proportion.of(sum(case.without.label == case.gold for case in self.cases), len(self.cases))

    @property
    def right_with(self) -> Proportion:
        return Proportion.of(sum(case.with_rule.label == case.gold for case in self.cases), len(self.cases))

    @property
    def unusable(self) -> dict[AnswerStatus, int]:
        """How many of the answers state no label, by what became of them; all of them count as wrong."""
        answers = [answer for case in self.cases for answer in (case.without, case.with_rule)]
        return dict(Counter(answer.status for answer in answers if answer.status is not AnswerStatus.OK))

    @property
    def p_value(self) -> float | None:
        """See `paired.mcnemar`."""
        return mcnemar(self.fixed, self.broken)

    @property
    def words(self) -> str:
        """Such as `fixed 3, broken 1 of 24 affected validation examples`."""
        examples = "example" if len(self.cases) == 1 else "examples"
        return f"fixed {self.fixed:,}, broken {self.broken:,} of {len(self.cases):,} affected validation {examples}"


@dataclass(frozen=True)
class StoredEffect:
    """A measured effect as the store holds it."""

    id: int
    effect: Effect
    at: str
    by: str


def _told(answer: Answer) -> list[Json]:
    return [answer.label, answer.status.value]


# --- what is to be measured -------------------------------------------------------------------------------------------


def prompts_of(task: Task, in_force: tuple[Candidate, ...], dossier: RuleDossier) -> Prompts:
    """Compile the rules in force without the rule, and with its newest revision added or in the old one's place."""
    head = dossier.head
    others = tuple(entry for entry in in_force if entry[1].rule_id != head.rule_id)
    mine = next((entry for entry in in_force if entry[1].revision_hash == head.hash), _candidate(head, dossier))
    return Prompts(compile_trial(task, others), compile_trial(task, (*others, mine)))


def _candidate(head: Revision, dossier: RuleDossier) -> Candidate:
    support = sum(e.role is EvidenceRole.SUPPORTS for e in dossier.evidence)
    return head, CompiledRule(0, head.rule_id, head.hash, 0), support


def basis_of(dossier: RuleDossier, prompts: Prompts, validation: int) -> Basis:
    """Return what an effect would be measured for now."""
    return Basis(
        rule_id=dossier.summary.id,
        revision_hash=dossier.head.hash,
        evidence_hash=evidence_set_hash(dossier.evidence),
        without_sha256=prompts.without.sha256,
        with_sha256=prompts.with_rule.sha256,
        validation=validation,
    )


def telling_texts(dossier: RuleDossier) -> list[str]:
    """Return the texts that say what a rule is about: its supporting examples, or its condition where it has none."""
    supporting = [e.example_hash for e in dossier.evidence if e.role is EvidenceRole.SUPPORTS]
    texts = [dossier.examples[content].text for content in supporting if content in dossier.examples]
    return texts or [dossier.head.text.condition]


def affected(telling: int, vectors: Vectors, examples: Sequence[Example]) -> tuple[Example, ...]:
    """Return the examples that a rule affects, nearest first: those within the radius of what tells of it.

    The radius leaves out the farthest tenth of the telling texts, as `nearness` does; each of them is compared with the
    centre of the others, as it would be if it were new. At least the `AT_LEAST` nearest count, at most `AT_MOST`. No
    lot is drawn: of equally near ones the lower hash comes first.

    Args:
        telling: how many rows, the first, are of texts that tell of the rule.
        vectors: (telling + examples, dimensions) embeddings.
    """
    closeness = closeness_to(vectors, range(telling))[telling:].tolist()
    ranked = sorted(zip(closeness, examples, strict=True), key=lambda one: (-one[0], one[1].hash))
    radius = radius_of_new(vectors[:telling])
    inside = sum(near >= radius and near > 0 for near, _ in ranked)
    return tuple(example for _, example in ranked[: min(AT_MOST, max(AT_LEAST, inside))])


def effect_of(
    trial: Trial, student: StudentKey, without: Mapping[str, Answer], with_rule: Mapping[str, Answer]
) -> Effect:
    """Put the answers of a trial together; each mapping holds one for every example, by hash."""
    cases = tuple(Case(e.hash, e.label, without[e.hash], with_rule[e.hash]) for e in trial.examples)
    return Effect(trial.task.name, trial.basis, student, cases, trial.prompts.with_rule.manifest())
