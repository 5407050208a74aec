"""`pld cluster` and `pld synthesize`: from instructions to clusters, and from clusters to rules in review."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import click

from pld_app import extracting, wiring
from pld_app.cli_format import Output, options, progress
from pld_core import pipeline
from pld_core.canonical import Json
from pld_core.clustering import ClusterHealth, Ground, check_params, ground_of, health, numbers_on, open_ground
from pld_core.compilation import fixed_length
from pld_core.errors import InvalidInput
from pld_core.models import Algorithm, ClusterParams, MicroInstruction, Task
from pld_core.sweep import (
    EPS_STEPS,
    MIN_SAMPLES_STEPS,
    SweepRow,
    health_json,
    prompt_tokens,
    remedies,
    rule_lengths,
    suggested_eps,
    sweep,
)

PUBLISHED = ClusterParams()


@click.command()
@options
@click.option("--task", "task_name", required=True, help="Task whose instructions are clustered.")
@click.option("--eps", default=PUBLISHED.eps, show_default=True, help="Largest cosine distance between neighbours.")
@click.option("--min-samples", default=PUBLISHED.min_samples, show_default=True, help="Smallest cluster, at least 2.")
@click.option("--algorithm", type=click.Choice([a.value for a in Algorithm]), default="dbscan", show_default=True)
@click.option(
    "--within-label/--all-labels", "within_label", default=True, show_default=True, help="Whether labels are borders."
)
@click.option("--seed", default=0, show_default=True, help="For the map; clusters draw no lots.")
@click.option("--sweep", "as_table", is_flag=True, help="Print what each setting would give; keeps nothing.")
@click.option("--dry-run", is_flag=True, help="Print the figures; keeps nothing.")
def cluster(
    workspace: Path, out: Output, task_name: str, algorithm: str, as_table: bool, dry_run: bool, **given: Any
) -> None:
    """Cluster the instructions of a task and keep the result."""
    params = ClusterParams(**given, embedder=wiring.embedder().name, algorithm=Algorithm(algorithm))
    check_params(params)
    app = wiring.open_app(workspace)
    task = app.store.tasks.get(task_name)
    instructions = app.store.logic.active_instructions(task_name)
    if not instructions:
        raise InvalidInput(f"Task {task_name} has no instructions yet, so there is nothing to cluster.")
    ground = _ground(instructions, params.eps)
    suggested = suggested_eps(ground, params.min_samples, params.within_label)
    if as_table:
        steps = sorted({*MIN_SAMPLES_STEPS, params.min_samples})
        rows = sweep(ground, rule_lengths(instructions), fixed_length(task), params.within_label, EPS_STEPS, steps)
        _emit_table(out, task_name, params, rows, suggested)
        return
    figures, tokens = _figures(task, ground, instructions, params)
    kept = None if dry_run else wiring.save_clustering(app, task_name, params).id
    value: dict[str, Json] = {
        "task": task_name,
        "clustering": kept,
        "params": params.as_json(),
        **health_json(figures),
        "tokens": tokens,
        "suggested_eps": suggested,
        "remedies": [
            {"for": trouble, "words": remedy.words, "params": remedy.params.as_json()}
            for trouble, remedy in _ways_out(figures, ground, instructions, params)
        ],
    }
    out.emit(value, "\n".join(_lines(value, figures, kept)))


def _ground(instructions: tuple[MicroInstruction, ...], eps: float) -> Ground:
    """Return the ground for looking at any eps, or one that reaches the given eps if that lies beyond."""
    labels = [i.label for i in instructions]
    vectors = wiring.embedder().embed([i.condition for i in instructions])
    ground = open_ground(labels, vectors)
    return ground if ground.graph.eps_max >= eps else ground_of(labels, vectors, eps)


def _figures(
    task: Task, ground: Ground, instructions: tuple[MicroInstruction, ...], params: ClusterParams
) -> tuple[ClusterHealth, int]:
    numbers = numbers_on(ground, params)
    tokens = prompt_tokens(numbers, rule_lengths(instructions), fixed_length(task))
    return health(ground.labels, numbers), tokens


def _ways_out(
    figures: ClusterHealth, ground: Ground, instructions: tuple[MicroInstruction, ...], params: ClusterParams
) -> list[tuple[str, Any]]:
    if not figures.troubles:
        return []
    lengths = rule_lengths(instructions)
    rows = sweep(ground, lengths, 0, params.within_label, min_samples_steps=(params.min_samples,))
    kinds = dict.fromkeys(trouble for trouble, _ in figures.troubles)
    return [(kind.value, remedy) for kind in kinds for remedy in remedies(kind, params, rows)]


def _lines(value: dict[str, Any], figures: ClusterHealth, kept: int | None) -> list[str]:
    head = "Nothing was kept" if kept is None else f"Clustering {kept} is kept"
    told = (
        f"{head}: {figures.clusters} clusters, {figures.noise} of {figures.points} noise, the largest holds "
        f"{figures.largest_share:.0%}, label purity {figures.purity:.0%}, about {value['tokens']:,} prompt tokens."
    )
    lines = [told, *(f"  noise of {label}: {n} of {of}" for label, (n, of) in figures.noise_by_label.items())]
    lines += [f"Warning: {words}" for words in figures.warnings]
    helps = dict.fromkeys(remedy["words"] for remedy in value["remedies"])
    lines += [f"What may help: {'; '.join(helps)}."] if helps else []
    return [*lines, _suggestion(value["suggested_eps"])]


def _suggestion(eps: float | None) -> str:
    return "No suggestion for eps." if eps is None else f"Suggestion: --eps {eps:g}, the knee of the distances."


def _emit_table(
    out: Output, task: str, params: ClusterParams, rows: tuple[SweepRow, ...], suggested: float | None
) -> None:
    lines = ["  eps  smallest  clusters  noise  largest  purity  tokens  trouble"]
    for row in rows:
        found = row.figures
        kinds = ", ".join(dict.fromkeys(kind.value.replace("_", " ") for kind, _ in found.troubles))
        lines.append(
            f"{row.eps:>5g}  {row.min_samples:>8}  {found.clusters:>8}  {found.noise_share:>5.0%}  "
            f"{found.largest_share:>7.0%}  {found.purity:>6.0%}  {row.tokens:>6}  {kinds or 'none'}"
        )
    value: dict[str, Json] = {
        "task": task,
        "within_label": params.within_label,
        "suggested_eps": suggested,
        "rows": [row.as_json() for row in rows],
    }
    out.emit(value, "\n".join([*lines, _suggestion(suggested)]))


@click.command()
@options
@click.option("--task", "task_name", required=True, help="Task whose clusters become rules.")
@click.option("--clustering", "number", type=int, help="Kept clustering; the newest if left out.")
@click.option("--dry-run", is_flag=True, help="Say how many rules would be asked for; asks for none.")
def synthesize(workspace: Path, out: Output, task_name: str, number: int | None, dry_run: bool) -> None:
    """Merge each cluster into one rule, which goes into review. A cluster that has its rule is left alone."""
    app = wiring.open_app(workspace)
    clustering = wiring.clustering_of(app, task_name, number)
    value: dict[str, Json] = {"task": task_name, "clustering": clustering.id}
    if dry_run:
        awaited, there = pipeline.awaited_rules(app.store, clustering)
        words = f"Clustering {clustering.id}: {awaited} rules to ask for, {there} already there. Nothing was asked."
        out.emit({**value, "awaited": awaited, "already_there": there}, words)
        return
    made = extracting.synthesise(app, clustering.id, f"synthesize-{uuid.uuid4().hex[:8]}", progress)
    out.emit(
        {**value, "made": made.made, "already_there": made.already_there, "failed": made.failed},
        f"Clustering {clustering.id}: rules {made.words}.",
    )
