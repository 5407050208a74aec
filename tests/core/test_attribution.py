"""Which rule is behind an answer: by hand on a circle, where closeness is the cosine of an angle."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.attribution import (
    MOST_CLAIMS,
    UNCOVERED,
    Attribution,
    Claim,
    Method,
    RuleSources,
    basis_of,
    by_citation,
    by_evidence,
)
from pld_core.models import Answer, AnswerStatus, Prediction
from pld_core.nearness import radius_of_new


def rule(rule_id: str, *examples: str, revision: str = "sha256:r") -> RuleSources:
    return RuleSources(rule_id, revision, "sha256:e", tuple(sorted(examples)))


def attributed(rules: Sequence[RuleSources], degrees: Mapping[str, float | None], asked: str) -> Attribution:
    """Attribute the examples named by one letter each; None is a text that says nothing."""
    rows = [
        (0.0, 0.0) if angle is None else (math.cos(math.radians(angle)), math.sin(math.radians(angle)))
        for angle in degrees.values()
    ]
    places = {name: row for row, name in enumerate(degrees)}
    return by_evidence(rules, list(asked), places, np.array(rows, dtype=np.float32), "circle")


def owners(found: Attribution) -> dict[str, str]:
    return {claim.example_hash: claim.rule_id for claim in found.claims if claim.is_owner}


def claimed(found: Attribution, example: str) -> list[str]:
    return [claim.rule_id for claim in found.claims if claim.example_hash == example]


RULES = (rule("R1", "a", "b", "c"), rule("R2", "d", "e"))
CIRCLE = {"a": 0.0, "b": 10.0, "c": 20.0, "d": 90.0, "e": 100.0}
"""R1 lies at 10 degrees; its farthest source is 15 degrees from the others' centre. R2 lies at 95, its two 10 apart."""


# --- by evidence ------------------------------------------------------------------------------------------------------


def test_the_radius_is_that_of_a_row_that_would_be_new() -> None:
    turned = [(math.cos(math.radians(d)), math.sin(math.radians(d))) for d in (0, 10, 20)]
    assert radius_of_new(np.array(turned, dtype=np.float32)) == pytest.approx(math.cos(math.radians(15)), abs=1e-6)
    assert radius_of_new(np.array(turned[:1], dtype=np.float32)) == math.inf
    assert radius_of_new(np.zeros((0, 2), dtype=np.float32)) == math.inf


def test_an_example_belongs_to_the_rule_within_whose_radius_it_lies() -> None:
    found = attributed(RULES, CIRCLE | {"p": 24.0, "q": 26.0, "r": 104.0, "s": 106.0}, "pqrs")
    assert owners(found) == {"p": "R1", "q": UNCOVERED, "r": "R2", "s": UNCOVERED}
    assert found.claims[0] == Claim("p", "R1", True, False, round(math.cos(math.radians(14)), 6))
    assert found.claims[1] == Claim("q", UNCOVERED, True)
    assert (found.method, found.embedder, found.rule_ids) == (Method.EVIDENCE, "circle", ("R1", "R2"))


def test_of_two_rules_the_nearer_one_owns_and_both_claim() -> None:
    rules = (rule("R1", "a", "b"), rule("R2", "c", "d"))
    found = attributed(rules, {"a": 0.0, "b": 40.0, "c": 30.0, "d": 70.0, "p": 30.0, "q": 40.0}, "pq")
    assert owners(found) == {"p": "R1", "q": "R2"}
    assert claimed(found, "p") == ["R1", "R2"]
    assert claimed(found, "q") == ["R2", "R1"]


def test_a_source_belongs_to_its_own_rule_however_near_another_one_lies() -> None:
    rules = (rule("R1", "a", "b", "x"), rule("R2", "d", "e"))
    found = attributed(rules, CIRCLE | {"x": 95.0}, "x")
    assert [(c.rule_id, c.is_owner, c.is_source) for c in found.claims] == [("R1", True, True), ("R2", False, False)]


