"""`pld evaluate`: run a prompt version over a split, or go on with a run that was stopped."""

from __future__ import annotations

from pathlib import Path

import click

from pld_app import wiring
from pld_app.cli_format import Output, options, progress_line
from pld_app.wiring import App
from pld_core.asking import Evaluation
from pld_core.errors import BackendError, NotFound, PldError
from pld_core.metrics import cells_of, figures
from pld_core.models import Run, Split


@click.command()
@options
@click.option("--task", "task_name", required=True, help="Task to evaluate.")
@click.option("--prompt", "number", type=int, help="Prompt version; the newest if left out.")
@click.option("--student", help="Student; from the settings if left out.")
@click.option("--split", type=click.Choice([s.value for s in Split]), help="Split; validation if left out.")
@click.option("--resume", type=int, metavar="RUN", help="Go on with this run: ask only what has no answer yet.")
def evaluate(
    workspace: Path,
    out: Output,
    task_name: str,
    number: int | None,
    student: str | None,
    split: str | None,
    resume: int | None,
) -> None:
    """Run a prompt version over a split and print the figures. Stop as you like: --resume repeats no answer."""
    if resume is not None and (number is not None or student or split):
        raise click.UsageError("--resume goes on with a run as it was begun: without --prompt, --student, --split.")
    app = wiring.open_app(workspace)
    if resume is not None:
        run = _begun(app, task_name, resume)
    else:
        version = wiring.prompt_version(app, task_name, number)
        wanted = Evaluation(task_name, version.number, Split(split or Split.VALIDATION))
        run = wiring.start_run(app, student or app.settings.student, wanted)
    _answer(app, run)
    found = figures(app.store.tasks.get(task_name).label_names, cells_of(app.store.runs.predictions(run.id)))
    words = (
        f"Run {run.id}: {found.accuracy.words} correct; macro F1 {found.macro_f1.words}; always the most frequent "
        f"label: {found.majority.words}."
    )
    words = "\n".join((words, *found.cautions))
    value = {"run": run.id, "prompt": run.prompt_number, "student": run.student, "split": run.split.value}
    out.emit({**value, **found.as_json()}, words)


def _begun(app: App, task: str, number: int) -> Run:
    run = app.store.runs.get(number)
    if run.task != task:
        raise NotFound(f"Run {number} belongs to task {run.task}, not to {task}.")
    return run


def _answer(app: App, run: Run) -> None:
    try:
        with progress_line() as progress:
            wiring.answer_run(app, run, progress)
    except (BackendError, KeyboardInterrupt) as error:
        way_on = f"Run {run.id} keeps its answers: pld evaluate --task {run.task} --resume {run.id}"
        raise PldError(f"{str(error) or 'Stopped.'} {way_on}") from error
