"""`pld rules judge-pairs`: what a teacher takes overlapping rules for, before any student has run."""

from __future__ import annotations

import uuid
from pathlib import Path

import click

from pld_app import pair_work, wiring
from pld_app.cli_extract import estimate_json
from pld_app.cli_format import Output, options, progress_line
from pld_app.cli_overlaps import pair_json, verdict_words
from pld_app.pair_work import PairEstimate, PairOrder
from pld_core.canonical import Json
from pld_core.conflicts.pairs import JudgedPair
from pld_core.count_words import count
from pld_core.pair_judging import judged_pairs
from pld_core.pricing import money


@click.command()
@options
@click.option("--task", "task_name", required=True, help="Task whose overlapping rules are judged.")
@click.option("--limit", type=click.IntRange(1), help="Ask about at most so many pairs, the closest first.")
@click.option("--budget", type=click.IntRange(1), help="Make at most so many calls, those tried again included.")
@click.option("--dry-run", is_flag=True, help="Print what it would take; asks and changes nothing.")
def judge_pairs(
    workspace: Path, out: Output, task_name: str, limit: int | None, budget: int | None, dry_run: bool
) -> None:
    """Let the teacher say of each overlapping pair of rules what the two are to each other.

    It is a note beside the pair: no rule changes by it. A pair that was judged is not asked about again until one of
    its rules has a new revision.
    """
    app = wiring.open_app(workspace)
    order = PairOrder(task_name, limit, budget)
    currency = app.settings.teacher.currency
    if dry_run:
        found = pair_work.estimated(app, order)
        value: dict[str, Json] = {"task": task_name, "pairs": found.pairs, "judged": found.judged}
        out.emit({**value, **estimate_json(found.estimate, currency)}, estimate_words(found, currency))
        return
    run = f"judge-pairs-{uuid.uuid4().hex[:8]}"
    with progress_line() as report:
        ended = pair_work.judge(app, order, run, report)
    spent = app.store.logic.spend(task_name, run)
    pairs = judged_pairs(app.store, task_name)
    value = {
        "task": task_name,
        "run": run,
        "made": ended.made,
        "already": ended.already,
        "failed": ended.failed,
        "calls": spent.calls,
        "cost_micro": spent.cost,
        "pairs": [pair_json(one) for one in pairs],
    }
    lines = [pair_line(one) for one in pairs if one.judgement]
    told = f"Pairs: {ended.words}. {spent.calls:,} calls, {money(spent.cost, currency)}. No rule was changed."
    out.emit(value, "\n".join([*lines, told]))


def estimate_words(found: PairEstimate, currency: str) -> str:
    """Say what judging would take."""
    taken = found.estimate
    cost = "no price is set for this model" if taken.cost is None else f"about {money(taken.cost, currency)}"
    return (
        f"{count(found.pairs, 'pair')} to judge, {found.judged:,} judged already: {count(taken.calls, 'call')}, about "
        f"{taken.input_tokens:,} tokens in and {taken.output_tokens:,} out, {cost} (a rule of "
        "thumb). Nothing was asked."
    )


def pair_line(one: JudgedPair) -> str:
    """Return a pair with the word on it in one line."""
    return f"{one.pair.low} and {one.pair.high} ({one.pair.closeness:.2f}): {verdict_words(one)}"
