"""The desk's pure parts: folding, mentions, leaks, which evidence goes where."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.comments import mention_words, mentions
from pld_core.desk import Comment, DraftText
from pld_core.folding import AROUND, FOLD_OVER, stretches
from pld_core.models import Evidence, EvidenceRole, RuleText
from pld_core.parts import default_halves, merged_evidence
from pld_core.rule_check import leaks, likely_tokens
from tests.factories import make_example, make_task, make_text

R = EvidenceRole
TEXTS = st.text(alphabet="ab \n", max_size=3000)
SPANS = st.lists(st.tuples(st.integers(0, 3200), st.integers(0, 3200)), max_size=4).map(sorted)


@given(TEXTS, SPANS)
def test_stretches_cover_the_text_and_never_hide_what_is_marked(text: str, spans: list[tuple[int, int]]) -> None:
    parts = stretches(text, spans)
    assert "".join(text[p.start : p.end] for p in parts) == text
    assert all(p.start < p.end for p in parts) or not text
    assert all(a.hidden is not b.hidden for a, b in pairwise(parts) if a.hidden or b.hidden)
    for begin, end in spans:
        for part in parts:
            if part.hidden and begin < end:
                assert end <= part.start or begin >= part.end
    if len(text) <= FOLD_OVER:
        assert not any(p.hidden for p in parts)
    assert all(p.end - p.start > AROUND for p in parts if p.hidden)


def test_a_long_text_without_marks_shows_its_beginning() -> None:
    first, rest = stretches("word " * 400, [])
    assert (first.start, first.hidden, rest.hidden) == (0, False, True)
    assert 400 < first.end < 460


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@anna", ("anna",)),
        ("ask @Anna. and @anna!", ("anna",)),
        ("@annabel", ()),
        ("mail@anna", ()),
        ("@ada", ()),
        ("(@Ada Lovelace)", ("Ada Lovelace",)),
        ("@", ()),
        ("@anna@bert", ("anna",)),
    ],
)
def test_known_people_are_found_by_their_whole_name(text: str, expected: tuple[str, ...]) -> None:
    found = mentions(text, ["anna", "bert", "Ada Lovelace", ""])
    assert found == expected


def test_a_person_is_told_how_many_comments_name_him_and_where() -> None:
    first, second, third = (
        Comment(n, rule, 1, "", None, "@bert", ("bert",), "anna", "") for n, rule in ((1, "R4"), (2, "R9"), (3, "R4"))
    )
    assert mention_words(()) == ""
    assert mention_words([first]) == "1 comment mentions you: R4"
    assert mention_words([first, second, third]) == "3 comments mention you: R4, R9"


def test_what_a_rule_copies_from_its_examples_is_named() -> None:
    long = "we hereby confirm that the goods shall be returned within ten days to Acme in 2024-05"
    copied = make_example(f"Dear all, {long}.")
    clean = make_example("Nothing of it stands here.")
    text = make_text("the goods shall be returned within ten days to Acme in 2024-05 at the latest")
    (leak,) = leaks(text, [clean, copied], make_task())
    assert (leak.example_hash, leak.copies, leak.details) == (copied.hash, True, ("2024-05", "Acme"))
    assert leak.words == "shares 8 words in a row or more and carries 2024-05, Acme"
    assert leaks(make_text("the goods go back"), [copied], make_task()) == ()
    assert leaks(make_text("it is for Acme"), [copied], make_task(guideline="Acme decides.")) == ()


def test_tokens_grow_with_the_text_and_exceptions() -> None:
    short, longer = RuleText("t", "a", ("keep",)), RuleText("t", "a", ("keep",), ("b c d e f",))
    assert 0 < likely_tokens(short) < likely_tokens(longer)


def test_halves_go_by_label_and_else_to_both() -> None:
    labels = {"1": "keep", "2": "remove", "3": "other"}
    assert default_halves(("1", "2", "3"), labels, ("keep",), ("remove",)) == (
        frozenset({"1", "3"}),
        frozenset({"2", "3"}),
    )
    assert default_halves(("1",), labels, ("keep",), ("keep",)) == (frozenset({"1"}), frozenset({"1"}))


def test_in_a_merge_what_contradicts_either_rule_contradicts() -> None:
    one = (Evidence("1", R.SUPPORTS, 0.9), Evidence("2", R.NEAR_MISS, 0.1))
    other = (Evidence("1", R.CONTRADICTS, 0.2), Evidence("2", R.IRRELEVANT, 0.5))
    assert merged_evidence(one, other) == (Evidence("1", R.CONTRADICTS, 0.9), Evidence("2", R.NEAR_MISS, 0.5))


def test_what_was_typed_becomes_a_rule_with_an_exception_a_line() -> None:
    text = make_text()
    assert DraftText.of(text).rule_text(text.rationale) == text
    assert DraftText("t", "c", ("keep",), " a\n\n b ").rule_text("") == RuleText("t", "c", ("keep",), ("a", "b"))
