"""The queue as a reviewer sees it: tabs, leases, assignments, tags, second opinions, withdrawals."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

from pld_core.checks import Ending
from pld_core.desk import (
    LEASE_S,
    DeskFilter,
    Lease,
    QueueRow,
    SecondOpinion,
)
from pld_core.errors import InvalidInput, MissingReason
from pld_core.models import (
    ANYBODY,
    Actor,
    Decision,
    Judgement,
    RejectCategory,
    RevisionState,
    Verdict,
    evidence_set_hash,
)
from pld_core.permissions import Step, guarded, permits, require
from pld_core.records import Page
from pld_core.review import AWAITING_DECISION, Action, next_state
from storage import rows
from storage.check_writes import ClosedInstead, close_instead
from storage.connection import Database
from storage.desk_comments import OPEN_THREADS
from storage.desk_filters import SECOND_ASKED, desk_clause, neighbour_ids, position
from storage.desk_order import order_key
from storage.desk_people import known_people
from storage.desk_veils import opinions_on, veiled_row
from storage.finding_queries import OPEN_FINDINGS
from storage.overlap_writes import settle_overlaps
from storage.rule_queries import effective_evidence, load_standing, load_summary, refuse_moved_on
from storage.rule_writes import move, update_rule
from storage.rules import SqliteRules
from storage.signatures import sign
from storage.task_queries import load_task
from storage.veils import veil_of, veils, without_kept_tag

_TAG = re.compile(r"[\w .&/+-]{1,40}")
_AWAITING = {state.value for state in AWAITING_DECISION}
_EXTRAS = f"""({OPEN_THREADS}) AS open_comments,
    (SELECT l.holder FROM lease AS l WHERE l.rule_id = rule.id AND l.holder <> ? AND l.until > ?) AS opened_by,
    (SELECT json_group_array(t.tag) FROM rule_tag AS t WHERE t.rule_id = rule.id) AS tags,
    {SECOND_ASKED} AS second_asked, ({OPEN_FINDINGS}) AS open_findings,
    EXISTS (SELECT 1 FROM (SELECT ? AS person) AS me WHERE
        EXISTS (SELECT 1 FROM draft AS d WHERE d.person = me.person AND d.rule_id = rule.id)
        OR EXISTS (SELECT 1 FROM begun_decision AS b WHERE b.person = me.person AND b.rule_id = rule.id)) AS drafted"""  # noqa: S608 - constants


class SqliteQueue:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._rules = SqliteRules(database)

    # --- reading ------------------------------------------------------------------------------------------------------

    def rows(self, task: str, where: DeskFilter, page: Page, actor: Actor) -> tuple[QueueRow, ...]:
        with self._database.read() as conn:
            load_task(conn, task)
            clause, values = _clause(conn, task, where, actor)
            key = order_key(conn, task, where.order).listed
            # The page first: what stands beside a rule is looked up for its rows only.
            sql = f"""WITH wanted AS MATERIALIZED (
                    SELECT number FROM rule WHERE {clause} ORDER BY {key} LIMIT ? OFFSET ?)
                SELECT rule.*, {_EXTRAS} FROM wanted JOIN rule ON rule.number = wanted.number ORDER BY {key}"""  # noqa: S608 - constants
            sent = (*values, page.limit, page.offset, actor.name, self._database.now(), actor.name)
            kept = veils(conn, actor)
            found = [_row(row) for row in conn.execute(sql, sent)]
            return tuple(veiled_row(conn, row, kept.get(row.summary.id)) for row in found)

    def count(self, task: str, where: DeskFilter, actor: Actor) -> int:
        with self._database.read() as conn:
            clause, values = _clause(conn, task, where, actor)
            sql = f"SELECT count(*) FROM rule WHERE {clause}"  # noqa: S608 - constants
            return int(conn.execute(sql, values).fetchone()[0])

    def row(self, rule_id: str, actor: Actor) -> QueueRow:
        with self._database.read() as conn:
            rule = load_summary(conn, rule_id)
            sql = f"SELECT rule.*, {_EXTRAS} FROM rule WHERE id = ?"  # noqa: S608 - constants
            row = _row(conn.execute(sql, (actor.name, self._database.now(), actor.name, rule.id)).fetchone())
            return veiled_row(conn, row, veil_of(conn, actor, rule.id))

    def neighbours(self, rule_id: str, where: DeskFilter, actor: Actor) -> tuple[str | None, str | None]:
        """Return the ids before and after the rule in the queue's order; what others have open is passed over."""
        with self._database.read() as conn:
            rule = load_summary(conn, rule_id)
            clause, values = _clause(conn, rule.task, where, actor)
            key = order_key(conn, rule.task, where.order)
            return neighbour_ids(conn, rule.id, clause, values, key, actor.name, self._database.now())

    def position(self, rule_id: str, where: DeskFilter, actor: Actor) -> int | None:
        """Return how many rules stand before this one in the queue; None if it is not in it."""
        with self._database.read() as conn:
            rule = load_summary(conn, rule_id)
            clause, values = desk_clause(rule.task, where, actor)
            return position(conn, rule.id, clause, values, order_key(conn, rule.task, where.order))

    def tags(self, task: str) -> tuple[str, ...]:
        with self._database.read() as conn:
            found = conn.execute(
                """SELECT DISTINCT t.tag FROM rule_tag AS t JOIN rule AS r ON r.id = t.rule_id WHERE r.task = ?
                   ORDER BY t.tag""",
                (task,),
            )
            return tuple(str(row[0]) for row in found)

    def people(self) -> tuple[str, ...]:
        with self._database.read() as conn:
            return known_people(conn)

    # --- leases -------------------------------------------------------------------------------------------------------

    def open(self, rule_id: str, actor: Actor) -> Lease:
        """Take the rule's lease or renew one's own; return whoever holds it now."""
        now = self._database.now()
        with self._database.read() as conn:
            rule = load_summary(conn, rule_id)
            there = _lease(conn, rule.id)
        # A lease is renewed when half of it is over, so that most looks at a page write nothing.
        if there is not None and there.until > _later(now, LEASE_S / 2 if there.holder == actor.name else 0):
            return there
        if not permits(actor, Step.JUDGE):
            # Whoever only reads keeps nobody waiting.
            return Lease(actor.name, now, now)
        with self._database.write() as write:
            there = _lease(write.conn, rule.id)
            if there is not None and there.until <= write.now:
                there = None
            if there is not None and there.holder != actor.name:
                return there
            since = write.now if there is None else there.since
            write.conn.execute(
                """INSERT INTO lease (rule_id, holder, since, until) VALUES (?, ?, ?, ?)
                   ON CONFLICT (rule_id) DO UPDATE SET holder = excluded.holder, since = excluded.since,
                       until = excluded.until""",
                (rule.id, actor.name, since, _later(write.now, LEASE_S)),
            )
            return Lease(actor.name, since, _later(write.now, LEASE_S))

    # --- assigning and tagging ----------------------------------------------------------------------------------------

    @guarded(Step.ASSIGN)
    def assign(self, rule_ids: Sequence[str], person: str, actor: Actor) -> None:
        """Give rules to a person; an empty name takes them back. A reviewer may do so for himself only."""
        name = " ".join(person.split())
        own = name in ("", actor.name)
        if not own:
            require(actor, Step.ASSIGN_OTHERS)
        with self._database.write() as write:
            people = known_people(write.conn)
            if not own and name not in people:
                raise InvalidInput(
                    f"Nobody called {name!r} is known in this workspace. Nothing was assigned. There are: "
                    f"{', '.join(people)}."
                )
            for rule in [load_summary(write.conn, rule_id) for rule_id in dict.fromkeys(rule_ids)]:
                held = str(write.conn.execute("SELECT assignee FROM rule WHERE id = ?", (rule.id,)).fetchone()[0])
                if own and held not in ("", actor.name):
                    # Taking a rule from somebody is a lead's, as giving it to somebody is.
                    require(actor, Step.ASSIGN_OTHERS)
                if held != name:
                    write.conn.execute("UPDATE rule SET assignee = ? WHERE id = ?", (name, rule.id))
                    write.event(actor, "rule.assigned", rule.id, {"to": name, "from": held})

    @guarded(Step.TAG)
    def tag(self, rule_ids: Sequence[str], tag: str, actor: Actor) -> tuple[str, ...]:
        """Tag rules; return the ids that did not have the tag before."""
        name = clean_tag(tag)
        tagged = []
        with self._database.write() as write:
            for rule in [load_summary(write.conn, rule_id) for rule_id in dict.fromkeys(rule_ids)]:
                done = write.conn.execute(
                    "INSERT OR IGNORE INTO rule_tag (rule_id, tag) VALUES (?, ?)", (rule.id, name)
                )
                if done.rowcount:
                    tagged.append(rule.id)
                    write.event(actor, "rule.tagged", rule.id, {"tag": name})
        return tuple(tagged)

    @guarded(Step.TAG)
    def untag(self, rule_ids: Sequence[str], tag: str, actor: Actor) -> None:
        name = clean_tag(tag)
        with self._database.write() as write:
            for rule in [load_summary(write.conn, rule_id) for rule_id in dict.fromkeys(rule_ids)]:
                done = write.conn.execute("DELETE FROM rule_tag WHERE rule_id = ? AND tag = ?", (rule.id, name))
                if done.rowcount:
                    write.event(actor, "rule.untagged", rule.id, {"tag": name})

    # --- second opinions, duplicates, withdrawals ---------------------------------------------------------------------

    @guarded(Step.ASK_OPINION)
    def ask_second_opinion(self, rule_id: str, seen_revision: str, note: str, actor: Actor) -> None:
        """Ask for another person's look at the revision that was on the screen.

        Raises:
            MissingReason: no note on what to look at.
            InvalidInput: the revision waits for no decision.
        """
        said = " ".join(note.split())
        if not said:
            raise MissingReason("A second opinion needs a note on what to look at. Nothing was recorded.")
        with self._database.write() as write:
            head = load_summary(write.conn, rule_id)
            refuse_moved_on(write.conn, head, seen_revision, head.state, actor)
            if head.state.value not in _AWAITING:
                raise InvalidInput(f"{head.id} is {head.state.label}: it waits for no decision. Nothing was recorded.")
            write.insert(
                "second_opinion", {"revision_hash": head.head, "note": said, "by": actor.name, "at": write.now}
            )
            write.event(actor, "rule.second_opinion_asked", head.id, {"revision": head.head, "note": said})

    def second_opinions(self, rule_id: str, actor: Actor = ANYBODY) -> tuple[SecondOpinion, ...]:
        """Return the requests on the newest revision that the actor may see now, oldest first."""
        with self._database.read() as conn:
            return opinions_on(conn, load_summary(conn, rule_id).head, veil_of(conn, actor, rule_id))

    @guarded(Step.JUDGE)
    def reject_duplicates(self, judgements: Sequence[Judgement], of: str, actor: Actor) -> tuple[Decision, ...]:
        """Reject rules that say the same as the rule `of`: a decision each, all or none.

        Raises:
            KnownBad: `of` was an open seeded check, which is closed by this; nothing is rejected because of it.
        """
        with self._database.write() as write:
            kept = load_summary(write.conn, of)
            for judgement in judgements:
                if judgement.verdict is not Verdict.REJECT or judgement.category is not RejectCategory.DUPLICATE:
                    raise InvalidInput("Only rejections as a duplicate are made together. Nothing was recorded.")
                rule = load_summary(write.conn, judgement.rule_id)
                if rule.id == kept.id:
                    raise InvalidInput(f"{kept.id} cannot be a duplicate of itself. Nothing was recorded.")
                if rule.task != kept.task:
                    raise InvalidInput(f"{rule.id} and {kept.id} are of different tasks. Nothing was recorded.")
            if kept.state in (RevisionState.REJECTED, RevisionState.RETIRED):
                raise InvalidInput(
                    f"{kept.id} is {kept.state.label}, so nothing would be left. Nothing was recorded; "
                    "choose a live rule."
                )

            def reject() -> tuple[Decision, ...]:
                return tuple(self._rules.judge(judgement, actor, write) for judgement in judgements)

            made = close_instead(write, reject, (kept.id,), Ending.KEPT, actor)
        return made.refuse("Nothing was rejected.") if isinstance(made, ClosedInstead) else made

    @guarded(Step.WITHDRAW)
    def withdraw(self, rule_id: str, seen_revision: str, seen_state: RevisionState, reason: str, actor: Actor) -> int:
        """Take back one's own last decision on the newest revision; return its number. The decision stays on record."""
        said = " ".join(reason.split())
        if not said:
            raise MissingReason("Withdrawing a decision needs a reason. Nothing was changed; add one and try again.")
        with self._database.write() as write:
            head = load_summary(write.conn, rule_id)
            refuse_moved_on(write.conn, head, seen_revision, seen_state, actor)
            state = next_state(load_standing(write.conn, head), Action.WITHDRAW, actor)
            signature = sign(write, head, Action.WITHDRAW, actor)
            decision = int(
                write.conn.execute(
                    "SELECT max(id) FROM decision WHERE revision_hash = ? AND reviewer = ?", (head.head, actor.name)
                ).fetchone()[0]
            )
            write.insert("withdrawal", {"decision_id": decision, "reason": said, "by": actor.name, "at": write.now})
            move(write, head.head, state, Action.WITHDRAW.value, actor.name, said)
            changed: dict[str, int | str] = {"state": state.value}
            if head.in_force == head.head:
                changed["in_force"] = ""
            update_rule(write, head.id, changed, actor.name)
            write.event(
                actor,
                "rule.decision_withdrawn",
                head.id,
                {
                    "decision": decision,
                    "revision": head.head,
                    "evidence": evidence_set_hash(effective_evidence(write.conn, head.head)),
                    "from": head.state.value,
                    "to": state.value,
                    "reason": said,
                    **signature,
                },
            )
            settle_overlaps(write, head.id, actor)
            return decision

    def withdrawn(self, rule_id: str) -> dict[int, tuple[str, str, str]]:
        """Return (by, at, reason) of each withdrawn decision of a rule, by the decision's number."""
        with self._database.read() as conn:
            found = conn.execute(
                """SELECT w.* FROM withdrawal AS w JOIN decision AS d ON d.id = w.decision_id WHERE d.rule_id = ?""",
                (rule_id.upper(),),
            )
            return {row["decision_id"]: (row["by"], row["at"], row["reason"]) for row in found}


