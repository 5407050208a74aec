"""Findings: answers of the student that a person marked right or wrong, and what became of them at the rules. Pure.

A finding changes no rule. It waits at the rules that it is about until a reviewer takes it as evidence or dismisses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pld_core.errors import InvalidInput, MissingReason
from pld_core.models import Answer, EvidenceRole, Example, ExampleState, Split, Task

MOST_NOTE = 2_000
"""Characters of a note or a reason: what a reader of the queue still reads."""


class Mark(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"


@dataclass(frozen=True)
class AnswerPlace:
    """Where the answer stands that was marked: a live test, or an example of a run.

    Attributes:
        live_test: number of the live test; 0 for an answer of a run.
        run: number of the run; 0 for a live test.
        example_hash: the example of the run; empty for a live test.
    """

    live_test: int = 0
    run: int = 0
    example_hash: str = ""

    @property
    def words(self) -> str:
        """Such as `live test 12` or `run 3`."""
        return f"live test {self.live_test}" if self.live_test else f"run {self.run}"


@dataclass(frozen=True)
class Marking:
    """What a person says of an answer.

    Attributes:
        label: the declared label that is right; for a right answer the one that the student said.
        note: why, in the person's words; required for a wrong answer.
        rules: ids of the rules that it is about; may be empty, somebody can name them later.
    """

    task: str
    place: AnswerPlace
    mark: Mark
    label: str
    note: str = ""
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a reviewer made of a finding at one rule; `role` is None for one that was dismissed."""

    rule_id: str
    role: EvidenceRole | None
    reason: str
    example_hash: str
    at: str
    by: str


@dataclass(frozen=True)
class Finding:
    """A marking as the store holds it, beside the answer that was marked.

    Attributes:
        fields: the input that was asked about, (field name, text) pairs in the task's order.
        prompt_number: of the version that was asked; 0 for a trial that is no version.
        rules: ids of the rules that it is about, those that were named later included.
        outcomes: what became of it, by rule; a rule without one still waits for a reviewer.
        replaced: the same person marked the same answer again, so that this one counts no more.
    """

    id: int
    marking: Marking
    fields: tuple[tuple[str, str], ...]
    prompt_sha256: str
    prompt_number: int
    student: str
    digest: str
    answer: Answer
    at: str
    by: str
    rules: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    replaced: bool = False

    @property
    def waits_at(self) -> tuple[str, ...]:
        """The rules at which a reviewer still has to look at it."""
        if self.replaced or self.marking.mark is Mark.RIGHT:
            return ()
        done = {outcome.rule_id for outcome in self.outcomes}
        return tuple(rule_id for rule_id in self.rules if rule_id not in done)

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something: look at it, or say which rule it is about."""
        if self.replaced or self.marking.mark is Mark.RIGHT:
            return False
        return bool(self.waits_at) or not self.outcomes

    @property
    def said(self) -> str:
        """What the student said, in words."""
        return self.answer.label or f"no label ({self.answer.status.value})"


@dataclass(frozen=True)
class Settlement:
    """What a reviewer decides on a finding at one rule.

    Attributes:
        rule_id: empty to dismiss a finding that is about no rule.
        seen_revision: hash of the rule's revision that was on the screen; empty to dismiss without a look at the rule.
        role: what the input says of the rule; None to dismiss the finding.
        reason: required to dismiss.
    """

    finding: int
    rule_id: str
    seen_revision: str = ""
    role: EvidenceRole | None = None
    reason: str = ""


def checked(task: Task, marking: Marking, said: str | None) -> Marking:
    """Return the marking with its note trimmed.

    Args:
        said: the label that the student gave; None for no usable answer.

    Raises:
        InvalidInput: the label is not declared, equals the answer that is marked wrong, or is another than the answer
            that is marked right; the note is too long.
        MissingReason: a wrong answer without a note.
    """
    note, kept = marking.note.strip(), "Nothing was recorded."
    if marking.label not in task.label_names:
        raise InvalidInput(
            f"The label {marking.label!r} is not one of {', '.join(task.label_names)}. {kept} Choose the right one."
        )
    if marking.mark is Mark.RIGHT and said != marking.label:
        raise InvalidInput(f"The student did not say {marking.label}, so that cannot be right. {kept} Mark it wrong.")
    if marking.mark is Mark.WRONG and said == marking.label:
        raise InvalidInput(f"{marking.label} is what the student said. {kept} Choose the label that is right.")
    if marking.mark is Mark.WRONG and not note:
        raise MissingReason(f"A wrong answer needs a note on why it is wrong. {kept} Add one and mark it again.")
    if len(note) > MOST_NOTE:
        raise InvalidInput(f"The note has {len(note):,} characters; at most {MOST_NOTE:,} are kept. {kept} Shorten it.")
    return replace(marking, note=note, rules=tuple(dict.fromkeys(marking.rules)))


def example_of(finding: Finding) -> Example:
    """Return the training example that the input of a finding becomes, with the label that the person says is right."""
    return Example(finding.fields, finding.marking.label, Split.TRAIN, f"finding {finding.id}")


def refuse_as_evidence(example: Example, there: Sequence[Example]) -> None:
    """Raise `InvalidInput` where the input of a finding cannot become evidence.

    Args:
        there: the task's examples with the same text.
    """
    kept = "Nothing was changed."
    for one in there:
        if one.split is not Split.TRAIN:
            raise InvalidInput(
                f"This text is an example of the {one.split.value} split. Rules rest on training examples alone, or "
                f"figures on that split would flatter them. {kept} Dismiss the finding, or edit the rule for what it "
                "shows."
            )
        if one.label != example.label:
            raise InvalidInput(
                f"This text is a training example with the label {one.label}, not {example.label}. {kept} Settle which "
                "is right on the Data page first."
            )
        if one.state is not ExampleState.ACTIVE:
            raise InvalidInput(f"This text is an example that takes no part ({one.state.value}). {kept}")
