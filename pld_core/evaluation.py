"""Reading the student's answers, and honest figures over them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pld_core.canonical import Json
from pld_core.model_ports import ChatReply
from pld_core.models import Answer, AnswerStatus, Prediction
from pld_core.prompt_style import AnswerForm, Style

SMALL_SAMPLE = 10
"""Below this many answers no rate is shown, only the counts."""


def answer_from(form: AnswerForm, reply: ChatReply) -> Answer:
    """Turn a reply into an answer; one that was cut or is not in the form keeps its raw text and has no label.

    A letter is all that there is room for, so a reply that ends there was not cut.
    """
    reading = form.read(reply.text)
    status, problem = AnswerStatus.OK, ""
    if reply.unverified:
        reading, status, problem = None, AnswerStatus.UNVERIFIED, reply.unverified
    elif reply.finish == "length" and (reading is None or form.style is not Style.LETTER):
        reading, status, problem = None, AnswerStatus.CUT, "The answer was cut before it ended."
    elif reading is None:
        status, problem = AnswerStatus.MALFORMED, "The answer is not one of the declared labels."
    return Answer(
        label=reading.label if reading else None,
        raw=reply.text,
        status=status,
        latency_ms=reply.latency_ms,
        prompt_tokens=reply.prompt_tokens,
        output_tokens=reply.output_tokens,
        cached_tokens=reply.cached_tokens,
        context_size=reply.context_size,
        problem=problem,
        cited=reading.cited if reading else (),
    )


def failed_answer(problem: str, raw: str = "") -> Answer:
    """Return the record of a question that got no answer; it counts as wrong."""
    return Answer(label=None, raw=raw, status=AnswerStatus.FAILED, latency_ms=0, problem=problem)


@dataclass(frozen=True)
class Proportion:
    """k of n with the 95 % Wilson interval; all three rates are None when n is 0.

    >>> Proportion.of(8, 10).rate
    0.8
    """

    k: int
    n: int
    rate: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, k: int, n: int) -> Proportion:
        if n == 0:
            return cls(0, 0, None, None, None)
        # Imported when it is needed: it takes a second, which every command would wait for.
        from scipy.stats import binomtest

        interval = binomtest(k, n).proportion_ci(0.95, method="wilson")
        return cls(k, n, k / n, float(interval.low), float(interval.high))

    @property
    def words(self) -> str:
        """Such as `8 of 10 (80 %, 95 % interval 49 to 94 %)`; without a rate below 10 answers."""
        if self.rate is None or self.low is None or self.high is None:
            return "nothing answered yet"
        if self.n < SMALL_SAMPLE:
            return f"{self.k} of {self.n} (too few for a rate)"
        return f"{self.k} of {self.n} ({self.rate:.0%}, 95 % interval {self.low * 100:.0f} to {self.high:.0%})"

    def as_json(self) -> dict[str, Json]:
        interval = None if self.low is None or self.high is None else [self.low, self.high]
        return {"k": self.k, "n": self.n, "rate": self.rate, "interval_95": interval}


def running_words(right: int, answered: int) -> str:
    """Say how a run does so far, after how many are answered: `answered, 24 right (77%, 60 to 89%)`."""
    figure = Proportion.of(right, answered)
    if figure.rate is None or figure.low is None or figure.high is None or answered < SMALL_SAMPLE:
        return f"answered, {right:,} right" if answered else "answered"
    return f"answered, {right:,} right ({figure.rate:.0%}, {figure.low * 100:.0f} to {figure.high:.0%})"


@dataclass(frozen=True)
class LabelScore:
    label: str
    gold: int
    predicted: int
    correct: int


@dataclass(frozen=True)
class Score:
    """The figures of a run. Answers that are malformed, cut or failed are wrong and counted in `statuses`.

    Attributes:
        majority: share of the most frequent gold label, what a constant answer would get.
        confusion: (gold label, predicted label or `INVALID`) -> count.
    """

    accuracy: Proportion
    majority: Proportion
    labels: tuple[LabelScore, ...]
    statuses: dict[AnswerStatus, int]
    confusion: dict[tuple[str, str], int]

    def as_json(self) -> dict[str, Json]:
        acc = self.accuracy
        return {
            "n": acc.n,
            "correct": acc.k,
            "accuracy": acc.rate,
            "interval_95": None if acc.low is None or acc.high is None else [acc.low, acc.high],
            "majority_baseline": self.majority.rate,
            "invalid": {status.value: n for status, n in self.statuses.items() if status is not AnswerStatus.OK},
            "labels": [
                {"label": s.label, "gold": s.gold, "predicted": s.predicted, "correct": s.correct} for s in self.labels
            ],
        }


INVALID = "(no usable answer)"
"""The column of the confusion matrix for answers without a label; reads unlike any label that people declare."""


def score(label_names: Sequence[str], predictions: Sequence[Prediction]) -> Score:
    """Score predictions over the declared labels."""
    confusion = Counter((p.gold, p.answer.label or INVALID) for p in predictions)
    gold = Counter(p.gold for p in predictions)
    predicted = Counter(p.answer.label for p in predictions if p.answer.label)
    correct = Counter(p.gold for p in predictions if p.answer.label == p.gold)
    return Score(
        accuracy=Proportion.of(correct.total(), len(predictions)),
        majority=Proportion.of(max(gold.values(), default=0), len(predictions)),
        labels=tuple(LabelScore(n, gold[n], predicted[n], correct[n]) for n in label_names),
        statuses=dict(Counter(p.answer.status for p in predictions)),
        confusion=dict(confusion),
    )
