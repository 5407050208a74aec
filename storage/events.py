"""Reading and verifying the audit chain."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping

from pld_core.audit import verify_chain
from pld_core.blind import Veil, veiled_event
from pld_core.canonical import Json, canonical_json
from pld_core.event_words import SHEET_IMPORTED
from pld_core.models import ANYBODY, Actor, Event
from pld_core.permissions import Step, guarded
from pld_core.records import EVERY_EVENT, ChainReport, EventFilter, Page
from storage import rows
from storage.connection import Database
from storage.kept_record import changed_values
from storage.migrations import missing_guards
from storage.veils import veils

NOTHING_KEPT: Mapping[str, Veil] = {}


class SqliteEvents:
    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self, where: EventFilter = EVERY_EVENT, page: Page | None = None, actor: Actor = ANYBODY
    ) -> tuple[Event, ...]:
        """Return events, newest first; of what is kept from the actor only that there is something."""
        limit = (page.limit, page.offset) if page else (-1, 0)
        with self._database.read() as conn:
            kept = veils(conn, actor)
            clause, values = event_clause(where, kept)
            sql = f"SELECT * FROM event WHERE {clause} ORDER BY seq DESC LIMIT ? OFFSET ?"  # noqa: S608 - literals
            found = (event_of(row) for row in conn.execute(sql, (*values, *limit)))
            return tuple(veiled_event(event, kept) for event in found)

    def count(self, where: EventFilter = EVERY_EVENT, actor: Actor = ANYBODY) -> int:
        with self._database.read() as conn:
            clause, values = event_clause(where, veils(conn, actor))
            return int(conn.execute(f"SELECT count(*) FROM event WHERE {clause}", values).fetchone()[0])  # noqa: S608

    def kinds(self) -> tuple[str, ...]:
        with self._database.read() as conn:
            return tuple(str(row[0]) for row in conn.execute("SELECT DISTINCT kind FROM event ORDER BY kind"))

    def actors(self) -> tuple[str, ...]:
        with self._database.read() as conn:
            return tuple(str(row[0]) for row in conn.execute("SELECT DISTINCT actor FROM event ORDER BY actor"))

    @guarded(Step.CHANGE_SETTINGS)
    def record_with(
        self, kind: str, actor: Actor, change: Callable[[], Mapping[str, dict[str, Json]]], undo: Callable[[], None]
    ) -> None:
        """Make a change outside the database and record it: both happen, or neither.

        Args:
            kind: of the events.
            actor: who made the change.
            change: makes it, and returns the payload of each event by its subject. No other writer of this workspace
                is at work meanwhile.
            undo: takes the change back; called if it was made but the events could not be recorded.
        """
        made, sealed = False, ""
        try:
            with self._database.write() as write:
                payloads = change()
                made = True
                for subject, payload in payloads.items():
                    write.event(actor, kind, subject, payload)
                last = write.conn.execute("SELECT hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
                sealed = str(last["hash"]) if payloads else ""
        except BaseException:
            # The note beside the database may have failed after the events were saved; then the change stays too.
            if made and not self._holds(sealed):
                undo()
            raise

    def _holds(self, sealed: str) -> bool:
        with self._database.read() as conn:
            return conn.execute("SELECT 1 FROM event WHERE hash = ?", (sealed,)).fetchone() is not None

    def verify(self) -> ChainReport:
        """Check the whole chain, the head noted beside the database, the guards, and the kept values of data sets."""
        # The note is read first: events committed while the chain is read are not a cut tail.
        head = self._database.noted_head()
        with self._database.read() as conn:
            report = verify_chain(each_event(conn), head)
            guards = missing_guards(conn)
            changed = tuple(changed_values(conn, each_event(conn, EventFilter(kind="dataset.imported"))))
        problems = (*(f"The append-only guard {name} is missing or was changed." for name in guards), *changed)
        return ChainReport(report.events, report.problems + problems, report.first_broken, report.head)


def each_event(
    conn: sqlite3.Connection, where: EventFilter = EVERY_EVENT, kept: Mapping[str, Veil] = NOTHING_KEPT
) -> Iterator[Event]:
    """Yield the events as they are seen behind the veils of rules, oldest first, one in memory at a time."""
    # Bytes that are no text would end the reading; so they end as a changed event that has a number.
    conn.text_factory = lambda raw: raw.decode("utf-8", "backslashreplace")
    clause, values = event_clause(where, kept)
    for row in conn.execute(f"SELECT * FROM event WHERE {clause} ORDER BY seq", values):  # noqa: S608 - literals
        event = event_of(row)
        yield veiled_event(event, kept)


def event_of(row: sqlite3.Row) -> Event:
    """Read an event even if somebody damaged its payload: verification then names it."""
    try:
        payload = json.loads(row["payload"])
        # What canonical JSON refuses (NaN, half a surrogate pair) was never written by us.
        canonical_json(payload).encode()
    except (ValueError, RecursionError):
        payload = None
    if isinstance(payload, dict):
        return rows.event_from(row)
    damaged: dict[str, Json] = {"damaged": str(row["payload"])}
    return Event(row["seq"], row["at"], row["actor"], row["kind"], row["subject"], damaged, row["prev"], row["hash"])


def event_clause(where: EventFilter, kept: Mapping[str, Veil]) -> tuple[str, tuple[str, ...]]:
    """Return a condition on `event` with its values.

    What is kept back matches no filter on anything but its rule, or a filter would tell of its content.
    """
    clauses, values = ["1 = 1"], []
    if where.actor:
        clauses.append("actor = ?")
        values.append(where.actor)
    if where.kind:
        clauses.append("kind = ?")
        values.append(where.kind)
    if where.rule:
        clauses.append("subject = ?")
        values.append(where.rule.upper())
    if where.since:
        clauses.append("at >= ?")
        values.append(where.since)
    if where.until:
        clauses.append("at < ?")
        values.append(where.until)
    if where.search:
        clauses.append("(subject LIKE ? ESCAPE '\\' OR payload LIKE ? ESCAPE '\\')")
        # The payload is JSON, in which quotes and line breaks of a text are written with a backslash.
        values += [rows.like(where.search), rows.like(canonical_json(where.search)[1:-1])]
    if kept and where != EventFilter(rule=where.rule):
        clauses.append(
            """NOT ((subject, actor) IN (SELECT key, json_extract(value, '$[0]') FROM json_each(?))
                AND at > (SELECT json_extract(value, '$[1]') FROM json_each(?) WHERE key = subject))"""
        )
        # Whoever decides on a sheet has one event more, which names all its rules.
        clauses.append(
            f"""NOT (kind = '{SHEET_IMPORTED}' AND EXISTS (SELECT 1 FROM json_each(?) AS veil
                WHERE actor = json_extract(veil.value, '$[0]') AND at > json_extract(veil.value, '$[1]')
                AND instr(payload, '"rule":"' || veil.key || '"')))"""  # noqa: S608 - a constant
        )
        values += [canonical_json({veil.rule_id: [veil.decider, veil.since] for veil in kept.values()})] * 3
    return " AND ".join(clauses), tuple(values)
