"""Second looks at rejections: drawn with the rejection, settled by somebody else."""

from __future__ import annotations

import sqlite3

from pld_core.errors import NotFound
from pld_core.models import SYSTEM, Actor, Decision, Revision, RevisionState, RuleSummary
from pld_core.permissions import Step, guarded
from pld_core.second_look import LookOutcome, SecondLook, check_look, is_drawn
from storage import rows
from storage.connection import Database, Write
from storage.policies import load_policy
from storage.rule_queries import effective_evidence, load_revision, load_summary, refuse_moved_on
from storage.rule_writes import enter_revision
from storage.signatures import require_fresh

_LOOK = """SELECT d.*, l.at AS drawn_at, o.outcome, o.reason AS look_reason, o.by AS looked_by, o.at AS looked_at
    FROM second_look AS l JOIN decision AS d ON d.id = l.decision_id
    LEFT JOIN second_look_outcome AS o ON o.decision_id = l.decision_id"""


def draw_second_look(write: Write, head: RuleSummary, decision_id: int) -> None:
    """Draw the lot for a rejection that was just recorded, by the policy of its task."""
    percent = load_policy(write.conn, head.task).second_look
    if not is_drawn(decision_id, head.head, percent):
        return
    write.insert("second_look", {"decision_id": decision_id, "at": write.now})
    write.event(
        SYSTEM,
        "rule.second_look_drawn",
        head.id,
        {"decision": decision_id, "revision": head.head, "percent": percent},
    )


class SqliteSecondLooks:
    def __init__(self, database: Database) -> None:
        self._database = database

    def of_rule(self, rule_id: str) -> tuple[SecondLook, ...]:
        """Return the second looks at a rule's rejections, oldest first."""
        with self._database.read() as conn:
            found = conn.execute(f"{_LOOK} WHERE d.rule_id = ? ORDER BY d.id", (load_summary(conn, rule_id).id,))
            return tuple(_look(row) for row in found)

    @guarded(Step.SECOND_LOOK)
    def confirm(self, rule_id: str, seen_revision: str, reason: str, actor: Actor) -> SecondLook:
        """Record that the rejection of the revision that was on the screen stands."""
        with self._database.write() as write:
            head, look, said = _settle(write, rule_id, seen_revision, LookOutcome.CONFIRM, reason, actor)
            write.event(
                actor,
                "rule.rejection_confirmed",
                head.id,
                {
                    "decision": look.rejection.id,
                    "revision": head.head,
                    "reason": said,
                    "signed_as": actor.signed_as,
                },
            )
            return SecondLook(look.rejection, look.drawn_at, LookOutcome.CONFIRM, said, actor.name, write.now)

    @guarded(Step.SECOND_LOOK)
    def reopen(self, rule_id: str, seen_revision: str, reason: str, actor: Actor) -> Revision:
        """Bring the rejected text into review again, as a new revision of the same author, beside its evidence."""
        with self._database.write() as write:
            head, look, said = _settle(write, rule_id, seen_revision, LookOutcome.REOPEN, reason, actor)
            old = load_revision(write.conn, head.head)
            new = Revision(head.id, old.number + 1, old.text, old.author, old.author_kind, old.hash, said)
            enter_revision(write, head, new, effective_evidence(write.conn, head.head), actor)
            write.event(
                actor,
                "rule.reopened",
                head.id,
                {
                    "decision": look.rejection.id,
                    "revision": new.hash,
                    "parent": old.hash,
                    "number": new.number,
                    "reason": said,
                    "signed_as": actor.signed_as,
                },
            )
            return new


def _load_drawn(
    conn: sqlite3.Connection, rule_id: str, seen_revision: str, actor: Actor
) -> tuple[RuleSummary, SecondLook]:
    """Return the rule and the second look at its newest revision, which has to be the one that was on the screen."""
    head = load_summary(conn, rule_id)
    row = conn.execute(f"{_LOOK} WHERE d.revision_hash = ?", (seen_revision,)).fetchone()
    if row is None or row["rule_id"] != head.id:
        raise NotFound(
            f"No rejection of {head.id} was drawn for a second look. Nothing was recorded; `pld rules queue --tab "
            "second-look` shows those that were. An edit makes a new revision of any rule."
        )
    refuse_moved_on(conn, head, seen_revision, RevisionState.REJECTED, actor)
    return head, _look(row)


def _settle(
    write: Write, rule_id: str, seen_revision: str, outcome: LookOutcome, reason: str, actor: Actor
) -> tuple[RuleSummary, SecondLook, str]:
    """Record an answer; return the rule, the second look that was open, and the reason as it is kept."""
    head, look = _load_drawn(write.conn, rule_id, seen_revision, actor)
    require_fresh(write, head.task, actor)
    said = check_look(look, reason, actor)
    write.insert(
        "second_look_outcome",
        {
            "decision_id": look.rejection.id,
            "outcome": outcome.value,
            "reason": said,
            "by": actor.name,
            "at": write.now,
        },
    )
    return head, look, said


def _look(row: sqlite3.Row) -> SecondLook:
    rejection: Decision = rows.decision_from(row)
    if row["outcome"] is None:
        return SecondLook(rejection, row["drawn_at"])
    outcome = LookOutcome(row["outcome"])
    return SecondLook(rejection, row["drawn_at"], outcome, row["look_reason"], row["looked_by"], row["looked_at"])
