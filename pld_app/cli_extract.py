"""`pld extract` and `pld teacher`: what a run would take, the run, its failures, whether the teacher is there."""

from __future__ import annotations

import uuid
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

from pld_app import extracting, wiring
from pld_app.cli_format import Output, options, progress
from pld_app.extracting import ExtractOrder
from pld_app.settings import load_settings
from pld_core.canonical import Json
from pld_core.errors import PldError
from pld_core.estimate import Estimate
from pld_core.pipeline import Outcome
from pld_core.pricing import money


class Amount(click.ParamType[Decimal]):
    """A positive amount of money."""

    name = "amount"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            amount = Decimal(str(value))
        except InvalidOperation:
            amount = Decimal(0)
        if not amount.is_finite() or amount <= 0:
            self.fail(f"{value!r} is not an amount above 0.", param, ctx)
        return amount


@click.command()
@options
@click.option("--task", "task_name", required=True, help="Task whose training examples are extracted.")
@click.option("--limit", type=click.IntRange(1), help="At most so many examples, in the order of import.")
@click.option("--dry-run", is_flag=True, help="Print what it would take and send nothing.")
@click.option("--probe", is_flag=True, help="Make 5 calls first, kept and not paid for twice, and estimate from them.")
@click.option("--retry-failed", is_flag=True, help="Ask again where a reply could not be used; each is a paid call.")
@click.option("--max-calls", type=click.IntRange(1), help="Stop before more calls than this.")
@click.option("--max-cost", type=Amount(), help="Stop before it could cost more than this.")
@click.option("--in-flight", type=click.IntRange(1), help="Calls under way at the same time.")
def extract(
    workspace: Path,
    out: Output,
    task_name: str,
    limit: int | None,
    dry_run: bool,
    probe: bool,
    retry_failed: bool,
    max_calls: int | None,
    max_cost: Decimal | None,
    in_flight: int | None,
) -> None:
    """Let the teacher write one instruction for each training example that has none. Stop and start as you like."""
    app = wiring.open_app(workspace)
    order = ExtractOrder(task_name, limit, retry_failed, max_calls, max_cost, in_flight)
    run = f"extract-{uuid.uuid4().hex[:8]}"
    if probe:
        out.say(f"Probe: {extracting.probe(app, order, run, progress).words}.")
    if dry_run or probe:
        found, currency = extracting.estimated(app, order), app.settings.teacher.currency
        out.emit(estimate_json(found, currency), estimate_words(found, currency))
        return
    outcome = extracting.extract(app, order, run, progress)
    spent = app.store.logic.spend(task_name, run)
    value = {**_outcome_json(outcome), "run": run, "calls": spent.calls, "cost_micro": spent.cost}
    cost = money(spent.cost, app.settings.teacher.currency)
    out.emit(value, f"Instructions: {outcome.words}. {spent.calls:,} calls, {cost}.")


@click.group()
def teacher() -> None:
    """The teacher: whether it can be asked, and which replies could not be used."""


@teacher.command(name="test")
@options
@click.option("--teacher", "name", default="", help="Such as openai:gpt-4.1-mini; from the settings if left out.")
def test_(workspace: Path, out: Output, name: str) -> None:
    """Look whether the teacher can be asked; sends no text and costs nothing."""
    settings = load_settings(workspace)
    wanted = name or settings.teacher.extraction
    if not wanted:
        raise PldError("No teacher is set. Name one with `pld settings set teacher.extraction`, or in PLD_TEACHER.")
    status = extracting.teacher_status(settings, wanted)
    value = {"name": status.name, "ready": status.ready, "problem": status.problem, "fix": status.fix}
    if not status.ready:
        if out.as_json:
            out.emit(value, "")
        raise PldError(f"{status.problem} {f'Run: {status.fix}' if status.fix else ''}".strip())
    out.emit(value, f"{status.name}: ready.")


@teacher.command()
@options
@click.option("--task", "task_name", required=True)
def failures(workspace: Path, out: Output, task_name: str) -> None:
    """List the calls without a usable reply, with the raw reply."""
    app = wiring.open_app(workspace)
    app.store.tasks.get(task_name)
    found = extracting.failures(app, task_name)
    value = [
        {"kind": str(c.failure), "problem": c.problem, "example": c.subjects[0], "model": c.model, "reply": c.reply}
        for c in found
    ]
    lines = [f"{c.failure}  {c.subjects[0][7:15]}  {c.problem}\n    {' '.join(c.reply.split())[:200]}" for c in found]
    out.emit(value, "\n".join(lines) or "No call failed.")


def estimate_words(found: Estimate, currency: str) -> str:
    """Return an estimate in one sentence, and what it rests on."""
    cost = "no price is set for this model" if found.cost is None else f"about {money(found.cost, currency)}"
    time = "time unknown" if found.seconds is None else f"about {_duration(found.seconds)}"
    basis = f"from {found.measured} calls that were made" if found.measured else "a rule of thumb; --probe measures"
    return (
        f"{found.calls:,} calls, about {found.input_tokens:,} tokens in and {found.output_tokens:,} out, "
        f"{cost}, {time} ({basis})."
    )


def estimate_json(found: Estimate, currency: str) -> dict[str, Json]:
    return {
        "calls": found.calls,
        "input_tokens": found.input_tokens,
        "output_tokens": found.output_tokens,
        "cost_micro": found.cost,
        "currency": currency,
        "seconds": found.seconds,
        "measured": found.measured,
    }


def _outcome_json(outcome: Outcome) -> dict[str, Json]:
    return {
        "made": outcome.made,
        "already_there": outcome.already_there,
        "failed": outcome.failed,
        "dropped": outcome.dropped,
        "left": outcome.left,
    }


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
