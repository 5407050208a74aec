"""Phase 2, first half: which instructions say the same thing. Pure; the same input gives the same clusters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from pld_core.density import dbscan, hdbscan, numbered
from pld_core.errors import InvalidInput
from pld_core.models import NOISE, Algorithm, ClusterParams, ClusterPoint, MicroInstruction
from pld_core.neighbours import MOST_PAIRS, NeighbourGraph, Rows, Vectors, check_eps, group_numbers, neighbour_graph

TSNE_LIMIT = 300
"""Above this many points the map is a plain projection (PCA): t-SNE takes 10 s and more from a few hundred on."""
EPS_MAX = 1.0
"""How far a graph goes that any eps can be read from: at a right angle two instructions have nothing in common."""
FREE_PAIRS = 1_000_000
"""So many pairs are kept in any case: clustering them takes no time that anyone would notice."""
COLLAPSED_SHARE, NOISY_SHARE = 0.5, 0.4
"""Above these shares a clustering should not be trusted."""


@dataclass(frozen=True)
class Ground:
    """What every clustering of the same instructions starts from, made once: the slider only reads from it.

    Attributes:
        labels: (rows,) gold label of each instruction.
        graph: which of them lie near each other, whatever their label.
    """

    labels: tuple[str, ...]
    graph: NeighbourGraph

    def groups(self, within_label: bool) -> Rows | None:
        """Return the label of each row as a number, or None if labels are no borders."""
        return group_numbers(self.labels) if within_label else None


def ground_of(labels: Sequence[str], vectors: Vectors, eps_max: float) -> Ground:
    """Return the ground for clusterings up to `eps_max`.

    Args:
        vectors: (rows, dimensions), float32, rows of length 1; a row of zeros (no known word) is always noise.
    """
    return Ground(tuple(labels), neighbour_graph(vectors, eps_max))


def open_ground(labels: Sequence[str], vectors: Vectors) -> Ground:
    """Return the ground for looking at any eps, and for HDBSCAN: up to `EPS_MAX`, or as far as it is of use.

    Where a third of all pairs are neighbours there is one cluster. What lies beyond would only make the slider slow:
    of 7,000 instructions most pairs lie close below 1.
    """
    room = max(FREE_PAIRS, len(labels) ** 2 // 6)
    return Ground(tuple(labels), neighbour_graph(vectors, EPS_MAX, min(MOST_PAIRS, room)))


def numbers_on(ground: Ground, params: ClusterParams) -> list[int]:
    """Return the cluster number of each row, `NOISE` for none; numbers follow the order of the rows.

    Raises:
        InvalidInput: a parameter outside its range, or an eps beyond the graph.
    """
    check_params(params)
    groups = ground.groups(params.within_label)
    if params.algorithm is Algorithm.HDBSCAN:
        found = hdbscan(ground.graph, params.min_samples, groups)
    else:
        found = dbscan(ground.graph, ground.graph.units_of(params.eps), params.min_samples, groups)
    return [int(number) for number in numbered(found)]


def cluster_numbers(labels: Sequence[str], vectors: Vectors, params: ClusterParams) -> list[int]:
    """Return the cluster number of each row, as `numbers_on`, for parameters that are looked at once."""
    check_params(params)
    if params.algorithm is Algorithm.HDBSCAN:
        return numbers_on(open_ground(labels, vectors), params)
    return numbers_on(ground_of(labels, vectors, params.eps), params)


def check_params(params: ClusterParams) -> None:
    """Raise `InvalidInput` for a parameter outside its range."""
    check_eps(params.eps)
    if params.min_samples < 2:
        raise InvalidInput(f"min_samples is {params.min_samples}; it has to be at least 2.")


def positions(vectors: Vectors, seed: int) -> npt.NDArray[np.float64]:
    """Return a place in the plane for each row, for the map; near rows are near, far distances mean little."""
    rows = len(vectors)
    # Equal rows have no direction to be spread in; a projection would divide by nothing.
    if rows < 3 or vectors.shape[1] < 2 or not np.ptp(vectors, axis=0).any():
        return np.column_stack([np.arange(rows, dtype=float), np.zeros(rows)])
    # Imported when it is needed: it takes a second, which every command would wait for.
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    if rows > TSNE_LIMIT:
        return np.asarray(PCA(2, random_state=seed).fit_transform(vectors), dtype=float)
    perplexity = min(20.0, (rows - 1) / 3)
    flat = TSNE(2, perplexity=perplexity, init="pca", metric="cosine", random_state=seed).fit_transform(vectors)
    return np.asarray(flat, dtype=float)


def cluster_points(
    instructions: Sequence[MicroInstruction], vectors: Vectors, params: ClusterParams
) -> tuple[ClusterPoint, ...]:
    """Return each instruction with its cluster and its place on the map."""
    numbers = cluster_numbers([i.label for i in instructions], vectors, params)
    places = positions(vectors, params.seed)
    return tuple(
        ClusterPoint(i.example_hash, i.label, number, float(x), float(y))
        for i, number, (x, y) in zip(instructions, numbers, places, strict=True)
    )


class Trouble(StrEnum):
    """Why a clustering should not be trusted as it is."""

    ONE_CLUSTER = "one_cluster"
    FEW_CLUSTERS = "few_clusters"
    MUCH_NOISE = "much_noise"
    LABEL_LOST = "label_lost"


@dataclass(frozen=True)
class ClusterHealth:
    """What a person should know before trusting a clustering.

    Attributes:
        largest_share: share of clustered points in the largest cluster, 0 to 1.
        noise_share: share of all points that belong to no cluster, 0 to 1.
        purity: share of clustered points whose label is the most frequent one of their cluster, 0 to 1.
        noise_by_label: (noise points, all points) by label.
        troubles: kind and words of what looks wrong; empty if nothing does.
    """

    clusters: int
    points: int
    noise: int
    largest_share: float
    noise_share: float
    purity: float
    noise_by_label: dict[str, tuple[int, int]]
    troubles: tuple[tuple[Trouble, str], ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(words for _, words in self.troubles)

    @property
    def is_collapsed(self) -> bool:
        """Whether it is of no use as a whole; a label left without a rule is a gap, not a collapse."""
        return any(trouble is not Trouble.LABEL_LOST for trouble, _ in self.troubles)


def health(labels: Sequence[str], numbers: Sequence[int]) -> ClusterHealth:
    """Judge a clustering: collapse, too much noise, labels that would end without a rule (`method.md`)."""
    pairs = Counter(zip(numbers, labels, strict=True))
    total = len(numbers)
    sizes, tops, all_by_label = Counter[int](), Counter[int](), Counter[str](labels)
    for (number, _), n in pairs.items():
        if number != NOISE:
            sizes[number] += n
            tops[number] = max(tops[number], n)
    # A label that is nowhere the most frequent one of a cluster ends without a rule, clustered or not.
    concluded = frozenset(label for (number, label), n in pairs.items() if tops[number] == n)
    noisy = {label: pairs[NOISE, label] for label in sorted(all_by_label)}
    clustered, noise = sizes.total(), sum(noisy.values())
    figures = ClusterHealth(
        clusters=len(sizes),
        points=total,
        noise=noise,
        largest_share=max(sizes.values(), default=0) / clustered if clustered else 0.0,
        noise_share=noise / total if total else 0.0,
        purity=tops.total() / clustered if clustered else 0.0,
        noise_by_label={label: (n, all_by_label[label]) for label, n in noisy.items()},
        troubles=(),
    )
    return replace(figures, troubles=tuple(_troubles(figures, concluded)))


def _troubles(figures: ClusterHealth, concluded: frozenset[str]) -> Iterator[tuple[Trouble, str]]:
    labels = len(figures.noise_by_label)
    if figures.largest_share > COLLAPSED_SHARE:
        yield Trouble.ONE_CLUSTER, f"One cluster holds {figures.largest_share:.0%} of the clustered instructions."
    if 0 < figures.clusters < labels:
        yield Trouble.FEW_CLUSTERS, f"Fewer clusters ({figures.clusters}) than labels ({labels})."
    if figures.noise_share > NOISY_SHARE:
        yield Trouble.MUCH_NOISE, f"{figures.noise_share:.0%} of the instructions are in no cluster."
    for label in figures.noise_by_label:
        if label not in concluded:
            yield Trouble.LABEL_LOST, f"No cluster concludes {label}: this label would end without a rule."
