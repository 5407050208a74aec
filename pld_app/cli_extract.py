"""`pld extract`: what a run would take, the run, at once or as a batch."""

from __future__ import annotations

import uuid
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from pld_app import batching, extracting, wiring
from pld_app.batching import Standing
from pld_app.cli_format import Output, options, progress_line
from pld_app.extract_order import Cap, Delivery, ExtractOrder
from pld_app.wiring import App
from pld_core.batches import StoredBatch
from pld_core.canonical import Json
from pld_core.errors import Failure, InvalidInput, NotFound, PldError
from pld_core.estimate import Estimate
from pld_core.extraction import TEMPLATE
from pld_core.models import Split
from pld_core.pipeline import Outcome
from pld_core.pricing import money
from pld_core.records import ExampleFilter
from pld_core.templates import template

EVERY_KIND = "failed"


class Amount(click.ParamType[Decimal | Cap]):
    """A positive amount of money, or `none`."""

    name = "amount"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal | Cap:
        if value == Cap.NONE:
            return Cap.NONE
        try:
            amount = Decimal(str(value))
        except InvalidOperation:
            amount = Decimal(0)
        if not amount.is_finite() or amount <= 0:
            self.fail(f"{value!r} is neither an amount above 0 nor none.", param, ctx)
        return amount


class CallCount(click.ParamType[int | Cap]):
    """A number of calls, or `none`."""

    name = "calls"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | Cap:
        if value == Cap.NONE:
            return Cap.NONE
        if not str(value).isdecimal() or int(str(value)) < 1:
            self.fail(f"{value!r} is neither a whole number above 0 nor none.", param, ctx)
        return int(str(value))


@click.command()
@options
@click.option("--task", "task_name", required=True, help="Task whose training examples are extracted.")
@click.option("--limit", type=click.IntRange(1), help="Make at most so many calls, in the order of import.")
@click.option("--dry-run", is_flag=True, help="Print what it would take and send nothing.")
@click.option("--probe", is_flag=True, help="Make 5 calls first, kept and not paid for twice, and estimate from them.")
@click.option("--resume", is_flag=True, help="Go on with the last run, within its caps; refused if nothing was begun.")
@click.option(
    "--retry",
    multiple=True,
    type=click.Choice([EVERY_KIND, *(kind.value for kind in Failure)]),
    help="Ask only failures again, of this kind or all; each is a paid call. Several times for several kinds.",
)
@click.option(
    "--example", "examples", multiple=True, help="Ask only about the example with this hash, again if need be."
)
@click.option("--max-calls", type=CallCount(), help="Stop before more calls than this; none for no cap.")
@click.option("--max-cost", type=Amount(), help="Stop before it could cost more than this; none for no cap.")
@click.option("--in-flight", type=click.IntRange(1), help="Calls under way at the same time.")
@click.option("--batch", "as_batch", is_flag=True, help="Have it done within 24 hours for less, and wait for that.")
@click.option("--no-wait", is_flag=True, help="With --batch: submit or collect, and do not wait.")
def extract(
    workspace: Path,
    out: Output,
    task_name: str,
    dry_run: bool,
    probe: bool,
    resume: bool,
    no_wait: bool,
    **chosen: Any,
) -> None:
    """Let the teacher write one instruction for each training example that has none. Stop and start as you like."""
    app = wiring.open_app(workspace)
    order = _order(app, task_name, **chosen)
    if no_wait and order.delivery is not Delivery.BATCH:
        raise click.UsageError("--no-wait goes with --batch: other calls are waited for.")
    run = _last_run(app, task_name) if resume else _new_run()
    if probe:
        with progress_line() as report:
            probed = extracting.probe(app, order, run, report)
        out.say(f"Probe: {probed.words}.")
    if dry_run or probe:
        found, currency = extracting.estimated(app, order), app.settings.teacher.currency
        value = {**estimate_json(found, currency), "template": template(TEMPLATE).words}
        out.emit(value, estimate_words(found, currency, order.delivery))
        return
    if order.delivery is Delivery.BATCH:
        _extract_batch(app, out, order, run, no_wait)
        return
    with progress_line() as report:
        outcome = extracting.extract(app, order, run, report)
    spent = app.store.logic.spend(task_name, run)
    value = {**_outcome_json(outcome), "run": run, "calls": spent.calls, "cost_micro": spent.cost}
    cost = money(spent.cost, app.settings.teacher.currency)
    out.emit(value, f"Instructions: {outcome.words}. {spent.calls:,} calls, {cost}.")


