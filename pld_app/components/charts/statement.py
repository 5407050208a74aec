"""What every chart states of itself: version, run, split, student, how many answers, and by which method."""

from __future__ import annotations

from dataclasses import dataclass

from pld_core.attribution import Method
from pld_core.models import Run


@dataclass(frozen=True)
class Statement:
    """Where the figures of a chart come from.

    Attributes:
        n: how many of `noun` the chart is about.
        method: how answers were put down to rules; None for figures that need no rule.
        baseline: the run that harm is told against; None where it is not told.
        more: what else has to be known to read the chart.
    """

    run: Run
    n: int
    noun: str = "answers"
    method: Method | None = None
    baseline: int | None = None
    more: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The statement in parts, such as `version 3`, `run 12`, `validation`."""
        run = self.run
        told = [f"version {run.prompt_number}", f"run {run.id}", run.split.value, run.student]
        told.append(f"n = {self.n:,} {self.noun}")
        told += [f"by {self.method.noun}"] if self.method else []
        told += [f"harm against run {self.baseline}"] if self.baseline is not None else []
        return tuple([*told, self.more] if self.more else told)

    @property
    def line(self) -> str:
        return " · ".join(self.parts)

    @property
    def columns(self) -> tuple[str, ...]:
        """Headings of the cells that say in each row of a file where its figures come from."""
        return ("prompt version", "run", "split", "student", "n", "n counts", "method", "baseline run")

    @property
    def cells(self) -> tuple[str, ...]:
        run = self.run
        baseline = "" if self.baseline is None else str(self.baseline)
        method = self.method.value if self.method else ""
        place = (str(run.prompt_number), str(run.id), run.split.value, run.student)
        return (*place, str(self.n), self.noun, method, baseline)
