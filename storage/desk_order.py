"""The queue's orders in SQL."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from pld_core.analytics import harm_ground
from pld_core.attribution import Method
from pld_core.desk import QueueOrder
from storage.rule_figures import complete_runs

RANK = """CASE state WHEN 'stale' THEN 0 WHEN 'disputed' THEN 1 WHEN 'first_approved' THEN 2 WHEN 'in_review' THEN 3
    WHEN 'proposed' THEN 4 ELSE 99 END"""


@dataclass(frozen=True)
class OrderKey:
    """What rules are ordered by: expressions on `rule`, the last of which is another one for each rule."""

    parts: tuple[str, ...]

    @property
    def listed(self) -> str:
        return ", ".join(self.parts)

    @property
    def backwards(self) -> str:
        return ", ".join(f"{part} DESC" for part in self.parts)

    @property
    def marks(self) -> str:
        """A question mark for the value of each part."""
        return ", ".join("?" for _ in self.parts)


# Stale, conflicting, low support, then random. As the index `rule_in_queue` has it, word for word.
USUAL = OrderKey((RANK, "contradictions = 0", "support", "head"))


def order_key(conn: sqlite3.Connection, task: str, order: QueueOrder) -> OrderKey:
    """Return the key of an order; that of harm needs a run to count it in, and is the usual one without."""
    if order is not QueueOrder.HARM:
        return USUAL
    ground = harm_ground(complete_runs(conn, "r.task = :task", {"task": task}))
    return USUAL if ground is None else OrderKey((_less_harm(*ground), *USUAL.parts))


def _less_harm(run: int, baseline: int) -> str:
    """Return how many answers of a rule are wrong in a run and right in its baseline, less than 0: the most first."""
    # CROSS JOIN keeps the order of the tables: the other one would read every answer for each rule.
    return f"""-(SELECT count(*) FROM attribution AS a INDEXED BY attribution_by_rule
        CROSS JOIN prediction AS b INDEXED BY prediction_said
            ON b.run_id = {baseline:d} AND b.example_hash = a.example_hash AND b.said IS b.gold
        WHERE a.run_id = {run:d} AND a.method = '{Method.EVIDENCE.value}' AND a.rule_id = rule.id AND a.is_owner = 1
            AND a.is_right = 0 AND a.is_source = 0)"""  # noqa: S608 - numbers and a constant
