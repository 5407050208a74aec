"""The price table as rows that a person edits, and the changes that an edited table stands for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pld_app.setting_fields import PRICES, price_name
from pld_app.settings_view import Given
from pld_core.errors import SettingRefused

MODEL, INPUT, OUTPUT = "model", "input", "output"
Row = tuple[str, str, str]
"""Model, price of a million tokens of input and of output, as typed."""


def rows_of(prices: Mapping[str, tuple[str, str]]) -> list[Row]:
    return [(model, *price) for model, price in prices.items()]


def edited(rows: Sequence[Row], edits: Mapping[str, Any]) -> list[Row]:
    """Return the rows after what was edited; rows in which nothing stands are left out.

    Args:
        rows: what the table began with.
        edits: as the table reports it: `edited_rows` by position, `added_rows`, and positions of `deleted_rows`.
    """
    changed = {int(at): cells for at, cells in edits.get("edited_rows", {}).items()}
    gone = {int(at) for at in edits.get("deleted_rows", [])}
    kept = [_with(row, changed.get(at, {})) for at, row in enumerate(rows) if at not in gone]
    added = [_with(("", "", ""), cells) for cells in edits.get("added_rows", [])]
    return [row for row in [*kept, *added] if any(row)]


def _with(row: Row, cells: Mapping[str, Any]) -> Row:
    before = dict(zip((MODEL, INPUT, OUTPUT), row, strict=True))
    model, first, second = (str(cells.get(name, before[name]) or "").strip() for name in (MODEL, INPUT, OUTPUT))
    return model, first, second


def changes(before: Mapping[str, tuple[str, str]], rows: Sequence[Row]) -> dict[str, Given]:
    """Return the settings that an edited table changes, empty for a price that was taken out.

    Raises:
        SettingRefused: a row without a model, or a model that stands there twice.
    """
    often = [model for model, number in Counter(model for model, _, _ in rows).items() if model and number > 1]
    if often:
        raise _refused("A model stands there more than once. Keep one row for each.")
    if any(not model for model, _, _ in rows):
        raise _refused("A row has a price but no model. Name the model as its server spells it.")
    after = {model: (first, second) for model, first, second in rows}
    changed: dict[str, Given] = {price_name(m): price for m, price in after.items() if before.get(m) != price}
    return {**changed, **{price_name(model): "" for model in before if model not in after}}


def _refused(words: str) -> SettingRefused:
    return SettingRefused(f"Nothing was saved. {words}", {PRICES: words})
