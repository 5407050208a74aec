"""What no rule covers yet: labels, clusters and examples. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pld_core.canonical import Json
from pld_core.lineage import StandingRule
from pld_core.models import NOISE


@dataclass(frozen=True)
class LabelCoverage:
    """How far the rules reach for one label; counts of training examples that take part.

    Attributes:
        rules: live rules that conclude it.
        covered: examples that a live rule has as support.
        noise: uncovered, and in no cluster of the clustering that was looked at.
        unread: uncovered, and without an instruction in that clustering.
        open: uncovered, although they are in a cluster.
    """

    label: str
    rules: int
    examples: int
    covered: int
    noise: int
    unread: int
    open: int

    @property
    def warning(self) -> str:
        """What is wrong, empty if nothing is."""
        if self.examples and not self.rules:
            return f"No rule concludes {self.label}: the student would have the label's description only."
        return ""

    def as_json(self) -> dict[str, Json]:
        return {
            "label": self.label,
            "rules": self.rules,
            "examples": self.examples,
            "covered": self.covered,
            "noise": self.noise,
            "without_instruction": self.unread,
            "clustered_without_rule": self.open,
            "warning": self.warning,
        }


@dataclass(frozen=True)
class OpenCluster:
    """A cluster of which no example supports a live rule.

    Attributes:
        labels: examples by label.
        closed: ids of rejected or retired rules that were merged from some of its examples.
    """

    number: int
    labels: tuple[tuple[str, int], ...]
    closed: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return sum(n for _, n in self.labels)

    def as_json(self) -> dict[str, Json]:
        return {"cluster": self.number, "examples": self.size, "labels": dict(self.labels), "closed": list(self.closed)}


@dataclass(frozen=True)
class Coverage:
    """What the rules of a task cover.

    Attributes:
        clustering: the clustering that was looked at; None if none was kept.
        uncovered: hashes of the examples without a rule, noise and unread ones included, in the order of the examples.
    """

    clustering: int | None
    labels: tuple[LabelCoverage, ...]
    clusters: tuple[OpenCluster, ...]
    uncovered: tuple[str, ...]

    @property
    def examples(self) -> int:
        return sum(row.examples for row in self.labels)

    @property
    def covered(self) -> int:
        return sum(row.covered for row in self.labels)

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(row.warning for row in self.labels if row.warning)

    def as_json(self) -> dict[str, Json]:
        return {
            "clustering": self.clustering,
            "examples": self.examples,
            "covered": self.covered,
            "labels": [row.as_json() for row in self.labels],
            "clusters_without_rule": [cluster.as_json() for cluster in self.clusters],
            "examples_without_rule": list(self.uncovered),
            "warnings": list(self.warnings),
        }


def coverage_of(
    declared: Sequence[str],
    examples: Sequence[tuple[str, str]],
    rules: Iterable[StandingRule],
    clustering: int | None,
    numbers: Mapping[str, int],
) -> Coverage:
    """Return what live rules (neither rejected nor retired) cover.

    Args:
        declared: the task's labels; each gets a row, also one without examples.
        examples: (hash, gold label) of the training examples that take part.
        numbers: cluster by example hash in the clustering that is looked at.
    """
    standing = list(rules)
    live = [rule for rule in standing if rule.is_live]
    supported = frozenset[str]().union(*(rule.supports for rule in live))
    concluding = Counter(label for rule in live for label in rule.labels)
    counts: Counter[tuple[str, str]] = Counter()
    uncovered = []
    closed = _closed(standing, numbers)
    members: dict[int, Counter[str]] = {}
    taken: set[int] = set()
    for content, label in examples:
        number = numbers.get(content)
        if number is not None and number != NOISE:
            members.setdefault(number, Counter())[label] += 1
        if content in supported:
            counts[label, "covered"] += 1
            if number is not None:
                taken.add(number)
            continue
        uncovered.append(content)
        counts[label, "unread" if number is None else "noise" if number == NOISE else "open"] += 1
    rows = [
        LabelCoverage(
            label,
            concluding[label],
            sum(counts[label, kind] for kind in ("covered", "noise", "unread", "open")),
            counts[label, "covered"],
            counts[label, "noise"],
            counts[label, "unread"],
            counts[label, "open"],
        )
        for label in declared
    ]
    clusters = [
        OpenCluster(number, tuple(sorted(members[number].items())), tuple(closed.get(number, ())))
        for number in sorted(members, key=lambda n: (-members[n].total(), n))
        if number not in taken
    ]
    return Coverage(clustering, tuple(rows), tuple(clusters), tuple(uncovered))


def _closed(rules: Sequence[StandingRule], numbers: Mapping[str, int]) -> dict[int, list[str]]:
    """Return the ids of rejected and retired rules by the clusters that their members are in."""
    found: dict[int, list[str]] = {}
    for rule in rules:
        if not rule.is_live:
            for number in sorted({numbers[m] for m in rule.lineage.members if m in numbers}):
                found.setdefault(number, []).append(rule.id)
    return found
