"""Dividing examples into train, validation and test: by seed, stratified, and never apart what belongs together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pld_core.canonical import hash_text
from pld_core.models import Split

VALIDATION_SHARE = 0.2
TEST_SHARE = 0.2
FEWEST = 3
"""A label with fewer examples than this goes to train whole."""


def join_units(size: int, links: Sequence[tuple[int, int]]) -> list[int]:
    """Return a unit number for each of `size` items; items that are linked, directly or not, have the same one."""
    if not links:
        return list(range(size))
    pairs = np.array(links)
    graph = coo_array((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    _, units = connected_components(graph, directed=False)
    found: list[int] = units.tolist()
    return found


def draw_splits(
    keys: Sequence[str], labels: Sequence[str], units: Sequence[int], fixed: Mapping[int, Split], seed: int
) -> list[Split]:
    """Return a split for each item: 20 % validation, 20 % test and the rest train, per label as near as units allow.

    Args:
        keys: what identifies each item; its lot is drawn from it and the seed, so the order of the items is no matter.
        labels: the label of each item.
        units: items of one unit get one split; see `join_units`.
        fixed: units that have their split already; the others make up for them.
        seed: another seed gives another division.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for item, unit in enumerate(units):
        members[unit].append(item)
    left = _room(Counter(labels))
    target = {split: dict(room) for split, room in left.items()}
    chosen: dict[int, Split] = {}

    def place(unit: int, split: Split) -> None:
        chosen[unit] = split
        if split in left:
            for item in members[unit]:
                left[split][labels[item]] -= 1

    for unit, split in fixed.items():
        if unit in members:
            place(unit, split)
    free = [unit for unit in members if unit not in chosen]
    lots = {unit: hash_text(f"{seed} {min(keys[item] for item in members[unit])}") for unit in free}
    # Large units first: they are the hardest to fit. Single items then fill what is left, label by label.
    for unit in sorted(free, key=lambda unit: (-len(members[unit]), lots[unit])):
        named = [labels[item] for item in members[unit]]
        place(unit, _best(Counter(named), left, target) if len(named) > 1 else _emptiest(named[0], left, target))
    return [chosen[unit] for unit in units]


def _room(totals: Counter[str]) -> dict[Split, dict[str, int]]:
    """Return how many examples of each label validation and test are to hold."""
    shares = {Split.VALIDATION: VALIDATION_SHARE, Split.TEST: TEST_SHARE}
    return {
        split: {label: max(1, round(n * share)) if n >= FEWEST else 0 for label, n in totals.items()}
        for split, share in shares.items()
    }


def _emptiest(label: str, left: Mapping[Split, Mapping[str, int]], target: Mapping[Split, Mapping[str, int]]) -> Split:
    """Return what `_best` does for a single item; most units are single items."""
    best, emptiest = Split.TRAIN, 0.0
    for split, room in left.items():
        if room[label] > 0 and room[label] / target[split][label] > emptiest:
            best, emptiest = split, room[label] / target[split][label]
    return best


def _best(
    counts: Counter[str], left: Mapping[Split, Mapping[str, int]], target: Mapping[Split, Mapping[str, int]]
) -> Split:
    """Return the split of validation and test that is emptiest by the unit's labels and has room, else train."""
    best, emptiest = Split.TRAIN, 0.0
    for split, room in left.items():
        fits = sum(min(n, room[label]) for label, n in counts.items())
        # A unit may overfill a split by half of itself; otherwise a few large groups would all stay in train.
        if 2 * fits < counts.total():
            continue
        share = sum(n * room[label] / target[split][label] for label, n in counts.items() if target[split][label])
        if share / counts.total() > emptiest:
            best, emptiest = split, share / counts.total()
    return best
