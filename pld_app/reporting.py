"""The report of a run: which run it is about, everything it tells, and the file of it. What page and commands call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from pld_app.evaluating import repeat_groups, run_of
from pld_app.report_baselines import Asked, asked_about, baselines_of
from pld_app.wiring import App
from pld_core.analytics import BarSort, RuleBars, baseline_of
from pld_core.attribution import Method
from pld_core.canonical import Json
from pld_core.errors import InvalidInput, NotFound
from pld_core.metrics import cells_of, figures
from pld_core.models import Example, PromptVersion, Run, Split
from pld_core.prompt_manifest import PromptKind
from pld_core.proportion import SMALL_SAMPLE
from pld_core.records import Dataset, DatasetState, Page
from pld_core.releases import exception_on, holders_of
from pld_core.run_report.baseline_lines import baseline_lines
from pld_core.run_report.content import DataFacts, Making, PromptRule, RunReport, Standing, Steadiness
from pld_core.run_report.limits import known_limits
from pld_core.run_report.page import html
from pld_core.slices import Dimension, ExampleFacts, Slice, slices
from pld_core.validation.report import ValidationReport

BARS_SHOWN = 200
"""Rules behind the most wrong answers; more would be read by nobody, and `pld errors` has them all."""
GROUPS_LOOKED_AT = 20
"""Newest groups of repeats of a task; older ones say little of how it is now."""
_BEST_FIRST = (Split.TEST, Split.VALIDATION, Split.TRAIN)


@dataclass(frozen=True)
class Wanted:
    """Which run a report is about; None is any."""

    task: str
    run: int | None = None
    prompt: int | None = None
    split: Split | None = None


def chosen_run(app: App, wanted: Wanted) -> Run:
    """Return the run by its number, else the newest complete one that fits, on the test split before others.

    Without a prompt version it is one of a prompt with rules: a baseline is reported only where it is asked for.

    Raises:
        NotFound: there is no such task, version or run, or no complete run that fits.
    """
    app.store.tasks.get(wanted.task)
    if wanted.run is not None:
        return run_of(app, wanted.task, wanted.run)
    if wanted.prompt is not None:
        numbers = {app.store.prompts.get(wanted.task, wanted.prompt).number}
    else:
        versions = app.store.prompts.all(wanted.task)
        numbers = {one.number for one in versions if one.prompt.build.kind is PromptKind.RULES}
    fitting = [
        run
        for run in app.store.runs.all(wanted.task)
        if run.prompt_number in numbers and wanted.split in (None, run.split)
    ]
    for run in sorted(fitting, key=lambda run: (_BEST_FIRST.index(run.split), -run.id)):
        if app.store.runs.counted(run.id).total() == run.total > 0:
            return run
    raise NotFound(_nothing_fits(wanted))


def gather(app: App, wanted: Wanted) -> RunReport:
    """Return everything that the report of a run tells.

    Raises:
        NotFound: see `chosen_run`.
        InvalidInput: the run has no answer yet.
    """
    run = chosen_run(app, wanted)
    answers = tuple(sorted(app.store.runs.predictions(run.id), key=lambda p: (p.example_hash, p.gold)))
    if not answers:
        raise InvalidInput(f"Run {run.id} has no answer yet, so there is nothing to report. {_go_on(run)}")
    task, held = app.store.tasks.get(run.task), app.store.prompts.get(run.task, run.prompt_number)
    asked = asked_about(app, run, answers)
    said, origins, missing = baselines_of(app, asked, held.prompt.build.kind)
    return RunReport(
        task=task,
        data=_data_facts(app, asked, held),
        version=held,
        rules=_rules(app, held),
        run=run,
        answers=answers,
        figures=figures(task.label_names, cells_of(answers)),
        slices=_slices(asked),
        steadiness=_steadiness(app, run),
        baselines=baseline_lines(task.label_names, answers, said, origins),
        missing=missing,
        standing=_standing(app, held),
        bars=_bars(app, run),
        making=Making(datetime.now(UTC).isoformat(), app.actor.name, f"pld-review {version('pld-review')}"),
    )


@dataclass(frozen=True)
class ReportContent:
    """A report that is made when somebody asks for it."""

    app: App
    wanted: Wanted

    def __call__(self) -> bytes:
        return html(gather(self.app, self.wanted)).encode("utf-8")


def report_json(report: RunReport) -> dict[str, Json]:
    """Return what a report tells, for machines: identifiers, figures, baselines, gates, limits."""
    standing = report.standing
    return {
        **report.identifiers,
        "complete": report.is_complete,
        "figures": report.figures.as_json(),
        "baselines": [line.as_json() for line in report.baselines],
        "missing": list(report.missing),
        "gates": [gate.as_json() for gate in standing.gates],
        "released_as": [label.value for label in standing.labels],
        "exception": standing.exception.notice if standing.exception else None,
        "test_looks": len(standing.looks),
        "known_limits": list(known_limits(report)),
    }


def _nothing_fits(wanted: Wanted) -> str:
    what, where, command = "a prompt with rules", "", f"pld evaluate --task {wanted.task}"
    if wanted.prompt:
        what, command = f"prompt version {wanted.prompt}", f"{command} --prompt {wanted.prompt}"
    if wanted.split:
        where, command = f" on the {wanted.split.value} split", f"{command} --split {wanted.split.value}"
    if wanted.split is Split.TEST:
        command += " --reason WHY"
    return f"Task {wanted.task} has no complete run of {what}{where} to report. Start one: {command}"


def _go_on(run: Run) -> str:
    return f"Go on with it: pld evaluate --task {run.task} --resume {run.id}"


def _data_facts(app: App, asked: Asked, held: PromptVersion) -> DataFacts:
    task, datasets = asked.run.task, app.store.data.all(asked.run.task)
    trained = {_folded(example) for example in asked.training}
    shots = set(held.prompt.build.shots.examples if held.prompt.build.shots else ())
    return DataFacts(
        counts=app.store.tasks.split_table(task),
        datasets=datasets[::-1],
        conflicts=app.store.data.count_conflicts(task),
        asked_in_training=sum(_folded(example) in trained for example in asked.examples),
        asked_as_shots=sum(example.hash in shots for example in asked.examples),
        leaks=sum(_leaks(dataset, asked.run.split) for dataset in datasets),
    )


def _folded(example: Example) -> str:
    """Return a text without what nobody reads as a difference: white space and case."""
    return " ".join(example.text.split()).casefold()


def _leaks(dataset: Dataset, split: Split) -> int:
    """Return how many texts and groups of a data set in use stand in the split and in another one."""
    if dataset.state is not DatasetState.ACTIVE or not dataset.about.report:
        return 0
    found = ValidationReport.model_validate(dataset.about.report)
    return sum(split.value in leak.splits for leak in found.leaks)


def _rules(app: App, held: PromptVersion) -> tuple[PromptRule, ...]:
    in_force = {revision.hash: revision for revision, _, _ in app.store.rules.in_force(held.prompt.task)}
    found = []
    for entry in held.prompt.rules:
        revision, state = in_force.get(entry.revision_hash), "approved"
        if revision is None:
            dossier = app.store.rules.dossier(entry.rule_id, app.actor)
            revision = next(one for one in dossier.revisions if one.hash == entry.revision_hash)
            state = dossier.states[entry.revision_hash].label
        text, is_in_force = revision.text, entry.revision_hash in in_force
        found.append(
            PromptRule(entry.number, entry.rule_id, text.title, text.labels, entry.revision_hash, state, is_in_force)
        )
    return tuple(found)


def _slices(asked: Asked) -> tuple[tuple[Dimension, tuple[Slice, ...]], ...]:
    items = [
        (ExampleFacts(example.source, len(example.text), example.group, ""), answer)
        for example, answer in zip(asked.examples, asked.answers, strict=True)
    ]
    cut = ((dimension, slices(dimension, items)) for dimension in (Dimension.LENGTH, Dimension.SOURCE))
    return tuple((dimension, parts) for dimension, parts in cut if len(parts) > 1 and _tells(parts))


def _tells(parts: Sequence[Slice]) -> bool:
    """Whether a part is large enough for a rate; counts of a few examples each would fill pages and say nothing."""
    return any(part.n >= SMALL_SAMPLE for part in parts)


def _steadiness(app: App, run: Run) -> tuple[Steadiness, ...]:
    """Return the repeats of the run's version by the same weights on the same split, that are complete."""
    like = (run.prompt_number, run.student, run.digest, run.split)
    found = []
    for group in repeat_groups(app, run.task, GROUPS_LOOKED_AT):
        first = group.runs[0]
        if group.steadiness and (first.prompt_number, first.student, first.digest, first.split) == like:
            how = "the rules in other orders" if first.setup.shuffled else f"temperature {first.setup.temperature:g}"
            found.append(Steadiness(how, tuple(one.id for one in group.runs), group.steadiness))
    return tuple(found)


def _standing(app: App, held: PromptVersion) -> Standing:
    task, number = held.prompt.task, held.number
    moves = app.store.releases.history(task)[::-1]
    return Standing(
        gates=app.store.releases.gates(task, number),
        labels=tuple(move.label for move in holders_of(moves) if move.version == number),
        exception=exception_on(moves, number),
        looks=app.store.runs.looks(task)[::-1],
    )


def _bars(app: App, run: Run) -> tuple[RuleBars, ...]:
    methods = [made.method for made in app.store.attributions.made(run.id) if made.method is not Method.ABLATION]
    if not methods:
        return ()
    baseline = baseline_of(app.store.analytics.comparable(run.id), run.id)
    page = Page(0, BARS_SHOWN)
    return tuple(app.store.analytics.rule_bars(run.id, one, baseline, BarSort.HARM, page) for one in methods)