def clean_tag(tag: str) -> str:
    """Return a tag in lower case with white space folded.

    Raises:
        InvalidInput: it is empty, longer than 40 characters, or holds other signs than these: letters, digits, spaces,
            _ . & / + -
    """
    name = " ".join(tag.split()).casefold()
    if not _TAG.fullmatch(name):
        raise InvalidInput(
            "A tag is 1 to 40 letters, digits, spaces or _ . & / + - in a row. Nothing was tagged; choose another."
        )
    return name


def _clause(conn: sqlite3.Connection, task: str, where: DeskFilter, actor: Actor) -> tuple[str, tuple[str, ...]]:
    """Return the condition on `rule` and its values; a tag that the actor does not see finds nothing."""
    clause, values = desk_clause(task, where, actor)
    if not where.tag:
        return clause, values
    more, kept = without_kept_tag(conn, actor, where.tag)
    return f"{clause} AND {more}", (*values, *kept)


def _lease(conn: sqlite3.Connection, rule_id: str) -> Lease | None:
    row = conn.execute("SELECT * FROM lease WHERE rule_id = ?", (rule_id,)).fetchone()
    return None if row is None else Lease(row["holder"], row["since"], row["until"])


def _later(now: str, seconds: float) -> str:
    later = datetime.fromisoformat(now) + timedelta(seconds=seconds)
    return later.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _row(row: sqlite3.Row) -> QueueRow:
    return QueueRow(
        summary=rows.summary_from(row),
        assignee=row["assignee"],
        tags=tuple(json.loads(row["tags"])),
        open_comments=row["open_comments"],
        opened_by=row["opened_by"] or "",
        second_opinion=bool(row["second_asked"]) and row["state"] in _AWAITING,
        open_findings=row["open_findings"],
        has_draft=bool(row["drafted"]),
    )
