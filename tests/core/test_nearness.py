"""What speaks against a rule is found by code among all training examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.models import Evidence, EvidenceRole
from pld_core.nearness import NEAR_MISSES, NEAREST, Terrain, closeness_to, evidence_of, neighbours_of

R = EvidenceRole


def at(*angles: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def terrain(labels: str, inputs: list[float], conditions: list[float | None]) -> Terrain:
    """One letter a label; an angle an embedding, None for no instruction."""
    read = np.array([c is not None for c in conditions])
    vectors = at(*(c or 0.0 for c in conditions))
    vectors[~read] = 0
    return Terrain(tuple(f"e{i:02}" for i in range(len(labels))), tuple(labels), at(*inputs), vectors, read)


def roles(found: tuple[Evidence, ...]) -> dict[str, EvidenceRole]:
    assert len({e.example_hash for e in found}) == len(found)
    return {e.example_hash: e.role for e in found}


def test_closeness_is_the_cosine_to_the_centre() -> None:
    vectors = np.array([[1, 0], [0, 1], [0.6, 0.8], [-1, 0]], dtype=np.float32)
    assert closeness_to(vectors, [0, 1]).tolist() == pytest.approx([0.5**0.5, 0.5**0.5, 1.4 / 2**0.5, -(0.5**0.5)])
    assert closeness_to(vectors, [0, 3]).tolist() == [0, 0, 0, 0], "members that cancel out have no centre"


def test_an_instruction_as_near_as_the_members_contradicts() -> None:
    ground = terrain("kkkrr", [0, 0, 0, 1.5, 1.5], [0.0, 0.3, 0.6, 0.5, 1.2])
    found = roles(evidence_of(ground, {"e00", "e01", "e02"}, ("k",)))
    assert [found[f"e0{i}"] for i in range(5)] == [R.SUPPORTS] * 3 + [R.CONTRADICTS, R.NEAR_MISS]


def test_a_stray_member_does_not_open_the_rule_to_everything() -> None:
    members = [i / 1000 for i in range(19)] + [1.2]
    ground = terrain("k" * 20 + "r", [1.5] * 20 + [0.0], [*members, 1.0])
    assert roles(evidence_of(ground, set(ground.hashes[:20]), ("k",)))["e20"] is R.NEAR_MISS


def test_an_input_as_near_as_the_nearer_half_contradicts_with_or_without_an_instruction() -> None:
    far: list[float | None] = [1.4, 1.4, 1.4]
    ground = terrain("kkkrrr", [0.0, 0.3, 0.6, 0.3, 0.3, 0.55], [0.0, 0.0, 0.0, 1.4, None, *far[:1]])
    # Two of three lie that near, which tells nothing; so both are near misses.
    found = roles(evidence_of(ground, {"e00", "e01", "e02"}, ("k",)))
    assert {found[f"e0{i}"] for i in (3, 4, 5)} == {R.NEAR_MISS}
    for other in (1.4, None):
        single = terrain("kkkrrr", [0.0, 0.3, 0.6, 0.3, 1.4, 1.4], [0.0, 0.0, 0.0, other, *far[:2]])
        found = roles(evidence_of(single, {"e00", "e01", "e02"}, ("k",)))
        assert [found[f"e0{i}"] for i in (3, 4, 5)] == [R.CONTRADICTS, R.NEAR_MISS, R.NEAR_MISS]


def test_both_embeddings_bring_their_nearest_and_what_points_away_is_never_among_them() -> None:
    n = 2 * NEAREST
    by_input = [0.5 + i / 100 for i in range(n)] + [1.5] * n + [3.0]
    by_condition = [1.5] * n + [0.5 + i / 100 for i in range(n)] + [3.0]
    ground = terrain("kk" + "r" * (2 * n + 1), [0, 0, *by_input], [0.0, 0.0, *by_condition])
    near = neighbours_of(ground, [0, 1], {"k"})
    assert {n_.row for n_ in near} == {*range(2, 2 + NEAREST), *range(2 + n, 2 + n + NEAREST)}
    assert [n_.closeness for n_ in near] == sorted((n_.closeness for n_ in near), reverse=True)
    found = evidence_of(ground, {"e00", "e01"}, ("k",))
    assert sum(e.role is R.NEAR_MISS for e in found) == NEAR_MISSES


def test_mates_contradict_and_members_of_a_label_that_is_not_concluded_too() -> None:
    ground = terrain("kkrr", [0, 0, 1.5, 1.5], [0.0, 0.1, 1.4, 1.5])
    assert roles(evidence_of(ground, {"e00", "e01"}, ("k",), mates={"e03"}))["e03"] is R.CONTRADICTS
    turned = roles(evidence_of(ground, {"e00", "e01"}, ("r",)))
    assert turned == {"e00": R.CONTRADICTS, "e01": R.CONTRADICTS}


def test_notes_stay_and_what_takes_no_part_goes() -> None:
    ground = terrain("kkrr", [0, 0, 1.5, 1.5], [0.0, 0.1, 1.4, 1.5])
    before = (
        Evidence("e03", R.NEAR_MISS, 0.1, "noted"),
        Evidence("gone", R.SUPPORTS),
    )
    found = evidence_of(ground, {"e00", "e01", "gone"}, ("k",), before=before)
    assert roles(found) == {"e00": R.SUPPORTS, "e01": R.SUPPORTS, "e02": R.NEAR_MISS, "e03": R.NEAR_MISS}
    assert [e.note for e in found if e.example_hash == "e03"] == ["noted"]
    assert evidence_of(ground, {"gone"}, ("k",)) == ()


@given(st.data())
def test_a_rule_is_never_supported_by_another_label_nor_contradicted_by_its_own(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 25))
    labels = "".join(data.draw(st.lists(st.sampled_from("krs"), min_size=n, max_size=n)))
    angle = st.floats(0, 6, allow_nan=False)
    inputs = data.draw(st.lists(angle, min_size=n, max_size=n))
    conditions = data.draw(st.lists(st.none() | angle, min_size=n, max_size=n))
    ground = terrain(labels, inputs, conditions)
    members = {h for h, label in zip(ground.hashes, labels, strict=True) if label == labels[0]}
    found = evidence_of(ground, members, (labels[0],))
    label_of = dict(zip(ground.hashes, labels, strict=True))
    assert {e.example_hash for e in found if e.role is R.SUPPORTS} == members
    assert all((label_of[e.example_hash] == labels[0]) is (e.role is R.SUPPORTS) for e in found)
    assert sum(e.role is not R.SUPPORTS for e in found) <= 2 * NEAREST
    assert found == evidence_of(ground, sorted(members), (labels[0],))
