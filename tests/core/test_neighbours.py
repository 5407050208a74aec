"""The neighbour graph has exactly the pairs within its eps, however the matrix is cut up, and stays within its room."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from pld_core import neighbours
from pld_core.errors import InvalidInput
from pld_core.neighbours import UNITS, NeighbourGraph, group_numbers, kth_distances, neighbour_counts, neighbour_graph

Vectors = npt.NDArray[np.float32]


def random_rows(seed: int, rows: int, dimensions: int = 8) -> Vectors:
    """Return unit vectors around a few centres, some of them equal, some of them zeros."""
    lots = np.random.default_rng(seed)
    centres = lots.normal(size=(4, dimensions))
    made = centres[lots.integers(4, size=rows)] + lots.normal(scale=0.5, size=(rows, dimensions))
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    made[1::7] = made[0]
    made[3::11] = 0
    return made.astype(np.float32)


def exact(vectors: Vectors) -> npt.NDArray[np.float64]:
    """Return all distances in units, zeros infinitely far from everything."""
    wide = vectors.astype(np.float64)
    distances = np.ceil((1 - wide @ wide.T) * UNITS - neighbours.ROUNDING)
    known = (wide != 0).any(axis=1)
    distances[~(known[:, None] & known[None, :])] = np.inf
    return np.maximum(distances, 0)


def pairs_of(graph: NeighbourGraph, units: int, groups: neighbours.Rows | None = None) -> dict[tuple[int, int], int]:
    return {
        (int(a), int(b)): int(d)
        for low, high, distances in graph.within(units, groups)
        for a, b, d in zip(low, high, distances, strict=True)
    }


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("eps", [0.0001, 0.1, 0.35, 1.0, 2.0])
def test_each_pair_within_eps_is_there_once_with_its_distance(seed: int, eps: float) -> None:
    vectors = random_rows(seed, 60)
    graph = neighbour_graph(vectors, 2.0)
    units, wanted = graph.units_of(eps), exact(vectors)
    found = pairs_of(graph, units)
    assert all(a < b for a, b in found)
    for a in range(60):
        for b in range(a + 1, 60):
            if abs(wanted[a, b] - units) > 1:
                assert ((a, b) in found) == (wanted[a, b] < units)
            if (a, b) in found:
                assert abs(found[a, b] - wanted[a, b]) <= 1, "float32 may differ from float64 by one unit"


def test_where_the_matrix_is_cut_makes_no_difference() -> None:
    rows = neighbours.TILE_COLUMNS + neighbours.TILE_ROWS + 5
    vectors = random_rows(1, rows, 3)
    graph = neighbour_graph(vectors, 0.01)
    assert len(graph.tiles) > neighbours.TILE_COLUMNS // neighbours.TILE_ROWS
    counts = neighbour_counts(graph, graph.units_of(0.01))
    for row in (0, 1, neighbours.TILE_ROWS - 1, neighbours.TILE_ROWS, neighbours.TILE_COLUMNS, rows - 1):
        near = 1 - vectors.astype(np.float64) @ vectors[row] <= 0.01 if graph.known[row] else np.zeros(1)
        assert abs(int(counts[row]) - int(near.sum())) <= 2, "pairs at the very border may fall to either side"


@pytest.mark.parametrize("eps", [n / 10_000 for n in (1, 3, 29, 999, 2900, 4000, 5500, 10_000, 20_000)])
def test_an_eps_of_four_decimals_is_a_whole_number_of_units(eps: float) -> None:
    graph = neighbour_graph(np.eye(2, dtype=np.float32), 2.0)
    assert graph.units_of(eps) == round(eps * UNITS)


def test_a_pair_exactly_eps_apart_is_within_it() -> None:
    graph = neighbour_graph(np.array([[1, 0], [0.6, 0.8], [0, 1]], dtype=np.float32), 2.0)
    assert pairs_of(graph, graph.units_of(0.4)).keys() == {(0, 1), (1, 2)}
    assert pairs_of(graph, graph.units_of(0.3999)).keys() == {(1, 2)}
    assert (0, 2) in pairs_of(graph, graph.units_of(1.0))
    assert (0, 2) not in pairs_of(graph, graph.units_of(0.9999))


def test_groups_are_borders() -> None:
    graph = neighbour_graph(np.tile(np.eye(1, 2, dtype=np.float32), (4, 1)), 0.5)
    groups = group_numbers(["a", "b", "a", "b"])
    assert pairs_of(graph, 0, groups).keys() == {(0, 2), (1, 3)}
    assert neighbour_counts(graph, 0, groups).tolist() == [2, 2, 2, 2]
    assert neighbour_counts(graph, 0).tolist() == [4, 4, 4, 4]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("k", [1, 2, 6, 99])
def test_the_kth_distance_is_that_of_the_sorted_row(seed: int, k: int) -> None:
    vectors = random_rows(seed, 50)
    graph = neighbour_graph(vectors, 0.5)
    found, beyond = kth_distances(graph, k), graph.units_of(0.5) + 1
    full = np.full((50, 50), beyond, dtype=np.int64)
    for (a, b), units in pairs_of(graph, beyond).items():
        full[a, b] = full[b, a] = units
    full[np.diag_indices(50)] = np.where(graph.known, 0, beyond)
    wanted = np.sort(full, axis=1)[:, k - 1] if k <= 50 else np.full(50, beyond)
    assert found.tolist() == wanted.tolist()


def test_a_graph_that_would_be_too_large_goes_less_far_and_says_so() -> None:
    vectors = random_rows(2, 300)
    whole = neighbour_graph(vectors, 1.0)
    small = neighbour_graph(vectors, 1.0, most_pairs=whole.pairs // 3)
    assert small.pairs <= whole.pairs // 3
    assert 0 < small.eps_max < 1.0
    units = small.units_of(small.eps_max)
    assert pairs_of(small, units) == pairs_of(whole, units)
    with pytest.raises(InvalidInput, match=rf"eps can be at most {small.eps_max:g}: choose a smaller one"):
        small.units_of(1.0)


def test_too_many_equal_rows_are_refused() -> None:
    with pytest.raises(InvalidInput, match="More than 750 pairs of instructions are equal"):
        neighbour_graph(np.tile(np.eye(1, 3, dtype=np.float32), (60, 1)), 0.4, most_pairs=1000)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.5])
def test_vectors_that_are_not_of_length_one_are_refused(value: float) -> None:
    vectors = np.eye(3, dtype=np.float32)
    vectors[1, 1] = value
    with pytest.raises(InvalidInput, match="not of length 1"):
        neighbour_graph(vectors, 0.4)


def test_an_empty_set_has_a_graph_too() -> None:
    graph = neighbour_graph(np.zeros((0, 4), dtype=np.float32), 0.4)
    assert (graph.size, graph.pairs, graph.eps_max) == (0, 0, 0.4)
    assert kth_distances(graph, 3).tolist() == []
