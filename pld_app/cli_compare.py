"""`pld compare`: two runs, or two prompt versions, over the same examples."""

from __future__ import annotations

from pathlib import Path

import click

from pld_app import evaluating, run_figures, wiring
from pld_app.cli_format import Output, options
from pld_core.errors import RunIsWorse
from pld_core.models import Split
from pld_core.run_comparison import RunComparison

_TWO = 2
_SHOWN = 10


@click.command()
@click.option("--task", "task_name", required=True, help="Task of the runs.")
@click.option("--run", "runs", type=int, multiple=True, help="Run; give two: the one before, the one after.")
@click.option("--prompt", "prompts", type=int, multiple=True, help="Prompt version; give two, instead of runs.")
@click.option("--student", help="Student of the versions' runs; that of the settings otherwise.")
@click.option("--split", type=click.Choice([s.value for s in Split]), help="Split of the versions' runs; validation.")
@click.option("--fail-if-worse", is_flag=True, help="End with 1 if the second is worse than the first.")
@options
def compare(
    workspace: Path,
    out: Output,
    task_name: str,
    runs: tuple[int, ...],
    prompts: tuple[int, ...],
    student: str | None,
    split: str | None,
    fail_if_worse: bool,
) -> None:
    """Compare two runs example by example: what the second fixed and broke, and how sure the difference is."""
    if bool(runs) is bool(prompts) or len(runs or prompts) != _TWO:
        raise click.UsageError("Give --run twice, or --prompt twice: the one before, then the one after.")
    if runs and (student or split):
        raise click.UsageError("--student and --split choose the runs of versions; --run names them already.")
    app = wiring.open_app(workspace)
    if runs:
        found = evaluating.compare_runs_of(app, task_name, runs[0], runs[1])
    else:
        at = Split(split or Split.VALIDATION)
        found = evaluating.compare_versions_on(app, task_name, prompts, student or app.settings.student, at)
    beside = {run.id: run_figures.beside(app, run) for run in (found.before, found.after)}
    baselines = {str(number): one.as_json() for number, one in beside.items()}
    lines = [f"Run {number}: {line}" for number, one in beside.items() for line in one.lines_of_text]
    out.emit({**found.as_json(), "baselines": baselines}, "\n".join([*_lines(found), *lines]))
    if fail_if_worse and found.is_worse:
        raise RunIsWorse(f"Run {found.after.id} is worse than run {found.before.id}: {found.figures.words}.")


def _lines(found: RunComparison) -> list[str]:
    before, after = found.before, found.after
    lines = [
        f"Before: run {before.id}, prompt {before.prompt_number} with {before.student} on {before.split.value}",
        f"After: run {after.id}, prompt {after.prompt_number} with {after.student} on {after.split.value}",
        found.figures.words[:1].upper() + found.figures.words[1:],
    ]
    if before.digest != after.digest:
        lines.append("The two runs are of other weights: the difference may be theirs, not the prompt's.")
    if found.apart:
        lines.append(f"{found.apart:,} examples were answered by one of the two only and are left out.")
    for name, hashes in (("Fixed", found.fixed), ("Broken", found.broken)):
        lines += [f"{name}: {one}" for one in hashes[:_SHOWN]]
        lines += [f"{name}: {len(hashes) - _SHOWN:,} more; --json lists all"] if len(hashes) > _SHOWN else []
    return lines
