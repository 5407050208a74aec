"""Which rows lie near each other: an exact neighbour graph, made in blocks, that every eps below its own is read from.

A full matrix of distances between 50,000 rows takes 10 GB. The graph keeps only the pairs within its largest eps, each
once, in 6 bytes: its place inside a tile of the matrix (two 16-bit numbers) and its distance (16 bits). Within a tile
the pairs are sorted by distance, so that a smaller eps reads the beginning of each tile and nothing else.

Distances are counted in units of 1/30,000 and rounded up. Every eps with at most four decimals is a whole number of
units, so for those the comparison is exact; any other eps acts as the next lower unit (0.00003).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pld_core.errors import InvalidInput

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]
Units = npt.NDArray[np.uint16]
Flags = npt.NDArray[np.bool_]

UNITS = 30_000
"""Units in a cosine distance of 1; the largest distance, 2, still fits 16 bits."""
ROUNDING = 0.02
"""What float32 arithmetic may add to a distance, in units (7e-7): equal rows stay at 0, right angles at 1."""
MOST_PAIRS = 120_000_000
"""At most this many pairs are kept: 720 MB."""
TILE_ROWS, TILE_COLUMNS = 1024, 4096
"""The part of the distance matrix that is held at a time: 16 MB of float32."""


@dataclass(frozen=True)
class Tile:
    """Pairs of one part of the matrix, nearest first.

    Attributes:
        row, column: of the part's upper left corner.
        rows, columns: (pairs,) places of the two ends, counted from that corner; the row is the lower one.
        distances: (pairs,) in units, ascending.
    """

    row: int
    column: int
    rows: Units
    columns: Units
    distances: Units

    def end_of(self, units: int) -> int:
        """Return how many pairs are at most `units` apart; they come first."""
        return int(np.searchsorted(self.distances, np.uint16(units), side="right"))

    def cut(self, units: int) -> Tile:
        """Return the tile without the pairs beyond `units`; copied, because a view would keep all of it in memory."""
        end = self.end_of(units)
        parts = (self.rows[:end].copy(), self.columns[:end].copy(), self.distances[:end].copy())
        return Tile(self.row, self.column, *parts)

    def within(self, units: int) -> tuple[Rows, Rows, Units]:
        """Return both ends and the distance of each pair that is at most `units` apart."""
        end = self.end_of(units)
        low = self.rows[:end].astype(np.int32) + np.int32(self.row)
        high = self.columns[:end].astype(np.int32) + np.int32(self.column)
        return low, high, self.distances[:end]


@dataclass(frozen=True)
class NeighbourGraph:
    """All pairs of rows within `eps_max` of each other.

    Attributes:
        size: number of rows.
        known: (size,) false for a row of zeros, which is near nothing.
        tiles: the pairs.
        eps_max: the largest eps that can be read from it; below the wanted one if that had too many pairs.
    """

    size: int
    known: Flags
    tiles: tuple[Tile, ...]
    eps_max: float

    @property
    def pairs(self) -> int:
        return sum(len(tile.distances) for tile in self.tiles)

    def units_of(self, eps: float) -> int:
        """Return an eps in units.

        Raises:
            InvalidInput: it is out of range, or larger than the graph goes.
        """
        check_eps(eps)
        units = _units_below(eps)
        if units > _units_below(self.eps_max):
            raise InvalidInput(
                f"At eps {eps:g} more pairs of instructions are neighbours than fit into memory. For these "
                f"{self.size:,} instructions eps can be at most {self.eps_max:g}: choose a smaller one. So large "
                "an eps would put nearly all of them into one cluster."
            )
        return units

    def within(self, units: int, groups: Rows | None = None) -> Iterator[tuple[Rows, Rows, Units]]:
        """Yield both ends (the lower row first) and the distance of the pairs at most `units` apart, tile by tile.

        Args:
            groups: (size,) if given, only pairs inside one group.
        """
        for tile in self.tiles:
            low, high, distances = tile.within(units)
            if groups is not None:
                same = groups[low] == groups[high]
                low, high, distances = low[same], high[same], distances[same]
            if len(low):
                yield low, high, distances


def check_eps(eps: float) -> None:
    """Raise `InvalidInput` for an eps that is no cosine distance."""
    if not 0 < eps <= 2:
        raise InvalidInput(f"eps is {eps}; it has to lie above 0 and at most at 2.")


def neighbour_graph(vectors: Vectors, eps_max: float, most_pairs: int = MOST_PAIRS) -> NeighbourGraph:
    """Return the pairs of rows whose cosine distance is at most `eps_max`.

    Args:
        vectors: (rows, dimensions), each row of length 1, or all zeros if nothing is known of it.
        eps_max: 0 to 2. If more than `most_pairs` pairs lie within it, the graph goes less far and says so.

    Raises:
        InvalidInput: an eps out of range, a vector that is not of length 1, or too many equal rows.
    """
    check_eps(eps_max)
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    known = _known(rows)
    limit, tiles, kept = _units_below(eps_max), list[Tile](), 0
    for row in range(0, len(rows), TILE_ROWS):
        # The upper right half of the matrix has each pair once. A tile of the diagonal begins at its own row.
        for column in range(row, len(rows), TILE_COLUMNS):
            tile = _tile(rows, known, row, column, limit)
            tiles.append(tile)
            kept += len(tile.distances)
            if kept > most_pairs:
                limit, tiles = _nearer(tiles, most_pairs)
                kept = sum(len(tile.distances) for tile in tiles)
    reached = eps_max if limit == _units_below(eps_max) else limit / UNITS
    return NeighbourGraph(len(rows), known, tuple(tile for tile in tiles if len(tile.distances)), reached)


def group_numbers(names: Sequence[str]) -> Rows:
    """Return a number for each name, equal ones for equal names."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.int32)


