"""One cluster becomes one request, and its reply one rule whose lineage nobody can invent."""

from __future__ import annotations

import numpy as np
import pytest

from pld_core.errors import ReplyUnusable
from pld_core.models import NOISE, AuthorKind, Evidence, EvidenceRole, MicroInstruction
from pld_core.synthesis import (
    NEAR_MISSES,
    NEARBY,
    Cluster,
    clusters_of,
    promoted_rule,
    read_synthesis,
    short_id,
    synthesis_request,
)
from tests.factories import ANNA, LABELS, make_example, make_instruction, make_task, synthesis_json

TASK = make_task()


def instructions(label: str, n: int) -> list[MicroInstruction]:
    return [make_instruction(make_example(f"{label} {i}", label), f"the {label} condition {i}") for i in range(n)]


KEEP, REMOVE = instructions("keep", 3), instructions("remove", 7)
CLUSTER = Cluster(
    4,
    tuple((m, 0.9 - i / 10) for i, m in enumerate(KEEP)),
    tuple((m, 0.6 - i / 20) for i, m in enumerate(REMOVE)),
)


def test_rows_are_grouped_by_number_and_noise_is_left_out() -> None:
    given = [*KEEP, *REMOVE[:2]]
    vectors = np.eye(5, dtype=np.float32)
    found = clusters_of(given, vectors, vectors, [1, 0, 1, NOISE, 0])
    assert [c.number for c in found] == [0, 1]
    assert [[m for m, _ in c.members] for c in found] == [[KEEP[1], REMOVE[1]], [KEEP[0], KEEP[2]]]


def test_closeness_is_the_cosine_to_the_centre() -> None:
    vectors = np.array([[1, 0], [0, 1], [0.6, 0.8], [-1, 0]], dtype=np.float32)
    (found,) = clusters_of([*KEEP[:2], *REMOVE[:2]], vectors, vectors, [0, 0, NOISE, NOISE])
    assert [c for _, c in found.members] == pytest.approx([0.5**0.5, 0.5**0.5], abs=1e-6)
    # The last row points away from the centre, so it is no contrast to show.
    assert [m for m, _ in found.nearby] == [REMOVE[0]]
    assert found.nearby[0][1] == pytest.approx(1.4 / 2**0.5, abs=1e-6)


def test_nearby_are_the_closest_of_other_labels_and_at_most_eight() -> None:
    others = instructions("remove", NEARBY + 4)
    angles = np.linspace(0.1, 1.4, len(others))
    vectors = np.vstack([[[1, 0]] * 3, np.column_stack([np.cos(angles), np.sin(angles)])]).astype(np.float32)
    (found,) = clusters_of([*KEEP, *others], vectors, vectors, [0, 0, 0, *[NOISE] * len(others)])
    assert [m for m, _ in found.nearby] == others[:NEARBY]
    assert all(m.label == "remove" for m, _ in found.nearby)


def test_a_cluster_whose_members_cancel_each_other_out_still_becomes_a_cluster() -> None:
    vectors = np.array([[1, 0], [-1, 0], [0, 1]], dtype=np.float32)
    (found,) = clusters_of([*KEEP[:2], REMOVE[0]], vectors, vectors, [0, 0, NOISE])
    assert ([c for _, c in found.members], found.nearby) == ([0.0, 0.0], ())


def test_the_origin_is_the_set_of_examples_and_not_number_or_order() -> None:
    turned = Cluster(9, CLUSTER.members[::-1], ())
    assert turned.origin == CLUSTER.origin
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
    assert request.purpose == "synthesis"


def test_a_cluster_without_neighbours_says_so() -> None:
    assert "<<<NEARBY\n(none)\nNEARBY>>>" in synthesis_request(TASK, Cluster(0, CLUSTER.members, ())).user


def roles(evidence: tuple[Evidence, ...]) -> dict[str, EvidenceRole]:
    assert len({e.example_hash for e in evidence}) == len(evidence)
    return {e.example_hash: e.role for e in evidence}


