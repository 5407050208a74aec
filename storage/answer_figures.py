"""What the answers of a run say and cost, and how they changed since another run: read from counts and from indexes.

The indexes are named in the queries: without statistics SQLite takes one that lacks a column, and reads every answer.
"""

from __future__ import annotations

import sqlite3

from pld_core.analytics import (
    EVERY_ANSWER,
    INVALID,
    AnswerFilter,
    AttributedAnswer,
    ChangedExample,
    ConfusionCell,
    Histogram,
    LabelChange,
    Quantity,
    said_label,
)
from pld_core.attribution import Method
from pld_core.effect import Outcome
from pld_core.errors import InvalidInput, NotFound
from pld_core.models import AnswerStatus, Run
from pld_core.records import Page
from storage.connection import Database
from storage.rule_figures import attributed
from storage.runs import load_run

_RIGHT = "SELECT gold, sum(iif(said = gold, n, 0)) AS right FROM answer_confusion WHERE run_id = ? GROUP BY gold"
_WRONG_THERE = """SELECT w.gold, sum(o.said IS o.gold) AS turned, sum(o.said IS NOT o.gold) AS stayed
    FROM prediction AS w INDEXED BY prediction_wrong
    JOIN prediction AS o INDEXED BY prediction_said ON o.run_id = :other AND o.example_hash = w.example_hash
    WHERE w.run_id = :run AND w.said IS NOT w.gold GROUP BY w.gold"""
"""Wrong answers of a run by what the other run says: few beside all answers, so they are looked up, not the rest."""
_OUTCOMES = {
    Outcome.FIXED: ("prediction_wrong", "b.said IS NOT b.gold AND a.said IS a.gold"),
    Outcome.BROKEN: ("prediction_wrong", "b.said IS b.gold AND a.said IS NOT a.gold"),
    Outcome.STILL_WRONG: ("prediction_wrong", "b.said IS NOT b.gold AND a.said IS NOT a.gold"),
    Outcome.STILL_RIGHT: ("prediction_figures", "b.said IS b.gold AND a.said IS a.gold"),
}
"""The index that the examples of an outcome are found in, and what makes them so; `b` before, `a` after."""
_CLAIMED_WITH = """EXISTS (SELECT 1 FROM attribution AS o WHERE o.run_id = c.run_id AND o.method = c.method
    AND o.example_hash = c.example_hash AND o.rule_id = :other)"""


def counted(conn: sqlite3.Connection, run_id: int) -> Run:
    """Return a run whose answers were counted, which is done when they are put down to rules.

    Raises:
        NotFound: there is no such run, or its answers were not counted.
    """
    run = load_run(conn, run_id)
    if conn.execute("SELECT 1 FROM answer_confusion WHERE run_id = ?", (run_id,)).fetchone() is None:
        raise NotFound(f"The answers of run {run_id} are not counted yet. Run: pld attribute --run {run_id}")
    return run


def _refuse_unlike(conn: sqlite3.Connection, before: int, after: int) -> None:
    """Raise unless both runs were counted and are over the same split of one task."""
    first, second = counted(conn, before), counted(conn, after)
    if (first.task, first.split) != (second.task, second.split):
        raise InvalidInput(
            f"Runs {before} and {after} cannot be held against each other: they are not of one task and one split. "
            "Choose two runs over the same examples."
        )


