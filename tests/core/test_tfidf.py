"""The embedder without a server: unit rows, zeros for texts without a word, the same on every call."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from pld_core.backends.tfidf import TfidfEmbedder

TEXTS = [
    "the post shares a private address",
    "a private address is shared by the post",
    "the clause survives termination",
    "termination does not end the clause",
    "friendly words about the weather",
]


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_there_is_one_unit_row_of_float32_for_each_text(n: int) -> None:
    vectors = asyncio.run(TfidfEmbedder().embed(TEXTS[:n]))
    assert vectors.dtype == np.float32
    assert len(vectors) == n
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(n), abs=1e-5)


def test_texts_with_the_same_words_are_nearer_than_others() -> None:
    near = asyncio.run(TfidfEmbedder().embed(TEXTS))
    assert near[0] @ near[1] > 0.5
    assert near[0] @ near[1] > max(near[0] @ near[2], near[0] @ near[4])


def test_equal_texts_have_equal_rows_and_calls_repeat() -> None:
    vectors = asyncio.run(TfidfEmbedder().embed([*TEXTS, TEXTS[0]]))
    assert np.allclose(vectors[0], vectors[-1])
    assert np.array_equal(vectors, asyncio.run(TfidfEmbedder().embed([*TEXTS, TEXTS[0]])))


def test_no_text_gives_no_row() -> None:
    assert asyncio.run(TfidfEmbedder().embed([])).shape[0] == 0


@pytest.mark.parametrize("texts", [["the", "a of"], ["", "  "], ["?!"]])
def test_texts_without_any_known_word_are_rows_of_zeros(texts: list[str]) -> None:
    vectors = asyncio.run(TfidfEmbedder().embed(texts))
    assert vectors.shape[0] == len(texts)
    assert not vectors.any()


def test_one_text_without_a_word_among_others_is_a_row_of_zeros() -> None:
    vectors = asyncio.run(TfidfEmbedder().embed([*TEXTS, "the of and"]))
    assert not vectors[-1].any()
    assert vectors[:-1].any(axis=1).all()


@pytest.mark.parametrize("dimensions", [2, 3])
def test_there_are_at_most_the_asked_dimensions_and_the_name_tells_them(dimensions: int) -> None:
    embedder = TfidfEmbedder(dimensions)
    assert asyncio.run(embedder.embed(TEXTS)).shape == (5, dimensions)
    assert embedder.name == f"tfidf-svd-{dimensions}"


def test_equal_texts_are_equal_vectors_and_nothing_is_divided_by_their_variance() -> None:
    vectors = asyncio.run(TfidfEmbedder().embed(["the post says the same again and again"] * 8))
    assert np.allclose(vectors, vectors[0])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0)


def test_a_text_that_the_kept_dimensions_say_nothing_of_gives_zeros() -> None:
    texts = ["the post insults a person with bold words", "a threat is uttered", "the weather is quite fine"]
    lengths = sorted(np.linalg.norm(asyncio.run(TfidfEmbedder().embed(texts)), axis=1).tolist())
    assert lengths == [0, pytest.approx(1), pytest.approx(1)]
