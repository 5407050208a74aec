"""Nearly equal texts are found whatever their case and punctuation, others are not, and families cost little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pld_core.splitting import join_units
from pld_core.validation.near_duplicates import VALUES, Signer, near_pairs, sign, words_of
from tests.core.validation.planning import WORDS, sentence


def pairs_of(*texts: str) -> list[tuple[int, int]]:
    return [(pair.first, pair.second) for pair in near_pairs(sign(texts))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't - PANIC!", ["don", "t", "panic"]),
        ("a_b,c", ["a", "b", "c"]),
        ("Crème BRÛLÉE", ["crème", "brûlée"]),
        ("cre\u0300me", ["crème"]),
        ("Straße", ["strasse"]),
        ("我喜欢 tea", ["我", "喜", "欢", "tea"]),
        ("한국어 텍스트", ["한국어", "텍스트"]),
        ("…!?", []),
        ("", []),
    ],
)
def test_words_are_compared_without_case_and_punctuation(text: str, words: list[str]) -> None:
    assert [word.decode() for word in words_of(text)] == words


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_plain_text_has_the_same_words_as_if_it_stood_in_other_text(text: str) -> None:
    assert [*words_of(text), "é".encode()] == words_of(text + " é")


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=40))
def test_copies_up_to_case_and_punctuation_are_found(words: list[str]) -> None:
    assert pairs_of(" ".join(words), ", ".join(words).upper() + "!") == [(0, 1)]


def test_other_texts_are_not_paired() -> None:
    assert pairs_of(*(sentence(i) for i in range(200))) == []


@given(st.sets(st.integers(0, 10**6), min_size=2, max_size=30))
def test_texts_without_a_common_word_are_never_paired(seeds: set[int]) -> None:
    assert pairs_of(*(" ".join(f"w{seed}x{i}" for i in range(12)) for seed in seeds)) == []


@pytest.mark.parametrize("changed", [1, 2, 3])
def test_a_long_text_with_few_other_words_is_found(changed: int) -> None:
    words = [f"word{i}" for i in range(100)]
    other = [f"new{i}" if i % 30 == 5 and i < 30 * changed else word for i, word in enumerate(words)]
    assert pairs_of(" ".join(words), " ".join(other)) == [(0, 1)]


def test_a_text_with_a_sentence_added_is_found_and_one_of_twice_the_length_is_not() -> None:
    text = " ".join(f"word{i}" for i in range(60))
    more = " ".join(f"more{i}" for i in range(60))
    assert pairs_of(text, text + " thank you very much") == [(0, 1)]
    assert pairs_of(text, f"{text} {more}") == []


def test_the_order_of_words_matters() -> None:
    words = [f"word{i}" for i in range(40)]
    assert pairs_of(" ".join(words), " ".join(words[::2] + words[1::2])) == []


def test_texts_in_scripts_without_blanks_are_compared_by_their_characters() -> None:
    text = "我非常喜欢这个产品的颜色和形状，价格也很合理，送货速度也很快，下次还会再来购买的"
    assert pairs_of(text, text.replace("，", " ") + "！") == [(0, 1)]
    assert pairs_of(text, "这本书讲述了一个关于战争与和平的故事，作者用细腻的笔触描写了人物的内心世界") == []


@pytest.mark.parametrize("text", ["", " ", "!!!", "…"])
def test_texts_without_a_word_are_alike_in_nothing(text: str) -> None:
    assert pairs_of(text, text, "a word") == []


def test_the_similarity_is_estimated_within_a_few_hundredths() -> None:
    estimates = []
    for start in range(60):
        text = [f"word{start}x{i}" for i in range(200)]
        other = [*text[:180], *(f"new{start}x{i}" for i in range(20))]
        estimates += [pair.similarity for pair in near_pairs(sign([" ".join(text), " ".join(other)]), at_least=0)]
    # 180 of 220 different word pairs are shared.
    assert abs(float(np.mean(estimates)) - 180 / 220) < 0.02


@pytest.mark.parametrize("n", [10, 400])
def test_a_family_of_copies_costs_a_few_pairs_a_copy_and_is_connected(n: int) -> None:
    pairs = pairs_of(*(sentence(1) + "!" * i for i in range(n)))
    assert n - 1 <= len(pairs) <= 2 * n
    assert len(set(join_units(n, pairs))) == 1


def test_a_family_of_near_copies_is_connected_with_few_pairs() -> None:
    base = [f"word{i}" for i in range(80)]
    texts = [" ".join([*base[:i], f"new{i}", *base[i + 1 :]]) for i in range(80)]
    pairs = pairs_of(*texts)
    assert len(set(join_units(80, pairs))) == 1
    assert len(pairs) <= 24 * 80


def test_pairs_name_the_earlier_row_first_and_none_twice() -> None:
    texts = [sentence(i % 5) + "?" * (i // 5) for i in range(20)]
    pairs = pairs_of(*texts)
    assert pairs == sorted(set(pairs))
    assert all(first < second and first % 5 == second % 5 for first, second in pairs)


@settings(max_examples=20)
@given(st.lists(st.integers(0, 30).map(sentence) | st.just(""), max_size=12))
def test_a_signature_depends_on_its_text_alone(texts: list[str]) -> None:
    alone = [sign([text])[0] for text in texts]
    assert sign(texts).shape == (len(texts), VALUES)
    assert all((one == other).all() for one, other in zip(sign(texts), alone, strict=True))


def test_signatures_stay_right_over_many_chunks() -> None:
    signer = Signer()
    texts = [
        "",
        *(f"text number {i}" for i in range(9_000)),
        "",
        " ".join(f"w{i % 997}" for i in range(400_000)),
        "end",
    ]
    for text in texts:
        signer.add(text)
    signed = signer.signatures()
    assert len(signed) == len(texts)
    for place in (0, 1, 4_000, 4_001, 9_000, 9_001, 9_002, 9_003):
        assert (signed[place] == sign([texts[place]])[0]).all()


def test_the_same_text_has_the_same_signature_on_every_machine() -> None:
    assert sign(["The parcel came late."])[0, :4].tolist() == [3295705497, 3407754637, 3437667152, 3073297485]


@pytest.mark.parametrize("n", [0, 1])
def test_less_than_two_texts_have_no_pair(n: int) -> None:
    assert near_pairs(sign(["a"] * n)) == ()
