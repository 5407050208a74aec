"""The run that is looked at on the Evaluate page."""

from __future__ import annotations

from dataclasses import dataclass

from pld_core.metrics import Figures
from pld_core.models import Run, Task


@dataclass(frozen=True)
class SeenRun:
    """A run with its figures over the answers that are there."""

    task: Task
    run: Run
    figures: Figures

    @property
    def is_complete(self) -> bool:
        return self.figures.accuracy.n == self.run.total
