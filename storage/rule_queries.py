"""Reading parts of a rule inside somebody else's transaction."""

from __future__ import annotations

import sqlite3

from pld_core.errors import NotFound
from pld_core.models import Evidence, Revision, RevisionState, RuleSummary
from pld_core.ports import RuleFilter
from pld_core.review import AWAITING_DECISION
from storage import rows

_URGENCY = " ".join(f"WHEN '{state.value}' THEN {rank}" for rank, state in enumerate(AWAITING_DECISION))
# Stale, conflicting, low support, then random (a hash is as good as a lot, and the same on every screen).
ORDER = f"CASE state {_URGENCY} ELSE 99 END, contradictions > 0 DESC, support, head"


def load_summary(conn: sqlite3.Connection, rule_id: str) -> RuleSummary:
    row = conn.execute("SELECT * FROM rule WHERE id = ?", (rule_id.upper(),)).fetchone()
    if row is None:
        raise NotFound(f"There is no rule {rule_id!r} in this workspace. `pld rules list` shows those there are.")
    return rows.summary_from(row)


def load_revision(conn: sqlite3.Connection, revision_hash: str) -> Revision:
    row = conn.execute("SELECT * FROM revision WHERE hash = ?", (revision_hash,)).fetchone()
    if row is None:
        raise NotFound(f"There is no revision {revision_hash[:19]} in this workspace.")
    return rows.revision_from(row)


def load_state(conn: sqlite3.Connection, revision_hash: str) -> RevisionState:
    """Return where the revision stands after its last transition."""
    row = conn.execute(
        "SELECT state FROM transition WHERE revision_hash = ? ORDER BY id DESC LIMIT 1", (revision_hash,)
    ).fetchone()
    return RevisionState(row["state"])


def load_revisions(conn: sqlite3.Connection, rule_id: str) -> tuple[tuple[Revision, str], ...]:
    """Return (revision, creation time), oldest first."""
    found = conn.execute("SELECT * FROM revision WHERE rule_id = ? ORDER BY number", (rule_id,))
    return tuple((rows.revision_from(row), str(row["at"])) for row in found)


def effective_evidence(conn: sqlite3.Connection, revision_hash: str) -> tuple[Evidence, ...]:
    """Return the evidence of a revision; of several links to one example the last one counts."""
    found = conn.execute(
        """SELECT * FROM evidence WHERE id IN (
               SELECT max(id) FROM evidence WHERE revision_hash = ? GROUP BY example_hash)
           ORDER BY closeness DESC, example_hash""",
        (revision_hash,),
    )
    return tuple(rows.evidence_from(row) for row in found)


def where_clause(task: str, where: RuleFilter) -> tuple[str, tuple[str, ...]]:
    clauses, values = ["task = ?"], [task]
    if where.states:
        clauses.append(f"state IN ({', '.join('?' for _ in where.states)})")
        values += [state.value for state in where.states]
    if where.label:
        clauses.append("EXISTS (SELECT 1 FROM json_each(labels) WHERE json_each.value = ?)")
        values.append(where.label)
    if where.search:
        clauses.append("search LIKE ? ESCAPE '\\'")
        values.append(rows.like(where.search))
    return " AND ".join(clauses), tuple(values)
