"""How baselines without a model do on the examples of a split, whatever run asks about them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from pld_app.code_baselines import said_of
from pld_app.wiring import App
from pld_core.baselines import Baseline
from pld_core.metrics import Cell, Figures, figures
from pld_core.models import Split
from pld_core.records import ExampleFilter

SHOWN = (Baseline.NEAREST, Baseline.MAJORITY)


@dataclass(frozen=True)
class SplitBaseline:
    """A baseline on a split; its figures are None where no training example is left to make it of."""

    baseline: Baseline
    figures: Figures | None

    @property
    def words(self) -> str:
        """The figures as a cell of the matrix has them, or what is missing and what brings it."""
        if self.figures is None:
            return "no training examples besides these: the Data page divides examples into splits"
        return self.figures.words


def split_baselines(app: App, task_name: str, split: Split) -> tuple[SplitBaseline, ...]:
    """Return the nearest training example and the commonest label, each answering all active examples of a split."""
    labels = app.store.tasks.get(task_name).label_names
    asked = app.store.tasks.examples(task_name, ExampleFilter(split=split))
    own = {example.hash for example in asked}
    training = app.store.tasks.examples(task_name, ExampleFilter(split=Split.TRAIN))
    teaching = [example for example in training if example.label in labels and example.hash not in own]
    if not teaching or not asked:
        return tuple(SplitBaseline(baseline, None) for baseline in SHOWN)
    said = said_of(labels, teaching, asked)
    return tuple(
        SplitBaseline(baseline, figures(labels, Counter(Cell(e.label, said[baseline][e.hash]) for e in asked)))
        for baseline in SHOWN
    )
