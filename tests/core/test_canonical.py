"""The same content has the same bytes and the same hash, whatever the order it came in."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.canonical import Json, canonical_json, hash_json, hash_text
from pld_core.models import Evidence, EvidenceRole, evidence_set_hash
from tests.factories import make_example

texts = st.text(st.characters(codec="utf-8"), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_canonical_json_reads_back_as_the_same_value(value: Json) -> None:
    assert json.loads(canonical_json(value)) == value


@given(st.dictionaries(texts, values, min_size=2, max_size=5))
def test_the_order_of_keys_does_not_matter_to_text_or_hash(value: dict[str, Json]) -> None:
    turned = dict(reversed(value.items()))
    assert canonical_json(turned) == canonical_json(value)
    assert hash_json(turned) == hash_json(value)


def test_canonical_json_has_no_space_and_keeps_letters_as_letters() -> None:
    assert canonical_json({"b": [1, 2.5, None], "a": "é\n漢"}) == '{"a":"é\\n漢","b":[1,2.5,null]}'


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_not_json_are_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"x": number})


@pytest.mark.parametrize("text", ["", "plain", "é 漢 🙂", "line\r\nbreak"])
def test_a_hash_names_its_algorithm_and_is_over_the_utf8_bytes(text: str) -> None:
    assert hash_text(text) == "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def test_an_example_is_identified_by_text_and_label_and_not_by_its_source() -> None:
    first = make_example("one", source="a.csv line 1")
    assert make_example("one", source="b.csv line 9").hash == first.hash
    assert make_example("two").hash != first.hash
    assert make_example("one", "remove").hash != first.hash


def test_an_evidence_set_hash_depends_on_roles_and_not_on_order_or_closeness() -> None:
    one, two = Evidence("sha256:1", EvidenceRole.SUPPORTS, 0.3), Evidence("sha256:2", EvidenceRole.CONTRADICTS)
    assert evidence_set_hash((one, two)) == evidence_set_hash((two, Evidence("sha256:1", EvidenceRole.SUPPORTS, 0.9)))
    assert evidence_set_hash((one, two)) != evidence_set_hash((one, Evidence("sha256:2", EvidenceRole.NEAR_MISS)))
    assert evidence_set_hash((one, two)) != evidence_set_hash((one,))
