"""What the audit needs from the store: everything about a task in one state of the database, and the log in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from pld_core.attention import Attention
from pld_core.canonical import Json
from pld_core.checks import SeededCheck
from pld_core.gate_policy import GatePolicyChange
from pld_core.guideline import GuidelineVersion
from pld_core.lineage import EvidenceChange, Lineage
from pld_core.models import (
    ANYBODY,
    Actor,
    AnswerStatus,
    CompiledPrompt,
    Decision,
    Event,
    EvidenceRole,
    Example,
    ExampleState,
    PromptVersion,
    Revision,
    RevisionState,
    RuleSummary,
    Run,
    Split,
    Task,
)
from pld_core.oversight import OversightFacts
from pld_core.policy import PolicyChange
from pld_core.records import Dataset, EventFilter, StoredClustering
from pld_core.releases import Release


@dataclass(frozen=True)
class EvidenceLink:
    """One link from a revision to an example, in one version of the revision's evidence.

    Attributes:
        version: 1 for the evidence that the revision was written with.
        note: what the teacher said of the example; it never decides the role.
    """

    version: int
    example_hash: str
    role: EvidenceRole
    closeness: float
    note: str
    by: str
    at: str


@dataclass(frozen=True)
class Move:
    """One recorded transition of a revision; `state` is where it led."""

    state: RevisionState
    action: str
    actor: str
    reason: str
    at: str


@dataclass(frozen=True)
class EvidenceVersion:
    """A version of a revision's evidence after the first, and whose doing it was."""

    change: EvidenceChange
    by: str


@dataclass(frozen=True)
class RevisionRecord:
    """A revision with all that happened to it, oldest first.

    Attributes:
        links: of all versions of the evidence.
        versions: of the evidence, but the first.
    """

    revision: Revision
    at: str
    moves: tuple[Move, ...]
    links: tuple[EvidenceLink, ...]
    versions: tuple[EvidenceVersion, ...]

    @property
    def newest_version(self) -> int:
        """The number of the version of the evidence that counts now."""
        return self.versions[-1].change.number if self.versions else 1

    def version_at(self, moment: str) -> int:
        """Return the number of the version of the evidence that counted just before a moment, UTC as events hold it."""
        return max((v.change.number for v in self.versions if v.change.at < moment), default=1)


@dataclass(frozen=True)
class LineageRecord:
    """What a rule was merged from, or went on as from a moment on."""

    lineage: Lineage
    at: str


@dataclass(frozen=True)
class RuleRecord:
    """A rule with its whole history, whatever became of it.

    Attributes:
        lineages: oldest first.
        revisions: oldest first.
        decisions: in the order in which they were made.
        attention: what was noted while they were made, by the decision's number; those without are left out.
        examples: every example that any revision links to, by hash.
    """

    summary: RuleSummary
    clustering_id: int
    cluster: int
    lineages: tuple[LineageRecord, ...]
    revisions: tuple[RevisionRecord, ...]
    decisions: tuple[Decision, ...]
    attention: Mapping[int, Attention]
    examples: Mapping[str, Example]


@dataclass(frozen=True)
class CallFigures:
    """What was asked of one teacher model with one template.

    Attributes:
        model: as the server named it; empty for calls without an answer.
        failures: calls without a usable reply.
        prompt_tokens, output_tokens: where the server said.
        cost: in micro-units (millionths) of the currency in force at the time.
    """

    purpose: str
    teacher: str
    model: str
    template_hash: str
    calls: int
    failures: int
    prompt_tokens: int
    output_tokens: int
    cost: int
    first_at: str
    last_at: str


@dataclass(frozen=True)
class AnswerCount:
    """How many answers of a run read `label` (None for no usable one) where `gold` is right."""

    gold: str
    label: str | None
    status: AnswerStatus
    count: int


@dataclass(frozen=True)
class ExampleLine:
    """An example without its text: what it is, and where it stands in the file that it was first imported from."""

    hash: str
    label: str
    split: Split
    state: ExampleState
    personal: tuple[str, ...]
    file: str
    unit: str
    number: int | None


class AuditSnapshot(Protocol):
    """A task as it is at one moment: all methods see the same state of the database, whatever others write."""

    @property
    def task(self) -> Task: ...
    def policies(self) -> tuple[PolicyChange, ...]:
        """Return every change of the task's policy, oldest first."""
        ...

    def checks(self) -> tuple[SeededCheck, ...]:
        """Return all seeded checks of the task in the order of drawing; open ones too, which the caller must keep."""
        ...

    def guidelines(self) -> tuple[GuidelineVersion, ...]: ...
    def datasets(self) -> tuple[Dataset, ...]:
        """Return all data sets of the task, deleted ones too, oldest first."""
        ...

    def example_counts(self) -> dict[tuple[Split, str, ExampleState], int]:
        """Return the number of examples by (split, label, state)."""
        ...

    def count_examples(self) -> int: ...
    def example_lines(self) -> Iterator[ExampleLine]: ...
    def calls(self) -> tuple[CallFigures, ...]: ...
    def clusterings(self) -> tuple[StoredClustering, ...]: ...
    def prompts(self) -> tuple[PromptVersion, ...]: ...
    def releases(self) -> tuple[Release, ...]:
        """Return every move of the task's release labels, oldest first."""
        ...

    def gate_policies(self) -> tuple[GatePolicyChange, ...]:
        """Return every change of the limits of the task's gates, oldest first."""
        ...

    def runs(self) -> tuple[Run, ...]: ...
    def trial_prompts(self) -> Iterator[tuple[Run, CompiledPrompt]]:
        """Yield the runs that asked with a text that is no version's, by number, one text in memory at a time."""
        ...

    def answers(self, run_id: int) -> tuple[AnswerCount, ...]: ...
    def count_rules(self) -> int: ...
    def rules(self) -> Iterator[RuleRecord]:
        """Yield every rule of the task in the order of their numbers, one in memory at a time."""
        ...

    def decisions(self) -> Iterator[Decision]: ...
    def oversight(self) -> OversightFacts: ...
    def count_events(self) -> int: ...
    def events(self) -> Iterator[Event]:
        """Yield every event of the workspace, oldest first: a chain is whole or it is none."""
        ...


class AuditStore(Protocol):
    def snapshot(self, task: str, actor: Actor) -> AbstractContextManager[AuditSnapshot]:
        """Open one state of the database for reading.

        Raises:
            MissingRole: the actor may not export; see `permissions`.
            NotFound: no such task.
            StillBlind: the record holds first decisions that the actor does not see yet.
        """
        ...

    def kept_from(self, actor: Actor) -> tuple[str, ...]:
        """Return the ids of rules, of all tasks, whose first decision the actor sees after deciding."""
        ...

    def log(self, where: EventFilter, actor: Actor = ANYBODY) -> Iterator[Event]:
        """Yield the events that match, oldest first, one in memory at a time, as `EventStore.page` shows them."""
        ...

    def record_export(self, task: str, payload: Mapping[str, Json], actor: Actor) -> None:
        """Append the event of an export.

        Raises:
            MissingRole: the actor may not export.
        """
        ...


class OversightStore(Protocol):
    def facts(self, task: str) -> OversightFacts:
        """Return what the figures on the oversight are made of, read without the texts themselves.

        Raises:
            NotFound: no such task.
        """
        ...
