"""The catch rate, and what somebody is told of a closed check."""

from __future__ import annotations

import pytest

from pld_core.checks import CheckKind, Ending, Outcome, SeededCheck, catch_rate, told_words

K = CheckKind


def check(kind: CheckKind, how: Ending | None) -> SeededCheck:
    outcome = Outcome(how, "anna", "2026-01-02T03:04:05Z") if how else None
    return SeededCheck("R6", "sha256:6", kind, "R5", "sha256:5", 1, "2026-01-01T00:00:00Z", outcome)


def test_open_checks_count_for_nothing_yet_and_kinds_are_kept_apart() -> None:
    rate = catch_rate(
        [
            *[check(K.FLIPPED_LABEL, Ending.REJECTED)] * 8,
            *[check(K.OVER_BROAD, Ending.APPROVED)] * 3,
            check(K.OVER_BROAD, Ending.EDITED),
            *[check(K.DROPPED_EXCEPTION, None)] * 2,
        ]
    )
    assert (rate.caught, rate.missed, rate.open) == (9, 3, 2)
    assert [(k.kind, k.caught, k.missed) for k in rate.kinds] == [
        (K.FLIPPED_LABEL, 8, 0),
        (K.DROPPED_EXCEPTION, 0, 0),
        (K.OVER_BROAD, 1, 3),
    ]
    assert rate.words == "9 of 12 (75%, 95 % interval 47 to 91%)"
    assert rate.as_json()["rate"] == 0.75
    assert rate.as_json()["interval_95"] == [rate.share.low, rate.share.high]
    assert (round(rate.share.low or 0, 3), round(rate.share.high or 0, 3)) == (0.468, 0.911)


def test_below_ten_there_is_no_rate() -> None:
    rate = catch_rate([check(K.OVER_BROAD, Ending.REJECTED)] * 9)
    assert rate.words == "9 of 9 (too few for a rate)"
    assert (rate.as_json()["rate"], rate.as_json()["interval_95"]) == (None, None)


def test_without_any_nothing_is_said() -> None:
    assert catch_rate([]).words == "no check was closed yet"
    assert catch_rate([check(K.OVER_BROAD, None)]).as_json()["open"] == 1


@pytest.mark.parametrize("how", Ending)
def test_whoever_closed_a_check_is_told_what_it_was_and_what_came_of_it(how: Ending) -> None:
    closed = check(K.FLIPPED_LABEL, how)
    assert closed.outcome
    mine, others = (told_words(closed, closed.outcome, reader) for reader in ("anna", "bert"))
    assert "R6 was a seeded check (flipped label)" in mine
    assert "R5" in mine
    assert ("You caught it." in mine) is (how not in (Ending.APPROVED, Ending.KEPT))
    assert "You" not in others
    assert "anna" not in others
    assert ("cannot get into a prompt" in mine) is (how in (Ending.APPROVED, Ending.KEPT))


def test_every_kind_says_what_is_wrong() -> None:
    assert len({kind.flaw for kind in CheckKind}) == len(CheckKind) == 3
