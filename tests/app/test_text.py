"""Untrusted texts on screen: what they would become there if nothing stopped it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_app.components.text import BREAK, in_badge, plain

REWRITTEN = (
    re.compile(r"https?://|www\.", re.IGNORECASE),
    re.compile(r"[-.\w+]+@[-\w]+"),
    re.compile(r":[\w+-]+:|:[a-z]+\["),
    re.compile(r"(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)"),
)
"""What the browser looks for in each piece of text after it has taken the backslashes away."""


def pieces(markdown: str) -> list[str]:
    return [re.sub(r"\\(.)", r"\1", piece) for piece in markdown.split(BREAK)]


@pytest.mark.parametrize(
    "text",
    [
        "write to bob@example.com",
        "https://evil.example/x?a=1 and HTTP://evil.example",
        "www.evil.example WWW.evil.example",
        ":material_home: :streamlit: :smile: :100: :+1:",
        "a -> b <- c <-> d -- e >= f <= g ~= h",
        "mailto:bob@example.com <http://x.example>",
        "12:30, sha256:ab, a::b, ends with @",
        ":small{} :red[x] [a](b) **c** $d$ `e`",
    ],
)
def test_a_text_stays_what_it_is(text: str) -> None:
    found = pieces(plain(text))
    assert "".join(found) == text
    assert not [piece for piece in found if any(pattern.search(piece) for pattern in REWRITTEN)]


@given(st.text(st.sampled_from("ab1:/@.w-<>=~[]{}\\ \n+"), max_size=30))
def test_nothing_is_lost_or_left_to_be_rewritten(text: str) -> None:
    found = pieces(plain(text))
    assert "".join(found) == " ".join(text.split())
    assert not [piece for piece in found if any(pattern.search(piece) for pattern in REWRITTEN[:2])]


def test_a_badge_takes_square_brackets_as_they_are() -> None:
    assert in_badge("[a] b@c.example") == rf"[a] b\@{BREAK}c\.example"
