"""Repeats of a run: what changed between them, and orders that are drawn by seed."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.errors import InvalidInput
from pld_core.models import Answer, AnswerStatus, Prediction
from pld_core.stability import shuffled_order, stability

LABELS = ("b", "a")


def repeat(said: dict[str, str | None], gold: str = "a") -> list[Prediction]:
    def answer(label: str | None) -> Answer:
        return Answer(label, "raw", AnswerStatus.OK if label else AnswerStatus.MALFORMED, 1)

    return [Prediction(name, gold, answer(label)) for name, label in said.items()]


def test_flips_are_counted_against_the_most_frequent_answer() -> None:
    found = stability(
        LABELS,
        [
            repeat({"steady": "a", "once": "a", "torn": "a", "lost": None}),
            repeat({"steady": "a", "once": "b", "torn": "b", "lost": "a"}),
            repeat({"steady": "a", "once": "a", "torn": None, "lost": None}),
        ],
    )
    assert [(e.example_hash, e.majority, e.flips) for e in found.examples] == [
        ("steady", "a", 0),
        ("once", "a", 1),
        ("torn", "b", 2),
        ("lost", None, 1),
    ]
    assert (found.flipped.k, found.flipped.n, found.majority_right.k) == (3, 4, 2)
    assert [share.k for share in found.right] == [3, 2, 2]
    assert found.words == "3 of 4 (too few for a rate) examples changed their answer in 3 repeats"
    assert json.loads(json.dumps(found.as_json()))["examples"][2]["said"] == ["a", "b", None]


def test_each_label_has_its_share_those_without_an_example_too() -> None:
    one = repeat({"x": "a"}) + repeat({"y": "b"}, gold="old")
    two = repeat({"y": "a"}, gold="old") + repeat({"x": "a"})
    found = stability(LABELS, [one, two])
    assert {label: (share.k, share.n) for label, share in found.by_label.items()} == {
        "b": (0, 0),
        "a": (0, 1),
        "old": (1, 1),
    }
    assert list(found.by_label) == ["b", "a", "old"]


@given(st.lists(st.lists(st.sampled_from(["a", "b", None]), min_size=4, max_size=4), min_size=2, max_size=6))
def test_the_order_of_repeats_and_examples_changes_no_flip(said: list[list[str | None]]) -> None:
    repeats = [repeat(dict(zip("wxyz", answers, strict=True))) for answers in said]
    found = stability(LABELS, repeats)
    turned = stability(LABELS, [list(reversed(one)) for one in reversed(repeats)])
    flips = {example.example_hash: (example.flips, example.majority) for example in found.examples}
    assert flips == {example.example_hash: (example.flips, example.majority) for example in turned.examples}
    assert (found.flipped, found.by_label) == (turned.flipped, turned.by_label)
    for example in found.examples:
        assert (example.flips == 0) is (len(set(example.said)) == 1)


def test_repeats_of_no_example_have_no_share() -> None:
    assert stability(LABELS, [[], []]).flipped.words == "nothing answered yet"


@pytest.mark.parametrize(
    ("repeats", "words"),
    [
        ([repeat({"x": "a"})], "at least once"),
        ([repeat({"x": "a"}), repeat({"y": "a"})], "Repeat 2"),
        ([repeat({"x": "a"}), repeat({"x": "a"}, gold="b")], "Repeat 2"),
        ([repeat({"x": "a"}), repeat({"x": "a"}) * 2], "Repeat 2"),
        ([repeat({"x": "a"}) * 2, repeat({"x": "a"})], "Repeat 1"),
    ],
    ids=["one", "others", "gold", "twice", "twice at first"],
)
def test_what_cannot_be_compared_is_refused(repeats: list[list[Prediction]], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        stability(LABELS, repeats)


def test_an_order_is_drawn_by_the_seed_alone() -> None:
    rules = [f"R{number}" for number in range(6)]
    # Written down, so that another machine cannot draw another order without a word.
    assert shuffled_order(rules, 1) == ("R2", "R0", "R3", "R4", "R5", "R1")
    assert shuffled_order(list(reversed(rules)), 1) == shuffled_order(rules, 1)
    assert sorted(shuffled_order(rules, 2)) == rules
    assert shuffled_order([], 1) == ()


def test_seeds_draw_all_orders_about_equally_often() -> None:
    drawn = [shuffled_order(("x", "y", "z"), seed) for seed in range(600)]
    times = {order: drawn.count(order) for order in itertools.permutations(("x", "y", "z"))}
    assert all(60 <= n <= 140 for n in times.values())


def test_a_rule_that_stands_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="twice"):
        shuffled_order(("R1", "R1"), 1)
