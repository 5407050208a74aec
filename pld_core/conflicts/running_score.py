"""A greedy order read step by step: which proposal each step adds, and whether it stays in. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pld_core.conflicts.records import Stage, Tried

GREEDY = (Stage.GREEDY, Stage.LATER)


@dataclass(frozen=True)
class ScoreStep:
    """One step.

    Attributes:
        added: hash of the proposal that the step adds to those before it that stayed in.
        stays: whether it brings a further gain; if not, it is left out of the later steps.
        tried: of the whole sum, against the rules without any change.
    """

    added: str
    stays: bool
    tried: Tried


def running_score(trials: Sequence[Tried]) -> tuple[ScoreStep, ...]:
    """Return the steps of a round's greedy order; none if there was none."""
    found: list[ScoreStep] = []
    most = 0.0
    for tried in (tried for tried in trials if tried.stage in GREEDY):
        found.append(ScoreStep(tried.proposals[-1], tried.result.gain > most, tried))
        most = max(most, tried.result.gain)
    return tuple(found)
