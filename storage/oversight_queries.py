"""What the figures on the oversight are made of: lengths and times, without the texts themselves."""

from __future__ import annotations

import sqlite3

from pld_core.models import AuthorKind, RejectCategory, Verdict
from pld_core.oversight import DecisionFacts, OversightFacts, RuleFacts, seconds_between
from storage.attention import attention_from
from storage.checks import NO_CLOSED_CHECK
from storage.connection import Database
from storage.task_queries import load_task

_DECISIONS = f"""SELECT d.revision_hash, d.evidence_hash, d.verdict, d.category, d.reviewer, d.opened_at, d.decided_at,
        v.author_kind, a.*, EXISTS (SELECT 1 FROM withdrawal AS w WHERE w.decision_id = d.id) AS withdrawn,
        length(v.title) + length(v.condition) + length(v.rationale)
            + coalesce((SELECT sum(length(l.value)) FROM json_each(v.labels) AS l), 0)
            + coalesce((SELECT sum(length(x.value)) FROM json_each(v.exceptions) AS x), 0) AS characters,
        coalesce((SELECT max(e.number) FROM evidence_version AS e
            WHERE e.revision_hash = d.revision_hash AND e.at < d.decided_at), 1) AS version
    FROM rule AS r JOIN decision AS d ON d.rule_id = r.id JOIN revision AS v ON v.hash = d.revision_hash
    LEFT JOIN decision_attention AS a ON a.decision_id = d.id
    WHERE r.task = ? AND r.id {NO_CLOSED_CHECK} ORDER BY d.id"""  # noqa: S608 - constants
"""Each decision with the length of its rule and with the version of the evidence that counted just before it."""
_LENGTH = """SELECT coalesce(sum(length(x.text)), 0) FROM example AS x WHERE x.task = ? AND x.hash IN (
    SELECT e.example_hash FROM evidence AS e WHERE e.revision_hash = ? AND e.version = ?)"""
"""The length of one version of the evidence: asked for each, as a join over all would sort them by their long keys."""
_RULES = f"""SELECT EXISTS (SELECT 1 FROM revision AS v
            WHERE v.rule_id = r.id AND v.author_kind = ? AND v.parent <> '') AS edited,
        EXISTS (SELECT 1 FROM decision AS d WHERE d.rule_id = r.id) AS decided
    FROM rule AS r WHERE r.task = ? AND r.id {NO_CLOSED_CHECK} ORDER BY r.number"""  # noqa: S608 - constants
_OPINIONS = f"""SELECT count(*) AS asked, coalesce(sum(EXISTS (SELECT 1 FROM decision AS d
            WHERE d.revision_hash = o.revision_hash AND d.reviewer <> o.by AND d.decided_at > o.at)), 0) AS answered
    FROM second_opinion AS o JOIN revision AS v ON v.hash = o.revision_hash JOIN rule AS r ON r.id = v.rule_id
    WHERE r.task = ? AND r.id {NO_CLOSED_CHECK}"""  # noqa: S608 - constants


class SqliteOversight:
    def __init__(self, database: Database) -> None:
        self._database = database

    def facts(self, task: str) -> OversightFacts:
        with self._database.read() as conn:
            load_task(conn, task)
            return load_facts(conn, task)


def load_facts(conn: sqlite3.Connection, task: str) -> OversightFacts:
    """Return what the figures of a task are made of, as one transaction sees it."""
    lengths: dict[tuple[str, int], int] = {}

    def length(revision_hash: str, version: int) -> int:
        key = revision_hash, version
        if key not in lengths:
            lengths[key] = int(conn.execute(_LENGTH, (task, *key)).fetchone()[0])
        return lengths[key]

    opinions = conn.execute(_OPINIONS, (task,)).fetchone()
    return OversightFacts(
        decisions=tuple(
            _decision(row, length(row["revision_hash"], row["version"])) for row in conn.execute(_DECISIONS, (task,))
        ),
        rules=tuple(
            RuleFacts(bool(row["edited"]), bool(row["decided"]))
            for row in conn.execute(_RULES, (AuthorKind.PERSON.value, task))
        ),
        asked=opinions["asked"],
        answered=opinions["answered"],
    )


def _decision(row: sqlite3.Row, evidence_length: int) -> DecisionFacts:
    return DecisionFacts(
        revision_hash=row["revision_hash"],
        evidence_hash=row["evidence_hash"],
        author_kind=AuthorKind(row["author_kind"]),
        verdict=Verdict(row["verdict"]),
        category=RejectCategory(row["category"]) if row["category"] else None,
        reviewer=row["reviewer"],
        seconds=seconds_between(row["opened_at"], row["decided_at"]),
        text_length=row["characters"] + evidence_length,
        attention=attention_from(row),
        withdrawn=bool(row["withdrawn"]),
    )
