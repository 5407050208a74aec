"""What no rule covers: labels, clusters and examples; and rules that overlap."""

from __future__ import annotations

import numpy as np
import pytest

from pld_core.coverage import coverage_of
from pld_core.lineage import Lineage, StandingRule
from pld_core.models import NOISE, Evidence, EvidenceRole, RevisionState
from pld_core.overlaps import OVERLAP, find_overlaps

S = RevisionState


def rule(
    number: int, supports: str, labels: tuple[str, ...] = ("keep",), state: RevisionState = S.IN_REVIEW
) -> StandingRule:
    evidence = tuple(Evidence(name, EvidenceRole.SUPPORTS) for name in supports)
    lineage = Lineage(1, 0, tuple(supports))
    return StandingRule(f"R{number}", number, f"h{number}", labels, state, "c", lineage, evidence)


EXAMPLES = [(name, "keep" if name in "abcd" else "remove") for name in "abcdefgh"]
NUMBERS = {"a": 0, "b": 0, "c": 0, "d": NOISE, "e": 1, "f": 1, "g": NOISE}


def test_every_example_is_counted_once_and_noise_apart() -> None:
    found = coverage_of(["keep", "remove", "maybe"], EXAMPLES, [rule(1, "ab"), rule(2, "g", ("remove",))], 7, NUMBERS)
    rows = {r.label: (r.rules, r.examples, r.covered, r.noise, r.unread, r.open) for r in found.labels}
    assert rows == {"keep": (1, 4, 2, 1, 0, 1), "remove": (1, 4, 1, 0, 1, 2), "maybe": (0, 0, 0, 0, 0, 0)}
    assert found.uncovered == ("c", "d", "e", "f", "h")
    assert [(c.number, c.labels, c.closed) for c in found.clusters] == [(1, (("remove", 2),), ())]
    assert (found.covered, found.examples, found.warnings) == (3, 8, ())


def test_a_rejected_rule_covers_nothing_and_is_named_at_its_cluster() -> None:
    rules = [rule(1, "ab"), rule(2, "ef", ("remove",), S.REJECTED)]
    found = coverage_of(["keep", "remove"], EXAMPLES, rules, 7, NUMBERS)
    assert found.clusters[0].closed == ("R2",)
    assert found.warnings == ("No rule concludes remove: the student would have the label's description only.",)
    assert found.as_json()["clusters_without_rule"] == [
        {"cluster": 1, "examples": 2, "labels": {"remove": 2}, "closed": ["R2"]}
    ]


def test_without_a_clustering_everything_is_unread() -> None:
    found = coverage_of(["keep", "remove"], EXAMPLES, [], None, {})
    assert {(r.unread, r.examples) for r in found.labels} == {(4, 4)}
    assert (found.clustering, found.clusters, len(found.warnings)) == (None, (), 2)


def test_an_empty_task_is_covered_by_nothing_and_warns_of_nothing() -> None:
    found = coverage_of(["keep"], [], [], None, {})
    assert (found.examples, found.warnings, found.uncovered) == (0, (), ())


def test_rules_with_close_conditions_and_no_label_in_common_overlap() -> None:
    angles = np.array([0.0, 0.2, 0.3, 1.5, 0.1])
    vectors = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    labels: list[tuple[str, ...]] = [("keep",), ("remove",), ("keep", "remove"), ("remove",), ("keep",)]
    rules = [rule(n, "a", named) for n, named in enumerate(labels)]
    found = find_overlaps(rules, vectors)
    assert [(o.low, o.high) for o in found] == [("h1", "h4"), ("h0", "h1")]
    assert [o.closeness for o in found] == pytest.approx([np.cos(0.1), np.cos(0.2)], abs=1e-4)
    assert find_overlaps(rules[:1], vectors[:1]) == find_overlaps([], vectors[:0]) == ()


@pytest.mark.parametrize(("closeness", "overlaps"), [(OVERLAP, True), (OVERLAP - 0.01, False)])
def test_the_border_belongs_to_the_overlap(closeness: float, overlaps: bool) -> None:
    vectors = np.array([[1, 0], [closeness, (1 - closeness**2) ** 0.5]], dtype=np.float32)
    assert bool(find_overlaps([rule(0, "a"), rule(1, "b", ("remove",))], vectors)) is overlaps
