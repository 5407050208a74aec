"""Everything that a stored run says: its figures, what stands beside it, its parts, how it compares with other runs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pld_app import evaluating, wiring
from pld_app.report_baselines import KINDS, asked_about, baselines_of, examples_of
from pld_app.run_order import MatrixOrder
from pld_app.wiring import App
from pld_core.baselines import Baseline, report
from pld_core.canonical import Json
from pld_core.compilation import Choices
from pld_core.errors import InvalidInput
from pld_core.learning_curve import CurvePoint, learning_curve
from pld_core.metrics import Figures, figures
from pld_core.models import Job, Run
from pld_core.permissions import Step, guarded_app
from pld_core.prompt_manifest import PromptKind
from pld_core.run_change import RunChange, change_of
from pld_core.run_report.baseline_lines import BaselineLine, baseline_lines
from pld_core.slices import Dimension, ExampleFacts, Slice, counted_slices, slices


@dataclass(frozen=True)
class BesideRun:
    """The baselines beside a run.

    Attributes:
        has_rules: whether the prompt of the run holds rules; for a baseline there is no verdict.
        missing: the baselines that a student has to answer first.
        notes: what is missing, a sentence each, with the command that brings it.
    """

    has_rules: bool
    lines: tuple[BaselineLine, ...]
    missing: tuple[Baseline, ...]
    notes: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """Say which baselines beat the rules, and which the rules beat; empty for a run of a baseline."""
        return report([line.beside for line in self.lines]) if self.has_rules else ""

    def as_json(self) -> dict[str, Json]:
        return {
            "verdict": self.verdict,
            "lines": [line.as_json() for line in self.lines],
            "missing": [one.value for one in self.missing],
            "notes": list(self.notes),
        }

    @property
    def lines_of_text(self) -> tuple[str, ...]:
        """The comparison with each baseline, the verdict, and what is missing with the command that brings it."""
        told = (line.beside.words.replace("Rules", "This run", 1) for line in self.lines)
        return (*told, *([self.verdict] if self.verdict else []), *self.notes)


def figures_of(app: App, run: Run) -> Figures:
    """Return the figures of a run over the answers that are there, however many; made of counts."""
    return figures(app.store.tasks.get(run.task).label_names, app.store.runs.counted(run.id))


def beside(app: App, run: Run) -> BesideRun:
    """Hold a run against its baselines, those that code makes included; reads its answers and the training examples."""
    kind = app.store.prompts.get(run.task, run.prompt_number).prompt.build.kind
    answers = app.store.runs.predictions(run.id)
    if not answers:
        return BesideRun(kind is PromptKind.RULES, (), (), ())
    said, origins, notes = baselines_of(app, asked_about(app, run, answers), kind)
    lines = baseline_lines(app.store.tasks.get(run.task).label_names, answers, said, origins)
    missing = tuple(one for one, its_kind in KINDS.items() if one not in said and its_kind is not kind)
    return BesideRun(kind is PromptKind.RULES, lines, missing, notes)


def answers_of_baselines(app: App, run: Run) -> tuple[tuple[int, int], ...]:
    """Return the runs that may be a baseline to a run, each with how many answers it has so far."""
    numbers = {one.number for one in app.store.prompts.listed(run.task) if one.kind in KINDS.values()}
    alike = [
        one.id
        for one in app.store.runs.all(run.task)
        if one.prompt_number in numbers and (one.student, one.digest, one.split) == (run.student, run.digest, run.split)
    ]
    return tuple((number, app.store.runs.counted(number).total()) for number in alike)


@guarded_app(Step.EVALUATE)
def order_baseline(app: App, run: Run, baseline: Baseline, reason: str = "") -> tuple[Job, ...]:
    """Order the run of a baseline with the student and on the split of a run; without a version, one is compiled.

    Args:
        baseline: one that a student answers.
        reason: why the test split is looked at, if the run is on it.

    Raises:
        MissingReason: the test split is looked at without saying why; nothing is ordered.
        MissingRole: there is no version of it yet, and this person may not compile one.
    """
    wanted = MatrixOrder(run.task, (), (run.student,), (run.split,), reason=reason)
    # Asks for the reason before anything is compiled.
    wanted.runs("")
    kind = KINDS[baseline]
    found = [one.number for one in app.store.prompts.listed(run.task) if one.kind is kind]
    number = max(found) if found else wiring.compile_task(app, run.task, Choices(kind=kind)).number
    return evaluating.order_matrix(app, replace(wanted, prompts=(number,)))


def slices_of(app: App, run: Run, dimension: Dimension, field: str = "") -> tuple[Slice, ...]:
    """Cut a run into slices; reads its answers and its examples, where the store does not count them.

    Args:
        field: the input field or the kept column, for those dimensions only.

    Raises:
        InvalidInput: a field is missing or named without need, or an example does not have it; no data set keeps the
            column.
    """
    if dimension is Dimension.DATASET and not field:
        return counted_slices(app.store.kept.cut_by_dataset(run.id))
    if dimension is Dimension.COLUMN:
        _require_kept(app, run.task, field)
        return counted_slices(app.store.kept.cut_by_column(run.id, field))
    answers = app.store.runs.predictions(run.id)
    facts = [ExampleFacts(e.source, len(e.text), e.group, e.fields) for e in examples_of(app, run, answers)]
    return slices(dimension, list(zip(facts, answers, strict=True)), field)


def _require_kept(app: App, task: str, column: str) -> None:
    """Raise `InvalidInput` unless a data set of the task keeps the column."""
    kept = app.store.kept.columns(task)
    if column not in kept:
        known = f"Kept are: {', '.join(kept)}." if kept else "Keep columns at an import: pld import --keep COLUMN."
        raise InvalidInput(f"No data set of {task} keeps a column {column!r}, so no run can be cut by it. {known}")


def comparable(app: App, run: Run) -> tuple[Run, ...]:
    """Return the other complete runs of the task on the split of a run, newest first."""
    return tuple(
        other
        for other in app.store.runs.all(run.task)
        if other.split is run.split and other.id != run.id and is_complete(app, other)
    )


def is_complete(app: App, run: Run) -> bool:
    """Whether every example that a run was to ask about has its answer."""
    return app.store.runs.counted(run.id).total() == run.total > 0


def change_since(app: App, before: Run, after: Run) -> RunChange:
    """Compare two complete runs of one task on one split, by counts.

    Raises:
        InvalidInput: they have no example in common.
    """
    labels = app.store.tasks.get(after.task).label_names
    pairs = app.store.runs.paired(before.id, after.id)
    return change_of(labels, before, after, pairs, before.total + after.total)


def curve(app: App, run: Run) -> tuple[CurvePoint, ...]:
    """Return how the versions with rules did, with the student, the weights and on the split of a run."""
    versions = app.store.prompts.listed(run.task)
    with_rules = {one.number for one in versions if one.kind is PromptKind.RULES}
    labels = app.store.tasks.get(run.task).label_names
    return learning_curve(labels, app.store.runs.all(run.task), run, with_rules, app.store.runs.counted)
