"""Baselines by nearness: against another library, by hand, and where rows are equally near."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from pld_core.errors import InvalidInput
from pld_core.model_ports import Vectors
from pld_core.neighbour_vote import most_frequent, nearest_vote

LABELS = ("b", "a", "c")


def unit(rows: int, seed: int, dimensions: int = 12) -> Vectors:
    drawn = np.random.default_rng(seed).standard_normal((rows, dimensions)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float32)


def plane(*degrees: float) -> Vectors:
    """Return a row of length 1 for each angle."""
    turned = np.radians(degrees)
    return np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("seed", range(3))
# The larger numbers are taken in several parts.
@pytest.mark.parametrize(("trained", "asked"), [(300, 40), (20_000, 300)])
def test_votes_are_those_that_others_count(k: int, seed: int, trained: int, asked: int) -> None:
    train, wanted = unit(trained, seed), unit(asked, seed + 100)
    # Two labels and an odd number of votes: no label ties with another.
    gold = [LABELS[int(row[0] > 0)] for row in train]
    other = KNeighborsClassifier(k, metric="cosine", algorithm="brute").fit(train, gold)
    assert nearest_vote(LABELS, train, gold, wanted, k) == tuple(other.predict(wanted))


def test_the_order_of_the_training_examples_changes_nothing() -> None:
    train, asked = unit(60, 3, dimensions=2).round(1), unit(40, 4, dimensions=2)
    gold = [LABELS[number % 3] for number in range(60)]
    turned = nearest_vote(LABELS, train[::-1], gold[::-1], asked, 5)
    assert nearest_vote(LABELS, train, gold, asked, 5) == turned


def test_most_votes_win_over_the_nearest_one() -> None:
    train, gold = plane(0, 20, 25, 120), ["c", "a", "a", "b"]
    assert nearest_vote(LABELS, train, gold, plane(1), 1) == ("c",)
    assert nearest_vote(LABELS, train, gold, plane(1), 3) == ("a",)


def test_with_equally_many_votes_the_nearer_label_wins() -> None:
    assert nearest_vote(LABELS, plane(10, 20), ["c", "b"], plane(0), 2) == ("c",)
    assert nearest_vote(LABELS, plane(10, 21, 19, 30), ["c", "b", "b", "c"], plane(0), 4) == ("b",)


def test_of_equally_near_ones_the_earlier_declared_label_wins() -> None:
    twice = plane(10, 10)
    for gold in (["c", "b"], ["b", "c"]):
        assert nearest_vote(LABELS, twice, gold, plane(0), 1) == ("b",)
        assert nearest_vote(LABELS, twice, gold, plane(0), 2) == ("b",)


def test_fewer_training_examples_than_votes_all_vote() -> None:
    assert nearest_vote(LABELS, plane(0, 90), ["a", "a"], plane(45), 5) == ("a",)


def test_what_is_near_nothing_gets_the_most_frequent_label_and_has_no_vote() -> None:
    nothing = np.zeros((1, 2), dtype=np.float32)
    train = np.concatenate([plane(0, 90, 91), nothing])
    asked = np.concatenate([nothing, plane(180)])
    assert nearest_vote(LABELS, train, ["c", "a", "a", "b"], asked, 1) == ("a", "a")
    assert nearest_vote(LABELS, nothing, ["c"], plane(0), 1) == ("c",)
    assert nearest_vote(LABELS, plane(0), ["c"], nothing[:0], 1) == ()


def test_the_most_frequent_label_and_of_equals_the_earlier_declared() -> None:
    assert most_frequent(LABELS, ["a", "c", "c"]) == "c"
    assert most_frequent(LABELS, ["a", "b"]) == "b"


@pytest.mark.parametrize(
    ("train", "gold", "asked", "k", "words"),
    [
        (plane(0), ["a"], plane(0), 0, "cannot vote with k = 0"),
        (plane(0), ["a", "b"], plane(0), 1, "2 labels of 1 training"),
        (plane(0), ["a"], unit(1, 1), 1, "one embedder"),
        (plane(0), ["old"], plane(0), 1, "another label"),
        (plane(), [], plane(0), 1, "there are none"),
    ],
    ids=["k", "labels", "dimensions", "undeclared", "empty"],
)
def test_what_cannot_vote_is_refused(train: Vectors, gold: list[str], asked: Vectors, k: int, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        nearest_vote(LABELS, train, gold, asked, k)
