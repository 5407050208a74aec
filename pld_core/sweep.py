"""Which settings to cluster with: what each would give, where it collapses, and what leads out of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pld_core.canonical import Json
from pld_core.clustering import ClusterHealth, Ground, Trouble, health, numbers_on
from pld_core.models import NOISE, Algorithm, ClusterParams, MicroInstruction
from pld_core.neighbours import UNITS, kth_distances

EPS_STEPS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8, 0.9)
MIN_SAMPLES_STEPS = (3, 6, 10)
CHARACTERS_A_TOKEN = 4
RULE_FRAME = 24
"""Characters of a prompt's rule besides its words: number, id, IF, THEN."""
CURVE_LEAST = 10
"""With fewer points a curve has no knee to speak of."""


@dataclass(frozen=True)
class SweepRow:
    """What one setting gives.

    Attributes:
        tokens: estimate of the student's prompt, see `prompt_tokens`.
    """

    eps: float
    min_samples: int
    figures: ClusterHealth
    tokens: int

    def as_json(self) -> dict[str, Json]:
        return {"eps": self.eps, "min_samples": self.min_samples, **health_json(self.figures), "tokens": self.tokens}


@dataclass(frozen=True)
class Remedy:
    """A way out: what to do, in words, and the settings that do it."""

    words: str
    params: ClusterParams


def health_json(figures: ClusterHealth) -> dict[str, Json]:
    """Return the figures of a clustering for machines."""
    return {
        "clusters": figures.clusters,
        "points": figures.points,
        "noise": figures.noise,
        "noise_share": round(figures.noise_share, 6),
        "largest_share": round(figures.largest_share, 6),
        "purity": round(figures.purity, 6),
        "noise_by_label": {label: {"noise": n, "of": of} for label, (n, of) in figures.noise_by_label.items()},
        "collapsed": figures.is_collapsed,
        "troubles": [{"kind": trouble.value, "words": words} for trouble, words in figures.troubles],
    }


# --- the table --------------------------------------------------------------------------------------------------------


def sweep(
    ground: Ground,
    lengths: Sequence[int],
    fixed: int,
    within_label: bool,
    eps_steps: Iterable[float] = EPS_STEPS,
    min_samples_steps: Sequence[int] = MIN_SAMPLES_STEPS,
) -> tuple[SweepRow, ...]:
    """Return what DBSCAN gives for each eps and minimum; an eps beyond the graph is left out.

    Args:
        lengths: (rows,) characters of each instruction, see `rule_lengths`.
        fixed: characters of the prompt without any rule.
    """
    rows = []
    for eps in eps_steps:
        if eps > ground.graph.eps_max:
            continue
        for least in min_samples_steps:
            numbers = numbers_on(ground, ClusterParams(eps, least, within_label))
            tokens = prompt_tokens(numbers, lengths, fixed)
            rows.append(SweepRow(eps, least, health(ground.labels, numbers), tokens))
    return tuple(rows)


def rule_lengths(instructions: Iterable[MicroInstruction]) -> list[int]:
    """Return how many characters of a prompt each instruction would take as a rule."""
    return [
        RULE_FRAME + len(i.condition) + len(i.label) + sum(len(" EXCEPT .") + len(e) for e in i.exceptions)
        for i in instructions
    ]


def prompt_tokens(numbers: Sequence[int], lengths: Sequence[int], fixed: int) -> int:
    """Estimate the tokens of the student's prompt: what is always in it, and one rule a cluster.

    A rule is taken to be as long as the longest instruction of its cluster, and a token as four characters. For fixed
    2,000 characters and two clusters whose longest instructions take 300 and 500: 700 tokens.
    """
    longest: dict[int, int] = {}
    for number, length in zip(numbers, lengths, strict=True):
        if number != NOISE:
            longest[number] = max(longest.get(number, 0), length)
    return (fixed + sum(longest.values())) // CHARACTERS_A_TOKEN


# --- a suggestion -----------------------------------------------------------------------------------------------------


def suggested_eps(ground: Ground, min_samples: int, within_label: bool) -> float | None:
    """Return the eps at the knee of the k-distances, or None if they have no knee. A suggestion, no more.

    The distance of each row to its k-th nearest (k is `min_samples`, itself included) is sorted; where the curve lies
    deepest below the line from its first to its last point, rows with company end and stray rows begin. Rows without
    k rows within the graph are left out. Rounded up to hundredths.
    """
    graph = ground.graph
    found = kth_distances(graph, min_samples, ground.groups(within_label))
    curve = np.sort(found[found <= graph.units_of(graph.eps_max)]) / UNITS
    if len(curve) < CURVE_LEAST or curve[-1] <= curve[0]:
        return None
    depth = np.linspace(0, 1, len(curve)) - (curve - curve[0]) / (curve[-1] - curve[0])
    knee = float(curve[int(np.argmax(depth))])
    return min(graph.eps_max, max(0.01, float(np.ceil(knee * 100 - 1e-6)) / 100)) if depth.max() > 0 else None


# --- the way out ------------------------------------------------------------------------------------------------------


def remedies(trouble: Trouble, params: ClusterParams, rows: Sequence[SweepRow]) -> tuple[Remedy, ...]:
    """Return what helps against a trouble, most fitting first.

    Args:
        params: the settings that have it.
        rows: the sweep for the same borders and minimum; an eps is offered where it shows one without the trouble.
    """
    return tuple(_remedies(trouble, params, rows))


def _remedies(trouble: Trouble, params: ClusterParams, rows: Sequence[SweepRow]) -> Iterator[Remedy]:
    too_wide = trouble in (Trouble.ONE_CLUSTER, Trouble.FEW_CLUSTERS)
    by_distance = params.algorithm is Algorithm.DBSCAN
    eps = _sound_eps(trouble, params, rows) if by_distance else None
    if eps is not None:
        yield Remedy(f"{'Lower' if eps < params.eps else 'Raise'} eps to {eps:g}", replace(params, eps=eps))
    if trouble is not Trouble.MUCH_NOISE and not params.within_label:
        yield Remedy("Cluster inside each label", replace(params, within_label=True))
    if not too_wide and params.min_samples > 2:
        least = max(2, params.min_samples // 2)
        yield Remedy(f"Let {least} make a cluster", replace(params, min_samples=least))
    if by_distance:
        yield Remedy("Use HDBSCAN", replace(params, algorithm=Algorithm.HDBSCAN))
    elif too_wide:
        yield Remedy("Use DBSCAN", replace(params, algorithm=Algorithm.DBSCAN))


def _sound_eps(trouble: Trouble, params: ClusterParams, rows: Sequence[SweepRow]) -> float | None:
    """Return the nearest eps of the table that is free of the trouble, of all troubles if possible; None if none is."""
    free = [
        row
        for row in rows
        if row.min_samples == params.min_samples
        and row.eps != params.eps
        and trouble not in {kind for kind, _ in row.figures.troubles}
    ]
    if not free:
        return None
    return min(free, key=lambda r: (r.figures.is_collapsed, len(r.figures.troubles), abs(r.eps - params.eps))).eps
