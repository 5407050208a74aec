"""Splits are drawn by content and seed: the same shares in each label, and nothing apart that belongs together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.models import Split
from pld_core.splitting import draw_splits, join_units

KEYS = [f"text {i}" for i in range(200)]
LABELS = ["keep" if i % 4 else "remove" for i in range(200)]


def draw_single(keys: Sequence[str], labels: Sequence[str], seed: int = 0) -> list[Split]:
    return draw_splits(keys, labels, range(len(keys)), {}, seed)


def test_each_label_is_divided_sixty_twenty_twenty() -> None:
    assert Counter(zip(LABELS, draw_single(KEYS, LABELS), strict=True)) == {
        ("keep", Split.TRAIN): 90,
        ("keep", Split.VALIDATION): 30,
        ("keep", Split.TEST): 30,
        ("remove", Split.TRAIN): 30,
        ("remove", Split.VALIDATION): 10,
        ("remove", Split.TEST): 10,
    }


@given(st.permutations(range(30)), st.integers(0, 5))
def test_the_lot_of_an_item_does_not_depend_on_the_order(order: list[int], seed: int) -> None:
    units = [i // 2 if i < 10 else i for i in range(30)]
    by_key = dict(zip(KEYS, draw_splits(KEYS[:30], LABELS[:30], units, {}, seed), strict=False))
    again = draw_splits([KEYS[i] for i in order], [LABELS[i] for i in order], [units[i] for i in order], {}, seed)
    assert {KEYS[i]: split for i, split in zip(order, again, strict=True)} == by_key


def test_another_seed_draws_other_lots_in_the_same_shares() -> None:
    one, two = (draw_single(KEYS, LABELS, seed) for seed in (0, 1))
    assert one != two
    assert Counter(one) == Counter(two)


@pytest.mark.parametrize("n", [3, 4, 5, 7])
def test_a_label_with_three_or_more_examples_is_in_every_split(n: int) -> None:
    assert set(draw_single(KEYS[:n], ["rare"] * n)) == set(Split)


@pytest.mark.parametrize("n", [1, 2])
def test_a_label_with_fewer_than_three_examples_is_for_training(n: int) -> None:
    assert draw_single(KEYS[:n], ["rare"] * n) == [Split.TRAIN] * n


def test_nothing_is_divided_into_nothing() -> None:
    assert draw_single([], []) == []


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=120), st.integers(0, 3))
def test_single_items_are_divided_exactly_in_each_label(labels: list[str], seed: int) -> None:
    counts = Counter(zip(labels, draw_single(KEYS[: len(labels)], labels, seed), strict=True))
    for label, n in Counter(labels).items():
        wanted = max(1, round(0.2 * n)) if n >= 3 else 0
        assert (counts[label, Split.VALIDATION], counts[label, Split.TEST]) == (wanted, wanted)


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["a", "b"])), max_size=80), st.integers(0, 3))
def test_a_unit_is_never_divided(items: list[tuple[int, str]], seed: int) -> None:
    units = [unit for unit, _ in items]
    drawn = draw_splits(KEYS[: len(items)], [label for _, label in items], units, {}, seed)
    splits_of = defaultdict(set)
    for unit, split in zip(units, drawn, strict=True):
        splits_of[unit].add(split)
    assert all(len(splits) == 1 for splits in splits_of.values())


@given(st.lists(st.integers(0, 30), min_size=100, max_size=200), st.integers(0, 3))
def test_units_overfill_a_split_by_less_than_one_of_them_in_each_label(units: list[int], seed: int) -> None:
    n = len(units)
    counts = Counter(zip(LABELS, draw_splits(KEYS[:n], LABELS[:n], units, {}, seed), strict=False))
    largest = max(Counter(units).values())
    for label, total in Counter(LABELS[:n]).items():
        for split in (Split.VALIDATION, Split.TEST):
            assert counts[label, split] <= round(0.2 * total) + largest


def test_units_of_a_moderate_size_still_fill_every_split() -> None:
    counts = Counter(draw_splits(KEYS, LABELS, [i // 10 for i in range(200)], {}, 0))
    assert counts == {Split.TRAIN: 120, Split.VALIDATION: 40, Split.TEST: 40}


def test_what_has_its_split_keeps_it_and_the_others_make_up_for_it() -> None:
    fixed = dict.fromkeys(range(40), Split.TEST)
    drawn = draw_splits(KEYS, ["one"] * 200, range(200), fixed, 0)
    assert drawn[:40] == [Split.TEST] * 40
    assert Counter(drawn) == {Split.TRAIN: 120, Split.VALIDATION: 40, Split.TEST: 40}


def test_a_fixed_unit_takes_all_its_items_with_it_and_one_that_no_item_has_does_no_harm() -> None:
    units = [0] * 5 + list(range(1, 196))
    drawn = draw_splits(KEYS, LABELS, units, {0: Split.VALIDATION, 999: Split.TEST}, 0)
    assert set(drawn[:5]) == {Split.VALIDATION}


def test_items_that_are_linked_through_others_are_one_unit() -> None:
    units = join_units(6, [(0, 1), (4, 1), (2, 3)])
    assert units[0] == units[1] == units[4]
    assert units[2] == units[3]
    assert len(set(units)) == 3


@pytest.mark.parametrize("size", [0, 3])
def test_without_links_each_item_is_its_own_unit(size: int) -> None:
    assert join_units(size, []) == list(range(size))
