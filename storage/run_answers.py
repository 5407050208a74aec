"""Answers of runs as screens read them: those of two runs beside each other, counted, and wrong ones by the page."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path

from pld_core.analytics import INVALID
from pld_core.models import Prediction
from pld_core.paired import Pair
from pld_core.records import Page
from storage import rows
from storage.connection import Database

MOST_PAIRED = 200
"""So many pairs of complete runs are remembered; each has as many counts as the labels have triples at most."""
_PAIRED: dict[tuple[Path, int, int, tuple[str, ...]], Counter[Pair]] = {}
"""Counts of pairs of complete runs, by database, the runs' numbers, and when these were begun."""


class SqliteRunAnswers:
    """The part of `pld_core.prompt_ports.RunStore` that reads answers by index. Reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def paired(self, before: int, after: int) -> Counter[Pair]:
        """Return how many examples that two runs answered are of each kind; see `load_pairs`.

        If each answer of both runs is in a pair, and none is left to add, they are counted once in this process.
        """
        with self._database.read() as conn:
            begun = conn.execute(
                "SELECT id, at, total FROM run WHERE id IN (?, ?) ORDER BY id", (before, after)
            ).fetchall()
            key = (self._database.path, before, after, tuple(str(run["at"]) for run in begun))
            if (known := _PAIRED.get(key)) is not None:
                return Counter(known)
            pairs = load_pairs(conn, before, after)
        if all(run["total"] == pairs.total() for run in begun):
            if len(_PAIRED) >= MOST_PAIRED:
                _PAIRED.clear()
            _PAIRED[key] = Counter(pairs)
        return pairs

    def wrong(self, run_id: int, gold: str = "", said: str = "", page: Page | None = None) -> tuple[Prediction, ...]:
        """Return wrong answers of a run, by gold label and hash; `said` is a label, or `INVALID` for none."""
        part = page or Page()
        clauses = ["run_id = :run", "said IS NOT gold"]
        clauses += ["gold = :gold"] if gold else []
        clauses += ["said IS :said"] if said else []
        with self._database.read() as conn:
            found = conn.execute(
                f"""SELECT example_hash, gold, answer FROM prediction INDEXED BY prediction_wrong
                    WHERE {" AND ".join(clauses)} ORDER BY gold, example_hash LIMIT :limit OFFSET :offset""",  # noqa: S608 - literals of this method
                {
                    "run": run_id,
                    "gold": gold,
                    "said": None if said == INVALID else said,
                    "limit": part.limit,
                    "offset": part.offset,
                },
            )
            return tuple(rows.prediction_from(row) for row in found)


def load_pairs(conn: sqlite3.Connection, before: int, after: int) -> Counter[Pair]:
    """Return how many examples that two runs answered, beside the same gold label, are of each kind."""
    found = conn.execute(
        """SELECT b.gold, b.said AS before, a.said AS after, count(*) AS n
           FROM prediction AS b INDEXED BY prediction_said JOIN prediction AS a INDEXED BY prediction_said
               ON a.run_id = :after AND a.example_hash = b.example_hash AND a.gold = b.gold
           WHERE b.run_id = :before GROUP BY 1, 2, 3""",
        {"before": before, "after": after},
    )
    return Counter({Pair(row["gold"], row["before"], row["after"]): row["n"] for row in found})
