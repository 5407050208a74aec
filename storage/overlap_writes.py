"""What overlapping rules make of each other's approvals, inside the transaction in which one of them changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from pld_core.models import SYSTEM, Actor, RevisionState, RuleSummary
from pld_core.overlaps import Overlap
from pld_core.staleness import Consequence, Decided, Effects, overlap_cause
from storage.connection import Write
from storage.rule_queries import LIVE, load_revision
from storage.staleness import carry_out

_LATER = "9999"
"""Later than any stored time."""
_SETTLES = """(t.state IN ('approved', 'rejected', 'changes_requested', 'superseded', 'retired')
    OR t.action = 'withdraw')"""
_PAIRS = """SELECT v.hash AS own, o.high AS other, o.closeness FROM revision AS v JOIN overlap AS o ON o.low = v.hash
        WHERE v.rule_id = :rule
    UNION ALL SELECT v.hash, o.low, o.closeness FROM revision AS v JOIN overlap AS o ON o.high = v.hash
        WHERE v.rule_id = :rule"""
_KIN = """EXISTS (SELECT 1 FROM derivation AS d WHERE (d.parent_rule = r.id AND d.child_rule = :rule)
    OR (d.parent_rule = :rule AND d.child_rule = r.id))"""
"""A rule and what it was split or merged into: one is to take the other's place, so neither upsets the other."""


def overlapping(conn: sqlite3.Connection, rule: RuleSummary) -> tuple[str, ...]:
    """Return the hashes of the newest revisions of live rules that are known to overlap a rule's newest, sorted."""
    found = conn.execute(
        f"""WITH pair AS ({_PAIRS}) SELECT r.head FROM pair JOIN rule AS r ON r.head = pair.other
            WHERE pair.own = :head AND r.state {LIVE} ORDER BY r.head""",  # noqa: S608 - constants
        {"rule": rule.id, "head": rule.head},
    )
    return tuple(str(row["head"]) for row in found)


def settle_overlaps(write: Write, rule_id: str, actor: Actor) -> None:
    """Mark stale what was approved without knowing how this rule reads now; its text may just have come or gone."""
    found = write.conn.execute(
        f"""WITH pair AS ({_PAIRS}) SELECT pair.own, r.id, r.in_force FROM pair
            JOIN revision AS w ON w.hash = pair.other JOIN rule AS r ON r.id = w.rule_id AND r.in_force = w.hash
            WHERE NOT {_KIN} ORDER BY pair.closeness DESC, r.number""",  # noqa: S608 - constants
        {"rule": rule_id},
    ).fetchall()
    for row in found:
        _settle(write, str(row["id"]), str(row["in_force"]), rule_id, str(row["own"]), actor)


def settle_found(write: Write, task: str, found: Iterable[Overlap]) -> None:
    """Mark stale what was approved without knowing a rule that is found now to overlap it: of two, the earlier one."""
    approved = {
        str(row["in_force"]): str(row["id"])
        for row in write.conn.execute("SELECT id, in_force FROM rule WHERE task = ? AND in_force <> ''", (task,))
    }
    for pair in found:
        for one, other in ((pair.low, pair.high), (pair.high, pair.low)):
            if one in approved and not _are_kin(write.conn, one, other):
                rule_id = load_revision(write.conn, other).rule_id
                _settle(write, approved[one], one, rule_id, other, SYSTEM)


def _settle(write: Write, approved_rule: str, approved: str, other_rule: str, other: str, actor: Actor) -> None:
    """Mark the approved revision stale if its decision did not know the other one, by `overlap_cause`."""
    conn = write.conn
    rule = conn.execute("SELECT in_force, labels FROM rule WHERE id = ?", (approved_rule,)).fetchone()
    if rule["in_force"] != approved:
        # Another overlap has made it stale already.
        return
    decision = conn.execute(
        "SELECT decided_at, overlaps FROM decision WHERE revision_hash = ? AND verdict = 'approve' ORDER BY id DESC",
        (approved,),
    ).fetchone()
    then, now = _text_in_force(conn, other_rule, decision["decided_at"]), _text_in_force(conn, other_rule, _LATER)
    if other != (now or then):
        # The overlap is with a text that is not, or never was, in force.
        return
    if cause := overlap_cause(other_rule, _shown(conn, other_rule, decision["overlaps"]), then, now):
        labels = load_revision(conn, approved).text.labels
        decided = Decided(approved_rule, approved, labels, RevisionState.APPROVED)
        carry_out(write, Effects((Consequence(decided, cause),)), "", actor)


def _shown(conn: sqlite3.Connection, rule_id: str, overlaps: str) -> tuple[str, ...]:
    """Return which of the revisions that stood beside a decision are the rule's."""
    sql = "SELECT hash FROM revision WHERE rule_id = ? AND hash IN (SELECT value FROM json_each(?))"
    return tuple(str(row["hash"]) for row in conn.execute(sql, (rule_id, overlaps)))


def _text_in_force(conn: sqlite3.Connection, rule_id: str, before: str) -> str:
    """Return the revision of a rule that was in force before a moment; empty for none.

    One that went stale counts as long as nobody has decided against it: its text is still what others know.
    """
    row = conn.execute(
        f"""SELECT v.hash FROM revision AS v WHERE v.rule_id = ? AND (
                SELECT t.state FROM transition AS t WHERE t.revision_hash = v.hash AND t.at < ? AND {_SETTLES}
                ORDER BY t.id DESC LIMIT 1) = 'approved' ORDER BY v.number DESC""",  # noqa: S608 - a constant
        (rule_id, before),
    ).fetchone()
    return "" if row is None else str(row["hash"])


def _are_kin(conn: sqlite3.Connection, one: str, other: str) -> bool:
    sql = f"SELECT 1 FROM rule AS r WHERE r.id = :own AND {_KIN}"  # noqa: S608 - constants
    own, rule = load_revision(conn, one).rule_id, load_revision(conn, other).rule_id
    return conn.execute(sql, {"own": own, "rule": rule}).fetchone() is not None
