"""`pld cluster`: from instructions to clusters."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import click

from pld_app import embedding, wiring
from pld_app.cli_format import Output, options, progress_line
from pld_app.embedding import ToEmbed
from pld_app.wiring import App
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
@click.option("--embedder", default="", help="Such as tfidf or openai:text-embedding-3-small; else from the settings.")
@click.option("--sweep", "as_table", is_flag=True, help="Print what each setting would give; keeps nothing.")
@click.option(
    "--dry-run", is_flag=True, help="Print the figures, or what would have to be embedded; keeps and sends nothing."
)
def cluster(
    workspace: Path, out: Output, task_name: str, algorithm: str, as_table: bool, dry_run: bool, **given: Any
) -> None:
    """Cluster the instructions of a task and keep the result. Texts are sent to the embedder once, then cached."""
    check_params(ClusterParams(eps=given["eps"], min_samples=given["min_samples"]))
    app = wiring.open_app(workspace)
    embedder = embedding.embedder_name(app.settings, given.pop("embedder"))
    params = ClusterParams(**given, embedder=embedder, algorithm=Algorithm(algorithm))
    task = app.store.tasks.get(task_name)
    instructions = app.store.logic.active_instructions(task_name)
    if not instructions:
        raise InvalidInput(f"Task {task_name} has no instructions yet, so there is nothing to cluster.")
    if not _is_embedded(app, out, task_name, params, dry_run):
        return
    ground = _ground(app, instructions, params)
    suggested = suggested_eps(ground, params.min_samples, params.within_label)
    if as_table:
        steps = sorted({*MIN_SAMPLES_STEPS, params.min_samples})
        rows = sweep(ground, rule_lengths(instructions), fixed_length(task), params.within_label, EPS_STEPS, steps)
        _emit_table(out, task_name, params, rows, suggested)
        return
    figures, tokens = _figures(task, ground, instructions, params)
    kept = None if dry_run else embedding.save_clustering(app, task_name, params).id
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


def _is_embedded(app: App, out: Output, task: str, params: ClusterParams, dry_run: bool) -> bool:
    """Embed what is missing, or in a dry run tell what it would take; return whether the texts can be compared."""
    wanted = embedding.to_embed(app, params.embedder, embedding.conditions_of(app, task))
    if wanted.texts and dry_run:
        value: dict[str, Json] = {"task": task, "clustering": None, "params": params.as_json()}
        out.emit({**value, "to_embed": to_embed_json(wanted)}, f"{wanted.words} Nothing was sent.")
        return False
    if wanted.texts:
        out.say(wanted.words)
        with progress_line() as report:
            said = embedding.embed(app, task, params.embedder, f"cluster-{uuid.uuid4().hex[:8]}", report)
        out.say(said)
    return True


def to_embed_json(wanted: ToEmbed) -> dict[str, Json]:
    """Return what would have to be embedded, for machines."""
    return {
        "embedder": wanted.embedder,
        "texts": wanted.texts,
        "of": wanted.of,
        "requests": wanted.found.calls,
        "input_tokens": wanted.found.input_tokens,
        "cost_micro": wanted.found.cost,
        "currency": wanted.currency,
    }


def _ground(app: App, instructions: tuple[MicroInstruction, ...], params: ClusterParams) -> Ground:
    """Return the ground for looking at any eps, or one that reaches the given eps if that lies beyond."""
    labels = [i.label for i in instructions]
    vectors = embedding.vectors(app, params.embedder, [i.condition for i in instructions])
    ground = open_ground(labels, vectors)
    return ground if ground.graph.eps_max >= params.eps else ground_of(labels, vectors, params.eps)


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
