"""Clusters of a neighbour graph: DBSCAN for one eps, HDBSCAN for all at once. Both exact, both the same on every call.

Neither holds more than one tile of pairs beside the graph: components and forests are merged tile by tile.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from pld_core.models import NOISE
from pld_core.neighbours import UNITS, NeighbourGraph, Rows, kth_distances, neighbour_counts

Numbers = npt.NDArray[np.int64]
APART = 2 * UNITS + 1
"""The distance between rows that the graph holds no path between, in units: just above the largest there is."""
FIRST_BAND, WIDER = 64, 2
"""HDBSCAN joins pairs in bands of distance: the first reaches this many units, each further one this much farther."""


def dbscan(graph: NeighbourGraph, units: int, min_samples: int, groups: Rows | None = None) -> Numbers:
    """Return (size,) the cluster of each row, `NOISE` for none, numbered in the order of their first core row.

    As scikit-learn's: a row with at least `min_samples` rows within `units`, itself included, is a core row; core rows
    near each other are one cluster; another row near a core row joins it, of several clusters the first.

    Args:
        groups: (size,) if given, rows of different groups are not neighbours.
    """
    core = neighbour_counts(graph, units, groups) >= min_samples
    part = np.arange(graph.size)
    for low, high, _ in graph.within(units, groups):
        inner = core[low] & core[high]
        part = _joined(part, low[inner], high[inner])
        if len(np.unique(part[core])) <= 1:
            break
    numbers = np.full(graph.size, NOISE, dtype=np.int64)
    numbers[core] = numbered(part[core])
    if core[graph.known].all():
        return numbers
    none = graph.size
    nearest = np.full(graph.size, none, dtype=np.int64)
    for low, high, _ in graph.within(units, groups):
        for edge, inside in ((low, high), (high, low)):
            border = ~core[edge] & core[inside]
            np.minimum.at(nearest, edge[border], numbers[inside[border]])
    return np.where(nearest < none, nearest, numbers)


def hdbscan(graph: NeighbourGraph, min_samples: int, groups: Rows | None = None) -> Numbers:
    """Return (size,) the cluster of each row, `NOISE` for none, over all distances up to the graph's largest.

    The spanning forest of mutual reachability comes from the graph; scikit-learn condenses it and picks the clusters by
    excess of mass, none smaller than `min_samples`. What lies farther apart than the graph goes counts as `APART`.

    Args:
        groups: (size,) if given, each group is clustered by itself.
    """
    low, high, weight = _forest(graph, kth_distances(graph, min_samples, groups).astype(np.int64), groups)
    part = _joined(np.arange(graph.size), low, high)
    sizes = np.bincount(part, minlength=graph.size)
    numbers = np.full(graph.size, NOISE, dtype=np.int64)
    members = np.zeros(graph.size, dtype=np.int64) if groups is None else groups
    free = 0
    for group in np.unique(members):
        # What hangs together with too few rows is noise at every distance; left in, it would stand for a cluster.
        inside = np.flatnonzero((members == group) & (sizes[part] >= min_samples))
        if len(inside) < 2 * min_samples:
            # Fewer make at most one cluster, which HDBSCAN never picks: it is the whole, not a part that stands out.
            continue
        place = np.full(graph.size, -1, dtype=np.int64)
        place[inside] = np.arange(len(inside))
        mine = place[low] >= 0
        found = _condensed(place[low[mine]], place[high[mine]], weight[mine], len(inside), min_samples)
        numbers[inside] = np.where(found == NOISE, NOISE, found + free)
        free += int(found.max()) + 1
    return numbers


def numbered(parts: npt.NDArray[np.int64]) -> Numbers:
    """Return numbers from 0 in the order in which the parts first appear; `NOISE` stays."""
    new = {NOISE: NOISE}
    for part in parts.tolist():
        new.setdefault(part, len(new) - 1)
    return np.array([new[part] for part in parts.tolist()], dtype=np.int64)


def _joined(part: Numbers, low: Rows, high: Rows) -> Numbers:
    """Return the parts after joining those at both ends of each pair."""
    first, second = part[low], part[high]
    apart = first != second
    if not apart.any():
        return part
    first, second = first[apart], second[apart]
    links = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(len(part), len(part)))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)[part]


def _forest(graph: NeighbourGraph, core: Numbers, groups: Rows | None) -> tuple[Rows, Rows, Numbers]:
    """Return the ends and weights of a minimum spanning forest of mutual reachability.

    The weight of a pair is its distance or the core distance of an end, whichever is largest. Pairs are taken in bands
    of weight: what the nearer bands have joined already needs no further look, which leaves few pairs to sort.
    """
    ends, last = (np.zeros(0, dtype=np.int32),) * 2, graph.units_of(graph.eps_max)
    weights, part = np.zeros(0, dtype=np.int64), np.arange(graph.size)
    below, upto = -1, min(FIRST_BAND, last)
    while below < last:
        band = (*(np.zeros(0, dtype=np.int32),) * 2, np.zeros(0, dtype=np.int64))
        for low, high, distances in graph.within(upto, groups):
            weight = np.maximum(np.maximum(core[low], core[high]), distances)
            new = (weight > below) & (weight <= upto) & (part[low] != part[high])
            more = (np.append(band[0], low[new]), np.append(band[1], high[new]), np.append(band[2], weight[new]))
            band = _spanning(*more, part) if new.any() else band
        ends = (np.append(ends[0], band[0]), np.append(ends[1], band[1]))
        weights = np.append(weights, band[2])
        part = _joined(part, band[0], band[1])
        below, upto = upto, min(upto * WIDER, last)
    return (*ends, weights)


def _spanning(low: Rows, high: Rows, weight: Numbers, part: Numbers) -> tuple[Rows, Rows, Numbers]:
    """Return the pairs of a minimum spanning forest over the parts, of equal weights the first."""
    first, second = np.minimum(part[low], part[high]), np.maximum(part[low], part[high])
    order = np.lexsort((weight, second, first))
    first, second = first[order], second[order]
    # One pair between two parts is enough, the nearest.
    lead = np.append(True, (first[1:] != first[:-1]) | (second[1:] != second[:-1]))
    kept = order[lead]
    # Weights are counted from 1: scipy takes a zero for a pair that is not there.
    links = csr_array((weight[kept] + 1.0, (first[lead], second[lead])), shape=(len(part), len(part)))
    tree = minimum_spanning_tree(links).tocoo()
    place = csr_array((np.arange(1, len(kept) + 1), (first[lead], second[lead])), shape=(len(part), len(part)))
    chosen = kept[np.asarray(place[tree.row, tree.col]).ravel() - 1]
    return low[chosen], high[chosen], weight[chosen]


def _condensed(low: Numbers, high: Numbers, weight: Numbers, size: int, min_samples: int) -> Numbers:
    """Let scikit-learn pick the clusters of a spanning forest; it wants one tree, so they are linked at `APART`."""
    trees = connected_components(coo_array((np.ones(len(low)), (low, high)), shape=(size, size)), directed=False)[1]
    roots = np.unique(trees, return_index=True)[1]
    roots.sort()
    first = np.concatenate([low, roots[:-1]])
    second = np.concatenate([high, roots[1:]])
    distance = np.concatenate([weight + 1.0, np.full(len(roots) - 1, float(APART))]) / UNITS
    links = csr_array((np.tile(distance, 2), (np.append(first, second), np.append(second, first))), shape=(size, size))
    # min_samples=1 leaves the weights as they are: they hold the core distances already.
    # Imported when it is needed: it takes a second, which every command would wait for.
    from sklearn.cluster import HDBSCAN

    model = HDBSCAN(min_cluster_size=min_samples, min_samples=1, metric="precomputed", copy=True)
    return np.asarray(model.fit_predict(links), dtype=np.int64)
