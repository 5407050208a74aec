"""Phase 2, first half: which instructions say the same thing. Pure; the same input gives the same clusters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.cluster import DBSCAN
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from pld_core.errors import InvalidInput
from pld_core.models import NOISE, ClusterParams, ClusterPoint, MicroInstruction

Vectors = npt.NDArray[np.float32]
EVERYTHING = ""
TSNE_LIMIT = 2000
"""Above this many points the map is a plain projection: t-SNE would take minutes."""


def cluster_numbers(labels: Sequence[str], vectors: Vectors, params: ClusterParams) -> list[int]:
    """Return the cluster number of each row, `NOISE` for none; numbers follow the order of the rows.

    DBSCAN on cosine distance; on unit vectors a cosine distance e is a euclidean distance sqrt(2 e), which is faster.
    A row of zeros (no known word) is always noise.

    Raises:
        InvalidInput: a parameter outside its range.
    """
    if not 0 < params.eps <= 2:
        raise InvalidInput(f"eps is {params.eps}; it has to lie above 0 and at most at 2.")
    if params.min_samples < 2:
        raise InvalidInput(f"min_samples is {params.min_samples}; it has to be at least 2.")
    found = np.full(len(labels), NOISE)
    known = np.linalg.norm(vectors, axis=1) > 0 if len(labels) else np.zeros(0, dtype=bool)
    groups = dict.fromkeys(labels) if params.within_label else {EVERYTHING: None}
    next_free = 0
    for group in groups:
        inside = np.array([not params.within_label or label == group for label in labels], dtype=bool) & known
        if not inside.any():
            continue
        result = DBSCAN(eps=float(np.sqrt(2 * params.eps)), min_samples=params.min_samples).fit_predict(vectors[inside])
        found[inside] = np.where(result == NOISE, NOISE, result + next_free)
        next_free += int(result.max()) + 1
    return _in_row_order(found.tolist())


def _in_row_order(numbers: list[int]) -> list[int]:
    new = {NOISE: NOISE}
    for number in numbers:
        new.setdefault(number, len(new) - 1)
    return [new[number] for number in numbers]


def positions(vectors: Vectors, seed: int) -> npt.NDArray[np.float64]:
    """Return a place in the plane for each row, for the map; near rows are near, far distances mean little."""
    rows = len(vectors)
    # Equal rows have no direction to be spread in; a projection would divide by nothing.
    if rows < 3 or vectors.shape[1] < 2 or not np.ptp(vectors, axis=0).any():
        return np.column_stack([np.arange(rows, dtype=float), np.zeros(rows)])
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


@dataclass(frozen=True)
class ClusterHealth:
    """What a person should know before trusting a clustering.

    Attributes:
        largest_share: share of clustered points in the largest cluster, 0 to 1.
        noise_share: share of all points that belong to no cluster, 0 to 1.
        noise_by_label: (noise points, all points) by label.
        warnings: in words; empty if nothing looks wrong.
    """

    clusters: int
    points: int
    noise: int
    largest_share: float
    noise_share: float
    noise_by_label: dict[str, tuple[int, int]]
    warnings: tuple[str, ...]


def health(labels: Sequence[str], numbers: Sequence[int]) -> ClusterHealth:
    """Judge a clustering: collapse, too much noise, labels that would end without a rule (`method.md`)."""
    sizes = Counter(n for n in numbers if n != NOISE)
    total, noise = len(numbers), sum(n == NOISE for n in numbers)
    clustered = total - noise
    all_by_label = Counter(labels)
    noisy = Counter(label for label, n in zip(labels, numbers, strict=True) if n == NOISE)
    largest = max(sizes.values(), default=0) / clustered if clustered else 0.0
    noise_share = noise / total if total else 0.0
    warnings = []
    if largest > 0.5:
        warnings.append(f"One cluster holds {largest:.0%} of the clustered instructions: eps is probably too large.")
    if sizes and len(sizes) < len(all_by_label):
        warnings.append(f"Fewer clusters ({len(sizes)}) than labels ({len(all_by_label)}): try a smaller eps.")
    if noise_share > 0.4:
        warnings.append(f"{noise_share:.0%} of the instructions are in no cluster: try a larger eps or fewer samples.")
    for label, n in sorted(all_by_label.items()):
        if noisy[label] == n:
            warnings.append(f"No cluster concludes {label}: this label would end without a rule.")
    return ClusterHealth(
        clusters=len(sizes),
        points=total,
        noise=noise,
        largest_share=largest,
        noise_share=noise_share,
        noise_by_label={label: (noisy[label], n) for label, n in sorted(all_by_label.items())},
        warnings=tuple(warnings),
    )
