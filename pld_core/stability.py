"""How steady a student is: the same examples asked several times, warmer or with the rules in another order. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pld_core.canonical import Json, hash_json
from pld_core.errors import InvalidInput
from pld_core.models import Prediction
from pld_core.proportion import Proportion


@dataclass(frozen=True)
class Repeated:
    """An example and what was said of it each time.

    Attributes:
        said: a label a repeat, in the order of the repeats; None for no usable answer, which is an answer of its own.
        majority: what was said most often. Of equals the first in the order of the declared labels; None comes last.
    """

    example_hash: str
    gold: str
    said: tuple[str | None, ...]
    majority: str | None

    @property
    def flips(self) -> int:
        """Answers other than the most frequent one, 0 for a steady example; the order of repeats changes nothing."""
        return sum(answer != self.majority for answer in self.said)


@dataclass(frozen=True)
class Stability:
    """How steady the answers are.

    Attributes:
        repeats: how often each example was asked, at least 2.
        examples: in the order of the first repeat.
        flipped: examples with any flip.
        by_label: the same by gold label: the declared ones in their order, then others.
        majority_right: examples whose most frequent answer is right.
        right: examples that were answered right in each repeat, one share a repeat.
    """

    repeats: int
    examples: tuple[Repeated, ...]
    flipped: Proportion
    by_label: dict[str, Proportion]
    majority_right: Proportion
    right: tuple[Proportion, ...]

    @property
    def words(self) -> str:
        """Such as `3 of 40 (8 %, 95 % interval 3 to 20 %) examples changed their answer in 5 repeats`."""
        return f"{self.flipped.words} examples changed their answer in {self.repeats} repeats"

    def as_json(self) -> dict[str, Json]:
        return {
            "repeats": self.repeats,
            "flipped": self.flipped.as_json(),
            "by_label": {label: share.as_json() for label, share in self.by_label.items()},
            "majority_right": self.majority_right.as_json(),
            "right": [share.as_json() for share in self.right],
            "examples": [
                {"example": e.example_hash, "gold": e.gold, "said": list(e.said), "flips": e.flips}
                for e in self.examples
            ],
        }


def stability(labels: Sequence[str], repeats: Sequence[Sequence[Prediction]]) -> Stability:
    """Compare repeats of the same examples, which may come in any order.

    Args:
        labels: the declared ones.
        repeats: at least 2.

    Raises:
        InvalidInput: there are fewer, or they do not hold the same examples with the same gold labels, each once.
    """
    if len(repeats) < 2:
        raise InvalidInput("One run says nothing of how steady the answers are. Repeat it at least once.")
    answers = [{(p.example_hash, p.gold): p.answer.label for p in repeat} for repeat in repeats]
    for number, (repeat, answered) in enumerate(zip(repeats, answers, strict=True), 1):
        if len(answered) != len(repeat) or answered.keys() != answers[0].keys():
            raise InvalidInput(
                f"Repeat {number} does not hold the same examples as the first, each once, so they cannot be compared. "
                "Let every repeat come to its end, and choose repeats of one split."
            )
    examples = []
    for example_hash, gold in answers[0]:
        said = tuple(answered[example_hash, gold] for answered in answers)
        examples.append(Repeated(example_hash, gold, said, _majority(labels, said)))
    named = dict.fromkeys([*labels, *sorted({example.gold for example in examples})])
    return Stability(
        repeats=len(repeats),
        examples=tuple(examples),
        flipped=_flipped(examples),
        by_label={label: _flipped([e for e in examples if e.gold == label]) for label in named},
        majority_right=Proportion.of(sum(e.majority == e.gold for e in examples), len(examples)),
        right=tuple(
            Proportion.of(sum(said == gold for (_, gold), said in answered.items()), len(answered))
            for answered in answers
        ),
    )


def shuffled_order(rules: Sequence[str], seed: int) -> tuple[str, ...]:
    """Return the rules in an order that is drawn by the seed: the same for equal rules, whatever order they come in.

    The lots are hashes of seed and rule, not a generator of random numbers, whose draws differ between versions.

    Args:
        rules: ids, each once.

    Raises:
        InvalidInput: an id stands there twice.
    """
    if len(set(rules)) != len(rules):
        raise InvalidInput("A rule stands twice in the order, so it cannot be shuffled.")
    return tuple(sorted(rules, key=lambda rule: hash_json([seed, rule])))


def _flipped(examples: Sequence[Repeated]) -> Proportion:
    return Proportion.of(sum(example.flips > 0 for example in examples), len(examples))


def _majority(labels: Sequence[str], said: Sequence[str | None]) -> str | None:
    places = {label: place for place, label in enumerate(labels)}
    times = Counter(said)
    return min(times, key=lambda name: (-times[name], name is None, places.get(name or "", len(places)), name or ""))
