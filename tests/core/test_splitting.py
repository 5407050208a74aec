"""Splits are drawn by content and seed: the same shares in each label, whatever the order of the file."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.models import Example, Split
from pld_core.splitting import assign_splits
from tests.factories import make_example

EXAMPLES = [make_example(f"text {i}", "keep" if i % 4 else "remove") for i in range(200)]


def test_each_label_is_divided_sixty_twenty_twenty() -> None:
    counts = Counter((e.label, e.split) for e in assign_splits(EXAMPLES, 0))
    assert counts == {
        ("keep", Split.TRAIN): 90,
        ("keep", Split.VALIDATION): 30,
        ("keep", Split.TEST): 30,
        ("remove", Split.TRAIN): 30,
        ("remove", Split.VALIDATION): 10,
        ("remove", Split.TEST): 10,
    }


def test_order_and_everything_but_the_split_stay_as_they_were() -> None:
    made = assign_splits(EXAMPLES, 0)
    assert [(e.hash, e.source, e.group) for e in made] == [(e.hash, e.source, e.group) for e in EXAMPLES]


@given(st.permutations(EXAMPLES[:30]), st.integers(0, 5))
def test_the_lot_of_an_example_does_not_depend_on_the_order_of_the_file(order: list[Example], seed: int) -> None:
    by_hash = {e.hash: e.split for e in assign_splits(EXAMPLES[:30], seed)}
    assert {e.hash: e.split for e in assign_splits(order, seed)} == by_hash


def test_another_seed_draws_other_lots() -> None:
    one, two = ([e.split for e in assign_splits(EXAMPLES, seed)] for seed in (0, 1))
    assert one != two
    assert Counter(one) == Counter(two)


@pytest.mark.parametrize("n", [3, 4, 5, 7])
def test_a_label_with_three_or_more_examples_is_in_every_split(n: int) -> None:
    made = assign_splits([make_example(f"rare {i}", "rare") for i in range(n)], 0)
    assert {e.split for e in made} == set(Split)


@pytest.mark.parametrize("n", [1, 2])
def test_a_label_with_fewer_than_three_examples_is_for_training(n: int) -> None:
    made = assign_splits([make_example(f"rare {i}", "rare") for i in range(n)], 0)
    assert [e.split for e in made] == [Split.TRAIN] * n


def test_nothing_is_divided_into_nothing() -> None:
    assert assign_splits([], 0) == ()
