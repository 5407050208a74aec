"""The baselines beside a run: those a student answered, and those that code makes of the training examples. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pld_core.baselines import Baseline, Beside, Said, beside
from pld_core.canonical import Json
from pld_core.macro_f1 import MacroF1
from pld_core.model_ports import Vectors
from pld_core.models import Prediction
from pld_core.neighbour_vote import most_frequent, nearest_vote
from pld_core.proportion import Proportion

_VOTERS = {Baseline.NEAREST: 1, Baseline.NEAREST_FIVE: 5}


@dataclass(frozen=True)
class BaselineLine:
    """A baseline beside the rules.

    Attributes:
        accuracy, macro_f1: of the baseline itself, over the examples of the run.
        origin: where its answers come from, such as `run 3, prompt version 2`.
    """

    beside: Beside
    accuracy: Proportion
    macro_f1: MacroF1
    origin: str

    def as_json(self) -> dict[str, Json]:
        return {
            **self.beside.as_json(),
            "accuracy": self.accuracy.as_json(),
            "macro_f1": self.macro_f1.as_json(),
            "origin": self.origin,
        }


def baseline_lines(
    labels: Sequence[str], answers: Sequence[Prediction], said: Mapping[Baseline, Said], origins: Mapping[Baseline, str]
) -> tuple[BaselineLine, ...]:
    """Hold the answers of a run against those of each baseline, in the order of `Baseline`.

    Args:
        labels: the declared ones.
        answers: of the run, at least one.
        said, origins: of each baseline, what it says of every example of the run, and where that comes from.
    """
    lines = []
    for one in beside(labels, answers, said):
        own = Counter((p.gold, said[one.baseline][p.example_hash]) for p in answers)
        right = sum(n for (gold, answer), n in own.items() if gold == answer)
        share = Proportion.of(right, own.total())
        lines.append(BaselineLine(one, share, MacroF1.of(labels, own), origins[one.baseline]))
    return tuple(lines)


def said_by_code(
    labels: Sequence[str], train_labels: Sequence[str], asked: Sequence[str], vectors: Vectors
) -> dict[Baseline, Said]:
    """Return what baselines without a model say: the nearest training example, the nearest five, the commonest label.

    Args:
        labels: the declared ones.
        train_labels: gold labels of the training examples, at least one, all declared.
        asked: content hashes of the examples of the run.
        vectors: (rows, dimensions) of the training examples, then of the asked ones, made by one embedder at once.
    """
    train, own = vectors[: len(train_labels)], vectors[len(train_labels) :]
    found: dict[Baseline, Said] = {
        baseline: dict(zip(asked, nearest_vote(labels, train, train_labels, own, k), strict=True))
        for baseline, k in _VOTERS.items()
    }
    return found | {Baseline.MAJORITY: dict.fromkeys(asked, most_frequent(labels, train_labels))}
