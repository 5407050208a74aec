"""The report of a run: which run it is about, everything it tells, and the file of it. What page and commands call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from pld_app.evaluating import run_of
from pld_app.report_baselines import asked_about, baselines_of
from pld_app.report_facts import bars_of, data_facts, parts_of, prompt_rules, standing_of, steadiness_of
from pld_app.wiring import App
from pld_core.canonical import Json
from pld_core.errors import InvalidInput, NotFound
from pld_core.metrics import cells_of, figures
from pld_core.models import Run, Split
from pld_core.prompt_manifest import PromptKind
from pld_core.run_report.baseline_lines import baseline_lines
from pld_core.run_report.content import Making, RunReport
from pld_core.run_report.limits import known_limits
from pld_core.run_report.page import html

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
        data=data_facts(app, asked, held),
        version=held,
        rules=prompt_rules(app, held),
        run=run,
        answers=answers,
        figures=figures(task.label_names, cells_of(answers)),
        slices=parts_of(app, asked),
        steadiness=steadiness_of(app, run),
        baselines=baseline_lines(task.label_names, answers, said, origins),
        missing=missing,
        standing=standing_of(app, held),
        bars=bars_of(app, run),
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
