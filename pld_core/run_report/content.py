"""Everything that the report of a run tells, as frozen values. Who gathers it is no concern of how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pld_core.analytics import RuleBars
from pld_core.canonical import Json, hash_json
from pld_core.gate_facts import Gate
from pld_core.metrics import Figures
from pld_core.models import Prediction, PromptVersion, Run, Split, Task
from pld_core.prompt_manifest import PromptKind
from pld_core.records import Dataset
from pld_core.releases import BreakGlass, ReleaseLabel
from pld_core.run_report.baseline_lines import BaselineLine
from pld_core.slices import Slice
from pld_core.stability import Stability


@dataclass(frozen=True)
class PromptRule:
    """A rule as the prompt holds it, and where that revision stands now.

    Attributes:
        number: its place in the prompt, from 1.
        state: of the revision in the prompt, in words.
    """

    number: int
    rule_id: str
    title: str
    labels: tuple[str, ...]
    revision_hash: str
    state: str
    in_force: bool


@dataclass(frozen=True)
class Making:
    """The one part of a report that differs each time it is made.

    Attributes:
        at: UTC time, ISO 8601.
        product: name and version of what made it.
    """

    at: str
    by: str
    product: str


@dataclass(frozen=True)
class DataFacts:
    """What is known of the task's examples.

    Attributes:
        counts: active examples by split and gold label.
        conflicts: texts that stand with two labels, which nobody has settled.
        asked_in_training: examples of the run whose words are those of a training example too.
        asked_as_shots: examples of the run that stand in the prompt itself, with their labels.
        leaks: texts or groups that an import found on both sides of the run's split and another one.
    """

    counts: Mapping[tuple[Split, str], int]
    datasets: tuple[Dataset, ...]
    conflicts: int
    asked_in_training: int
    asked_as_shots: int
    leaks: int


@dataclass(frozen=True)
class Standing:
    """Where the prompt version stands on its way to production.

    Attributes:
        labels: the release labels that it holds now, production first.
        exception: the exception by which it holds one.
        looks: runs of any version over the test split, in their order.
    """

    gates: tuple[Gate, ...]
    labels: tuple[ReleaseLabel, ...]
    exception: BreakGlass | None
    looks: tuple[Run, ...]


@dataclass(frozen=True)
class Steadiness:
    """How steady the answers to the prompt are.

    Attributes:
        how: what differed between the repeats, in words.
        runs: their numbers.
    """

    how: str
    runs: tuple[int, ...]
    found: Stability


@dataclass(frozen=True)
class RunReport:
    """The report of one run.

    Attributes:
        answers: of the run, sorted by the hash of the example; at least one.
        missing: what is not among the baselines, and what brings it there, a sentence each.
        slices: the run cut in parts by what the text names, where there is more than one.
        steadiness: what repeats of the same prompt by the same weights on the same split showed.
        bars: which rule is behind the answers, for each method by which that was told; empty if by none.
    """

    task: Task
    data: DataFacts
    version: PromptVersion
    rules: tuple[PromptRule, ...]
    run: Run
    answers: tuple[Prediction, ...]
    figures: Figures
    slices: tuple[tuple[str, tuple[Slice, ...]], ...]
    steadiness: tuple[Steadiness, ...]
    baselines: tuple[BaselineLine, ...]
    missing: tuple[str, ...]
    standing: Standing
    bars: tuple[RuleBars, ...]
    making: Making

    @property
    def is_complete(self) -> bool:
        return len(self.answers) == self.run.total > 0

    @property
    def has_rules(self) -> bool:
        """Whether the prompt is one of approved rules, not a baseline."""
        return self.version.prompt.build.kind is PromptKind.RULES

    @property
    def title(self) -> str:
        return f"Run {self.run.id}: {self.task.title}"

    @property
    def identifiers(self) -> dict[str, Json]:
        """What tells this run, its prompt and its data from all others."""
        prompt = self.version.prompt
        return {
            "task": self.task.name,
            "run": self.run.id,
            "run_at": self.run.created_at,
            "student": self.run.student,
            "student_digest": self.run.digest,
            "split": self.run.split.value,
            "asked": self.run.setup.words or "once each, temperature 0",
            "examples_hash": hash_json([[p.example_hash, p.gold] for p in self.answers]),
            "prompt_version": self.version.number,
            "prompt_sha256": self.run.prompt_sha256,
            "manifest_hash": prompt.manifest_hash,
            "template_hash": prompt.template_hash,
            "guideline_version": prompt.guideline_version,
        }