def _order(
    app: App,
    task: str,
    limit: int | None,
    retry: tuple[str, ...],
    examples: tuple[str, ...],
    max_calls: int | Cap | None,
    max_cost: Decimal | Cap | None,
    in_flight: int | None,
    as_batch: bool,
) -> ExtractOrder:
    kinds = tuple(Failure) if EVERY_KIND in retry else tuple(Failure(kind) for kind in retry)
    hashes = tuple(_example(app, task, prefix) for prefix in examples)
    delivery = Delivery.BATCH if as_batch else Delivery.NOW
    order = ExtractOrder(task, limit, kinds, hashes, max_calls, max_cost, in_flight, delivery)
    if order.is_choice and not extracting.chosen(app, order):
        raise NotFound(
            f"No call of {task} failed that way, so nothing is asked again. `pld teacher failures` lists all."
        )
    return order


def _example(app: App, task: str, prefix: str) -> str:
    wanted = prefix.removeprefix("sha256:").lower()
    training = app.store.tasks.examples(task, ExampleFilter(split=Split.TRAIN))
    found = [example.hash for example in training if example.hash.removeprefix("sha256:").startswith(wanted)]
    if len(found) != 1 or not wanted:
        raise InvalidInput(
            f"{len(found)} training examples of {task} begin with {prefix!r}; give digits that name just one."
        )
    return found[0]


def _new_run() -> str:
    return f"extract-{uuid.uuid4().hex[:8]}"


def _last_run(app: App, task: str) -> str:
    app.store.tasks.get(task)
    waiting = batching.open_batches(app, task)
    last = waiting[-1].run if waiting else extracting.last_run(app, task)
    if last is None:
        raise InvalidInput(f"Nothing was begun for {task}, so there is nothing to go on with. Start without --resume.")
    return last or _new_run()


def _extract_batch(app: App, out: Output, order: ExtractOrder, run: str, no_wait: bool) -> None:
    """Go on with what is open, else submit what is missing; then wait, unless told not to."""
    new = batching.begin(app, order, run)
    try:
        with progress_line() as report:
            report(0, sum(batch.size for batch in new), "submitting")
            found = batching.advance(app, order.task) if no_wait else batching.wait(app, order.task, report)
    except KeyboardInterrupt:
        raise PldError(
            f"Stopped waiting. The batches go on at the provider: `pld extract --task {order.task} --batch` collects "
            f"them, `pld teacher batches --task {order.task} --cancel all` stops them."
        ) from None
    out.emit(_standing_json(app, found), _standing_words(app, order.task, found))


def _standing_json(app: App, found: Standing) -> dict[str, Json]:
    runs = {batch.run for batch in found.ended}
    spent = [app.store.logic.spend(batch.task, batch.run) for batch in {b.run: b for b in found.ended}.values()]
    failed = [call for batch in found.ended[:1] for call in extracting.failures(app, batch.task) if call.run in runs]
    collected = sum(batch.collected for batch in found.ended)
    return {
        "open": [batch_json(batch) for batch in found.open],
        "ended": [batch_json(batch) for batch in found.ended],
        "made": collected - len(failed),
        "failed": len(failed),
        "calls": sum(s.calls for s in spent),
        "cost_micro": sum(s.cost for s in spent),
    }


def _standing_words(app: App, task: str, found: Standing) -> str:
    if not (found.open or found.ended):
        return "There was nothing to ask."
    lines = [found.words]
    if found.ended:
        value = _standing_json(app, found)
        cost = money(int(str(value["cost_micro"])), app.settings.teacher.currency)
        lines.append(
            f"Instructions: {value['made']:,} made, {value['failed']:,} failed. {value['calls']:,} calls, {cost}."
        )
    if found.open:
        lines.append(f"`pld extract --task {task} --batch` collects the answers.")
    return "\n".join(lines)


def batch_json(batch: StoredBatch) -> dict[str, Json]:
    """Return a batch as `--json` prints it."""
    note = batch.note
    return {
        "batch": batch.id,
        "state": batch.state.value,
        "requests": batch.size,
        "answered": note.done,
        "failed": note.failed,
        "collected": batch.collected,
        "teacher": batch.teacher,
        "provider_id": note.remote_id,
        "key": batch.key,
        "run": batch.run,
        "since": batch.created_at,
        "message": note.message,
    }


def estimate_words(found: Estimate, currency: str, delivery: Delivery = Delivery.NOW) -> str:
    """Return an estimate in one sentence, and what it rests on."""
    cost = "no price is set for this model" if found.cost is None else f"about {money(found.cost, currency)}"
    time = "time unknown" if found.seconds is None else f"about {_duration(found.seconds)}"
    if delivery is Delivery.BATCH:
        time = "as a batch within 24 hours"
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
        "in_batches": outcome.in_batches,
    }


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
