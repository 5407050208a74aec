"""`pld synthesize` and `pld coverage`: rules from clusters, and what no rule covers yet."""

from __future__ import annotations

import uuid
from pathlib import Path

import click

from pld_app import synthesis_work, wiring
from pld_app.cli_cluster import to_embed_json
from pld_app.cli_extract import estimate_json
from pld_app.cli_format import Output, options, progress_line
from pld_app.cli_overlaps import overlap_lines, pair_json
from pld_app.synthesis_work import SynthesisEstimate, SynthesisOrder
from pld_core import synthesising
from pld_core.canonical import Json
from pld_core.coverage import Coverage
from pld_core.pair_judging import judged_pairs
from pld_core.pricing import money


@click.command()
@options
@click.option("--task", "task_name", required=True, help="Task whose clusters become rules.")
@click.option("--clustering", "number", type=int, help="Kept clustering; the newest if left out.")
@click.option("--limit", type=click.IntRange(1), help="Ask about at most so many clusters.")
@click.option("--resume", is_flag=True, help="Go on where a run stopped; leave alone what failed.")
@click.option("--dry-run", is_flag=True, help="Print what it would take; asks for none and changes nothing.")
def synthesize(
    workspace: Path, out: Output, task_name: str, number: int | None, limit: int | None, resume: bool, dry_run: bool
) -> None:
    """Merge each cluster into rules, which go into review, and bring the evidence of the rules up to date.

    A cluster that a rule goes on for is left alone, and no reply that was stored is asked for again.
    """
    app = wiring.open_app(workspace)
    clustering = wiring.clustering_of(app, task_name, number)
    order = SynthesisOrder(clustering.id, limit, retry_failed=not resume)
    value: dict[str, Json] = {"task": task_name, "clustering": clustering.id}
    currency = app.settings.teacher.currency
    if dry_run:
        found = synthesis_work.estimated(app, order)
        taken = estimate_json(found.estimate, currency)
        value = {**value, **taken, "answered": found.answered, "already_there": found.there}
        value["to_embed"] = to_embed_json(found.to_embed)
        out.emit(value, f"Clustering {clustering.id}: {_estimate_words(found, currency)}")
        return
    run = f"synthesize-{uuid.uuid4().hex[:8]}"
    with progress_line() as report:
        made = synthesis_work.synthesise(app, order, run, report)
    spent = app.store.logic.spend(task_name, run)
    value |= {
        "made": made.made,
        "already_there": made.already_there,
        "failed": made.failed,
        "left": made.left,
        "changed_evidence": made.changed,
        "stale": made.stale,
        "run": run,
        "calls": spent.calls,
        "cost_micro": spent.cost,
    }
    cost = money(spent.cost, currency)
    out.emit(value, f"Clustering {clustering.id}: rules {made.words}. {spent.calls:,} calls, {cost}.")


def _estimate_words(found: SynthesisEstimate, currency: str) -> str:
    taken = found.estimate
    cost = "no price is set for this model" if taken.cost is None else f"about {money(taken.cost, currency)}"
    return (
        f"{taken.calls:,} clusters to ask about, {found.answered:,} answered already, {found.there:,} with their rule. "
        f"About {taken.input_tokens:,} tokens in and {taken.output_tokens:,} out, {cost} (a rule of thumb). "
        + (f"Before that, {found.to_embed.words} " if found.to_embed.texts else "")
        + "Nothing was asked."
    )


@click.command()
@options
@click.option("--task", "task_name", required=True)
@click.option("--clustering", "number", type=int, help="Kept clustering to look at; the newest if left out.")
def coverage(workspace: Path, out: Output, task_name: str, number: int | None) -> None:
    """List labels, clusters and examples without a rule, and rules that overlap."""
    app = wiring.open_app(workspace)
    chosen = None if number is None else wiring.clustering_of(app, task_name, number)
    found = synthesising.coverage(app.store, task_name, chosen)
    pairs, uncompared = judged_pairs(app.store, task_name), app.store.lineage.uncompared(task_name)
    lines = [*_coverage_lines(found, task_name), *overlap_lines(app, task_name, pairs)]
    if uncompared:
        lines.append(f"Not compared yet: {', '.join(uncompared)}. `pld rules overlaps --task {task_name}` does it.")
    value = {
        "task": task_name,
        **found.as_json(),
        "overlaps": [pair_json(pair) for pair in pairs],
        "uncompared": list(uncompared),
    }
    out.emit(value, "\n".join(lines))


def _coverage_lines(found: Coverage, task: str) -> list[str]:
    if not found.examples:
        return [f"Task {task} has no training example that takes part. `pld import` brings some."]
    lines = [f"{found.covered:,} of {found.examples:,} training examples support a rule."]
    if found.clustering is None:
        lines.append(f"No clustering is kept yet: `pld extract --task {task}`, then `pld cluster --task {task}`.")
    lines.append(f"{'label':<20} {'rules':>6} {'examples':>9} {'covered':>8} {'noise':>6} {'unread':>7} {'other':>6}")
    for row in found.labels:
        lines.append(
            f"{row.label:<20} {row.rules:>6} {row.examples:>9,} {row.covered:>8,} {row.noise:>6,} "
            f"{row.unread:>7,} {row.open:>6,}"
        )
    lines += [f"Warning: {words}" for words in found.warnings]
    for cluster in found.clusters:
        held = ", ".join(f"{n:,} {label}" for label, n in cluster.labels)
        closed = f"; {', '.join(cluster.closed)} of it is rejected or retired" if cluster.closed else ""
        lines.append(f"Cluster {cluster.number} of clustering {found.clustering} has no rule: {held}{closed}.")
    return lines
