"""The rows that are taken, which of them are the same, and which split each gets."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from pld_core.models import Split
from pld_core.validation.facts import Facts, ImportChoices, Placement
from pld_core.validation.labels import LabelPlan, Variant
from pld_core.validation.near_duplicates import NearPair


class Taken:
    """The entries that are taken: rows whose label is declared, and all examples of the task.

    Attributes:
        labels: the declared label of each entry; None for a row that is refused.
        refused: why rows are refused that could be taken after another choice, by index.
        splits: the split of each entry, as the row says or as it is divided; None if neither.
        merged: the entry that a row is the same as (an example of the task, else an earlier row).
        rows: indices of the rows that are taken.
        kept: those of them that become an example of their own.
        standing: every example that would take part: `kept`, then those of the task.
        entries: every entry that has to do with them: `rows`, then those of the task.
    """

    def __init__(self, facts: Facts, labels: LabelPlan, choices: ImportChoices) -> None:
        self.facts, self.plan = facts, labels
        self.refused = _refused(facts, labels, choices)
        self.labels: list[str | None] = [
            None if index in self.refused else labels.meaning[written]
            for index, written in enumerate(facts.labels[: facts.rows])
        ]
        self.labels += facts.labels[facts.rows :]
        self.splits: list[Split | None] = list(facts.splits)
        self.rows = [i for i in range(facts.rows) if self.labels[i] is not None]
        there = list(range(facts.rows, len(facts.keys)))
        self.merged = self._same_as([*there, *self.rows])
        self.kept = [i for i in self.rows if i not in self.merged]
        # A row brings an archived example back that it is the same as, but not a withdrawn one.
        resting = (facts.archived - set(self.merged.values())) | facts.withdrawn
        there = [i for i in there if i not in resting]
        self.standing = [*self.kept, *there]
        self.entries = [*(i for i in self.rows if self.merged.get(i) not in resting), *there]

    def _same_as(self, entries: list[int]) -> dict[int, int]:
        first_of: dict[tuple[bytes, str | None], int] = {}
        merged = {}
        for index in entries:
            first = first_of.setdefault((self.facts.keys[index], self.labels[index]), index)
            if first != index:
                merged[index] = first
        return merged

    def by_text(self, indices: Sequence[int], pairs: Sequence[NearPair] = ()) -> dict[bytes, list[int]]:
        """Return the entries of each text that stands there more than once or in a pair, in the order of `indices`.

        Nearly all texts of most files stand there once; a list for each of them would cost more than all the rest.
        """
        keys = self.facts.keys
        counts = Counter(keys[index] for index in indices)
        paired = {keys[index] for pair in pairs for index in (pair.first, pair.second)}
        found: dict[bytes, list[int]] = defaultdict(list)
        for index in indices:
            if counts[keys[index]] > 1 or keys[index] in paired:
                found[keys[index]].append(index)
        return dict(found)

    def is_row(self, index: int) -> bool:
        return index < self.facts.rows

    def split(self, index: int) -> Split | None:
        """Return the split of an entry; a row that is in the task already has the split that it has there."""
        first = self.merged.get(index, index)
        return self.splits[index if self.is_row(first) else first]

    def label(self, index: int) -> str:
        """Return the declared label of an entry that is taken."""
        return str(self.labels[index])

    def number(self, index: int) -> int:
        """Return the number of a row of the file, 0 for an example of the task."""
        return self.facts.numbers[index] or 0

    def placements(self) -> dict[int, Placement]:
        once: dict[tuple[str, Split, tuple[str, ...]], Placement] = {}
        found = {}
        for index in self.rows:
            split = self.splits[self.merged.get(index, index)] or Split.TRAIN
            what = (self.label(index), split, self.facts.personal[index])
            found[self.number(index)] = once.get(what) or once.setdefault(what, Placement(*what))
        return found


def _refused(facts: Facts, labels: LabelPlan, choices: ImportChoices) -> dict[int, str]:
    found = {}
    reasons = {v.written: _undeclared(v, labels) for v in labels.variants if v.written not in labels.meaning}
    for index in range(facts.rows):
        if facts.labels[index] in reasons:
            found[index] = reasons[facts.labels[index]]
    if not choices.resplit:
        for index, named in facts.bad_splits.items():
            reason = f"the split reads {named[:40]!r}; it has to be one of train, validation, test"
            found.setdefault(index, reason)
    return found


def _undeclared(variant: Variant, labels: LabelPlan) -> str:
    near = variant.proposed
    hint = f"; it looks like {near!r}, merge them if it means the same" if near else ""
    return f"the label {variant.written[:60]!r} is not declared ({', '.join(labels.declared[:10])}){hint}"
