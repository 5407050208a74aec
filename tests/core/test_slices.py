"""A run cut into parts: each example in one part, small parts without a rate."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.errors import InvalidInput
from pld_core.metrics import Cell, cells_of, figures
from pld_core.models import Answer, AnswerStatus, Prediction
from pld_core.slices import MOST_SLICES, Dimension, ExampleFacts, Item, counted_slices, length_bands, slices


def item(
    gold: str,
    said: str | None,
    source: str = "",
    length: int = 10,
    group: str = "",
    clause: str = "c",
) -> Item:
    status = AnswerStatus.OK if said else AnswerStatus.CUT
    facts = ExampleFacts(source, length, group, (("clause", clause),))
    return facts, Prediction("sha256:x", gold, Answer(said, "raw", status, 1))


SAID = st.sampled_from(["a", "b", None])
ITEMS = st.lists(
    st.builds(
        item,
        st.sampled_from(["a", "b"]),
        SAID,
        source=st.sampled_from(["", "court", "mail"]),
        length=st.integers(0, 30),
        group=st.sampled_from(["g1", "g2"]),
    ),
    max_size=40,
)


@given(ITEMS, st.sampled_from([d for d in Dimension if d is not Dimension.FIELD and not d.is_counted]))
def test_each_example_is_in_one_slice_whatever_the_order(items: list[Item], dimension: Dimension) -> None:
    found = slices(dimension, items)
    assert sum((part.cells for part in found), Counter()) == cells_of(prediction for _, prediction in items)
    assert found == slices(dimension, list(reversed(items)))
    assert len({part.value for part in found}) == len(found)


def test_a_slice_has_its_share_and_the_largest_comes_first() -> None:
    items = [item("a", "a", source="mail")] * 8 + [item("a", None, source="mail")] * 4 + [item("b", "b")] * 9
    mail, none = slices(Dimension.SOURCE, items)
    assert (mail.value, mail.n, mail.accuracy.k) == ("mail", 12, 8)
    assert mail.words == "mail: 8 of 12 (67%, 95 % interval 39 to 86%)"
    assert none.words == "not given: 9 of 9 (too few for a rate)"
    assert mail.cells[Cell("a", None, AnswerStatus.CUT)] == 4
    assert mail.figures(("a", "b")) == figures(("a", "b"), mail.cells)
    assert json.loads(json.dumps(mail.as_json()))["accuracy"]["k"] == 8


@pytest.mark.parametrize(
    ("dimension", "field", "values"),
    [
        (Dimension.LABEL, "", ["a", "b"]),
        (Dimension.GROUP, "", ["g", ""]),
        (Dimension.FIELD, "clause", ["p", "q"]),
    ],
)
def test_a_run_is_cut_by_what_was_imported(dimension: Dimension, field: str, values: list[str]) -> None:
    first = item("a", "a", group="g", clause="p")
    items = [first, first, item("b", "a", clause="q")]
    found = slices(dimension, items, field)
    assert [(part.value, part.n, part.accuracy.k) for part in found] == [(values[0], 2, 2), (values[1], 1, 0)]


def test_lengths_are_cut_at_quartiles_the_shortest_first() -> None:
    items = [item("a", "a" if length < 5 else "b", length=length) for length in (1200, 4, 2, 7, 3, 8, 6, 1)]
    found = slices(Dimension.LENGTH, items)
    names = ["1 to 2 characters", "3 to 4 characters", "6 to 7 characters", "8 to 1,200 characters"]
    assert [part.value for part in found] == names
    assert [part.accuracy.k for part in found] == [2, 2, 0, 0]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=80))
def test_bands_hold_every_length_once_and_no_band_is_empty(lengths: list[int]) -> None:
    bands = length_bands(lengths)
    assert 1 <= len(bands) <= 4
    assert (bands[0][0], bands[-1][1]) == (min(lengths), max(lengths))
    assert all(sum(low <= length <= high for low, high in bands) == 1 for length in lengths)
    assert all(low in lengths and high in lengths for low, high in bands)


def test_equal_lengths_are_one_band() -> None:
    assert [part.value for part in slices(Dimension.LENGTH, [item("a", "a", length=5)] * 10)] == ["5 characters"]
    assert length_bands([]) == ()
    assert slices(Dimension.LENGTH, []) == ()


def test_many_small_slices_are_put_together() -> None:
    items = [item("a", "a", source=f"s{number:03}") for number in range(80)] + [item("a", "b", source="s007")]
    found = slices(Dimension.SOURCE, items)
    assert len(found) == MOST_SLICES
    assert (found[0].value, found[0].n) == ("s007", 2)
    assert (found[-1].values, found[-1].n, found[-1].value) == (31, 31, "")
    assert found[-1].words.startswith("31 others: 31 of 31")
    labels = [item(f"l{number:03}", "a") for number in range(80)]
    assert len(slices(Dimension.LABEL, labels)) == 80


def test_counted_answers_are_cut_like_examples() -> None:
    items = [item("a", "a", source=f"s{number % 70:03}") for number in range(150)]
    counts: dict[str, Counter[Cell]] = {}
    for facts, prediction in items:
        counts.setdefault(facts.source, Counter()).update(cells_of([prediction]))
    assert counted_slices(counts) == slices(Dimension.SOURCE, items)
    assert sum(part.n for part in counted_slices(counts, most=3)) == 150
    assert [part.values for part in counted_slices(counts, most=3)] == [1, 1, 68]
    assert counted_slices({}) == ()


def test_a_field_is_named_where_it_is_needed_and_nowhere_else() -> None:
    for dimension, field in ((Dimension.FIELD, ""), (Dimension.GROUP, "clause")):
        with pytest.raises(InvalidInput, match="A field is named"):
            slices(dimension, [item("a", "a")], field)
    with pytest.raises(InvalidInput, match="has no field “author”"):
        slices(Dimension.FIELD, [item("a", "a")], "author")
