"""A report of a run as a test wants it, without a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pld_core.baselines import Baseline
from pld_core.gate_facts import Gate, GateState
from pld_core.metrics import cells_of, figures
from pld_core.models import CompiledPrompt, CompiledRule, Prediction, PromptVersion, Run, Split
from pld_core.prompt_manifest import Build, PromptKind
from pld_core.records import Dataset, DatasetState, NewDataset
from pld_core.releases import ReleaseLabel
from pld_core.run_report.baseline_lines import baseline_lines
from pld_core.run_report.content import DataFacts, Making, PromptRule, RunReport, Standing
from tests.answering import answer_of
from tests.factories import LABELS, make_task

DATASET = NewDataset("posts.csv", "sha256:file", "row", "csv 1", {}, {})
GREEN = Gate("approved", "Only approved rules", GateState.GREEN, "1 of 1 rules", 1)


def answers_of(said: Sequence[str | None]) -> tuple[Prediction, ...]:
    """Return answers to examples whose gold labels alternate."""
    return tuple(Prediction(f"sha256:{i:04}", LABELS[i % 2], answer_of(label)) for i, label in enumerate(said))


RIGHT = [LABELS[i % 2] for i in range(24)]
MOSTLY = [*RIGHT[:20], LABELS[1], LABELS[0], None, LABELS[0]]


def prompt_of(kind: PromptKind = PromptKind.RULES, text: str = "Classify the post.") -> CompiledPrompt:
    rules = (CompiledRule(1, "R1", "sha256:rev", 7),) if kind is PromptKind.RULES else ()
    return CompiledPrompt("posts", text, "sha256:prompt", rules, "sha256:template", 1, LABELS, build=Build(kind))


def report_of(
    said: Sequence[str | None] = MOSTLY,
    others: dict[Baseline, Sequence[str | None]] | None = None,
    kind: PromptKind = PromptKind.RULES,
) -> RunReport:
    """Return a report on a run over the test split of a released version, against which nothing is to be said."""
    answers = answers_of(said)
    run = Run(3, "posts", 1, "sha256:prompt", "told", "sha256:w", Split.TEST, "2026-01-02", "anna", len(said), None)
    hashes = [answer.example_hash for answer in answers]
    given = {baseline: dict(zip(hashes, labels, strict=True)) for baseline, labels in (others or {}).items()}
    rule = PromptRule(1, "R1", "Friendly posts", ("keep",), "sha256:rev", "approved", True)
    return RunReport(
        task=make_task(),
        data=DataFacts({(Split.TEST, "keep"): 12}, (dataset(),), 0, 0, 0, 0),
        version=PromptVersion(1, prompt_of(kind), "2026-01-01T00:00:00Z", "anna"),
        rules=(rule,) if kind is PromptKind.RULES else (),
        run=run,
        answers=answers,
        figures=figures(LABELS, cells_of(answers)),
        slices=(),
        steadiness=(),
        baselines=baseline_lines(LABELS, answers, given, dict.fromkeys(given, "run 2, prompt version 2")),
        missing=(),
        standing=Standing((GREEN,), (ReleaseLabel.PRODUCTION,), None, ()),
        bars=(),
        ablations=(),
        making=Making("2026-01-03T04:05:06Z", "anna", "pld-review 1"),
    )


def dataset(file: str = "posts.csv") -> Dataset:
    return Dataset(1, "posts", replace(DATASET, file=file), 24, DatasetState.ACTIVE, "2026-01-01T00:00:00Z", "anna")
