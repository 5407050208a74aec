"""The audit chain names the first event that was touched."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.audit import GENESIS, seal, verify_chain
from pld_core.canonical import Json
from pld_core.models import Event

N = 6


def chain(n: int = N) -> list[Event]:
    events: list[Event] = []
    for seq in range(1, n + 1):
        payload: dict[str, Json] = {"n": seq, "text": "é"}
        prev = events[-1].hash if events else GENESIS
        events.append(seal(seq, f"2026-01-02T03:04:{seq:02}Z", "anna", "rule.approved", f"R{seq}", payload, prev))
    return events


def head(events: list[Event]) -> tuple[int, str]:
    return events[-1].seq, events[-1].hash


@pytest.mark.parametrize("n", [1, 2, 30])
def test_an_untouched_chain_is_intact_and_reports_its_end(n: int) -> None:
    events = chain(n)
    report = verify_chain(events, head(events))
    assert report.intact
    assert (report.events, report.first_broken, report.head) == (n, None, events[-1].hash)


def test_an_empty_log_is_intact_without_a_note() -> None:
    report = verify_chain([], None)
    assert (report.intact, report.events, report.head) == (True, 0, "")


def test_a_note_that_lags_behind_the_log_is_fine() -> None:
    events = chain()
    assert verify_chain(events, head(events[:3])).intact


@given(
    at=st.integers(0, N - 1),
    change=st.sampled_from(
        [
            {"at": "2026-01-02T03:04:59Z"},
            {"actor": "bert"},
            {"kind": "rule.rejected"},
            {"subject": "R99"},
            {"payload": {"n": 0, "text": "é"}},
            {"payload": {}},
            {"hash": "sha256:" + "1" * 64},
            {"prev": "sha256:" + "2" * 64},
        ]
    ),
)
def test_a_changed_field_breaks_the_chain_at_its_event(at: int, change: dict[str, object]) -> None:
    events = chain()
    noted = head(events)
    events[at] = replace(events[at], **change)  # type: ignore[arg-type]
    report = verify_chain(events, noted)
    assert not report.intact
    assert report.first_broken == at + 1
    assert f"Event {at + 1} " in report.problems[0]


@given(at=st.integers(0, N - 2))
def test_a_field_changed_with_a_fresh_hash_still_breaks_the_next_link(at: int) -> None:
    events = chain()
    noted, old = head(events), events[at]
    events[at] = seal(old.seq, old.at, "mallory", old.kind, old.subject, old.payload, old.prev)
    report = verify_chain(events, noted)
    assert report.first_broken == at + 2
    assert "does not continue" in report.problems[0]


def test_the_last_event_rewritten_with_a_fresh_hash_is_told_by_the_note() -> None:
    events = chain()
    noted, old = head(events), events[-1]
    events[-1] = seal(old.seq, old.at, "mallory", old.kind, old.subject, old.payload, old.prev)
    report = verify_chain(events, noted)
    assert report.first_broken == N
    assert "noted beside the database" in report.problems[0]


@given(at=st.integers(0, N - 2))
def test_a_removed_event_is_missed_where_it_stood(at: int) -> None:
    events = chain()
    noted = head(events)
    del events[at]
    report = verify_chain(events, noted)
    assert report.first_broken == at + 1
    assert f"Event {at + 1} is missing" in report.problems[0]


@given(keep=st.integers(0, N - 1))
def test_a_cut_tail_is_told_by_the_note(keep: int) -> None:
    events = chain()
    report = verify_chain(events[:keep], head(events))
    assert report.first_broken == keep + 1
    assert "the log was cut" in report.problems[0]
    assert f"{N} events had been noted, {keep} are there" in report.problems[0]


def test_a_cut_tail_cannot_be_ruled_out_without_the_note() -> None:
    report = verify_chain(chain(3), None)
    assert not report.intact
    assert "head file beside the database is missing" in report.problems[0]


@given(st.permutations(range(N)).filter(lambda order: order != list(range(N))))
def test_reordered_events_break_at_the_first_one_out_of_place(order: list[int]) -> None:
    events = chain()
    report = verify_chain([events[i] for i in order], head(events))
    assert report.first_broken == next(place for place, i in enumerate(order) if place != i) + 1


@given(at=st.integers(0, N - 1))
def test_an_inserted_event_breaks_the_chain_where_it_was_put(at: int) -> None:
    events = chain()
    prev = events[at - 1].hash if at else GENESIS
    forged = seal(at + 1, "2026-01-02T03:04:00Z", "mallory", "rule.approved", "R1", {}, prev)
    shifted = [replace(event, seq=event.seq + 1) for event in events[at:]]
    report = verify_chain([*events[:at], forged, *shifted], head(events))
    # A forged event that continues its forerunner is told by the next one, and in the last noted place by the note.
    assert report.first_broken == min(at + 2, N)