class SqliteAnswerFigures:
    def __init__(self, database: Database) -> None:
        self._database = database

    def confusion(self, run_id: int) -> tuple[ConfusionCell, ...]:
        """Return the cells of gold label x answer that are not empty."""
        with self._database.read() as conn:
            counted(conn, run_id)
            sql = "SELECT gold, said, n FROM answer_confusion WHERE run_id = ? ORDER BY gold, said"
            found = conn.execute(sql, (run_id,))
            return tuple(ConfusionCell(row["gold"], said_label(row["said"]), row["n"]) for row in found)

    def histogram(self, run_id: int, quantity: Quantity, bins: int = 30) -> Histogram:
        """Return how a quantity is spread over at most so many bins of whole width."""
        known = "FROM answer_figure WHERE run_id = ? AND quantity = ?"
        with self._database.read() as conn:
            counted(conn, run_id)
            answers = conn.execute("SELECT sum(n) FROM answer_confusion WHERE run_id = ?", (run_id,)).fetchone()[0]
            ends = conn.execute(f"SELECT min(value), max(value) {known}", (run_id, quantity.value))
            low, high = ends.fetchone()
            if low is None:
                return Histogram(quantity, 0, 1, (), answers)
            width = -(-(high - low + 1) // bins)
            found = conn.execute(
                f"SELECT (value - ?) / ? AS bin, sum(n) AS n {known} GROUP BY 1",
                (low, width, run_id, quantity.value),
            )
            counts = {int(row["bin"]): int(row["n"]) for row in found}
        spread = tuple(counts.get(number, 0) for number in range(max(counts) + 1))
        return Histogram(quantity, low, width, spread, answers - sum(spread))

    def changes(self, before: int, after: int) -> tuple[LabelChange, ...]:
        """Return what changed between two runs for each gold label."""
        with self._database.read() as conn:
            _refuse_unlike(conn, before, after)
            right = [{row["gold"]: row["right"] for row in conn.execute(_RIGHT, (run,))} for run in (before, after)]
            was, now = (
                {row["gold"]: row for row in conn.execute(_WRONG_THERE, {"run": run, "other": other})}
                for run, other in ((before, after), (after, before))
            )
        return tuple(
            LabelChange(
                label=label,
                before=right[0].get(label, 0),
                after=right[1].get(label, 0),
                fixed=was[label]["turned"] if label in was else 0,
                broken=now[label]["turned"] if label in now else 0,
                still_wrong=was[label]["stayed"] if label in was else 0,
            )
            for label in sorted({*right[0], *right[1]})
        )

    def changed_examples(
        self, before: int, after: int, outcome: Outcome, label: str = "", page: Page | None = None
    ) -> tuple[ChangedExample, ...]:
        """Return the examples of one outcome between two runs, by gold label and hash."""
        part = page or Page()
        index, is_it = _OUTCOMES[outcome]
        driving, other = ("a", "b") if outcome is Outcome.BROKEN else ("b", "a")
        runs = {"a": after, "b": before}
        with self._database.read() as conn:
            _refuse_unlike(conn, before, after)
            found = conn.execute(
                f"""SELECT {driving}.example_hash, {driving}.gold, b.said AS before, a.said AS after
                    FROM prediction AS {driving} INDEXED BY {index}
                    CROSS JOIN prediction AS {other} INDEXED BY prediction_said
                        ON {other}.run_id = :other AND {other}.example_hash = {driving}.example_hash
                    WHERE {driving}.run_id = :run AND {is_it} AND (:label = '' OR {driving}.gold = :label)
                    ORDER BY {driving}.gold, {driving}.example_hash LIMIT :limit OFFSET :offset""",  # noqa: S608 - constants
                {
                    "run": runs[driving],
                    "other": runs[other],
                    "label": label,
                    "limit": part.limit,
                    "offset": part.offset,
                },
            )
            return tuple(
                ChangedExample(row["example_hash"], row["gold"], said_label(row["before"]), said_label(row["after"]))
                for row in found
            )

    def examples_of(
        self,
        run_id: int,
        method: Method,
        rule_id: str,
        where: AnswerFilter = EVERY_ANSWER,
        page: Page | None = None,
    ) -> tuple[AttributedAnswer, ...]:
        """Return answers that are put down to a rule, or to none, in the order of their hashes."""
        part = page or Page()
        clauses = ["c.run_id = :run", "c.method = :method", "c.rule_id = :rule"]
        clauses += [] if where.claimed else ["c.is_owner = 1"]
        clauses += ["c.is_right = 0"] if where.wrong or where.harmed_since is not None else []
        clauses += ["p.gold = :gold"] if where.gold else []
        clauses += ["p.said IS :said"] if where.said else []
        clauses += [_CLAIMED_WITH] if where.claimed_with else []
        if where.harmed_since is not None:
            clauses.append(
                """c.is_source = 0 AND EXISTS (SELECT 1 FROM prediction AS b INDEXED BY prediction_said
                    WHERE b.run_id = :since AND b.example_hash = c.example_hash AND b.said IS b.gold)"""
            )
        with self._database.read() as conn:
            attributed(conn, run_id, method)
            found = conn.execute(
                f"""SELECT c.example_hash, p.gold, p.said, p.status, c.is_owner, c.is_source, c.closeness
                    FROM attribution AS c INDEXED BY attribution_by_rule
                    CROSS JOIN prediction AS p INDEXED BY prediction_said
                        ON p.run_id = c.run_id AND p.example_hash = c.example_hash
                    WHERE {" AND ".join(clauses)} ORDER BY c.example_hash LIMIT :limit OFFSET :offset""",  # noqa: S608 - as above
                {
                    "run": run_id,
                    "method": method.value,
                    "rule": rule_id,
                    "gold": where.gold,
                    "said": None if where.said == INVALID else where.said,
                    "since": where.harmed_since,
                    "other": where.claimed_with,
                    "limit": part.limit,
                    "offset": part.offset,
                },
            )
            return tuple(
                AttributedAnswer(
                    row["example_hash"],
                    row["gold"],
                    said_label(row["said"]),
                    AnswerStatus(row["status"]),
                    bool(row["is_owner"]),
                    bool(row["is_source"]),
                    row["closeness"],
                )
                for row in found
            )
