"""`pld figures`: everything that a stored run says, without asking a student again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from pld_app import run_figures, wiring
from pld_app.cli_format import Output, options
from pld_app.evaluating import run_of
from pld_app.run_figures import BesideRun
from pld_app.wiring import App
from pld_core.canonical import Json
from pld_core.errors import InvalidInput
from pld_core.learning_curve import CurvePoint
from pld_core.metrics import Figures, LabelFigures
from pld_core.models import Run
from pld_core.proportion import SMALL_SAMPLE
from pld_core.run_change import RunChange
from pld_core.slices import Dimension, Slice

CUTS = {
    "label": Dimension.LABEL,
    "source": Dimension.SOURCE,
    "length": Dimension.LENGTH,
    "group": Dimension.GROUP,
    "field": Dimension.FIELD,
    "dataset": Dimension.DATASET,
}


@dataclass(frozen=True)
class _Told:
    """What is printed; parts that were not asked for are empty."""

    run: Run
    figures: Figures
    beside: BesideRun
    parts: tuple[Slice, ...]
    change: RunChange | None
    curve: tuple[CurvePoint, ...]

    def as_json(self) -> dict[str, Json]:
        run = self.run
        told: dict[str, Json] = {"run": run.id, "prompt": run.prompt_number, "student": run.student}
        return {
            **told,
            "split": run.split.value,
            "total": run.total,
            **self.figures.as_json(),
            "baselines": self.beside.as_json(),
            "slices": [part.as_json() for part in self.parts],
            "change": self.change.as_json() if self.change else None,
            "learning_curve": [point.as_json() for point in self.curve],
        }


@click.command()
@options
@click.option("--task", "task_name", required=True, help="Task of the run.")
@click.option("--run", "run_id", type=int, required=True, help="Number of the run.")
@click.option("--slices", "cut", type=click.Choice(list(CUTS)), help="Cut the run by this, too.")
@click.option("--field", default="", help="Input field to cut by, with --slices field.")
@click.option("--by", "column", default="", metavar="COLUMN", help="Kept column to cut the run by, not --slices.")
@click.option("--before", type=int, help="Run that it is compared with, too.")
def figures(
    workspace: Path,
    out: Output,
    task_name: str,
    run_id: int,
    cut: str | None,
    field: str,
    column: str,
    before: int | None,
) -> None:
    """Print the figures of a stored run: headline, labels, baselines, slices, what it fixed and broke, the curve."""
    if column and (cut or field):
        raise click.UsageError("--by cuts the run already; leave --slices and --field out.")
    app = wiring.open_app(workspace)
    run = run_of(app, task_name, run_id)
    told = _Told(
        run,
        run_figures.figures_of(app, run),
        run_figures.beside(app, run),
        _parts(app, run, cut, field, column),
        _change(app, run, before) if before is not None else None,
        run_figures.curve(app, run),
    )
    out.emit(told.as_json(), "\n".join(_lines(told)))


def _parts(app: App, run: Run, cut: str | None, field: str, column: str) -> tuple[Slice, ...]:
    if column:
        return run_figures.slices_of(app, run, Dimension.COLUMN, column)
    return run_figures.slices_of(app, run, CUTS[cut], field) if cut else ()


def _change(app: App, run: Run, number: int) -> RunChange:
    """Compare with another run.

    Raises:
        InvalidInput: one is not complete, or they are not on one split.
    """
    before = run_of(app, run.task, number)
    if not run_figures.is_complete(app, run) or before not in run_figures.comparable(app, run):
        raise InvalidInput(
            f"Run {number} cannot be held against run {run.id}: both have to be complete, and on one split. "
            "pld evaluate makes runs, and --resume goes on with one."
        )
    return run_figures.change_since(app, before, run)


def _lines(told: _Told) -> list[str]:
    run, found = told.run, told.figures
    place = f"Run {run.id}: prompt {run.prompt_number} with {run.student} on {run.split.value}"
    return [
        f"{place}, {found.accuracy.n:,} of {run.total:,} answered",
        f"Accuracy: {found.accuracy.words}",
        f"Macro F1: {found.macro_f1.words}",
        *found.cautions,
        *(f"No label: {n:,} {status.value}" for status, n in found.statuses.items() if status.value != "ok"),
        *(_label_line(label) for label in found.labels),
        *(f"Wrong: gold {gold}, said {said}: {n:,}" for (gold, said), n in found.confusion.items() if gold != said),
        *(line.beside.words.replace("Rules", "This run", 1) for line in told.beside.lines),
        *([told.beside.verdict] if told.beside.verdict else []),
        *told.beside.notes,
        *(f"Part {part.words}" for part in told.parts),
        *(_change_lines(told.change) if told.change else []),
        *_curve_lines(told.curve),
    ]


def _label_line(label: LabelFigures) -> str:
    f1 = f"; F1 {label.f1:.3f}" if min(label.gold, label.predicted) >= SMALL_SAMPLE else ""
    return f"Label {label.label}: recall {label.recall.words}; precision {label.precision.words}{f1}"


def _change_lines(change: RunChange) -> list[str]:
    lines = [f"Against run {change.before.id}: {change.figures.words}"]
    return lines + [
        f"{one.label}: fixed {one.fixed:,}, broken {one.broken:,}, wrong both times {one.still_wrong:,}"
        for one in change.changes
    ]


def _curve_lines(points: Sequence[CurvePoint]) -> list[str]:
    return [f"Version {one.run.prompt_number} (run {one.run.id}): macro F1 {one.macro_f1.words}" for one in points]
