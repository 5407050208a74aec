"""Known-bad variants: what is made wrong, only where the evidence tells it, and by lot that comes out the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.checks import CheckKind
from pld_core.models import AuthorKind, Evidence, EvidenceRole, Example, Revision, RuleText, evidence_set_hash
from pld_core.seeded import Variant, is_drawn, lot, thinned, variant_of, widened
from tests.factories import make_example

DECLARED = ("keep", "remove", "ask")
KEPT = tuple(make_example(f"thanks for the friendly advice {n}") for n in range(3))
IRONY = make_example("so friendly, what irony", "remove")
TEXT = RuleText("Friendly", "the post is friendly, and nobody is laughed at", ("keep",), ("it is irony",), "Kind.")
SUPPORTED = tuple(Evidence(e.hash, EvidenceRole.SUPPORTS, 0.9) for e in KEPT)
NEAR = Evidence(IRONY.hash, EvidenceRole.NEAR_MISS, 0.4)


def variant(
    text: RuleText = TEXT,
    evidence: tuple[Evidence, ...] = (*SUPPORTED, NEAR),
    examples: tuple[Example, ...] = (*KEPT, IRONY),
    declared: tuple[str, ...] = DECLARED,
    policy: int = 1,
) -> Variant | None:
    revision = Revision("R1", 1, text, "told", AuthorKind.TEACHER)
    return variant_of(revision, evidence, {e.hash: e for e in examples}, declared, policy)


def variants(**given: object) -> dict[CheckKind, RuleText]:
    """Return what is drawn under many changes of policy, by kind."""
    found = [variant(**given, policy=policy) for policy in range(60)]  # type: ignore[arg-type]
    return {v.kind: v.text for v in found if v}


def test_every_kind_is_drawn_and_is_wrong_in_its_way_only() -> None:
    found = variants()
    assert found[CheckKind.DROPPED_EXCEPTION] == replace(TEXT, exceptions=())
    assert found[CheckKind.OVER_BROAD] == replace(TEXT, condition="the post is friendly")
    (label,) = found[CheckKind.FLIPPED_LABEL].labels
    assert label in ("remove", "ask")
    assert found[CheckKind.FLIPPED_LABEL] == replace(TEXT, labels=(label,))


def test_the_same_revision_gives_the_same_variant() -> None:
    assert all(variant(policy=policy) == variant(policy=policy) for policy in range(20))
    assert len({variant(policy=policy) for policy in range(40)}) >= 3


def test_a_label_is_flipped_only_where_every_supporting_example_contradicts_the_new_one() -> None:
    other = make_example("thanks, remove it", "remove")
    mixed = (*SUPPORTED, Evidence(other.hash, EvidenceRole.SUPPORTS, 0.8))
    assert CheckKind.FLIPPED_LABEL not in variants(evidence=mixed, examples=(*KEPT, other))
    assert variant(evidence=(), examples=()) is None
    assert variant(TEXT, SUPPORTED, KEPT, ("keep",)) is None
    both = replace(TEXT, labels=("keep", "remove"))
    assert variants(text=both)[CheckKind.FLIPPED_LABEL].labels == ("ask",)


def test_what_would_take_in_no_example_of_another_label_is_not_made() -> None:
    alone = variants(evidence=SUPPORTED, examples=KEPT)
    assert set(alone) == {CheckKind.FLIPPED_LABEL}
    elsewhere = make_example("qqqq wwww", "remove")
    far = (*SUPPORTED, Evidence(elsewhere.hash, EvidenceRole.NEAR_MISS, 0.1))
    assert set(variants(evidence=far, examples=(*KEPT, elsewhere))) == {CheckKind.FLIPPED_LABEL}


def test_of_several_exceptions_one_goes_and_the_others_stay() -> None:
    text = replace(TEXT, exceptions=("it is a name", "the friendly word is irony", "it is old"))
    found = variants(text=text)[CheckKind.DROPPED_EXCEPTION]
    assert found.exceptions == ("it is a name", "it is old")


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ("the clause bans all copies, and the hypothesis says otherwise", "the clause bans all copies"),
        ("the clause bans copies (all, and any), and the hypothesis differs", "the clause bans copies (all, and any)"),
        ("the post praises a person unless it is irony", "the post praises a person"),
        ("the post is kind and names somebody", None),
        ("the post hurts somebody in anger, and whether or not it names them", None),
        ("the author fears a relapse even where the wording is joking", None),
        ("the post is kind to all, where asked or when not", "the post is kind to all"),
        ("a, b, and c or d", None),
        ("the post is friendly", None),
        ("and", None),
        ("", None),
    ],
)
def test_the_last_clause_is_left_out_where_enough_is_left(condition: str, left: str | None) -> None:
    assert widened(condition) == left


@given(st.text(max_size=200))
def test_a_wider_condition_is_the_beginning_of_the_condition(condition: str) -> None:
    left = widened(condition)
    assert left is None or (condition.startswith(left) and left != condition and len(left.split()) >= 4)


@pytest.mark.parametrize("per_hundred", [0, 5, 20, 100])
def test_as_many_are_drawn_as_the_policy_says(per_hundred: int) -> None:
    n = 4_000
    drawn = sum(is_drawn(f"sha256:{i}", 1, per_hundred) for i in range(n))
    assert abs(drawn / n - per_hundred / 100) < 0.03
    assert drawn in (0, n) or per_hundred not in (0, 100)


def test_another_change_of_policy_draws_anew() -> None:
    first, second = ([is_drawn(f"sha256:{i}", number, 20) for i in range(200)] for number in (1, 2))
    assert first != second
    assert first == [is_drawn(f"sha256:{i}", 1, 20) for i in range(200)]
    assert 0 <= lot("a", 1) < 2**64


def test_the_evidence_of_a_variant_is_not_told_by_its_hash_and_holds_nobodys_ticks() -> None:
    ticked = (*SUPPORTED, replace(NEAR, ticked_by="anna"))
    found = thinned(ticked, "sha256:1")
    assert len(found) == len(ticked) - 1
    assert evidence_set_hash(found) != evidence_set_hash(ticked)
    assert NEAR in found
    assert thinned(ticked, "sha256:1") == found
    assert thinned(SUPPORTED[:2], "sha256:1") == SUPPORTED[:2], "too few to leave one out"
