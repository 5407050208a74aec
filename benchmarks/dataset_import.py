"""Importing a data set against bare sqlite3 with the same rows, hashes made beforehand, in one run on one disk."""

from __future__ import annotations

import json
import random
import sqlite3
import string
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from pld_core.models import Actor, Example, Label, Role, Split, Task
from pld_core.records import ImportRow, NewDataset
from storage import create_store
from storage.example_rows import EXAMPLE_COLUMNS, Value, addresses, example_values

ROWS = 50_000
CHARACTERS = 500
ACTOR = Actor("bench", frozenset(Role))
TASK = Task("bench", "Bench", ("text",), (Label("keep", ""), Label("remove", "")), "")


def made_texts(rows: int) -> list[str]:
    """Return different texts in which few words are frequent and many rare, as in a language."""
    draw = random.Random(1)  # noqa: S311 - the same texts in every run
    known = ["".join(draw.choices(string.ascii_lowercase, k=draw.randint(2, 10))) for _ in range(30_000)]
    words = draw.choices(known, weights=[1 / n for n in range(1, len(known) + 1)], k=1_000_000)
    starts = [draw.randrange(len(words) - 200) for _ in range(rows)]
    return [f"{n} {' '.join(words[at : at + 200])}"[:CHARACTERS] for n, at in enumerate(starts)]


def made_rows(texts: list[str]) -> Iterator[ImportRow]:
    for number, text in enumerate(texts, 2):
        yield ImportRow(number, Example((("text", text),), TASK.label_names[number % 2], Split.TRAIN))


def ours(folder: Path, texts: list[str]) -> float:
    store = create_store(f"sqlite:///{folder / 'pld.db'}")
    begin = time.perf_counter()
    _, added = store.data.add(
        TASK, NewDataset("bench.csv", "sha256:0", "row", "csv 1", {}, {}), made_rows(texts), ACTOR
    )
    taken = time.perf_counter() - begin
    if added != len(texts):
        raise AssertionError(f"{added} of {len(texts)} examples were added")
    return taken


def bare(path: Path, values: list[tuple[Value, ...]], indexed: bool) -> float:
    marks = ", ".join("?" for _ in EXAMPLE_COLUMNS)
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("PRAGMA synchronous = FULL")
        conn.execute("PRAGMA cache_size = -65536")
        columns = ", ".join(EXAMPLE_COLUMNS).replace("id,", "id INTEGER PRIMARY KEY,", 1)
        conn.execute(f"CREATE TABLE example ({columns}, UNIQUE (task, hash))")
        if indexed:
            conn.execute("CREATE INDEX by_text ON example (task, text_hash)")
            conn.execute("CREATE VIRTUAL TABLE words USING fts5(text, content='example', content_rowid='id')")
        begin = time.perf_counter()
        conn.execute("BEGIN IMMEDIATE")
        conn.executemany(f"INSERT INTO example VALUES ({marks})", values)  # noqa: S608 - question marks
        if indexed:
            conn.execute("INSERT INTO words (rowid, text) SELECT id, text FROM example")
        conn.execute("COMMIT")
        return time.perf_counter() - begin


def main() -> None:
    texts = made_texts(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        taken = ours(folder, texts)
        values = [
            example_values(number, TASK.name, row.example, *addresses(row.example))
            for number, row in enumerate(made_rows(texts), 1)
        ]
        table = bare(folder / "table.db", values, indexed=False)
        searchable = bare(folder / "searchable.db", values, indexed=True)
    rows = [
        {"case": case, "ratio": taken / base, "detail": f"{len(texts):,} rows: {taken:.2f} s / {base:.2f} s"}
        for case, base in (("import / bare executemany", table), ("import / bare with text index", searchable))
    ]
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
