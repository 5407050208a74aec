"""The figures of two prompt versions side by side: only runs of one student, on the same split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pld_core.canonical import Json
from pld_core.metrics import accuracy_of, cells_of
from pld_core.models import Run
from pld_core.prompt_effects import Predictions, fixed_and_broken
from pld_core.proportion import Proportion


@dataclass(frozen=True)
class SideBySide:
    """How often each version was right, by the newest complete run of each; None for a version without one.

    Attributes:
        digest: of the student's weights.
        fixed, broken: answers that the newer version got right and the older wrong, and the other way round.
    """

    student: str
    digest: str
    split: str
    before: Proportion | None
    after: Proportion | None
    fixed: int = 0
    broken: int = 0

    def as_json(self) -> dict[str, Json]:
        return {
            "student": self.student,
            "digest": self.digest,
            "split": self.split,
            "before": self.before.words if self.before else None,
            "after": self.after.words if self.after else None,
            "fixed": self.fixed,
            "broken": self.broken,
        }


def side_by_side(runs: Sequence[Run], before: int, after: int, predictions: Predictions) -> tuple[SideBySide, ...]:
    """Return a row for each student (by its weights) and split that either version was evaluated with.

    Args:
        runs: of one task, in any order; those without an answer to every example are left out.
        before, after: numbers of the versions.
    """
    chosen: dict[tuple[str, str, str], dict[int, Run]] = {}
    for run in sorted(runs, key=lambda run: run.id):
        if run.prompt_number in (before, after) and len(predictions(run.id)) == run.total > 0:
            chosen.setdefault((run.student, run.digest, run.split.value), {})[run.prompt_number] = run

    def accuracy(run: Run | None) -> Proportion | None:
        return accuracy_of(cells_of(predictions(run.id))) if run else None

    rows = []
    for (student, digest, split), found in sorted(chosen.items()):
        old, new = found.get(before), found.get(after)
        fixed = broken = 0
        if old and new:
            fixed, broken, _ = fixed_and_broken(predictions(old.id), predictions(new.id))
        rows.append(SideBySide(student, digest, split, accuracy(old), accuracy(new), fixed, broken))
    return tuple(rows)
