"""Examples and data sets to rows and back. Pure."""

from __future__ import annotations

import json
import sqlite3
from functools import lru_cache
from typing import Any

from pld_core.canonical import canonical_json, hash_text
from pld_core.models import Example, ExampleState, Origin, Span, Split
from pld_core.records import ColumnChoice, Dataset, DatasetState, NewDataset

Row = sqlite3.Row
Value = None | int | float | str

EXAMPLE_COLUMNS = (
    "id",
    "task",
    "hash",
    "text_hash",
    "fields",
    "text",
    "label",
    "split",
    "source",
    "group_name",
    "ref",
    "personal",
    "masked",
    "spans",
)
"""In the order of `example_values`; a new example is active."""

# What `canonical_json` writes, without building an encoder a call: this one runs once an example.
_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def addresses(example: Example) -> tuple[str, str, str]:
    """Return (hash, text hash, canonical JSON of the fields), the JSON being made once for all three."""
    fields = _json(example.fields)
    return hash_text(f'{{"fields":{fields},"label":{_label_json(example.label)}}}'), hash_text(fields), fields


@lru_cache(maxsize=256)
def _label_json(label: str) -> str:
    return _json(label)


@lru_cache(maxsize=4096)
def kept_json(values: tuple[str, ...]) -> str:
    """Return the kept values of a row as JSON; few different ones stand in many rows."""
    return _json(values)


def example_values(
    example_id: int, task: str, example: Example, content_hash: str, text_hash: str, fields: str
) -> tuple[Value, ...]:
    return (
        example_id,
        task,
        content_hash,
        text_hash,
        fields,
        example.text,
        example.label,
        example.split.value,
        example.source,
        example.group,
        example.ref,
        _json(example.personal) if example.personal else "[]",
        int(example.masked),
        _json([[s.field, s.start, s.end] for s in example.spans]) if example.spans else "[]",
    )


def example_from(row: Row) -> Example:
    """Read a row of `example_queries.EXAMPLE`."""
    origin = None
    if row["origin_file"] is not None:
        origin = Origin(
            file=row["origin_file"],
            sha256=row["origin_sha256"],
            unit=row["origin_unit"],
            number=row["origin_number"],
            importer=row["origin_importer"],
        )
    return Example(
        fields=tuple((name, text) for name, text in json.loads(row["fields"])),
        label=row["label"],
        split=Split(row["split"]),
        source=row["source"],
        group=row["group_name"],
        ref=row["ref"],
        personal=tuple(_list(row["personal"])),
        masked=bool(row["masked"]),
        spans=tuple(Span(field, start, end) for field, start, end in _list(row["spans"])),
        origin=origin,
        copies=row["copies"],
        state=ExampleState(row["state"]),
    )


def _list(text: str) -> list[Any]:
    # Nearly all are empty, and a whole task is read at once for extraction.
    return [] if text == "[]" else json.loads(text)


def dataset_row(dataset_id: int, task: str, about: NewDataset, count: int, at: str, by: str) -> dict[str, Value]:
    params = canonical_json(dict(about.params))
    return {
        "id": dataset_id,
        "task": task,
        "file": about.file,
        "sha256": about.sha256,
        "unit": about.unit,
        "importer": about.importer,
        "params": params,
        "params_hash": hash_text(params),
        "report": canonical_json(dict(about.report)),
        "row_count": count,
        "at": at,
        "by": by,
    }


def dataset_from(row: Row) -> Dataset:
    """Read a row of `dataset_queries.DATASET`."""
    return Dataset(
        id=row["id"],
        task=row["task"],
        about=NewDataset(
            file=row["file"],
            sha256=row["sha256"],
            unit=row["unit"],
            importer=row["importer"],
            params=json.loads(row["params"]),
            report=json.loads(row["report"]),
        ),
        rows=row["row_count"],
        state=DatasetState(row["state"]),
        created_at=row["at"],
        created_by=row["by"],
    )


def column_choice_from(row: Row) -> ColumnChoice:
    return ColumnChoice(json.loads(row["choice"]), row["by"], row["at"])
