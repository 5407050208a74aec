"""An audited write against the same rows through bare sqlite3, in one run on one disk."""

from __future__ import annotations

import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pld_core.models import Actor, Role
from storage import create_store

WRITES = 200
ACTOR = Actor("bench", frozenset(Role))


def median_ms(step: Callable[[], object]) -> float:
    times = []
    for _ in range(WRITES):
        begin = time.perf_counter()
        step()
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = create_store(f"sqlite:///{Path(folder) / 'pld.db'}")
        ours = median_ms(lambda: store.jobs.enqueue("demo", "", {}, ACTOR))
        path = Path(folder) / "bare.db"
        with sqlite3.connect(path) as setup:
            setup.execute("PRAGMA journal_mode = WAL")
            setup.execute("CREATE TABLE job (id INTEGER PRIMARY KEY, kind TEXT)")
            setup.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, payload TEXT)")

        def bare() -> None:
            conn = sqlite3.connect(path, isolation_level=None)
            conn.execute("PRAGMA synchronous = FULL")
            conn.execute("BEGIN IMMEDIATE")
            conn.execute("INSERT INTO job (kind) VALUES ('bench')")
            conn.execute("INSERT INTO event (payload) VALUES ('{}')")
            conn.execute("COMMIT")
            conn.close()

        base = median_ms(bare)
    row = {
        "case": "audited write / bare sqlite3, both durable",
        "ratio": ours / base,
        "detail": f"{ours:.2f} ms / {base:.2f} ms",
    }
    print(json.dumps({"rows": [row]}))


if __name__ == "__main__":
    main()
