"""Which examples speak against a rule: found by code among all training examples, whatever a teacher says. Pure."""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pld_core.models import Evidence, EvidenceRole
from pld_core.neighbours import Flags, Vectors

NEAREST = 6
"""So many examples of other labels are fetched by either embedding: each finds what the other misses, and a dozen is as
much as a person reads before the supporting ones."""
NEAR_MISSES = 6
"""How many of those that do not contradict are shown; the reviewer sees the closest ones."""
STRAY = 0.1
"""The radius of a rule leaves out this share of its members, the farthest: one stray must not open it to everything."""
HALF = 0.5
"""Inputs are alike for many reasons, so by input an example has to lie nearer: as the nearer half of the members."""
TELLING = 0.05
"""If more than this share of the examples of other labels lies that near, inputs do not tell the rule's examples from
others (questions about one and the same contract), and nothing is said to contradict it by input."""
ADMITTED = "The teacher says that this rule decides it wrongly."


@dataclass(frozen=True)
class Terrain:
    """All training examples that take part, as two embeddings see them.

    Attributes:
        hashes, labels: (rows,) content hash and gold label.
        inputs: (rows, dimensions) embedding of the text.
        conditions: (rows, dimensions) embedding of the instruction's condition, zeros without an instruction.
        read: (rows,) whether there is an instruction.
    """

    hashes: tuple[str, ...]
    labels: tuple[str, ...]
    inputs: Vectors
    conditions: Vectors
    read: Flags

    @functools.cached_property
    def _rows(self) -> dict[str, int]:
        return {content: row for row, content in enumerate(self.hashes)}

    @functools.cached_property
    def named(self) -> npt.NDArray[np.str_]:
        """(rows,) the labels once more, for comparing all of them at once."""
        return np.array(self.labels)

    def rows_of(self, example_hashes: Collection[str]) -> list[int]:
        """Return the rows of those of the examples that take part, ascending."""
        return sorted(self._rows[content] for content in set(example_hashes) if content in self._rows)


@dataclass(frozen=True)
class Neighbour:
    """An example of another label near a rule.

    Attributes:
        closeness: cosine similarity to the centre of the members, -1 to 1: the mean of input and instruction, or of the
            input alone where there is no instruction. Six digits: beyond that the same data gives different bits on
            different processors.
        inside: it lies as near as the members do: by instruction as all of them but the farthest, or by input as the
            nearer half of them, where inputs tell anything.
    """

    row: int
    closeness: float
    inside: bool


def centre_of(vectors: Vectors) -> npt.NDArray[np.float64]:
    """Return (dimensions,) the direction of the mean of these rows, of length 1; zeros if there are none or they cancel
    out.
    """
    if not len(vectors):
        return np.zeros(vectors.shape[1])
    mean = vectors.mean(axis=0)
    length = float(np.linalg.norm(mean))
    found: npt.NDArray[np.float64] = np.asarray(mean / length if length else np.zeros_like(mean), dtype=np.float64)
    return found


def closeness_to(vectors: Vectors, rows: Sequence[int]) -> npt.NDArray[np.float64]:
    """Return (all rows,) the cosine similarity of each row to the centre of these; zeros if they cancel out."""
    centre = centre_of(vectors[list(rows)]).astype(vectors.dtype)
    found: npt.NDArray[np.float64] = np.asarray(vectors @ centre, dtype=np.float64)
    return found.round(6)


def radius_of_new(vectors: Vectors) -> float:
    """Return how near to the centre of these a new row has to lie to count as one of them; `inf` for less than two.

    Each row is compared with the centre of the others, as it would be if it were new; the farthest `STRAY` of them are
    left out. A single row does not say how far its kind reaches.

    Args:
        vectors: (rows, dimensions), each row of length 1 or all zeros.
    """
    if len(vectors) < 2:
        return math.inf
    rows = np.asarray(vectors, dtype=np.float64)
    others = rows.sum(axis=0) - rows
    lengths = np.linalg.norm(others, axis=1)
    apart = np.einsum("ij,ij->i", rows, others) / np.where(lengths > 0, lengths, 1)
    return float(np.quantile(apart.round(6), STRAY, method="lower"))


