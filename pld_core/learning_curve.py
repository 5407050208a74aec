"""How a task got on from version to version: the newest complete run of each with one student on one split. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pld_core.canonical import Json
from pld_core.macro_f1 import MacroF1
from pld_core.metrics import Figures, figures
from pld_core.models import Run
from pld_core.proportion import Proportion
from pld_core.run_matrix import Counted


@dataclass(frozen=True)
class CurvePoint:
    """A prompt version on the curve."""

    run: Run
    figures: Figures

    @property
    def macro_f1(self) -> MacroF1:
        return self.figures.macro_f1

    @property
    def accuracy(self) -> Proportion:
        return self.figures.accuracy

    def as_json(self) -> dict[str, Json]:
        told: dict[str, Json] = {"prompt": self.run.prompt_number, "run": self.run.id, "n": self.accuracy.n}
        return {**told, "macro_f1": self.macro_f1.as_json(), "accuracy": self.accuracy.as_json()}


def learning_curve(
    labels: Sequence[str], runs: Sequence[Run], like: Run, numbers: Collection[int], counted: Counted
) -> tuple[CurvePoint, ...]:
    """Return a point for each version that was answered completely, the oldest version first.

    Args:
        labels: the declared ones.
        runs: of the task, in any order.
        like: the student, weights and split of the curve are those of this run.
        numbers: the versions that belong on the curve.
        counted: the answers of a run by kind, by its id.
    """
    points: dict[int, CurvePoint] = {}
    for run in sorted(runs, key=lambda run: -run.id):
        same = (run.student, run.digest, run.split) == (like.student, like.digest, like.split)
        if not same or run.prompt_number not in numbers or run.prompt_number in points:
            continue
        cells = counted(run.id)
        if sum(cells.values()) == run.total > 0:
            points[run.prompt_number] = CurvePoint(run, figures(labels, cells))
    return tuple(points[number] for number in sorted(points))
