"""The figures of two prompt versions side by side: only runs of one student, on the same split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pld_core.canonical import Json
from pld_core.metrics import accuracy_of, cells_of
from pld_core.models import Prediction, Run
from pld_core.paired import Comparison, LabelPair, Pair, by_label, compare
from pld_core.prompt_effects import Predictions
from pld_core.proportion import Proportion


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
    runs: Sequence[Run], before: int, after: int, labels: Sequence[str], predictions: Predictions
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
        old, new = (_side(number, found, predictions) for number in (before, after))
        row = SideBySide(student, digest, split, old, new)
        rows.append(_compared(row, labels, predictions))
    return tuple(rows)


def _side(version: int, runs: Sequence[Run], predictions: Predictions) -> Side:
    own = [run for run in runs if run.prompt_number == version]
    complete = [run for run in own if len(predictions(run.id)) == run.total > 0]
    if complete:
        return Side(version, complete[-1], accuracy_of(cells_of(predictions(complete[-1].id))))
    return Side(version, own[-1] if own else None, None)


def _compared(row: SideBySide, labels: Sequence[str], predictions: Predictions) -> SideBySide:
    """Return the row with its comparison, where both versions have a complete run."""
    first, second = row.before, row.after
    if first.run is None or second.run is None or row.to_do:
        return row
    old, new = (_by_example(predictions(run.id)) for run in (first.run, second.run))
    both = sorted(old.keys() & new.keys())
    alone = len(old.keys() ^ new.keys())
    pairs = [Pair(key[1], old[key], new[key]) for key in both]
    if not pairs:
        return SideBySide(row.student, row.digest, row.split, first, second, alone=alone)
    return SideBySide(
        row.student, row.digest, row.split, first, second, compare(labels, pairs), by_label(labels, pairs), alone
    )


def _by_example(predictions: Sequence[Prediction]) -> dict[tuple[str, str], str | None]:
    """Return what was answered, by example and gold label: corrected gold labels are another question."""
    return {(p.example_hash, p.gold): p.answer.label for p in predictions}


def _side_json(side: Side) -> dict[str, Json]:
    return {
        "version": side.version,
        "run": side.run.id if side.run else None,
        "accuracy": side.accuracy.as_json() if side.accuracy else None,
    }