def neighbours_of(terrain: Terrain, members: Sequence[int], labels: Collection[str]) -> tuple[Neighbour, ...]:
    """Return the nearest examples of labels other than these: the nearest by input and by instruction, closest first.

    Args:
        members: rows of the rule's members; without any there is no centre to be near to.
    """
    if not members:
        return ()
    known = [row for row in members if terrain.read[row]]
    by_input = closeness_to(terrain.inputs, members)
    by_condition = closeness_to(terrain.conditions, known) if known else np.zeros(len(terrain.hashes))
    other = ~np.isin(terrain.named, list(labels))
    other[list(members)] = False
    read = terrain.read
    fetched = {
        *_nearest(by_input, other),
        *_nearest(by_condition, other & read),
    }
    inside = by_input >= _radius(by_input, members, HALF)
    if (inside & other).sum() > max(1, TELLING * other.sum()):
        inside = np.zeros(len(other), dtype=np.bool_)
    if known:
        inside |= read & (by_condition >= _radius(by_condition, known, STRAY))
    mean = np.round(np.where(read, (by_input + by_condition) / 2, by_input), 6)
    found = [Neighbour(row, float(mean[row]), bool(inside[row] and mean[row] > 0)) for row in fetched]
    return tuple(sorted(found, key=lambda n: (-n.closeness, terrain.hashes[n.row])))


def _nearest(closeness: npt.NDArray[np.float64], wanted: Flags) -> list[int]:
    """Return the `NEAREST` closest of the wanted rows, of equal ones the first; never one that points away."""
    rows = np.flatnonzero(wanted & (closeness > 0))
    order = np.argsort(-closeness[rows], kind="stable")[:NEAREST]
    return [int(row) for row in rows[order]]


def _radius(closeness: npt.NDArray[np.float64], rows: Sequence[int], left_out: float) -> float:
    """Return the closeness that all of the rows reach but for the share left out; never more than a row has."""
    return float(np.quantile(closeness[list(rows)], left_out, method="lower"))


def evidence_of(
    terrain: Terrain,
    members: Collection[str],
    labels: tuple[str, ...],
    mates: Collection[str] = (),
    admitted: Collection[str] = (),
    before: Sequence[Evidence] = (),
) -> tuple[Evidence, ...]:
    """Return the evidence of a rule that was merged from `members` and concludes `labels`.

    Members support it, or contradict it if it concludes another label than theirs. `mates` contradict it: they lie in
    the same cluster and no rule of it concludes their label. So does an example of another label that lies as near as
    the members (see `Neighbour.inside`). The nearest of the rest are near misses.

    Args:
        members, mates: content hashes; those that take no part are left out.
        admitted: what the teacher says the rule decides wrongly: noted, and shown even if it is not among the nearest.
        before: the rule's evidence so far: its notes stay.
    """
    rows = terrain.rows_of(members)
    if not rows:
        return ()
    known = [row for row in rows if terrain.read[row]]
    centre = closeness_to(terrain.conditions, known) if known else closeness_to(terrain.inputs, rows)
    notes = {e.example_hash: e.note for e in before if e.note} | dict.fromkeys(admitted, ADMITTED)
    found: dict[str, Evidence] = {}

    def add(row: int, role: EvidenceRole, closeness: float) -> None:
        content = terrain.hashes[row]
        found.setdefault(content, Evidence(content, role, closeness, notes.get(content, "")))

    for row in rows:
        right = terrain.labels[row] in labels
        add(row, EvidenceRole.SUPPORTS if right else EvidenceRole.CONTRADICTS, float(centre[row]))
    for row in terrain.rows_of(mates):
        add(row, EvidenceRole.CONTRADICTS, float(centre[row]))
    near = neighbours_of(terrain, rows, labels)
    for neighbour in near:
        if neighbour.inside:
            add(neighbour.row, EvidenceRole.CONTRADICTS, neighbour.closeness)
    for neighbour in [n for n in near if not n.inside][:NEAR_MISSES]:
        add(neighbour.row, EvidenceRole.NEAR_MISS, neighbour.closeness)
    for row in terrain.rows_of(notes):
        if terrain.labels[row] not in labels:
            add(row, EvidenceRole.NEAR_MISS, float(centre[row]))
    return tuple(found.values())
