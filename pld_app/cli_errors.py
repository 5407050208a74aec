"""`pld errors`: which rule is behind the wrong answers of a run, as a table."""

from __future__ import annotations

from pathlib import Path

import click

from pld_app import wiring
from pld_app.cli_format import Output, options
from pld_app.wiring import App
from pld_core.analytics import BarSort, RuleBar, RuleBars, baseline_of
from pld_core.attribution import Method
from pld_core.canonical import Json
from pld_core.errors import NotFound, RuleHarms
from pld_core.models import Run
from pld_core.proportion import SMALL_SAMPLE, Proportion
from pld_core.records import Page

METHODS = [Method.EVIDENCE.value, Method.CITED.value]


@click.command()
@options
@click.option("--task", "task_name", required=True, help="Task of the run.")
@click.option("--run", "run_id", type=int, required=True, help="Number of a complete run.")
@click.option("--method", type=click.Choice(METHODS), default=METHODS[0], show_default=True, help="What goes by which.")
@click.option("--baseline", type=int, help="Run that harm is told against; a run without rules, or the one before.")
@click.option(
    "--sort",
    type=click.Choice([s.value for s in BarSort]),
    default=BarSort.HARM.value,
    show_default=True,
    help="Order.",
)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Most rules.")
@click.option(
    "--fail-over",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="End with 1 if a rule is shown to be wrong in more than this share of what it covers.",
)
def errors(
    workspace: Path,
    out: Output,
    task_name: str,
    run_id: int,
    method: str,
    baseline: int | None,
    sort: str,
    limit: int,
    fail_over: float | None,
) -> None:
    """Show what each rule covers in a run, how much of it is wrong, and how much was right without it."""
    app = wiring.open_app(workspace)
    run = run_of(app, task_name, run_id)
    comparable = app.store.analytics.comparable(run.id)
    if baseline is None:
        baseline = baseline_of(comparable, run.id)
    elif baseline not in {one.run.id for one in comparable}:
        raise NotFound(
            f"Run {baseline} cannot be held against run {run.id}: it is not complete, or not of the same student and "
            f"split. {_choice([one.run for one in comparable])}"
        )
    found = app.store.analytics.rule_bars(run.id, Method(method), baseline, BarSort(sort), Page(0, limit))
    out.emit(bars_json(found), bars_text(found))
    if fail_over is not None:
        every = app.store.analytics.rule_bars(run.id, Method(method), baseline, BarSort.RATE, Page(0, found.rules or 1))
        _refuse_over(every, fail_over)


def _refuse_over(found: RuleBars, share: float) -> None:
    """Raise `RuleHarms` if the whole interval of a rule's share of wrong answers lies above what is allowed."""
    over = [
        f"{bar.rule_id} ({bar.error_rate.words})"
        for bar in found.bars
        if bar.error_rate.n >= SMALL_SAMPLE and bar.error_rate.low is not None and bar.error_rate.low > share
    ]
    if over:
        raise RuleHarms(
            f"Wrong in more than {share:.0%} of what they cover in run {found.run.id}, by {found.method.noun}: "
            f"{'; '.join(over)}. Nothing was changed."
        )


def run_of(app: App, task: str, number: int) -> Run:
    """Return a run of the task.

    Raises:
        NotFound: there is no such run, or it is one of another task.
    """
    app.store.tasks.get(task)
    run = app.store.runs.get(number)
    if run.task != task:
        raise NotFound(f"Run {number} belongs to task {run.task}, not to {task}.")
    return run


def _choice(runs: list[Run]) -> str:
    return f"Choose one of: {', '.join(str(run.id) for run in runs)}." if runs else "There is none that can."


def bars_json(found: RuleBars) -> dict[str, Json]:
    """Return the bars for machines."""
    return {
        "run": found.run.id,
        "method": found.method.value,
        "baseline": found.baseline,
        "sort": found.sort.value,
        "rules": found.rules,
        "own_sources": found.own_sources,
        "uncovered": _bar_json(found.uncovered),
        "bars": [_bar_json(bar) for bar in found.bars],
    }


def _bar_json(bar: RuleBar) -> dict[str, Json]:
    return {
        "rule": bar.rule_id,
        "title": bar.title,
        "covered": bar.covered,
        "correct": bar.correct,
        "wrong": bar.wrong,
        "harm": bar.harm,
        "error_rate": bar.error_rate.as_json(),
        "own_sources": bar.own_sources,
        "own_wrong": bar.own_wrong,
    }


def bars_text(found: RuleBars) -> str:
    """Return the bars as a table, with the method above it and what it leaves out below."""
    harm = f"harm against run {found.baseline}" if found.baseline is not None else "no run to tell harm against"
    lines = [
        f"Run {found.run.id}, prompt version {found.run.prompt_number}, {found.run.split.value}, {found.run.student}",
        f"Put down to rules {found.method.words}; {harm}.",
        "",
        f"{'rule':<12} {'covered':>8} {'correct':>8} {'wrong':>8} {'harm':>8}  wrong of covered",
        *(_line(bar) for bar in (found.uncovered, *found.bars)),
    ]
    if len(found.bars) < found.rules:
        lines += ["", f"{len(found.bars):,} of {found.rules:,} rules are shown; --limit shows more."]
    return "\n".join([*lines, *(["", found.note] if found.note else [])])


def _line(bar: RuleBar) -> str:
    harm = "-" if bar.harm is None else f"{bar.harm:,}"
    figures = f"{bar.covered:>8,} {bar.correct:>8,} {bar.wrong:>8,} {harm:>8}"
    return f"{bar.rule_id or '(uncovered)':<12} {figures}  {_rate_words(bar.error_rate)}  {bar.title}".rstrip()


def _rate_words(rate: Proportion) -> str:
    return rate.words if rate.n else "nothing covered"
