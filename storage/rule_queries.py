"""Reading parts of a rule inside somebody else's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from pld_core.canonical import canonical_json
from pld_core.errors import EvidenceMovedOn, NotFound, RevisionMovedOn
from pld_core.models import Actor, Evidence, EvidenceRole, Revision, RevisionState, RuleSummary, Verdict
from pld_core.records import RuleFilter
from pld_core.review import AWAITING_DECISION, BEGINS_ANEW, FINAL_STATES, Standing
from pld_core.rule_size import TextSize
from storage import rows
from storage.checks import NO_CHECK
from storage.policies import load_policy
from storage.veils import changed_by

_ANEW = ", ".join(sorted(repr(action.value) for action in BEGINS_ANEW))
_URGENCY = " ".join(f"WHEN '{state.value}' THEN {rank}" for rank, state in enumerate(AWAITING_DECISION))
# Stale, conflicting, low support, then random (a hash is as good as a lot, and the same on every screen).
ORDER = f"CASE state {_URGENCY} ELSE 99 END, contradictions > 0 DESC, support, head"
LIVE = f"NOT IN ({', '.join(sorted(repr(state.value) for state in FINAL_STATES))})"
VERSION = """coalesce((SELECT max(x.number) FROM evidence_version AS x
    WHERE x.revision_hash = evidence.revision_hash), 1)"""
"""The version of a revision's evidence that counts."""
_IN_FORCE = f"""FROM rule AS r CROSS JOIN evidence ON evidence.revision_hash = r.in_force
    WHERE r.task = ? AND evidence.version = {VERSION} AND evidence.id = (
        SELECT max(e.id) FROM evidence AS e WHERE e.revision_hash = r.in_force AND e.version = evidence.version
            AND e.example_hash = evidence.example_hash)"""  # noqa: S608 - a constant
"""What rules in force rest on; of several links to one example the last one counts."""
OVERLAPPING = f"""state {LIVE} AND EXISTS (SELECT 1 FROM overlap AS o
    JOIN rule AS other ON other.head = iif(o.low = rule.head, o.high, o.low)
    WHERE (o.low = rule.head OR o.high = rule.head) AND other.state {LIVE})"""  # noqa: S608 - literals


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
        f"""SELECT * FROM evidence WHERE id IN (
                SELECT max(id) FROM evidence WHERE revision_hash = ? AND version = {VERSION} GROUP BY example_hash)
            ORDER BY closeness DESC, example_hash""",  # noqa: S608 - a constant of this module
        (revision_hash,),
    )
    return tuple(rows.evidence_from(row) for row in found)


def evidence_in_force(conn: sqlite3.Connection, task: str) -> dict[str, tuple[Evidence, ...]]:
    """Return the evidence of every revision in force by its hash, each as `effective_evidence` does; in one query."""
    found = conn.execute(f"SELECT evidence.* {_IN_FORCE} ORDER BY closeness DESC, example_hash", (task,))
    held: dict[str, list[Evidence]] = {}
    for row in found:
        held.setdefault(row["revision_hash"], []).append(rows.evidence_from(row))
    return {revision: tuple(evidence) for revision, evidence in held.items()}


def support_in_force(conn: sqlite3.Connection, task: str) -> dict[str, int]:
    """Return by the hash of each revision in force how many examples support it; those without one are left out."""
    sql = f"SELECT revision_hash, count(*) {_IN_FORCE} AND role = ? GROUP BY revision_hash"
    return {str(revision): int(n) for revision, n in conn.execute(sql, (task, EvidenceRole.SUPPORTS.value))}


def text_size_in_force(conn: sqlite3.Connection, task: str) -> TextSize:
    """Return how much text the rules in force have; a character that JSON escapes counts for two."""
    sql = f"""SELECT count(*), coalesce(sum(ids + condition + labels - 1 - max(1, 3 * n_labels)
                  + exceptions - 1 - max(1, 3 * n_exceptions)), 0),
                  coalesce(sum(n_labels), 0), coalesce(sum(n_exceptions), 0)
              FROM (SELECT {_bytes("r.id")} AS ids, {_bytes("v.condition")} AS condition,
                        {_bytes("v.labels")} AS labels, json_array_length(v.labels) AS n_labels,
                        {_bytes("v.exceptions")} AS exceptions, json_array_length(v.exceptions) AS n_exceptions
                    FROM rule AS r JOIN revision AS v ON v.hash = r.in_force
                    WHERE r.task = ? AND r.id {NO_CHECK})"""  # noqa: S608 - constants
    # A list in JSON has two brackets, two quotes a text, and a comma between two of them.
    return TextSize(*conn.execute(sql, (task,)).fetchone())


def _bytes(column: str) -> str:
    return f"length(CAST({column} AS BLOB))"


def gold_labels(conn: sqlite3.Connection, task: str, hashes: Sequence[str]) -> dict[str, str]:
    """Return the gold label of each of these examples."""
    sql = "SELECT hash, label FROM example WHERE task = ? AND hash IN (SELECT value FROM json_each(?))"
    return {str(row["hash"]): str(row["label"]) for row in conn.execute(sql, (task, canonical_json(list(hashes))))}


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
    if where.overlapping:
        clauses.append(OVERLAPPING)
    if where.contradicted:
        clauses.append(f"state {LIVE} AND contradictions > 0")
    return " AND ".join(clauses), tuple(values)


def load_standing(conn: sqlite3.Connection, head: RuleSummary) -> Standing:
    """Return what the guard has to know of the newest revision; decisions before it began anew, or on
    earlier evidence, do not count.
    """
    revision = load_revision(conn, head.head)
    made = conn.execute(
        f"""SELECT verdict, reviewer FROM decision WHERE revision_hash = :head AND decided_at > max(
                coalesce((SELECT max(at) FROM transition WHERE revision_hash = :head AND action IN ({_ANEW})), ''),
                coalesce((SELECT max(at) FROM evidence_version WHERE revision_hash = :head), ''))
            ORDER BY id""",  # noqa: S608 - literals of this module
        {"head": head.head},
    )
    verdicts = [(Verdict(row["verdict"]), str(row["reviewer"])) for row in made]
    return Standing(
        state=head.state,
        author=revision.author,
        author_kind=revision.author_kind,
        approvers=tuple(name for verdict, name in verdicts if verdict is Verdict.APPROVE),
        dissenters=tuple(name for verdict, name in verdicts if verdict is not Verdict.APPROVE),
        has_evidence=head.support + head.contradictions > 0,
        four_eyes=load_policy(conn, head.task).four_eyes,
    )


def refuse_moved_on(
    conn: sqlite3.Connection, head: RuleSummary, seen: str, seen_state: RevisionState, actor: Actor
) -> None:
    if head.head == seen and head.state is seen_state:
        return
    try:
        seen_revision = load_revision(conn, seen)
    except NotFound:
        raise NotFound(f"{head.id} has no revision {seen[:19]}. Nothing was recorded; open the rule again.") from None
    raise RevisionMovedOn(seen_revision, load_revision(conn, head.head), head.state, changed_by(conn, head, actor))


def refuse_other_evidence(conn: sqlite3.Connection, head: RuleSummary, seen: str, there: str, actor: Actor) -> None:
    """Raise `EvidenceMovedOn` unless the evidence set that was seen is the one that is there; both are hashes."""
    if seen != there:
        raise EvidenceMovedOn(load_revision(conn, head.head), head.state, changed_by(conn, head, actor))
