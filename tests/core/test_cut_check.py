"""Whether the count of a server shows that it read everything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.cut_check import SEAM_TOKENS, cut_problem

WINDOW = 2048


@given(static=st.integers(1, 900), text=st.text(max_size=200), tokens=st.integers(0, 900))
def test_what_a_whole_request_can_count_is_never_a_cut(static: int, text: str, tokens: int) -> None:
    size = len(text.encode("utf-8", "replace"))

    assert cut_problem(static + min(tokens, size), static, text, WINDOW) == ""


@given(static=st.integers(10, 4000), counted=st.integers(0, 4000))
def test_fewer_than_the_static_part_is_always_a_cut(static: int, counted: int) -> None:
    if counted < static - SEAM_TOKENS:
        assert "was cut" in cut_problem(counted, static, "text", 10_000)


def test_a_full_window_is_no_answer_even_where_everything_may_have_been_read() -> None:
    assert "fill the context window of 300" in cut_problem(300, 120, "x" * 500, 300)
    assert cut_problem(299, 120, "x" * 500, 300) == ""


@pytest.mark.parametrize(("counted", "static"), [(None, 10), (10, None), (None, None)])
def test_without_a_count_nothing_is_verified(counted: int | None, static: int | None) -> None:
    assert "did not say" in cut_problem(counted, static, "text", WINDOW)


def test_more_tokens_than_there_are_bytes_belong_to_another_text() -> None:
    assert cut_problem(126, 120, "four", WINDOW) == ""
    assert "124" not in cut_problem(127, 120, "four", WINDOW)
    assert "126 at most" in cut_problem(127, 120, "four", WINDOW)
