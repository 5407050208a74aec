"""Kept values and the record: the event of an import holds their hash, by which a later change shows."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator

from pld_core.models import Event
from pld_core.records import KEEP
from storage.dataset_queries import DATASET


def kept_hash(conn: sqlite3.Connection, dataset_id: int) -> str:
    """Return the hash of what a data set keeps: its columns, then number, example and values of each row."""
    sql = f"SELECT params ->> '$.{KEEP}' AS keep FROM dataset WHERE id = ?"  # noqa: S608 - a constant
    found = conn.execute(sql, (dataset_id,)).fetchone()
    digest = hashlib.sha256(str(found["keep"] if found else "").encode())
    rows = conn.execute(
        "SELECT number, example_id, kept FROM dataset_row WHERE dataset_id = ? ORDER BY number", (dataset_id,)
    )
    for number, example_id, kept in rows:
        digest.update(f"\n{number} {example_id} {kept}".encode())
    return f"sha256:{digest.hexdigest()}"


def changed_values(conn: sqlite3.Connection, imports: Iterable[Event]) -> Iterator[str]:
    """Yield the data sets whose kept values are not those that their import recorded, a sentence each.

    Args:
        imports: the events of imports; those without kept values are passed over.
    """
    deleted = {row["id"] for row in conn.execute(f"{DATASET} WHERE state = 'deleted'")}
    for event in imports:
        recorded, dataset = event.payload.get("kept"), event.payload.get("dataset")
        if recorded and isinstance(dataset, int) and dataset not in deleted and kept_hash(conn, dataset) != recorded:
            yield f"Values that data set {dataset} keeps beside its examples were changed since event {event.seq}."
