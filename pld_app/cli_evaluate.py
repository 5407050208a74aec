"""`pld evaluate`: run prompt versions over splits, or go on with a run that was stopped."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from pld_app import evaluating, run_figures, wiring
from pld_app.cli_format import Output, SectionedCommand, options, progress_line
from pld_app.cli_release import gate_lines
from pld_app.run_figures import BesideRun
from pld_app.run_order import MatrixOrder, RunOrder
from pld_app.wiring import App
from pld_core.errors import BackendError, GatesRed, PldError
from pld_core.gate_facts import Gate, red_gates
from pld_core.metrics import Figures, figures
from pld_core.models import Run, Split
from pld_core.run_setup import HOTTEST, MOST_REPEATS, Repeats

_SPLITS = click.Choice([split.value for split in Split])
_SECTIONS = {"What is evaluated": 5, "Repeats": 4, "How": 3}


@dataclass(frozen=True)
class _Done:
    """A run that has ended, its figures, and how many answers the cache had."""

    run: Run
    figures: Figures
    from_cache: int

    @property
    def words(self) -> str:
        run, found = self.run, self.figures
        setup = f" ({run.setup.words})" if run.setup.words else ""
        cached = f" {self.from_cache:,} answers were known already." if self.from_cache else ""
        words = (
            f"Run {run.id}: prompt {run.prompt_number} with {run.student} on {run.split.value}{setup}: "
            f"{found.accuracy.words} correct; macro F1 {found.macro_f1.words}; always the most frequent label: "
            f"{found.majority.words}.{cached}"
        )
        return "\n".join((words, *found.cautions))

    def as_json(self, beside: BesideRun) -> dict[str, object]:
        run = self.run
        told = {"run": run.id, "prompt": run.prompt_number, "student": run.student, "split": run.split.value}
        return {
            **told,
            "from_cache": self.from_cache,
            **run.setup.as_json(),
            **self.figures.as_json(),
            "baselines": beside.as_json(),
        }


@click.command(cls=SectionedCommand, sections=_SECTIONS)
@click.option("--task", "task_name", required=True, help="Task to evaluate.")
@click.option("--prompt", "numbers", type=int, multiple=True, help="Prompt version (repeatable); the newest otherwise.")
@click.option("--student", "students", multiple=True, help="Student (repeatable); that of the settings otherwise.")
@click.option("--split", "splits", type=_SPLITS, multiple=True, help="Split (repeatable); validation otherwise.")
@click.option("--reason", default="", help="Why the test split is looked at; each look is counted and shown.")
@click.option("--repeats", type=click.IntRange(1, MOST_REPEATS), help="Ask as often, with seeds that count up.")
@click.option("--temperature", type=click.FloatRange(0, HOTTEST), help="Let the student draw lots; 0 otherwise.")
@click.option("--shuffle-rules", is_flag=True, help="Put the rules into another order, drawn with the seed.")
@click.option("--seed", type=click.IntRange(0), help="Seed of the first repeat; 0 otherwise.")
@click.option("--estimate", is_flag=True, help="Only say how many calls it takes, and how long; ask nothing.")
@click.option("--gate", is_flag=True, help="End with 1 if a release gate of an evaluated version is red.")
@click.option("--resume", type=int, metavar="RUN", help="Go on with this run: ask only what has no answer yet.")
@options
def evaluate(
    workspace: Path,
    out: Output,
    task_name: str,
    numbers: tuple[int, ...],
    students: tuple[str, ...],
    splits: tuple[str, ...],
    reason: str,
    repeats: int | None,
    temperature: float | None,
    shuffle_rules: bool,
    seed: int | None,
    estimate: bool,
    gate: bool,
    resume: int | None,
) -> None:
    """Run prompt versions over splits and print the figures. Stop as you like: no answer is asked for twice."""
    new = (numbers, students, splits, reason, repeats, temperature, shuffle_rules, seed, estimate)
    if resume is not None and any(value not in ((), "", None, False) for value in new):
        raise click.UsageError("--resume goes on with a run as it was begun: only --task and --gate go with it.")
    app = wiring.open_app(workspace)
    if resume is not None:
        done = [_answered(app, evaluating.run_of(app, task_name, resume))]
    else:
        how = Repeats(repeats or 1, temperature or 0.0, shuffle_rules, seed or 0)
        chosen = tuple(wiring.prompt_version(app, task_name, number).number for number in numbers or (None,))
        at = tuple(Split(split) for split in splits) or (Split.VALIDATION,)
        wanted = MatrixOrder(task_name, chosen, students or (app.settings.student,), at, how, reason)
        if estimate:
            _estimate(app, out, wanted)
            return
        done = [_made(app, order) for order in wanted.runs(evaluating.new_group())]
    _tell(app, out, done, gate)


def _estimate(app: App, out: Output, wanted: MatrixOrder) -> None:
    found = evaluating.estimated(app, wanted, {s: wiring.ready_student(app, s) for s in wanted.students})
    value = {"questions": found.questions, "calls": found.calls, "seconds": found.seconds}
    out.emit(value, f"{found.words}. Nothing was asked.")


def _made(app: App, order: RunOrder) -> _Done:
    return _answered(app, wiring.start_run(app, order.student, order.evaluation()))


def _answered(app: App, run: Run) -> _Done:
    try:
        with progress_line() as progress:
            wiring.answer_run(app, run, progress)
    except (BackendError, KeyboardInterrupt) as error:
        way_on = f"Run {run.id} keeps its answers: pld evaluate --task {run.task} --resume {run.id}"
        raise PldError(f"{str(error) or 'Stopped.'} {way_on}") from error
    found = figures(app.store.tasks.get(run.task).label_names, app.store.runs.counted(run.id))
    return _Done(run, found, app.store.runs.from_cache(run.id))


def _tell(app: App, out: Output, done: Sequence[_Done], gate: bool) -> None:
    """Print the figures: of one run as one value, of several as a list; then the gates, if they are asked for."""
    # Once all have ended, so that a baseline that is made last stands beside the others too.
    beside = {one.run.id: run_figures.beside(app, one.run) for one in done}
    told = [one.as_json(beside[one.run.id]) for one in done]
    value: dict[str, object] = {"runs": told} if len(done) > 1 else told[0]
    firsts = {runs[0].id for runs in _groups(done)}
    lines = [line for one in done for line in _lines(one, beside[one.run.id], firsts)]
    steady = [each for runs in _groups(done) if (each := evaluating.steadiness(app, runs)) is not None]
    if steady:
        value["stability"] = [each.as_json() for each in steady]
        lines += [f"{each.words}." for each in steady]
    gates: dict[int, tuple[Gate, ...]] = {}
    if gate:
        task = done[0].run.task
        gates = {number: app.store.releases.gates(task, number) for number in {d.run.prompt_number for d in done}}
        value["gates"] = {str(number): [one.as_json() for one in found] for number, found in gates.items()}
        for number, found in gates.items():
            lines += [f"Gates of version {number}", *gate_lines(found)]
    out.emit(value, "\n".join(lines))
    red = {number: len(red_gates(found)) for number, found in gates.items() if red_gates(found)}
    if red:
        words = ", ".join(f"{n} of version {number}" for number, n in red.items())
        raise GatesRed(f"Gates are red: {words}. No release label was moved.")


def _lines(one: _Done, beside: BesideRun, firsts: Collection[int]) -> list[str]:
    """Return the figures of a run, and below them the baselines; of repeats these stand with the first one."""
    is_later = bool(one.run.setup.group) and one.run.id not in firsts
    return [one.words, *(f"  {line}" for line in (() if is_later else beside.lines_of_text))]


def _groups(done: Sequence[_Done]) -> list[list[Run]]:
    """Return the repeats among the runs, group by group."""
    found: dict[str, list[Run]] = {}
    for one in done:
        if one.run.setup.group:
            found.setdefault(one.run.setup.group, []).append(one.run)
    return list(found.values())
