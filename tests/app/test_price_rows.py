"""The price table: what was edited, added and taken out, as changes of settings."""

from __future__ import annotations

from typing import Any

import pytest

from pld_app.price_rows import changes, edited, rows_of
from pld_app.settings_view import PriceText
from pld_core.errors import SettingRefused

PRICES = {"big": PriceText("0.40", "1.60", "0.5"), "gpt-4.1": PriceText("2", "8", "0.3")}


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ({}, {}),
        ({"edited_rows": {"0": {"input": "0.50"}}}, {"teacher.prices.big": PriceText("0.50", "1.60", "0.5")}),
        ({"edited_rows": {0: {"output": None}}}, {"teacher.prices.big": PriceText("0.40", "", "0.5")}),
        (
            {"edited_rows": {0: {"batch_discount": " 0.25 "}, 1: {"batch_discount": None}}},
            {
                "teacher.prices.big": PriceText("0.40", "1.60", "0.25"),
                "teacher.prices.gpt-4.1": PriceText("2", "8", ""),
            },
        ),
        (
            {"added_rows": [{"model": " new ", "input": "1", "output": "2"}]},
            {"teacher.prices.new": PriceText("1", "2")},
        ),
        ({"added_rows": [{"model": "embedding", "input": "0.02"}]}, {"teacher.prices.embedding": PriceText("0.02")}),
        ({"added_rows": [{}, {"model": ""}]}, {}),
        ({"deleted_rows": [1]}, {"teacher.prices.gpt-4.1": ""}),
        (
            {"edited_rows": {1: {"model": "gpt-5"}}},
            {"teacher.prices.gpt-5": PriceText("2", "8", "0.3"), "teacher.prices.gpt-4.1": ""},
        ),
    ],
)
def test_an_edited_table_stands_for_these_changes(edits: dict[str, Any], expected: dict[str, Any]) -> None:
    assert changes(PRICES, edited(rows_of(PRICES), edits)) == expected


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"model": "big", "input": "1", "output": "1"}, "more than once"),
        ({"input": "1"}, "a price but no model"),
    ],
)
def test_rows_that_cannot_be_told_apart_are_refused(row: dict[str, str], words: str) -> None:
    with pytest.raises(SettingRefused, match=words):
        changes(PRICES, edited(rows_of(PRICES), {"added_rows": [row]}))
