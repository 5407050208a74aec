"""One cluster becomes one request, and its reply rules whose lineage nobody can invent."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.errors import Failure, ReplyUnusable
from pld_core.lineage import origin_of
from pld_core.models import NOISE, AuthorKind, Evidence, EvidenceRole, MicroInstruction
from pld_core.nearness import ADMITTED, Terrain
from pld_core.pricing import likely_tokens
from pld_core.synthesis import (
    NEARBY,
    REQUEST_TOKENS,
    Cluster,
    clusters_of,
    fitted,
    promoted_rule,
    read_synthesis,
    short_id,
    synthesis_request,
)
from tests.factories import ANNA, LABELS, make_example, make_instruction, make_task, rule_json, synthesis_json

TASK = make_task()


def instructions(label: str, n: int, words: str = "") -> list[MicroInstruction]:
    return [
        make_instruction(make_example(f"{label} {i}", label), f"the {label} condition {i} {words}".strip())
        for i in range(n)
    ]


KEEP, REMOVE = instructions("keep", 3), instructions("remove", 7)


def terrain_of(given: list[MicroInstruction], angles: list[float]) -> Terrain:
    """Each example lies at its angle, by input as by instruction."""
    vectors = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    read = np.ones(len(given), dtype=np.bool_)
    return Terrain(tuple(i.example_hash for i in given), tuple(i.label for i in given), vectors, vectors, read)


ALL = [*KEEP, *REMOVE]
TERRAIN = terrain_of(ALL, [0.0, 0.02, 0.04, *(0.3 + i / 10 for i in range(7))])
CLUSTER = Cluster(4, tuple(KEEP), tuple(REMOVE), tuple(KEEP))
MIXED = Cluster(4, (*KEEP, *REMOVE[:2]), (), (*KEEP, *REMOVE[:2]))


def read_one(cluster: Cluster, text: str, terrain: Terrain = TERRAIN) -> tuple[Evidence, ...]:
    (rule,) = read_synthesis(TASK, cluster, text, "told", 12, terrain)
    return rule.evidence


def with_role(evidence: tuple[Evidence, ...], role: EvidenceRole) -> set[str]:
    assert len({e.example_hash for e in evidence}) == len(evidence)
    return {e.example_hash for e in evidence if e.role is role}


def hashes(given: list[MicroInstruction]) -> set[str]:
    return {i.example_hash for i in given}


# --- clusters and requests --------------------------------------------------------------------------------------------


def test_rows_are_grouped_by_number_and_noise_is_left_out() -> None:
    numbers = dict(zip([i.example_hash for i in ALL], [1, 0, 1, NOISE, 0], strict=False))
    found = clusters_of(ALL, numbers, TERRAIN)
    assert [c.number for c in found] == [0, 1]
    assert [c.members for c in found] == [(KEEP[1], REMOVE[1]), (KEEP[0], KEEP[2])]
    assert [[part.label for part in c.parts] for c in found] == [["keep", "remove"], ["keep"]]


def test_nearby_are_the_closest_of_other_labels_and_at_most_eight() -> None:
    others = instructions("remove", 20)
    terrain = terrain_of([*KEEP, *others], [0.0, 0.0, 0.0, *(0.1 + i / 20 for i in range(20))])
    (found,) = clusters_of([*KEEP, *others], {i.example_hash: 0 for i in KEEP}, terrain)
    assert list(found.nearby) == others[: len(found.nearby)]
    assert 0 < len(found.nearby) <= NEARBY


def test_the_origin_is_the_set_of_examples_and_not_number_or_order() -> None:
    assert Cluster(9, CLUSTER.members[::-1]).origin == CLUSTER.origin
    assert Cluster(4, CLUSTER.members[:2], CLUSTER.nearby).origin != CLUSTER.origin


def test_the_request_names_members_and_nearby_by_short_id() -> None:
    request = synthesis_request(TASK, CLUSTER)
    inside, outside = request.user.split("CLUSTER>>>")
    for member in KEEP:
        line = f"[{short_id(member.example_hash)}] IF {member.condition} THEN keep EXCEPT it is irony"
        assert line in inside
        assert line not in outside
    for other in REMOVE:
        assert f"[{short_id(other.example_hash)}] IF {other.condition} THEN remove" in outside
    assert request.subjects == tuple(m.example_hash for m in KEEP)
    assert request.nearby == tuple(m.example_hash for m in REMOVE)
    assert (request.purpose, "of 3" in inside) == ("synthesis", False)


def test_a_cluster_without_neighbours_says_so() -> None:
    assert "<<<NEARBY\n(none)\nNEARBY>>>" in synthesis_request(TASK, replace(CLUSTER, nearby=())).user


# --- the sample -------------------------------------------------------------------------------------------------------

LONG = "and so on " * 40
LARGE = Cluster(0, (*instructions("keep", 90, LONG), *instructions("remove", 30, LONG)))


def test_a_cluster_that_fits_is_shown_whole_and_in_its_order() -> None:
    assert fitted(TASK, replace(CLUSTER, shown=()), 0).shown == CLUSTER.members


def test_a_large_cluster_is_sampled_by_seed_and_label_within_the_budget() -> None:
    shown = fitted(TASK, LARGE, 1)
    request = synthesis_request(TASK, shown)
    assert 30 < len(shown.shown) < 120
    assert likely_tokens(request)[0] <= REQUEST_TOKENS + 50
    assert f"<<<CLUSTER ({len(shown.shown)} of 120)" in request.user
    assert [m for m in LARGE.members if m in shown.shown] == list(shown.shown)
    share = sum(m.label == "keep" for m in shown.shown) / len(shown.shown)
    assert share == pytest.approx(0.75, abs=0.05)
    assert fitted(TASK, replace(LARGE, members=LARGE.members[::-1]), 1).shown == shown.shown[::-1]
    assert fitted(TASK, LARGE, 2).shown != shown.shown


@given(st.lists(st.tuples(st.sampled_from(["keep", "remove"]), st.integers(0, 9000)), min_size=1, max_size=40))
def test_each_label_is_in_the_sample_whatever_the_lengths(drawn: list[tuple[str, int]]) -> None:
    members = tuple(
        make_instruction(make_example(f"{n}", label), f"c{n} " + "x" * length)
        for n, (label, length) in enumerate(drawn)
    )
    cluster = Cluster(0, members)
    shown = fitted(TASK, cluster, 0)
    assert {m.label for m in shown.shown} == {m.label for m in members}
    sizes = [len(m.condition) for m in shown.shown]
    assert sum(sizes) // 4 <= REQUEST_TOKENS or len(sizes) <= len({m.label for m in members}) + sizes.count(0)


# --- replies ----------------------------------------------------------------------------------------------------------


def test_all_members_of_the_label_support_whatever_the_teacher_was_shown_or_said() -> None:
    (rule,) = read_synthesis(TASK, replace(CLUSTER, shown=(KEEP[1],)), synthesis_json("keep"), "told", 12, TERRAIN)
    assert with_role(rule.evidence, EvidenceRole.SUPPORTS) == hashes(KEEP)
    assert (rule.author, rule.clustering_id, rule.cluster) == ("told", 12, 4)
    assert (rule.origin, rule.shown, rule.uncovered) == (CLUSTER.origin, (KEEP[1].example_hash,), ())
    assert (rule.text.labels, rule.text.exceptions, rule.text.priority) == (("keep",), ("it is irony",), 2)


def test_what_the_teacher_admits_is_noted_and_decides_no_role() -> None:
    admitted = [REMOVE[1], REMOVE[6]]
    before = read_one(CLUSTER, synthesis_json("keep"))
    after = read_one(CLUSTER, synthesis_json("keep", [short_id(m.example_hash) for m in admitted]))
    assert with_role(after, EvidenceRole.CONTRADICTS) == with_role(before, EvidenceRole.CONTRADICTS) == set()
    assert {e.example_hash for e in after if e.note == ADMITTED} == hashes(admitted)
    assert with_role(after, EvidenceRole.NEAR_MISS) == with_role(before, EvidenceRole.NEAR_MISS) | hashes(admitted)


@pytest.mark.parametrize("invented", ["00000000", short_id(KEEP[0].example_hash), REMOVE[0].example_hash])
def test_an_id_that_was_not_offered_as_nearby_is_kept_as_ignored(invented: str) -> None:
    text = synthesis_json("keep", [short_id(REMOVE[0].example_hash), invented])
    (rule,) = read_synthesis(TASK, CLUSTER, text, "told", 1, TERRAIN)
    assert rule.ignored == (invented,)
    assert {e.example_hash for e in rule.evidence if e.note} == {REMOVE[0].example_hash}


@pytest.mark.parametrize(
    ("label", "word"), [("burn", "not a declared label"), ("Keep", "not a declared label"), ("remove", "no example of")]
)
def test_a_conclusion_that_the_cluster_does_not_bear_is_refused(label: str, word: str) -> None:
    with pytest.raises(ReplyUnusable, match=word) as refusal:
        read_synthesis(TASK, CLUSTER, synthesis_json(label), "told", 1, TERRAIN)
    assert refusal.value.kind is Failure.WRONG_LABEL
    assert refusal.value.raw == synthesis_json(label)


def test_a_mixed_cluster_may_become_one_rule_for_each_label() -> None:
    text = json.dumps({"rules": [rule_json("remove", condition="it insults"), rule_json("keep")]})
    first, second = read_synthesis(TASK, MIXED, text, "told", 1, TERRAIN)
    assert (first.text.labels, first.text.condition, second.text.labels) == (("remove",), "it insults", ("keep",))
    assert with_role(first.evidence, EvidenceRole.SUPPORTS) == hashes(REMOVE[:2])
    assert with_role(second.evidence, EvidenceRole.SUPPORTS) == hashes(KEEP)
    assert (first.origin, second.origin) == (origin_of(hashes(REMOVE[:2])), origin_of(hashes(KEEP)))
    assert (first.uncovered, second.uncovered) == ((), ())


def test_a_single_rule_for_a_mixed_cluster_is_flagged_and_the_others_contradict_it() -> None:
    (rule,) = read_synthesis(TASK, MIXED, synthesis_json("keep"), "told", 1, TERRAIN)
    assert rule.uncovered == ("remove",)
    assert hashes(REMOVE[:2]) <= with_role(rule.evidence, EvidenceRole.CONTRADICTS)


def test_two_rules_for_one_label_are_refused() -> None:
    text = json.dumps({"rules": [rule_json("keep"), rule_json("keep", condition="other")]})
    with pytest.raises(ReplyUnusable, match="two rules for 'keep'"):
        read_synthesis(TASK, MIXED, text, "told", 1, TERRAIN)


def test_the_short_id_is_eight_digits_of_the_hash() -> None:
    example = make_example("x", LABELS[0])
    assert example.hash.startswith(f"sha256:{short_id(example.hash)}")
    assert len(short_id(example.hash)) == 8


def test_a_noise_point_becomes_a_rule_of_the_person_with_its_one_example() -> None:
    said = make_instruction(make_example("a rare post", "remove"), "the post asks " + "again and again " * 20)
    rule = promoted_rule(said, 7, ANNA)
    assert (rule.author, rule.author_kind) == ("anna", AuthorKind.PERSON)
    assert (rule.text.condition, rule.text.labels) == (said.condition, ("remove",))
    assert (rule.text.exceptions, rule.text.rationale) == (said.exceptions, said.reasoning)
    assert len(rule.text.title) <= 80
    assert rule.evidence == (Evidence(said.example_hash, EvidenceRole.SUPPORTS, 1.0),)
    assert (rule.clustering_id, rule.cluster, rule.origin) == (7, NOISE, Cluster(0, (said,)).origin)
