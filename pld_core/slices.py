"""The figures of parts of a run: by label, source, length, group, input field, data set or kept column. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from pld_core.canonical import Json
from pld_core.errors import InvalidInput
from pld_core.metrics import Cell, Figures, accuracy_of, figures
from pld_core.models import Prediction
from pld_core.proportion import Proportion

MOST_SLICES = 50
"""At most so many slices; the rest, which have the fewest examples, are put together. Lengths and labels are not."""
BANDS = 4


class Dimension(StrEnum):
    """What a run is cut by; the value is how screens call it."""

    LABEL = "gold label"
    SOURCE = "source"
    LENGTH = "length"
    GROUP = "group"
    FIELD = "input field"
    DATASET = "data set"
    COLUMN = "kept column"

    @property
    def is_counted(self) -> bool:
        """Whether the store counts the answers of each part, so that neither they nor their examples are read."""
        return self in (Dimension.DATASET, Dimension.COLUMN)


@dataclass(frozen=True)
class ExampleFacts:
    """What an example is cut by.

    Attributes:
        source: what the data says of where it came from; empty if nothing.
        length: characters of all its fields.
        group: empty if none.
        fields: (field name, text) pairs: every imported column that the task reads.
    """

    source: str
    length: int
    group: str
    fields: tuple[tuple[str, str], ...] = ()


Item = tuple[ExampleFacts, Prediction]
"""An example and the answer to it."""


@dataclass(frozen=True)
class Slice:
    """A part of a run.

    Attributes:
        value: what its examples have in common, such as `120 to 245 characters`; empty where the data says nothing.
        values: how many values it stands for; more than 1 only where the rest is put together, and `value` is empty.
        cells: its counted answers.
    """

    value: str
    values: int
    cells: Counter[Cell]

    @property
    def n(self) -> int:
        return self.cells.total()

    @property
    def accuracy(self) -> Proportion:
        """Right answers of its examples, with the Wilson interval; its words hold no rate below 10 examples."""
        return accuracy_of(self.cells)

    def figures(self, labels: Sequence[str]) -> Figures:
        """Return all its figures over the declared labels; resampling takes a while, so only where they are shown."""
        return figures(labels, self.cells)

    @property
    def words(self) -> str:
        """Such as `court: 8 of 10 (80 %, 95 % interval 49 to 94 %)`."""
        name = f"{self.values:,} others" if self.values > 1 else self.value or "not given"
        return f"{name}: {self.accuracy.words}"

    def as_json(self) -> dict[str, Json]:
        return {"value": self.value, "values": self.values, "n": self.n, "accuracy": self.accuracy.as_json()}


def slices(dimension: Dimension, items: Sequence[Item], field: str = "") -> tuple[Slice, ...]:
    """Cut a run into slices; each example is in one of them.

    Slices of length come the shortest first, others the largest first, then by value.

    Args:
        dimension: one of those that the store does not count; for the others see `counted_slices`.
        field: name of the input field, for `Dimension.FIELD` only.

    Raises:
        InvalidInput: a field is missing or named without need, or an example does not have it.
    """
    value_of = _by_length(items) if dimension is Dimension.LENGTH else _reader(dimension, field)
    found: dict[str, Counter[Cell]] = {}
    for facts, prediction in items:
        answer = prediction.answer
        cell = Cell(prediction.gold, answer.label, answer.status)
        found.setdefault(value_of(facts, prediction), Counter())[cell] += 1
    if dimension is Dimension.LENGTH:
        in_order = sorted(items, key=lambda item: item[0].length)
        return tuple(Slice(value, 1, found[value]) for value in dict.fromkeys(value_of(*item) for item in in_order))
    return counted_slices(found, len(found) if dimension is Dimension.LABEL else MOST_SLICES)


def counted_slices(found: Mapping[str, Counter[Cell]], most: int = MOST_SLICES) -> tuple[Slice, ...]:
    """Return counted answers as slices, the largest first, then by value; beyond `most` the smallest are one slice."""
    cut = [Slice(value, 1, cells) for value, cells in found.items()]
    cut.sort(key=lambda part: (-part.n, part.value))
    if len(cut) <= most:
        return tuple(cut)
    rest = cut[most - 1 :]
    return (*cut[: most - 1], Slice("", len(rest), sum((part.cells for part in rest), Counter())))


def length_bands(lengths: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return the shortest and the longest length of each quartile band, ascending.

    The ends are lengths that occur. Equal lengths are in one band, so there are fewer where many are equal.

    >>> length_bands([10, 20, 30, 40, 50, 60, 70, 80])
    ((10, 20), (30, 40), (50, 60), (70, 80))
    """
    if not lengths:
        return ()
    known = np.sort(np.asarray(lengths, dtype=np.int64))
    shares = np.arange(1, BANDS + 1) / BANDS
    ends = np.unique(np.quantile(known, shares, method="inverted_cdf"))
    begins = [known[0], *(known[np.searchsorted(known, end, side="right")] for end in ends[:-1])]
    return tuple((int(low), int(high)) for low, high in zip(begins, ends, strict=True))


def _by_length(items: Sequence[Item]) -> Callable[[ExampleFacts, Prediction], str]:
    bands = length_bands([facts.length for facts, _ in items])
    highs = [high for _, high in bands]

    def band_of(facts: ExampleFacts, _: Prediction) -> str:
        low, high = bands[int(np.searchsorted(highs, facts.length))]
        return f"{low:,} characters" if low == high else f"{low:,} to {high:,} characters"

    return band_of


def _reader(dimension: Dimension, field: str) -> Callable[[ExampleFacts, Prediction], str]:
    if bool(field) is not (dimension is Dimension.FIELD):
        raise InvalidInput("A field is named to cut by an input field, and for nothing else. Nothing was counted.")

    def field_of(facts: ExampleFacts, prediction: Prediction) -> str:
        values = dict(facts.fields)
        if field not in values:
            raise InvalidInput(
                f"Example {prediction.example_hash} has no field “{field}”, so the run cannot be cut by it. "
                "Choose a field of the task."
            )
        return values[field]

    readers: dict[Dimension, Callable[[ExampleFacts, Prediction], str]] = {
        Dimension.LABEL: lambda _, prediction: prediction.gold,
        Dimension.SOURCE: lambda facts, _: facts.source,
        Dimension.GROUP: lambda facts, _: facts.group,
        Dimension.FIELD: field_of,
    }
    return readers[dimension]
