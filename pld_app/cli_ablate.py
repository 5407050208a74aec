"""`pld ablate`: what changes when a rule is left out of the prompt of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from pld_app import ablations, wiring
from pld_app.cli_errors import run_of
from pld_app.cli_format import Output, options, progress_line
from pld_app.wiring import App
from pld_core.ablating import AblationOrder, AblationOutcome
from pld_core.ablation import AblationVerdict, Scope, ShownAblation
from pld_core.canonical import Json
from pld_core.errors import BackendError, NotFound, PldError, RuleHarms
from pld_core.models import Run
from pld_core.permissions import Step, require


@click.command()
@options
@click.option("--task", "task_name", required=True, help="Task of the run.")
@click.option("--run", "run_id", type=int, required=True, help="Number of a complete run.")
@click.option("--rule", "rule_ids", multiple=True, metavar="RULE", help="Leave out this one; may be given again.")
@click.option("--all", "everything", is_flag=True, help="Ask about every answer of the run, not only those affected.")
@click.option("--max-calls", type=click.IntRange(0), help="Most questions to the student; the same command goes on.")
@click.option("--dry-run", is_flag=True, help="Say what it takes, and ask nothing.")
@click.option("--show", is_flag=True, help="Show what was found before, and ask nothing.")
@click.option("--fail-if-harmful", is_flag=True, help="End with 1 if a rule is shown to harm.")
def ablate(
    workspace: Path,
    out: Output,
    task_name: str,
    run_id: int,
    rule_ids: tuple[str, ...],
    everything: bool,
    max_calls: int | None,
    dry_run: bool,
    show: bool,
    fail_if_harmful: bool,
) -> None:
    """Leave out one rule at a time, ask the student again, and count what changes."""
    app = wiring.open_app(workspace)
    if dry_run and fail_if_harmful:
        raise click.UsageError("--dry-run leaves nothing out, so --fail-if-harmful has nothing to go by.")
    if not (dry_run or show):
        require(app.actor, Step.EVALUATE)
    run = run_of(app, task_name, run_id)
    scope = Scope.ALL if everything else Scope.AFFECTED
    order = AblationOrder(run.id, tuple(rule_id.upper() for rule_id in rule_ids), scope, max_calls)
    if dry_run:
        found = ablations.estimated(app, order)
        value = {"rules": found.rules, "answers": found.asked, "calls": found.calls, "seconds": found.seconds}
        return out.emit(value, found.words)
    outcome = None if show else _leave_out(app, order)
    shown = ablations.shown(app, run.id, ablations.measured(app, run.id))
    out.emit(*_told(run, outcome, shown))
    if fail_if_harmful:
        _refuse_harm(run, shown)
    return None


def _refuse_harm(run: Run, found: Sequence[ShownAblation]) -> None:
    """Raise `RuleHarms` if a rule harms, `NotFound` if nothing was left out that could tell."""
    if not found:
        raise NotFound(
            f"No rule of run {run.id} was left out yet, so nothing tells whether one harms. "
            f"Run: pld ablate --task {run.task} --run {run.id}"
        )
    harmful = dict.fromkeys(o.stored.ablation.of.rule_id for o in found if o.figures.verdict is AblationVerdict.HARMS)
    if harmful:
        raise RuleHarms(f"Shown to harm in run {run.id} by ablation: {', '.join(harmful)}. Nothing was changed.")


def _leave_out(app: App, order: AblationOrder) -> AblationOutcome:
    try:
        with progress_line() as progress:
            return ablations.ablate(app, order, progress)
    except (BackendError, KeyboardInterrupt) as error:
        raise PldError(
            f"{str(error) or 'Stopped.'} The answers so far are kept; the same command goes on from there."
        ) from error


def _told(run: Run, outcome: AblationOutcome | None, found: tuple[ShownAblation, ...]) -> tuple[dict[str, Json], str]:
    value: dict[str, Json] = {"run": run.id, "ablations": [one.as_json() for one in found]}
    lines = [ablation_text(one) for one in found] or ["No rule of this run was left out yet."]
    if outcome is not None:
        value |= {"calls": outcome.calls, "open_rules": list(outcome.open_rules)}
        lines = [outcome.words, *lines]
    return value, "\n".join(lines)


def ablation_text(one: ShownAblation) -> str:
    """Return an ablation for people: the counts, and what they are worth."""
    measured, found = one.stored.ablation, one.figures.comparison
    counts = f"fixed {measured.fixed:,}, broken {measured.broken:,}, net {measured.net:+,} of {one.asked_words}"
    lines = [
        f"{measured.of.rule_id}: {one.figures.verdict.value}.",
        f"  with the rule: {counts}",
        f"  macro F1 {found.difference:+.3f} (95 % interval {found.low:+.3f} to {found.high:+.3f})",
    ]
    if measured.citing:
        lines.append(f"  citations confirmed: {measured.confirmed.words}")
    return "\n".join(lines)
