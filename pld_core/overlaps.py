"""Rules that get in each other's way: close conditions, different labels. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pld_core.lineage import StandingRule
from pld_core.neighbours import UNITS, Vectors, neighbour_graph

OVERLAP = 0.6
"""Conditions at least this close (cosine) overlap: at the published eps of 0.4 they would be in one cluster."""
MOST = 10_000
"""So many pairs are kept, the closest; nobody reads a longer list."""


@dataclass(frozen=True)
class Overlap:
    """Two revisions with close conditions and no label in common.

    Attributes:
        low, high: hashes of the revisions, the one of the lower rule number first.
        closeness: cosine similarity of the conditions, 0 to 1, in steps of 1/30,000.
    """

    low: str
    high: str
    closeness: float


@dataclass(frozen=True)
class OverlapPair:
    """An overlap with the rules' ids."""

    low: str
    high: str
    closeness: float


def find_overlaps(rules: Sequence[StandingRule], vectors: Vectors) -> tuple[Overlap, ...]:
    """Return the overlapping pairs, closest first, at most `MOST`; measured in blocks, never all at once.

    Args:
        rules: in the order of their numbers.
        vectors: (rules, dimensions) embedding of each rule's condition.
    """
    if len(rules) < 2:
        return ()
    kinds = list(dict.fromkeys(rule.labels for rule in rules))
    kind = np.array([kinds.index(rule.labels) for rule in rules])
    apart = np.array([[not set(one) & set(other) for other in kinds] for one in kinds])
    graph = neighbour_graph(vectors, 1 - OVERLAP)
    found: list[tuple[int, int, int]] = []
    for low, high, distances in graph.within(graph.units_of(graph.eps_max)):
        clash = apart[kind[low], kind[high]]
        pairs = zip(distances[clash].tolist(), low[clash].tolist(), high[clash].tolist(), strict=True)
        found = sorted([*found, *pairs])[:MOST]
    return tuple(
        Overlap(rules[low].head, rules[high].head, round(1 - distance / UNITS, 6)) for distance, low, high in found
    )
