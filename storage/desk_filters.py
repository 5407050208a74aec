"""The queue's tabs in SQL, and where a rule stands in them."""

from __future__ import annotations

import sqlite3

from pld_core.desk import DeskFilter, Tab
from pld_core.models import Actor, RevisionState
from pld_core.review import AWAITING_DECISION
from storage.desk_order import OrderKey
from storage.finding_queries import HAS_OPEN_FINDING
from storage.rule_queries import LIVE, OVERLAPPING, where_clause


def _listed(states: tuple[RevisionState, ...]) -> str:
    return ", ".join(f"'{state.value}'" for state in states)


AWAITING = f"state IN ({_listed(AWAITING_DECISION)})"
SECOND_ASKED = """EXISTS (SELECT 1 FROM second_opinion AS o WHERE o.revision_hash = rule.head AND NOT EXISTS (
    SELECT 1 FROM decision AS d WHERE d.revision_hash = o.revision_hash
        AND d.reviewer <> o.by AND d.decided_at > o.at))"""
_SECOND_ASKED_BY_ME = SECOND_ASKED.replace(
    "o.revision_hash = rule.head AND", "o.revision_hash = rule.head AND o.by = ? AND"
)
_HALFWAY = _listed((RevisionState.FIRST_APPROVED, RevisionState.DISPUTED))
_TABS: dict[Tab, tuple[str, int]] = {
    # What this person can do next: nobody else was asked, and his own word is not in already.
    Tab.MINE: (
        f"""{AWAITING} AND assignee IN ('', ?) AND NOT (state IN ({_HALFWAY}) AND EXISTS (
            SELECT 1 FROM decision AS d WHERE d.revision_hash = rule.head AND d.reviewer = ?))
            AND NOT {_SECOND_ASKED_BY_ME}""",  # noqa: S608 - literals of this module
        3,
    ),
    Tab.SECOND: (f"{AWAITING} AND (state IN ({_HALFWAY}) OR {SECOND_ASKED})", 0),
    # Drawn, not looked at yet, and not this person's own rejection.
    Tab.SECOND_LOOK: (
        """state = 'rejected' AND EXISTS (
            SELECT 1 FROM decision AS d JOIN second_look AS l ON l.decision_id = d.id
            WHERE d.revision_hash = rule.head AND d.reviewer <> ?
                AND NOT EXISTS (SELECT 1 FROM second_look_outcome AS o WHERE o.decision_id = d.id))""",
        1,
    ),
    Tab.STALE: ("state = 'stale'", 0),
    Tab.CONFLICTS: (f"state {LIVE} AND (contradictions > 0 OR {OVERLAPPING})", 0),
    Tab.FINDINGS: (HAS_OPEN_FINDING, 0),
    Tab.DECIDED: (f"NOT {AWAITING}", 0),
    Tab.ALL: ("1 = 1", 0),
}
"""The condition of each tab, and how often the reader's name stands in it."""


def desk_clause(task: str, wanted: DeskFilter, actor: Actor) -> tuple[str, tuple[str, ...]]:
    """Return the condition on `rule` and its values."""
    clause, values = where_clause(task, wanted.where)
    tab, names = _TABS[wanted.tab]
    clauses, all_values = [clause, tab], [*values, *([actor.name] * names)]
    if wanted.tag:
        clauses.append("EXISTS (SELECT 1 FROM rule_tag AS t WHERE t.rule_id = rule.id AND t.tag = ?)")
        all_values.append(wanted.tag)
    return " AND ".join(clauses), tuple(all_values)


def neighbour_ids(
    conn: sqlite3.Connection, rule_id: str, clause: str, values: tuple[str, ...], key: OrderKey, me: str, now: str
) -> tuple[str | None, str | None]:
    """Return the ids before and after the rule; of one that the condition leaves out, (None, the first)."""

    def first(more: str, order: str, *args: object) -> str | None:
        sql = f"SELECT id FROM rule WHERE {clause} {more} ORDER BY {order} LIMIT 1"  # noqa: S608 - literals of this package
        row = conn.execute(sql, (*values, *args)).fetchone()
        return None if row is None else str(row["id"])

    free = "AND NOT EXISTS (SELECT 1 FROM lease AS l WHERE l.rule_id = rule.id AND l.holder <> ? AND l.until > ?)"
    listed = key.listed
    if first("AND id = ?", listed, rule_id) is None:
        return None, first(f"AND id <> ? {free}", listed, rule_id, me, now) or first("AND id <> ?", listed, rule_id)
    place = _place(conn, rule_id, key)
    before = first(f"AND ({listed}) < ({key.marks})", key.backwards, *place)
    after = first(f"AND ({listed}) > ({key.marks}) {free}", listed, *place, me, now)
    return before, after or first(f"AND ({listed}) > ({key.marks})", listed, *place)


def position(conn: sqlite3.Connection, rule_id: str, clause: str, values: tuple[str, ...], key: OrderKey) -> int | None:
    """Return how many rules stand before this one in the queue; None if the condition leaves it out."""
    inside = f"SELECT 1 FROM rule WHERE {clause} AND id = ?"  # noqa: S608 - literals of this package
    if conn.execute(inside, (*values, rule_id)).fetchone() is None:
        return None
    before = f"SELECT count(*) FROM rule WHERE {clause} AND ({key.listed}) < ({key.marks})"  # noqa: S608 - as above
    return int(conn.execute(before, (*values, *_place(conn, rule_id, key))).fetchone()[0])


def _place(conn: sqlite3.Connection, rule_id: str, key: OrderKey) -> tuple[object, ...]:
    return tuple(conn.execute(f"SELECT {key.listed} FROM rule WHERE id = ?", (rule_id,)).fetchone())  # noqa: S608 - as above
