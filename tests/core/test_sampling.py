"""Draws of examples are equal for equal seeds, whatever the order, and divided over the labels."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pld_core.canonical import hash_json
from pld_core.models import Example
from pld_core.sampling import Lots, stratified
from tests.factories import LABELS, make_example, make_examples

EXAMPLES = make_examples(40)


@given(st.permutations(EXAMPLES[:12]), st.integers(0, 5))
def test_the_order_of_the_examples_does_not_matter(shuffled: list[Example], seed: int) -> None:
    assert stratified(shuffled, LABELS, 5, seed) == stratified(EXAMPLES[:12], LABELS, 5, seed)


def test_the_labels_are_drawn_equally_often() -> None:
    assert Counter(e.label for e in stratified(EXAMPLES, LABELS, 10, 0)) == {"keep": 5, "remove": 5}


def test_a_rare_label_gives_all_it_has_and_the_others_fill_up() -> None:
    examples = [make_example("rare", "remove"), *(make_example(f"post {n}") for n in range(9))]
    assert Counter(e.label for e in stratified(examples, LABELS, 5, 3)) == {"keep": 4, "remove": 1}
    assert len(stratified(examples, LABELS, 99, 3)) == 10


@given(st.sets(st.sampled_from(EXAMPLES)), st.integers(1, 12), st.integers(0, 3))
def test_lots_draw_from_a_part_what_a_draw_of_that_part_alone_gives(part: set[Example], n: int, seed: int) -> None:
    drawn = Lots(EXAMPLES, LABELS, seed).among({example.hash for example in part}, n)
    assert drawn == stratified(list(part), LABELS, n, seed)
    lots = {example.hash: hash_json([seed, example.hash]) for example in part}
    assert [lots[example.hash] for example in drawn] == sorted(lots[example.hash] for example in drawn)
    if n >= len(part):
        assert set(drawn) == part


def test_another_seed_draws_others() -> None:
    assert len({stratified(EXAMPLES, LABELS, 5, seed) for seed in range(6)}) == 6
