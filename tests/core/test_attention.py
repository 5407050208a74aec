"""Time at work and evidence on the screen: counted as they were noted, never more."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.attention import IDLE_S, Attention, Moment, Seen, Shown, active_seconds, attention_of, more_of

SHOWN = st.sampled_from(Shown)


def steps(*pairs: tuple[float, str]) -> list[Moment]:
    return [Moment(at, revision) for at, revision in pairs]


@pytest.mark.parametrize(
    ("moments", "wanted"),
    [
        ((), 0.0),
        (((0.0, "a"),), 0.0),
        (((0.0, "a"), (7.5, "a"), (20.0, "a")), 20.0),
        # A break counts as one idle gap.
        (((0.0, "a"), (3600.0, "a")), IDLE_S),
        # A gap belongs to what was on the screen while it lasted, wherever the next step led.
        (((0.0, "a"), (30.0, "b"), (50.0, "a"), (55.0, "")), 35.0),
        # Time on a page without a rule belongs to none.
        (((0.0, "a"), (10.0, ""), (40.0, "a"), (45.0, "a")), 15.0),
        # A clock that is set back takes nothing away.
        (((10.0, "a"), (5.0, "a"), (8.0, "a")), 3.0),
    ],
)
def test_time_counts_for_what_was_on_the_screen(moments: Sequence[tuple[float, str]], wanted: float) -> None:
    assert active_seconds(steps(*moments), "a") == wanted


@given(st.lists(st.tuples(st.floats(0, 500), st.sampled_from(["a", "b", ""])), max_size=30))
def test_the_times_of_all_revisions_are_no_more_than_the_time_that_passed(gaps: list[tuple[float, str]]) -> None:
    at, moments = 0.0, []
    for gap, revision in gaps:
        at += gap
        moments.append(Moment(at, revision))
    counted = sum(active_seconds(moments, revision) for revision in ("a", "b", ""))
    assert counted <= sum(gap for gap, _ in gaps[1:]) + 1e-6
    assert counted <= IDLE_S * max(0, len(moments) - 1)


@given(st.lists(SHOWN, min_size=1, max_size=6))
def test_what_was_unfolded_once_was_seen_in_full(order: list[Shown]) -> None:
    seen: Shown | None = None
    for now in order:
        seen = more_of(seen, now)
    assert seen is (Shown.UNFOLDED if Shown.UNFOLDED in order else order[-1])


def test_cards_are_counted_against_the_evidence_as_it_stands_now() -> None:
    cards = {"e1": Shown.WHOLE, "e2": Shown.FOLDED, "e3": Shown.UNFOLDED, "left": Shown.UNFOLDED}
    found = attention_of(steps((0, "a"), (9.6, "a")), "a", cards, ("e1", "e2", "e3", "e4"), ("e2", "e4"))
    assert found == Attention(10, Seen(4, 3, 2), Seen(2, 1, 0), unfolded=1)
    assert found.as_json() == {
        "active_seconds": 10,
        "evidence": {"total": 4, "shown": 3, "in_full": 2},
        "contradicting": {"total": 2, "shown": 1, "in_full": 0},
        "unfolded": 1,
    }


def test_nothing_noted_is_nothing_shown() -> None:
    assert attention_of((), "a", {}, ("e1",), ()) == Attention(0, Seen(1, 0, 0), Seen(0, 0, 0), 0)
