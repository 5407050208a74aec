"""The figures of a run over the declared labels. Pure, and made of counts: a run of 100,000 answers is counted once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pld_core.canonical import Json
from pld_core.macro_f1 import MacroF1, sort_key
from pld_core.models import AnswerStatus, Prediction
from pld_core.proportion import SMALL_SAMPLE, Proportion, percent_words


@dataclass(frozen=True)
class Cell:
    """One kind of answer.

    Attributes:
        gold: the label that is right.
        said: the label that was read; None when the status is not `ok`.
    """

    gold: str
    said: str | None
    status: AnswerStatus = AnswerStatus.OK

    @property
    def is_right(self) -> bool:
        return self.said == self.gold


@dataclass(frozen=True)
class LabelFigures:
    """How a label did.

    Attributes:
        gold: examples that have it as gold label, its support.
        predicted: answers that say it.
        correct: answers that say it and are right.
    """

    label: str
    gold: int
    predicted: int
    correct: int

    @property
    def precision(self) -> Proportion:
        """Of the answers that say it, how many are right."""
        return Proportion.of(self.correct, self.predicted)

    @property
    def recall(self) -> Proportion:
        """Of its examples, how many are answered right."""
        return Proportion.of(self.correct, self.gold)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, 0 to 1; 0 for a label that no example has and no answer says."""
        return 2 * self.correct / max(self.gold + self.predicted, 1)

    def as_json(self) -> dict[str, Json]:
        return {
            "label": self.label,
            "gold": self.gold,
            "predicted": self.predicted,
            "correct": self.correct,
            "precision": self.precision.as_json(),
            "recall": self.recall.as_json(),
            "f1": self.f1,
        }


@dataclass(frozen=True)
class Figures:
    """The figures of a run. Answers that are malformed, cut, unverified, refused or failed are wrong.

    Attributes:
        accuracy: right answers of all.
        macro_f1: mean of F1 over the declared labels, those without an example too.
        majority: the most frequent gold label of all, what a constant answer would get.
        labels: one for each declared label, in their order.
        without_gold: declared labels that no example has; each counts as 0 in macro F1.
        undeclared: labels that an example has or an answer says and that are not declared, sorted; they count in
            accuracy, and have no F1 of their own.
        statuses: how many answers ended so.
        confusion: (gold label, label said) -> answers, without those that are not usable; none of them 0.
        unusable: (gold label, status) -> answers without a label; none of them 0.
    """

    accuracy: Proportion
    macro_f1: MacroF1
    majority: Proportion
    labels: tuple[LabelFigures, ...]
    without_gold: tuple[str, ...]
    undeclared: tuple[str, ...]
    statuses: dict[AnswerStatus, int]
    confusion: dict[tuple[str, str], int]
    unusable: dict[tuple[str, AnswerStatus], int]

    def unusable_of(self, gold: str) -> int:
        """Return how many answers to examples of a label cannot be used: the confusion's column for them."""
        return sum(n for (label, _), n in self.unusable.items() if label == gold)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What has to be known to read macro F1, a sentence each; empty if there is nothing to say."""
        found = []
        if self.without_gold and self.accuracy.n:
            found.append(
                f"Without an example: {', '.join(self.without_gold)}. Each such label counts as 0 in macro F1."
            )
        if self.undeclared:
            names = ", ".join(self.undeclared)
            found.append(f"Not among the declared labels: {names}. Such labels have no part in macro F1.")
        return tuple(found)

    @property
    def words(self) -> str:
        """Such as `77% right (60 to 89%), 24 of 31; macro F1 0.71 (95 % interval 0.62 to 0.79)`; counts below 10."""
        found = self.accuracy
        if found.n < SMALL_SAMPLE or found.rate is None or found.low is None or found.high is None:
            return f"{found.k:,} of {found.n:,} right"
        share, interval = percent_words(found.rate, found.low, found.high)
        rate = f"{share} right ({interval}), {found.k:,} of {found.n:,}"
        return f"{rate}; macro F1 {self.macro_f1.words}"

    def as_json(self) -> dict[str, Json]:
        acc, macro = self.accuracy, self.macro_f1.as_json()
        return {
            "n": acc.n,
            "correct": acc.k,
            "accuracy": acc.rate,
            "interval_95": None if acc.low is None or acc.high is None else [acc.low, acc.high],
            "macro_f1": macro["value"],
            "macro_f1_interval_95": macro["interval_95"],
            "majority_baseline": self.majority.rate,
            "invalid": {status.value: n for status, n in self.statuses.items() if status is not AnswerStatus.OK},
            "labels": [label.as_json() for label in self.labels],
            "labels_without_gold": list(self.without_gold),
            "undeclared_labels": list(self.undeclared),
            "confusion": [{"gold": gold, "said": said, "n": n} for (gold, said), n in self.confusion.items()],
            "confusion_invalid": [
                {"gold": gold, "status": status.value, "n": n} for (gold, status), n in self.unusable.items()
            ],
        }


def cells_of(predictions: Iterable[Prediction]) -> Counter[Cell]:
    """Count the answers of a run."""
    counted = Counter((p.gold, p.answer.label, p.answer.status) for p in predictions)
    return Counter({Cell(*kind): n for kind, n in counted.items()})


def accuracy_of(cells: Mapping[Cell, int]) -> Proportion:
    """Return the share of right answers alone, which costs nothing beside all figures."""
    return Proportion.of(sum(n for cell, n in cells.items() if cell.is_right), sum(cells.values()))


def figures(labels: Sequence[str], cells: Mapping[Cell, int]) -> Figures:
    """Return the figures of counted answers; the order in which they came changes nothing.

    Args:
        labels: the declared ones, at least one.
        cells: what `cells_of` counted.
    """
    gold, predicted, correct, statuses = Counter[str](), Counter[str](), Counter[str](), Counter[AnswerStatus]()
    said, unusable = Counter[tuple[str, str | None]](), Counter[tuple[str, AnswerStatus]]()
    for cell, n in sorted(cells.items(), key=lambda item: sort_key(item[0].gold, item[0].said, item[0].status)):
        gold[cell.gold] += n
        statuses[cell.status] += n
        said[cell.gold, cell.said] += n
        if cell.said is None:
            unusable[cell.gold, cell.status] += n
        else:
            predicted[cell.said] += n
            correct[cell.gold] += n * cell.is_right
    return Figures(
        accuracy=Proportion.of(correct.total(), gold.total()),
        macro_f1=MacroF1.of(labels, said),
        majority=Proportion.of(max(gold.values(), default=0), gold.total()),
        labels=tuple(LabelFigures(name, gold[name], predicted[name], correct[name]) for name in labels),
        without_gold=tuple(name for name in labels if not gold[name]),
        undeclared=tuple(sorted((set(gold) | set(predicted)) - set(labels))),
        statuses=dict(statuses),
        confusion={(name, answer): n for (name, answer), n in said.items() if answer is not None},
        unusable=dict(unusable),
    )
