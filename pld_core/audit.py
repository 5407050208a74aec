"""The audit chain: each event carries the hash of the one before it, so any change breaks every later link."""

from __future__ import annotations

from collections.abc import Iterable

from pld_core.canonical import Json, hash_json
from pld_core.models import Event
from pld_core.records import ChainReport

GENESIS = "sha256:" + "0" * 64
"""The previous hash of event 1."""


def seal(seq: int, at: str, actor: str, kind: str, subject: str, payload: dict[str, Json], prev: str) -> Event:
    """Return the event with its hash over everything else in it."""
    return Event(seq, at, actor, kind, subject, payload, prev, event_hash(seq, at, actor, kind, subject, payload, prev))


def event_hash(seq: int, at: str, actor: str, kind: str, subject: str, payload: dict[str, Json], prev: str) -> str:
    """Return sha256 over the canonical JSON of the event without its hash."""
    return hash_json(
        {"seq": seq, "at": at, "actor": actor, "kind": kind, "subject": subject, "payload": payload, "prev": prev}
    )


def verify_chain(events: Iterable[Event], head: tuple[int, str] | None) -> ChainReport:
    """Check every link, and that the log reaches at least as far as the head that was noted beside the database.

    Args:
        events: in order of sequence number.
        head: (sequence number, hash) last noted outside the database, or None if that file is missing.

    The first problem names the first broken event. A head that lags behind the log is fine: a process may have been
    stopped between its commit and the note.
    """
    problems: list[str] = []
    first_broken: int | None = None
    expected_seq, prev, count = 1, GENESIS, 0
    noted_hash_matches = head is None or head[0] == 0

    def broken(seq: int, text: str) -> None:
        nonlocal first_broken
        problems.append(text)
        if first_broken is None:
            first_broken = seq

    for event in events:
        count += 1
        if event.seq != expected_seq:
            broken(expected_seq, f"Event {expected_seq} is missing: event {event.seq} stands in its place.")
        elif event.prev != prev:
            broken(event.seq, f"Event {event.seq} does not continue event {event.seq - 1}: its previous hash differs.")
        if _recomputed(event) != event.hash:
            broken(event.seq, f"Event {event.seq} ({event.kind}) was changed: its content does not give its hash.")
        if head is not None and event.seq == head[0]:
            noted_hash_matches = event.hash == head[1]
            if not noted_hash_matches:
                broken(event.seq, f"Event {event.seq} is not the one whose hash was noted beside the database.")
        expected_seq, prev = event.seq + 1, event.hash
    last = expected_seq - 1
    if head is None and count:
        problems.append("The head file beside the database is missing, so a cut tail could not be ruled out.")
    if head is not None and head[0] > last:
        broken(
            last + 1,
            f"Event {last + 1} is missing: the log was cut, {head[0]} events had been noted, {last} are there.",
        )
    return ChainReport(count, tuple(problems), first_broken, prev if count else "")


def _recomputed(event: Event) -> str:
    return event_hash(event.seq, event.at, event.actor, event.kind, event.subject, event.payload, event.prev)
