"""How near training examples and conditions of rules lie to each other, by the embeddings of their texts. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pld_core.conflicts.rule_set import TrialRule
from pld_core.model_ports import Vectors
from pld_core.models import Example
from pld_core.nearness import closeness_to, radius_of_new
from pld_core.personal import shown_to_teacher


def charted_texts(examples: Sequence[Example], conditions: Sequence[str]) -> list[str]:
    """Return the texts whose vectors a chart takes, in its order.

    Examples are masked if their import asked for that: the embedder may be somebody else's.
    """
    return [*(shown_to_teacher(example).text for example in examples), *conditions]


@dataclass(frozen=True)
class Chart:
    """Embedded together, so that an embedder that is fitted on its texts compares them.

    Attributes:
        vectors: (examples + conditions, dimensions).
    """

    examples: tuple[Example, ...]
    conditions: tuple[str, ...]
    vectors: Vectors

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {example.hash: row for row, example in enumerate(self.examples)}

    @cached_property
    def labels(self) -> dict[str, str]:
        """The gold label of each example, by hash."""
        return {example.hash: example.label for example in self.examples}

    def __contains__(self, example_hash: str) -> bool:
        return example_hash in self._rows

    def closeness(self, condition: str, example_hash: str) -> float:
        """Return the cosine similarity of a condition and an example, -1 to 1."""
        one, other = self._condition(condition), self._rows[example_hash]
        return round(float(self.vectors[one] @ self.vectors[other]), 6)

    def between(self, condition: str, other: str) -> float:
        """Return the cosine similarity of two conditions, -1 to 1."""
        return round(float(self.vectors[self._condition(condition)] @ self.vectors[self._condition(other)]), 6)

    def _condition(self, condition: str) -> int:
        return len(self.examples) + self.conditions.index(condition)

    def reached(self, rule: TrialRule) -> dict[str, float]:
        """Return the closeness of each example that lies within the rule's radius, by hash.

        The radius leaves out the farthest tenth of the supporting examples, each of them compared with the centre of
        the others. A rule with fewer than two of them does not say how far it reaches: then it reaches those alone.
        """
        rows = [self._rows[content] for content in rule.supports if content in self]
        if not rows:
            return {}
        near = closeness_to(self.vectors, rows)[: len(self.examples)].tolist()
        radius = radius_of_new(self.vectors[rows])
        own = set(rows)
        return {
            example.hash: closeness
            for row, (example, closeness) in enumerate(zip(self.examples, near, strict=True))
            if row in own or (closeness >= radius and closeness > 0)
        }


class Implication:
    """Which rules an answer is laid to: those without which it was right when they were left out, those that it cites,
    those that rest on the example, else the nearest within radius, for the right label and for the one that was said.
    """

    def __init__(
        self, chart: Chart, rules: Collection[TrialRule], measured: Mapping[str, Collection[str]] | None = None
    ) -> None:
        """Lay out how far each rule reaches.

        Args:
            measured: ids of the rules without which the answer to an example was right, by its hash; see
                `AblationStore.at_fault`.
        """
        self._rules = {rule.id: rule for rule in rules}
        self._measured = measured or {}
        self._reached = {rule.id: chart.reached(rule) for rule in rules}
        self._within = {rule_id: frozenset(reached) for rule_id, reached in self._reached.items()}
        self._resting: dict[str, list[str]] = {}
        for rule in rules:
            for content in rule.supports:
                self._resting.setdefault(content, []).append(rule.id)

    def rules_of(self, example_hash: str, gold: str, said: str | None, cited: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the ids of the implicated rules, by number; none where no rule comes near."""
        found = {rule_id for rule_id in cited if rule_id in self._rules}
        found |= set(self._resting.get(example_hash, ()))
        found |= {rule_id for rule_id in self._measured.get(example_hash, ()) if rule_id in self._rules}
        for label in (gold, said):
            if label is not None and not any(label in self._rules[rule_id].text.labels for rule_id in found):
                found |= set(self._nearest(example_hash, label))
        return tuple(sorted(found, key=lambda rule_id: (len(rule_id), rule_id)))

    def reaching_both(self, low: str, high: str) -> frozenset[str]:
        """Return the hashes of the examples within the radius of both rules."""
        return self._within[low] & self._within[high]

    def _nearest(self, example_hash: str, label: str) -> tuple[str, ...]:
        ranked = [
            (-self._reached[rule.id][example_hash], len(rule.id), rule.id)
            for rule in self._rules.values()
            if label in rule.text.labels and example_hash in self._reached[rule.id]
        ]
        return (min(ranked)[2],) if ranked else ()