def test_a_source_of_two_rules_belongs_to_the_nearer_one() -> None:
    rules = (rule("R1", "a", "x"), rule("R2", "e", "x"))
    found = attributed(rules, {"a": 0.0, "x": 60.0, "e": 100.0}, "x")
    assert owners(found) == {"x": "R2"}
    assert {claim.is_source for claim in found.claims} == {True}


def test_a_rule_of_one_source_or_of_none_reaches_nothing_but_its_source() -> None:
    found = attributed((rule("R1", "a"), rule("R2")), {"a": 0.0, "p": 0.0}, "ap")
    assert owners(found) == {"a": "R1", "p": UNCOVERED}
    assert found.rule_ids == ("R1", "R2")


def test_of_equally_near_rules_the_earlier_one_of_the_prompt_owns() -> None:
    rules = (rule("R9", "a", "b"), rule("R1", "a", "b"))
    assert owners(attributed(rules, {"a": 0.0, "b": 20.0, "p": 10.0}, "p")) == {"p": "R9"}


def test_what_says_nothing_or_is_not_there_is_covered_by_no_rule() -> None:
    found = attributed(RULES, CIRCLE | {"z": None}, "zy")
    assert owners(found) == {"z": UNCOVERED, "y": UNCOVERED}


def test_an_example_near_to_everything_is_claimed_by_the_nearest_few() -> None:
    rules = [rule(f"R{n}", "a", "b") for n in range(MOST_CLAIMS + 3)]
    found = attributed(rules, {"a": 0.0, "b": 20.0, "p": 10.0}, "p")
    assert claimed(found, "p") == [f"R{n}" for n in range(MOST_CLAIMS)]


def test_without_rules_nothing_is_covered() -> None:
    assert owners(attributed((), {"p": 0.0}, "p")) == {"p": UNCOVERED}


@given(st.lists(st.floats(0, 360), min_size=1, max_size=12), st.data())
def test_every_example_has_one_owner_and_it_is_the_nearest_unless_it_is_a_source(
    angles: list[float], data: st.DataObject
) -> None:
    names = "abcdefghijkl"[: len(angles)]
    rules = [
        rule(f"R{n}", *data.draw(st.lists(st.sampled_from(names), max_size=5, unique=True)))
        for n in range(data.draw(st.integers(0, 4)))
    ]
    found = attributed(rules, dict(zip(names, angles, strict=True)), names)
    for name in names:
        claims = [claim for claim in found.claims if claim.example_hash == name]
        (owner,) = (claim for claim in claims if claim.is_owner)
        assert len({claim.rule_id for claim in claims}) == len(claims)
        rivals = [c for c in claims if c.is_source] or claims
        assert owner in rivals
        assert all(owner.closeness >= c.closeness for c in rivals if c.closeness is not None and owner.closeness)
        assert {c.rule_id for c in claims if c.is_source} == {r.rule_id for r in rules if name in r.examples}


# --- by citation ------------------------------------------------------------------------------------------------------


def said(example: str, *cited: str) -> Prediction:
    return Prediction(example, "keep", Answer("keep", "keep", AnswerStatus.OK, 5, cited=cited))


def test_the_first_cited_rule_of_the_prompt_owns_and_all_cited_ones_claim() -> None:
    found = by_citation(RULES, [said("p", "unknown", "R2", "R1", "R2"), said("q"), said("r", "unknown")])
    assert owners(found) == {"p": "R2", "q": UNCOVERED, "r": UNCOVERED}
    assert claimed(found, "p") == ["R2", "R1"]
    assert (found.method, found.embedder) == (Method.CITED, "")
    assert all(claim.closeness is None and not claim.is_source for claim in found.claims)


def test_each_method_is_named_in_words_of_its_own() -> None:
    assert len({method.words for method in Method}) == 3
    assert "self-report" in Method.CITED.words


def test_the_basis_changes_with_the_revision_and_with_the_order() -> None:
    one, other = rule("R1", "a"), rule("R2", "b")
    assert len({basis_of([one, other]), basis_of([other, one]), basis_of([rule("R1", "a", revision="x"), other])}) == 3