def test_members_support_admitted_conflicts_contradict_and_the_next_ones_are_near_misses() -> None:
    admitted = [REMOVE[1], REMOVE[6]]
    text = synthesis_json("keep", [short_id(m.example_hash) for m in admitted])
    rule = read_synthesis(TASK, CLUSTER, text, "told", 12)
    expected = {m.example_hash: EvidenceRole.SUPPORTS for m in KEEP}
    expected |= {m.example_hash: EvidenceRole.CONTRADICTS for m in admitted}
    near = [REMOVE[i] for i in (0, 2, 3, 4)]
    assert len(near) == NEAR_MISSES
    expected |= {m.example_hash: EvidenceRole.NEAR_MISS for m in near}
    assert roles(rule.evidence) == expected
    assert (rule.author, rule.clustering_id, rule.cluster, rule.origin) == ("told", 12, 4, CLUSTER.origin)
    assert (rule.text.labels, rule.text.exceptions) == (("keep",), ("it is irony",))


def test_a_member_of_another_label_contradicts_the_rule_it_was_clustered_into() -> None:
    mixed = Cluster(0, (*CLUSTER.members, (REMOVE[0], 0.5)), ())
    found = roles(read_synthesis(TASK, mixed, synthesis_json("keep"), "told", 1).evidence)
    assert found[REMOVE[0].example_hash] is EvidenceRole.CONTRADICTS
    assert [found[m.example_hash] for m in KEEP] == [EvidenceRole.SUPPORTS] * 3


def test_closeness_is_kept_to_six_digits() -> None:
    odd = Cluster(0, ((KEEP[0], 0.12345678901),), ((REMOVE[0], 0.98765432101),))
    evidence = read_synthesis(TASK, odd, synthesis_json("keep"), "told", 1).evidence
    assert [e.closeness for e in evidence] == [0.123457, 0.987654]


@pytest.mark.parametrize("invented", ["00000000", short_id(KEEP[0].example_hash), REMOVE[0].example_hash])
def test_an_id_that_was_not_offered_as_nearby_is_refused(invented: str) -> None:
    text = synthesis_json("keep", [short_id(REMOVE[0].example_hash), invented])
    with pytest.raises(ReplyUnusable, match=f"'{invented}', which was not in the request") as refusal:
        read_synthesis(TASK, CLUSTER, text, "told", 1)
    assert refusal.value.raw == text


@pytest.mark.parametrize(
    ("label", "word"), [("burn", "not a declared label"), ("Keep", "not a declared label"), ("remove", "no example of")]
)
def test_a_conclusion_that_the_cluster_does_not_bear_is_refused(label: str, word: str) -> None:
    with pytest.raises(ReplyUnusable, match=word):
        read_synthesis(TASK, CLUSTER, synthesis_json(label), "told", 1)


def test_the_short_id_is_eight_digits_of_the_hash() -> None:
    example = make_example("x", LABELS[0])
    assert example.hash.startswith(f"sha256:{short_id(example.hash)}")
    assert len(short_id(example.hash)) == 8


def test_a_like_input_is_a_neighbour_even_where_the_instruction_is_worded_apart() -> None:
    vectors = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=np.float32)
    inputs = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 1], [1, 0, 0]], dtype=np.float32)
    (found,) = clusters_of([*KEEP[:2], *REMOVE[:2]], vectors, inputs, [0, 0, NOISE, NOISE])
    assert [m for m, _ in found.nearby] == [REMOVE[1]]
    assert found.nearby[0][1] == pytest.approx(0.5)
    assert [c for _, c in found.members] == pytest.approx([1.0, 1.0])


def test_a_noise_point_becomes_a_rule_of_the_person_with_its_one_example() -> None:
    said = make_instruction(make_example("a rare post", "remove"), "the post asks " + "again and again " * 20)
    rule = promoted_rule(said, 7, ANNA)
    assert (rule.author, rule.author_kind) == ("anna", AuthorKind.PERSON)
    assert (rule.text.condition, rule.text.labels) == (said.condition, ("remove",))
    assert (rule.text.exceptions, rule.text.rationale) == (said.exceptions, said.reasoning)
    assert len(rule.text.title) <= 80
    assert rule.evidence == (Evidence(said.example_hash, EvidenceRole.SUPPORTS, 1.0),)
    assert (rule.clustering_id, rule.cluster, rule.origin) == (7, NOISE, Cluster(0, ((said, 1.0),), ()).origin)
