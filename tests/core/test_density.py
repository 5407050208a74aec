"""DBSCAN and HDBSCAN on the graph are scikit-learn's, on whatever data; only the numbering is ours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN, HDBSCAN
from sklearn.metrics import adjusted_rand_score

from pld_core.density import dbscan, hdbscan, numbered
from pld_core.models import NOISE
from pld_core.neighbours import UNITS, Rows, neighbour_graph

Vectors = npt.NDArray[np.float32]


def unit(rows: npt.NDArray[np.float64]) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def blobs(seed: int, rows: int, dimensions: int = 16, spread: float = 0.45) -> Vectors:
    lots = np.random.default_rng(seed)
    centres = lots.normal(size=(5, dimensions))
    made = centres[lots.integers(5, size=rows)] + lots.normal(scale=spread, size=(rows, dimensions))
    made[::9] = lots.normal(size=(len(made[::9]), dimensions))
    return unit(made)


def plain_dbscan(vectors: Vectors, eps: float, min_samples: int, groups: Rows | None = None) -> list[int]:
    """What scikit-learn gives on cosine distance, rows of zeros being noise, each group by itself."""
    found = np.full(len(vectors), NOISE)
    known = vectors.any(axis=1)
    members = np.zeros(len(vectors), dtype=np.int32) if groups is None else groups
    free = 0
    for group in np.unique(members):
        inside = (members == group) & known
        if inside.any():
            numbers = DBSCAN(eps=eps, min_samples=min_samples, metric="cosine").fit_predict(vectors[inside])
            found[inside] = np.where(numbers == NOISE, NOISE, numbers + free)
            free += int(numbers.max()) + 1
    return [int(number) for number in numbered(found)]


def ours(vectors: Vectors, eps: float, min_samples: int, groups: Rows | None = None) -> list[int]:
    graph = neighbour_graph(vectors, 2.0)
    return [int(number) for number in numbered(dbscan(graph, graph.units_of(eps), min_samples, groups))]


def safe_eps(vectors: Vectors, eps: float) -> float:
    """Return an eps near the given one that no distance is too close to for float32 to tell."""
    wide = vectors.astype(np.float64)
    distances = np.unique(np.round((1 - wide @ wide.T) * UNITS).astype(int))
    near = np.unique(np.concatenate([distances - 1, distances, distances + 1]))
    free = np.setdiff1d(np.arange(1, 2 * UNITS), near)
    return float(free[np.argmin(np.abs(free - eps * UNITS))]) / UNITS


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(1, 90),
    dimensions=st.integers(2, 20),
    eps=st.floats(0.001, 1.9),
    min_samples=st.integers(2, 120),
    labels=st.integers(0, 3),
    equal=st.integers(0, 12),
    zeros=st.integers(0, 5),
)
def test_dbscan_is_scikit_learns_border_rows_included(
    seed: int, rows: int, dimensions: int, eps: float, min_samples: int, labels: int, equal: int, zeros: int
) -> None:
    vectors = blobs(seed, rows, dimensions)
    lots = np.random.default_rng(seed)
    vectors[lots.integers(rows, size=equal)] = vectors[0]
    vectors[lots.integers(rows, size=zeros)] = 0
    groups = lots.integers(labels, size=rows).astype(np.int32) if labels else None
    exact = safe_eps(vectors, eps)
    assert ours(vectors, exact, min_samples, groups) == plain_dbscan(vectors, exact, min_samples, groups)


def test_dbscan_is_scikit_learns_over_several_tiles_and_from_a_larger_graph() -> None:
    vectors = blobs(3, 3000, 24, 0.7)
    graph = neighbour_graph(vectors, 0.6)
    for eps in (0.15, 0.25, 0.4):
        found = numbered(dbscan(graph, graph.units_of(eps), 6))
        wanted = np.array(plain_dbscan(vectors, eps, 6))
        # Of millions of pairs some lie at the very border, where float32 may put them on either side.
        assert adjusted_rand_score(wanted, found) > 0.999
        assert (found == NOISE).sum() == pytest.approx((wanted == NOISE).sum(), abs=3)


def test_a_row_between_two_clusters_joins_the_first_of_them() -> None:
    # On a circle, in degrees: two groups of three, and one row that a member of each is near to.
    angles = np.deg2rad([100, 101, 102, 90, 78, 79, 80])
    vectors = unit(np.column_stack([np.cos(angles), np.sin(angles)]))
    eps = float(1 - np.cos(np.deg2rad(10.5)))
    assert ours(vectors, eps, 4) == plain_dbscan(vectors, eps, 4)


@pytest.mark.parametrize("seed", range(4))
def test_hdbscan_is_scikit_learns_up_to_ties(seed: int) -> None:
    vectors = blobs(seed, 400, 48, 0.6)
    found = hdbscan(neighbour_graph(vectors, 2.0), 6)
    model = HDBSCAN(min_cluster_size=6, metric="cosine", algorithm="brute", copy=True)
    assert adjusted_rand_score(model.fit_predict(vectors.astype(np.float64)), found) > 0.97
    assert found.max() >= 3


def test_hdbscan_on_a_graph_that_does_not_go_all_the_way_finds_the_same_and_no_cluster_of_strays() -> None:
    vectors = blobs(1, 600, 64, 0.5)
    graph = neighbour_graph(vectors, 0.45)
    assert len({int(row) for low, high, _ in graph.within(60_000) for row in (*low, *high)}) < 600, "some have none"
    found = hdbscan(graph, 6)
    assert adjusted_rand_score(hdbscan(neighbour_graph(vectors, 2.0), 6), found) > 0.97
    assert (found[::9] == NOISE).mean() > 0.9


@pytest.mark.parametrize("within", [True, False])
def test_hdbscan_is_the_same_on_every_call_and_takes_equal_rows_zeros_and_small_groups(within: bool) -> None:
    vectors = blobs(5, 120)
    vectors[20:32] = vectors[20]
    vectors[40:60] = 0
    groups = np.array([0] * 80 + [1] * 36 + [2] * 4, dtype=np.int32) if within else None
    first = hdbscan(neighbour_graph(vectors, 1.0), 5, groups)
    assert first.tolist() == hdbscan(neighbour_graph(vectors.copy(), 1.0), 5, groups).tolist()
    assert set(first[40:60]) == {NOISE}
    assert len(set(first[20:32])) == 1
    if within:
        assert set(first[116:]) == {NOISE}
        assert not set(first[:80]) & set(first[80:]) - {NOISE}


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_few_rows_are_noise(rows: int) -> None:
    graph = neighbour_graph(blobs(0, 9)[:rows], 1.0)
    assert dbscan(graph, 100, 6).tolist() == hdbscan(graph, 6).tolist() == [NOISE] * rows


def test_numbers_follow_the_first_appearance() -> None:
    assert numbered(np.array([7, NOISE, 2, 7, 0])).tolist() == [0, NOISE, 1, 0, 2]
