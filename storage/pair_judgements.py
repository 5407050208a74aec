"""What a teacher takes overlapping rules for. A word on a pair holds for the two revisions that it was given on."""

from __future__ import annotations

import json
import sqlite3

from pld_core.canonical import Json, canonical_json
from pld_core.conflicts.pairs import PairJudgement, PairVerdict
from pld_core.conflicts.rule_set import TrialRule
from pld_core.models import Actor
from pld_core.permissions import Step, guarded
from storage import rows
from storage.checks import NO_CHECK
from storage.connection import Database
from storage.rule_locks import locked_rules
from storage.rule_queries import LIVE, OVERLAPPING, effective_evidence, load_revision, load_summary
from storage.task_queries import load_task


class SqlitePairs:
    def __init__(self, database: Database) -> None:
        self._database = database

    def overlapping(self, task: str) -> tuple[TrialRule, ...]:
        """Return the newest revisions of the rules that overlap another, in the order of their numbers."""
        with self._database.read() as conn:
            load_task(conn, task)
            locked = locked_rules(conn, task)
            found = conn.execute(
                f"""SELECT v.* FROM rule JOIN revision AS v ON v.hash = rule.head
                    WHERE rule.task = ? AND rule.id {NO_CHECK} AND {OVERLAPPING}
                    ORDER BY rule.number""",  # noqa: S608 - constants
                (task,),
            ).fetchall()
            return tuple(
                TrialRule(
                    rows.revision_from(row), effective_evidence(conn, row["hash"]), locked=row["rule_id"] in locked
                )
                for row in found
            )

    @guarded(Step.JUDGE_PAIRS)
    def keep(self, judgement: PairJudgement, actor: Actor) -> None:
        """Store a word on a pair with its event; one of the same call on the same revisions stays alone."""
        key = (judgement.low, judgement.high, judgement.teacher, judgement.request_hash)
        with self._database.write() as write:
            there = "SELECT 1 FROM pair_judgement WHERE low = ? AND high = ? AND teacher = ? AND request_hash = ?"
            if write.conn.execute(there, key).fetchone() is not None:
                return
            low, high = (load_revision(write.conn, content).rule_id for content in (judgement.low, judgement.high))
            kept: dict[str, Json] = {
                "low": judgement.low,
                "high": judgement.high,
                "verdict": judgement.verdict.value,
                "reason": judgement.reason,
                "teacher": judgement.teacher,
                "request_hash": judgement.request_hash,
            }
            row = {name: str(value) for name, value in kept.items()}
            examples = canonical_json(list(judgement.examples))
            write.insert("pair_judgement", {**row, "examples": examples, "by": actor.name, "at": write.now})
            payload: dict[str, Json] = {
                **kept,
                "low": low,
                "high": high,
                "revisions": [judgement.low, judgement.high],
                "examples": list(judgement.examples),
            }
            write.event(actor, "pair.judged", load_summary(write.conn, low).task, payload)

    def judged(self, task: str) -> tuple[PairJudgement, ...]:
        """Return the newest word on each pair of newest revisions, the oldest word first."""
        with self._database.read() as conn:
            load_task(conn, task)
            found = conn.execute(
                f"""SELECT j.*, lo.id AS low_rule, hi.id AS high_rule FROM pair_judgement AS j
                    JOIN rule AS lo ON lo.head = j.low JOIN rule AS hi ON hi.head = j.high
                    WHERE lo.task = ? AND lo.state {LIVE} AND hi.state {LIVE}
                        AND j.id IN (SELECT max(id) FROM pair_judgement GROUP BY low, high)
                    ORDER BY j.id""",  # noqa: S608 - a constant
                (task,),
            )
            return tuple(_judgement_from(row) for row in found)

    def judged_earlier(self, task: str) -> frozenset[tuple[str, str]]:
        """Return the ids of the rules, the lower number first, of each word on a revision that is not the newest."""
        with self._database.read() as conn:
            load_task(conn, task)
            found = conn.execute(
                """SELECT DISTINCT lo.id AS low, hi.id AS high FROM pair_judgement AS j
                   JOIN revision AS one ON one.hash = j.low JOIN rule AS lo ON lo.id = one.rule_id
                   JOIN revision AS two ON two.hash = j.high JOIN rule AS hi ON hi.id = two.rule_id
                   WHERE lo.task = ? AND (lo.head <> j.low OR hi.head <> j.high)""",
                (task,),
            )
            return frozenset((str(row["low"]), str(row["high"])) for row in found)


def _judgement_from(row: sqlite3.Row) -> PairJudgement:
    return PairJudgement(
        row["low"],
        row["high"],
        (row["low_rule"], row["high_rule"]),
        PairVerdict(row["verdict"]),
        row["reason"],
        tuple(json.loads(row["examples"])),
        row["teacher"],
        row["request_hash"],
    )
