"""Findings as they are read, and the condition on rules at which some wait."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from pld_core.errors import NotFound
from pld_core.finding import AnswerPlace, Finding, Mark, Marking, Outcome
from pld_core.models import EvidenceRole
from storage import rows

_REPLACED = """EXISTS (SELECT 1 FROM finding AS later WHERE later.by = f.by AND later.id > f.id AND (
    later.live_test_id = f.live_test_id OR (later.run_id = f.run_id AND later.example_hash = f.example_hash)))"""
_FINDING = f"SELECT f.*, {_REPLACED} AS replaced FROM finding AS f"  # noqa: S608 - a constant of this module
_WAITING = f"""finding_rule AS x JOIN finding AS f ON f.id = x.finding_id
    WHERE x.rule_id = rule.id AND f.mark = 'wrong' AND NOT {_REPLACED}
        AND NOT EXISTS (SELECT 1 FROM finding_outcome AS o WHERE o.finding_id = f.id AND o.rule_id = x.rule_id)"""  # noqa: S608 - as above
HAS_OPEN_FINDING = f"EXISTS (SELECT 1 FROM {_WAITING})"  # noqa: S608 - constants of this module
"""A condition on `rule`: a wrong answer waits there for a reviewer."""
OPEN_FINDINGS = f"SELECT count(*) FROM {_WAITING}"  # noqa: S608 - constants of this module


_COUNT_OPEN = f"""SELECT count(*) FROM finding AS f WHERE f.task = ? AND f.mark = 'wrong' AND NOT {_REPLACED} AND (
    NOT EXISTS (SELECT 1 FROM finding_outcome AS o WHERE o.finding_id = f.id)
    OR EXISTS (SELECT 1 FROM finding_rule AS x WHERE x.finding_id = f.id AND NOT EXISTS (
        SELECT 1 FROM finding_outcome AS o WHERE o.finding_id = f.id AND o.rule_id = x.rule_id)))"""  # noqa: S608 - as above


def count_open_findings(conn: sqlite3.Connection, task: str) -> int:
    """Return how many findings of a task are open, as `Finding.is_open` has it."""
    return int(conn.execute(_COUNT_OPEN, (task,)).fetchone()[0])


def load_finding(conn: sqlite3.Connection, number: int) -> Finding:
    """Return a finding.

    Raises:
        NotFound: there is none of that number.
    """
    found = _load(conn, conn.execute(f"{_FINDING} WHERE f.id = ?", (number,)).fetchall())
    if not found:
        raise NotFound(f"There is no finding {number}. `pld finding list` lists those there are.")
    return found[0]


def load_findings(conn: sqlite3.Connection, task: str) -> tuple[Finding, ...]:
    """Return the findings of a task, newest first."""
    return _load(conn, conn.execute(f"{_FINDING} WHERE f.task = ? ORDER BY f.id DESC", (task,)).fetchall())


def findings_of_rule(conn: sqlite3.Connection, rule_id: str) -> tuple[Finding, ...]:
    """Return the findings about a rule, newest first, replaced ones left out."""
    sql = f"""{_FINDING} JOIN finding_rule AS x ON x.finding_id = f.id
        WHERE x.rule_id = ? AND NOT {_REPLACED} ORDER BY f.id DESC"""
    return _load(conn, conn.execute(sql, (rule_id,)).fetchall())


def _load(conn: sqlite3.Connection, found: Sequence[sqlite3.Row]) -> tuple[Finding, ...]:
    return tuple(_finding(conn, row) for row in found)


def _finding(conn: sqlite3.Connection, row: sqlite3.Row) -> Finding:
    of = (row["id"],)
    rules = conn.execute("SELECT rule_id FROM finding_rule WHERE finding_id = ? ORDER BY rowid", of)
    outcomes = conn.execute("SELECT * FROM finding_outcome WHERE finding_id = ? ORDER BY rowid", of)
    marking = Marking(
        task=row["task"],
        place=AnswerPlace(row["live_test_id"] or 0, row["run_id"] or 0, row["example_hash"]),
        mark=Mark(row["mark"]),
        label=row["label"],
        note=row["note"],
    )
    return Finding(
        id=row["id"],
        marking=marking,
        fields=tuple((name, text) for name, text in json.loads(row["fields"])),
        prompt_sha256=row["prompt_sha256"],
        prompt_number=row["prompt_number"],
        student=row["student"],
        digest=row["digest"],
        answer=rows.answer_from(json.loads(row["answer"])),
        at=row["at"],
        by=row["by"],
        rules=tuple(str(one["rule_id"]) for one in rules),
        outcomes=tuple(_outcome(one) for one in outcomes),
        replaced=bool(row["replaced"]),
    )


def _outcome(row: sqlite3.Row) -> Outcome:
    role = EvidenceRole(row["role"]) if row["role"] else None
    return Outcome(row["rule_id"], role, row["reason"], row["example_hash"], row["at"], row["by"])
