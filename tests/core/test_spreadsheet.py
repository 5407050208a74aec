"""Texts in spreadsheets: nothing runs, nothing is lost on the way, and everything fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.spreadsheet import CELL_LIMIT, cell_text, defused, escaped, unescaped


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1"])
def test_what_would_begin_a_formula_gets_a_quote(text: str) -> None:
    assert defused(text) == cell_text(text) == f"'{text}"


@given(st.text())
def test_any_text_comes_back_from_a_workbook_as_it_was(text: str) -> None:
    assert unescaped(escaped(text)) == text


@pytest.mark.parametrize("text", ["_x000D_", "_x005F_x0041_", "_x0041\x01", "\r\n", "\x00", "__x0041_", "\ufffe"])
def test_what_looks_like_an_escape_comes_back_too(text: str) -> None:
    assert unescaped(escaped(text)) == text
    assert "\x01" not in escaped(text)
    assert "\r" not in escaped(text)


def test_half_a_surrogate_pair_is_no_character() -> None:
    assert unescaped("_xD83D_ and _xdc00_") == "_xD83D_ and _xdc00_"


@given(st.text(max_size=30), st.integers(1, 3))
def test_a_text_that_fits_is_only_defused(text: str, times: int) -> None:
    assert cell_text(text * times) == defused(text * times)


@pytest.mark.parametrize("letter", ["a", "😀", "\x01", "é", "_x0041"])
def test_a_text_that_is_too_long_is_cut_with_a_note_that_counts_what_is_left_out(letter: str) -> None:
    text = letter * 40_000
    cell = cell_text(text)
    assert len(escaped(cell).encode("utf-16-le")) // 2 <= CELL_LIMIT
    kept, _, note = cell.rpartition("\n[Cut here: ")
    assert text.startswith(kept)
    assert note == f"{len(text) - len(kept):,} characters more.]"
    assert len(escaped(cell).encode("utf-16-le")) // 2 > CELL_LIMIT - 20


def test_a_formula_that_is_too_long_is_defused_and_fits() -> None:
    cell = cell_text("=" * 40_000)
    assert cell.startswith("'=")
    assert len(cell) <= CELL_LIMIT
