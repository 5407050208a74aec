"""What the figures on the oversight are made of: lengths and times, without the texts themselves."""

from __future__ import annotations

import sqlite3

from pld_core.models import AuthorKind
from pld_core.oversight import DecisionFacts, OversightFacts, RuleFacts, rule_length, seconds_between
from storage import rows
from storage.attention import attention_from
from storage.connection import Database
from storage.task_queries import load_task

_DECISIONS = """SELECT d.*, v.*, a.*, w.id AS withdrawal,
        coalesce((SELECT max(e.number) FROM evidence_version AS e
            WHERE e.revision_hash = d.revision_hash AND e.at < d.decided_at), 1) AS version
    FROM rule AS r JOIN decision AS d ON d.rule_id = r.id JOIN revision AS v ON v.hash = d.revision_hash
    LEFT JOIN decision_attention AS a ON a.decision_id = d.id LEFT JOIN withdrawal AS w ON w.decision_id = d.id
    WHERE r.task = ? ORDER BY d.id"""
"""Each decision with its revision and with the version of the evidence that counted just before it."""
_LENGTHS = """SELECT l.revision_hash, l.version, sum(length(x.text)) AS characters FROM (
        SELECT DISTINCT e.revision_hash, e.version, e.task, e.example_hash FROM evidence AS e
        WHERE e.revision_hash IN (
            SELECT d.revision_hash FROM rule AS r JOIN decision AS d ON d.rule_id = r.id WHERE r.task = ?)) AS l
    JOIN example AS x ON x.task = l.task AND x.hash = l.example_hash
    GROUP BY l.revision_hash, l.version"""
_RULES = """SELECT EXISTS (SELECT 1 FROM revision AS v
            WHERE v.rule_id = r.id AND v.author_kind = ? AND v.parent <> '') AS edited,
        EXISTS (SELECT 1 FROM decision AS d WHERE d.rule_id = r.id) AS decided
    FROM rule AS r WHERE r.task = ? ORDER BY r.number"""
_OPINIONS = """SELECT count(*) AS asked, coalesce(sum(EXISTS (SELECT 1 FROM decision AS d
            WHERE d.revision_hash = o.revision_hash AND d.reviewer <> o.by AND d.decided_at > o.at)), 0) AS answered
    FROM second_opinion AS o JOIN revision AS v ON v.hash = o.revision_hash JOIN rule AS r ON r.id = v.rule_id
    WHERE r.task = ?"""


class SqliteOversight:
    def __init__(self, database: Database) -> None:
        self._database = database

    def facts(self, task: str) -> OversightFacts:
        with self._database.read() as conn:
            load_task(conn, task)
            return load_facts(conn, task)


def load_facts(conn: sqlite3.Connection, task: str) -> OversightFacts:
    """Return what the figures of a task are made of, as one transaction sees it."""
    lengths = {(r["revision_hash"], r["version"]): int(r["characters"]) for r in conn.execute(_LENGTHS, (task,))}
    opinions = conn.execute(_OPINIONS, (task,)).fetchone()
    return OversightFacts(
        decisions=tuple(_decision(row, lengths) for row in conn.execute(_DECISIONS, (task,))),
        rules=tuple(
            RuleFacts(bool(row["edited"]), bool(row["decided"]))
            for row in conn.execute(_RULES, (AuthorKind.PERSON.value, task))
        ),
        asked=opinions["asked"],
        answered=opinions["answered"],
    )


def _decision(row: sqlite3.Row, lengths: dict[tuple[str, int], int]) -> DecisionFacts:
    decision, revision = rows.decision_from(row), rows.revision_from(row)
    return DecisionFacts(
        revision_hash=decision.revision_hash,
        evidence_hash=decision.evidence_hash,
        author_kind=revision.author_kind,
        verdict=decision.verdict,
        category=decision.category,
        reviewer=decision.reviewer,
        seconds=seconds_between(decision.opened_at, decision.decided_at),
        text_length=rule_length(revision.text) + lengths.get((decision.revision_hash, row["version"]), 0),
        attention=attention_from(row),
        withdrawn=row["withdrawal"] is not None,
    )
