"""The figures of two prompt versions side by side: only runs of one student, on the same split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pld_core.canonical import Json
from pld_core.metrics import Cell, accuracy_of
from pld_core.models import Run
from pld_core.paired import Comparison, LabelPair, Pair, by_label, compare_counted
from pld_core.proportion import Proportion

Counted = Callable[[int], Counter[Cell]]
"""How many answers of a run, by its id, are of each kind."""
Paired = Callable[[int, int], Counter[Pair]]
"""How many examples that two runs answered, beside the same gold label, are of each kind; the first is `before`."""


@dataclass(frozen=True)
class Side:
    """How one of the versions did.

    Attributes:
        run: its newest complete run, else the newest that is under way; None where it was never run.
        accuracy: None without a complete run.
    """

    version: int
    run: Run | None
    accuracy: Proportion | None

    @property
    def words(self) -> str:
        return self.accuracy.words if self.accuracy else "not evaluated"


@dataclass(frozen=True)
class SideBySide:
    """How both versions did with the same student on the same split.

    Attributes:
        digest: of the student's weights.
        comparison: over the examples that both runs answered; None where a run is missing, or they share no example.
        labels: the same for each declared label.
        alone: examples that only one of the runs answered, or with another gold label; they are in no comparison.
    """

    student: str
    digest: str
    split: str
    before: Side
    after: Side
    comparison: Comparison | None = None
    labels: tuple[LabelPair, ...] = ()
    alone: int = 0

    @property
    def to_do(self) -> tuple[str, ...]:
        """What is missing for a comparison, and the command for it: a line for each version."""
        return tuple(self._missing(side) for side in (self.before, self.after) if side.accuracy is None)

    @property
    def left_aside(self) -> str:
        """Say how many examples are not compared, empty if all are."""
        if not self.alone:
            return ""
        return f"{self.alone:,} examples are in one run only, or with another gold label: they are not compared."

    def _missing(self, side: Side) -> str:
        if side.run is not None:
            number = side.run.id
            return f"Run {number} of version {side.version} is not complete. Go on: pld evaluate --resume {number}"
        told = next(one.run.task for one in (self.before, self.after) if one.run)
        return (
            f"Version {side.version} was not evaluated with these weights on {self.split}. Start it: "
            f"pld evaluate --task {told} --prompt {side.version} --student {self.student} --split {self.split}"
        )

    def as_json(self) -> dict[str, Json]:
        return {
            "student": self.student,
            "digest": self.digest,
            "split": self.split,
            "before": _side_json(self.before),
            "after": _side_json(self.after),
            "comparison": self.comparison.as_json() if self.comparison else None,
            "labels": [line.as_json() for line in self.labels],
            "in_one_run_only": self.alone,
            "to_do": list(self.to_do),
        }


def side_by_side(
    runs: Sequence[Run], before: int, after: int, labels: Sequence[str], counted: Counted, paired: Paired
) -> tuple[SideBySide, ...]:
    """Return a row for each student (by its weights) and split that either version was evaluated with.

    Args:
        runs: of one task, in any order; only those with an answer to every example are compared.
        before, after: numbers of the versions.
    """
    grouped: dict[tuple[str, str, str], list[Run]] = {}
    for run in sorted(runs, key=lambda run: run.id):
        if run.prompt_number in (before, after):
            grouped.setdefault((run.student, run.digest, run.split.value), []).append(run)
    rows = []
    for (student, digest, split), found in sorted(grouped.items()):
        old, new = (_side(number, found, counted) for number in (before, after))
        row = SideBySide(student, digest, split, old, new)
        rows.append(_compared(row, labels, counted, paired))
    return tuple(rows)


def _side(version: int, runs: Sequence[Run], counted: Counted) -> Side:
    own = [run for run in runs if run.prompt_number == version]
    complete = [run for run in own if counted(run.id).total() == run.total > 0]
    if complete:
        return Side(version, complete[-1], accuracy_of(counted(complete[-1].id)))
    return Side(version, own[-1] if own else None, None)


def _compared(row: SideBySide, labels: Sequence[str], counted: Counted, paired: Paired) -> SideBySide:
    """Return the row with its comparison, where both versions have a complete run.

    A corrected gold label makes another question of an example, so it is in no comparison.
    """
    first, second = row.before.run, row.after.run
    if first is None or second is None or row.to_do:
        return row
    pairs = paired(first.id, second.id)
    alone = counted(first.id).total() + counted(second.id).total() - 2 * pairs.total()
    if not pairs:
        return replace(row, alone=alone)
    return replace(row, comparison=compare_counted(labels, pairs), labels=by_label(labels, pairs), alone=alone)


def _side_json(side: Side) -> dict[str, Json]:
    return {
        "version": side.version,
        "run": side.run.id if side.run else None,
        "accuracy": side.accuracy.as_json() if side.accuracy else None,
    }
