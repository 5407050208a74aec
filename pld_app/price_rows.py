"""The price table as rows that a person edits, and the changes that an edited table stands for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pld_app.setting_fields import PRICES, price_name
from pld_app.settings_view import Given, PriceText
from pld_core.errors import SettingRefused

MODEL = "model"
COLUMNS = (MODEL, *PriceText._fields)
Row = tuple[str, PriceText]
"""Model and price, as typed."""


def rows_of(prices: Mapping[str, PriceText]) -> list[Row]:
    return list(prices.items())


def edited(rows: Sequence[Row], edits: Mapping[str, Any]) -> list[Row]:
    """Return the rows after what was edited; rows in which nothing stands are left out.

    Args:
        rows: what the table began with.
        edits: as the table reports it: `edited_rows` by position, `added_rows`, and positions of `deleted_rows`.
    """
    changed = {int(at): cells for at, cells in edits.get("edited_rows", {}).items()}
    gone = {int(at) for at in edits.get("deleted_rows", [])}
    kept = [_with(row, changed.get(at, {})) for at, row in enumerate(rows) if at not in gone]
    added = [_with(("", PriceText("")), cells) for cells in edits.get("added_rows", [])]
    return [(model, price) for model, price in [*kept, *added] if model or any(price)]


def _with(row: Row, cells: Mapping[str, Any]) -> Row:
    before = {MODEL: row[0], **row[1]._asdict()}
    model, *amounts = (str(cells.get(name, before[name]) or "").strip() for name in COLUMNS)
    return model, PriceText(*amounts)


def changes(before: Mapping[str, PriceText], rows: Sequence[Row]) -> dict[str, Given]:
    """Return the settings that an edited table changes, empty for a price that was taken out.

    Raises:
        SettingRefused: a row without a model, or a model that stands there twice.
    """
    often = [model for model, number in Counter(model for model, _ in rows).items() if model and number > 1]
    if often:
        raise _refused("A model stands there more than once. Keep one row for each.")
    if any(not model for model, _ in rows):
        raise _refused("A row has a price but no model. Name the model as its server spells it.")
    after = dict(rows)
    changed: dict[str, Given] = {price_name(m): price for m, price in after.items() if before.get(m) != price}
    return {**changed, **{price_name(model): "" for model in before if model not in after}}


def _refused(words: str) -> SettingRefused:
    return SettingRefused(f"Nothing was saved. {words}", {PRICES: words})