def neighbour_counts(graph: NeighbourGraph, units: int, groups: Rows | None = None) -> npt.NDArray[np.int64]:
    """Return (size,) how many rows lie within `units` of each row, itself included; 0 for a row of zeros."""
    found = graph.known.astype(np.int64)
    for low, high, _ in graph.within(units, groups):
        found += np.bincount(low, minlength=graph.size) + np.bincount(high, minlength=graph.size)
    return found


def kth_distances(graph: NeighbourGraph, k: int, groups: Rows | None = None) -> npt.NDArray[np.int64]:
    """Return (size,) the distance in units within which each row has `k` rows, itself included.

    A row that has fewer within the graph gets one unit more than the graph holds. The distance is halved in on, bit by
    bit, for all rows at once: sorting the neighbours of each row would take several times the memory of the graph.
    """
    beyond = _units_below(graph.eps_max) + 1
    low, high = np.full(graph.size, -1, dtype=np.int64), np.full(graph.size, beyond, dtype=np.int64)
    while ((high - low) > 1).any():
        # Rounded up, so that a row that is settled stays.
        middle = (low + high + 1) // 2
        found = graph.known.astype(np.int64)
        for first, second, distances in graph.within(int(middle.max()), groups):
            found += np.bincount(first[distances <= middle[first]], minlength=graph.size)
            found += np.bincount(second[distances <= middle[second]], minlength=graph.size)
        enough = found >= k
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    return high


def _units_below(eps: float) -> int:
    # A product such as 0.29 * 30,000 comes out just below its whole number.
    return int(np.floor(eps * UNITS + 1e-6))


def _known(rows: Vectors) -> Flags:
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows)) if rows.size else np.zeros(len(rows), dtype=np.float32)
    known = lengths != 0
    if not np.allclose(lengths[known], 1.0, atol=1e-3):
        raise InvalidInput("The embedder returned vectors that are not of length 1, so distances would mean nothing.")
    return np.asarray(known)


def _tile(rows: Vectors, known: Flags, row: int, column: int, limit: int) -> Tile:
    across, down = rows[row : row + TILE_ROWS], rows[column : column + TILE_COLUMNS]
    likeness = across @ down.T
    near = likeness >= np.float32(1 - (limit + 1) / UNITS)
    near &= known[row : row + TILE_ROWS, None] & known[None, column : column + TILE_COLUMNS]
    if row == column:
        near = np.triu(near, 1)
    flat = np.flatnonzero(near)
    distances = np.ceil((1 - likeness.ravel()[flat].astype(np.float64)) * UNITS - ROUNDING)
    inside = distances <= limit
    flat, units = flat[inside], np.maximum(distances[inside], 0).astype(np.uint16)
    order = np.argsort(units, kind="stable")
    low, high = np.divmod(flat[order].astype(np.int32), np.int32(len(down)))
    return Tile(row, column, low.astype(np.uint16), high.astype(np.uint16), units[order])


def _nearer(tiles: Sequence[Tile], most_pairs: int) -> tuple[int, list[Tile]]:
    """Return the largest limit at which the pairs so far leave a quarter of the room, and the tiles up to it.

    A quarter, so that the pairs are not cut anew after each further tile.
    """
    room = most_pairs * 3 // 4
    counts = np.zeros(2 * UNITS + 1, dtype=np.int64)
    for tile in tiles:
        counts += np.bincount(tile.distances, minlength=len(counts))
    if counts[0] > room:
        raise InvalidInput(
            f"More than {room:,} pairs of instructions are equal, which is too many to keep. Equal examples "
            "can be found and taken out on the Data page."
        )
    limit = int(np.searchsorted(np.cumsum(counts), room, side="right")) - 1
    return limit, [tile.cut(limit) for tile in tiles]
