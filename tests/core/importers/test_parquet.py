"""Parquet: typed cells as text."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.core.importers.conftest import Open, Refuse


def parquet(columns: dict[str, object], row_group_size: int = 1_000) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, row_group_size=row_group_size)
    return buffer.getvalue()


def test_typed_cells_become_text(opened: Open) -> None:
    columns = {
        "text": pa.array(["NA", None]),
        "whole": pa.array([7, None], pa.int64()),
        "real": pa.array([7.0, 0.1]),
        "missing": pa.array([float("nan"), 1e300]),
        "money": pa.array([Decimal("1.10"), Decimal("-0.50")]),
        "yes": pa.array([True, None]),
        "day": pa.array([date(2026, 1, 31), None]),
        "at": pa.array([datetime(2026, 1, 31, 12, 30, tzinfo=UTC), None], pa.timestamp("us", tz="UTC")),
        "fine": pa.array([1_770_000_000_123_456_789, None], pa.timestamp("ns")),
        "clock": pa.array([time(12, 30), None]),
        "word": pa.array(["a", "b"]).dictionary_encode(),
        "nothing": pa.nulls(2),
        "label": pa.array(["x", "y"], pa.large_string()),
    }
    source = opened("t.parquet", parquet(columns))
    first, second = source.rows()
    assert first.values == {
        "text": "NA", "whole": "7", "real": "7", "missing": "", "money": "1.10", "yes": "true", "day": "2026-01-31",
        "at": "2026-01-31T12:30:00+00:00", "fine": "2026-02-02T02:40:00.123456789", "clock": "12:30:00", "word": "a",
        "nothing": "", "label": "x",
    }  # fmt: skip
    assert second.values == dict.fromkeys(columns, "") | {
        "real": "0.1", "missing": "1e+300", "money": "-0.50", "word": "b", "label": "y",
    }  # fmt: skip


def test_rows_count_from_one_over_all_row_groups(opened: Open) -> None:
    source = opened("t.parquet", parquet({"text": [f"t{i}" for i in range(2_000)], "label": ["x"] * 2_000}, 700))
    assert (source.unit, source.importer, source.expected) == ("row", "parquet 1", 2_000)
    assert [row.number for row in source.rows()] == list(range(1, 2_001))


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"text": ["a"], "tags": [["b"]], "more": [{"c": 1}], "raw": [b"d"]}, "or bytes: tags, more, raw."),
        ({"text": pa.array([], pa.string())}, "t.parquet holds columns but no row."),
        ({"": ["a"], "label": ["x"]}, "has to name every column"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_text_is_refused(refused: Refuse, columns: dict[str, object], words: str) -> None:
    assert words in refused("t.parquet", parquet(columns))


def test_a_damaged_file_is_refused(refused: Refuse) -> None:
    data = parquet({"text": ["some text " * 50] * 500, "label": ["x"] * 500})
    assert "damaged, cut off or encrypted" in refused("t.parquet", data[: len(data) // 2])
    assert "damaged, cut off or encrypted" in refused("t.parquet", b"PAR1" + b"\xff" * 100)
