"""How prompt versions do with students on a split: a cell each, with its figures or with what is missing. Pure."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pld_core.metrics import Cell as Answered
from pld_core.metrics import Figures, figures
from pld_core.models import Run, Split
from pld_core.proportion import SMALL_SAMPLE, percent_words

Counted = Callable[[int], Mapping[Answered, int]]
"""How many answers of a run are of each kind, by its id."""


class CellState(StrEnum):
    """How far a cell is."""

    MISSING = "not evaluated"
    ORDERED = "ordered, not ended yet"
    STOPPED = "not complete"
    DONE = "complete"


@dataclass(frozen=True)
class Ordered:
    """An evaluation that is ordered and has not ended."""

    prompt: int
    student: str
    split: Split


@dataclass(frozen=True)
class Cell:
    """A prompt version with a student on a split.

    Attributes:
        run: the newest complete run, or the newest one if none is complete; None if there is none.
        figures: over the answers of that run, however many there are.
        is_ordered: an evaluation of it is ordered and has not ended.
    """

    prompt: int
    student: str
    split: Split
    run: Run | None
    figures: Figures | None
    is_ordered: bool

    @property
    def state(self) -> CellState:
        if self.is_ordered:
            return CellState.ORDERED
        if self.run is None or self.figures is None:
            return CellState.MISSING
        return CellState.DONE if self.figures.accuracy.n == self.run.total > 0 else CellState.STOPPED

    @property
    def words(self) -> str:
        """Such as `77% right (60 to 89%), 24 of 31; macro F1 0.71 (95 % interval 0.62 to 0.79)`, or what is missing."""
        if self.is_ordered or self.run is None or self.figures is None:
            return self.state.value
        found = self.figures.accuracy
        if self.state is CellState.STOPPED:
            return f"not complete: {found.n:,} of {self.run.total:,} answered"
        if found.n < SMALL_SAMPLE or found.rate is None or found.low is None or found.high is None:
            return f"{found.k:,} of {found.n:,} right"
        share, interval = percent_words(found.rate, found.low, found.high)
        rate = f"{share} right ({interval}), {found.k:,} of {found.n:,}"
        return f"{rate}; macro F1 {self.figures.macro_f1.words}"


def matrix_of(
    prompts: Sequence[int],
    students: Sequence[str],
    split: Split,
    runs: Sequence[Run],
    counted: Counted,
    ordered: Collection[Ordered],
    labels: Sequence[str],
) -> tuple[Cell, ...]:
    """Return a cell for each prompt and student, prompt by prompt.

    Args:
        runs: of the task, in any order.
        counted: the answers of a run by kind, by its id.
    """
    newest = sorted((run for run in runs if run.split is split), key=lambda run: run.id, reverse=True)
    cells = []
    for prompt in prompts:
        for student in students:
            own = [run for run in newest if (run.prompt_number, run.student) == (prompt, student)]
            run, answers = _chosen(own, counted)
            found = _figures(tuple(labels), frozenset(answers.items())) if run else None
            is_ordered = Ordered(prompt, student, split) in ordered
            cells.append(Cell(prompt, student, split, run, found, is_ordered))
    return tuple(cells)


@functools.lru_cache(maxsize=256)
def _figures(labels: tuple[str, ...], counted: frozenset[tuple[Answered, int]]) -> Figures:
    """Return the figures of counted answers. Screens ask for the same ones again and again, and intervals take time."""
    return figures(labels, dict(counted))


def _chosen(runs: Sequence[Run], counted: Counted) -> tuple[Run | None, Mapping[Answered, int]]:
    """Return the newest complete run with its answers, else the newest."""
    first: tuple[Run | None, Mapping[Answered, int]] = (None, {})
    for run in runs:
        answers = counted(run.id)
        if sum(answers.values()) == run.total > 0:
            return run, answers
        first = first if first[0] else (run, answers)
    return first
