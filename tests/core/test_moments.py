"""Bounds of a time window: what a person typed means all of it."""

from __future__ import annotations

import pytest

from pld_core.errors import InvalidInput
from pld_core.moments import since_moment, until_moment


@pytest.mark.parametrize(
    ("typed", "since", "until"),
    [
        ("2026-01-02", "2026-01-02T00:00:00.000000Z", "2026-01-03T00:00:00.000000Z"),
        ("2026-12-31 ", "2026-12-31T00:00:00.000000Z", "2027-01-01T00:00:00.000000Z"),
        ("2026-01-02 14:30", "2026-01-02T14:30:00.000000Z", "2026-01-02T14:31:00.000000Z"),
        ("2026-01-02T14:30:05", "2026-01-02T14:30:05.000000Z", "2026-01-02T14:30:06.000000Z"),
        ("2026-01-02T14:30:05.000007Z", "2026-01-02T14:30:05.000007Z", "2026-01-02T14:30:05.000008Z"),
        ("2026-01-02T14:30:00+02:00", "2026-01-02T12:30:00.000000Z", "2026-01-02T12:30:01.000000Z"),
        ("", "", ""),
        ("  ", "", ""),
    ],
)
def test_a_date_means_its_day_and_a_time_its_minute_or_second(typed: str, since: str, until: str) -> None:
    assert (since_moment(typed), until_moment(typed)) == (since, until)


@pytest.mark.parametrize("typed", ["yesterday", "2026-13-01", "31.01.2026", "2026-01-02T25:00", "9999-12-31", "0"])
def test_what_is_no_time_is_one_sentence(typed: str) -> None:
    with pytest.raises(InvalidInput, match="Nothing was read"):
        until_moment(typed)


@pytest.mark.parametrize("typed", ["yesterday", "0001-01-01T00:00+23:00"])
def test_a_beginning_that_is_no_time_is_refused_too(typed: str) -> None:
    with pytest.raises(InvalidInput, match="is no date or time"):
        since_moment(typed)
