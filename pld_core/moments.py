"""From a date or time that a person typed to the bounds of a time window, in UTC as events hold it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from pld_core.errors import InvalidInput


def since_moment(text: str) -> str:
    """Return the first moment that is meant; empty stays empty.

    >>> since_moment("2026-01-02")
    '2026-01-02T00:00:00.000000Z'

    Raises:
        InvalidInput: neither a date nor a date with a time.
    """
    return _stored(_read(text)) if text.strip() else ""


def until_moment(text: str) -> str:
    """Return the first moment that is not meant any more: a date means its whole day, a time its minute or second.

    >>> until_moment("2026-01-02"), until_moment("2026-01-02 14:30")
    ('2026-01-03T00:00:00.000000Z', '2026-01-02T14:31:00.000000Z')

    Raises:
        InvalidInput: neither a date nor a date with a time.
    """
    if not text.strip():
        return ""
    moment = _read(text)
    given = text.strip()
    if _is_date(given):
        step = timedelta(days=1)
    elif "." in given:
        step = timedelta(microseconds=1)
    else:
        step = timedelta(minutes=1) if given.count(":") == 1 else timedelta(seconds=1)
    try:
        return _stored(moment + step)
    except OverflowError as error:
        raise _unreadable(text) from error


def _read(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
        # A time without a zone is UTC, as every time on screen is.
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _unreadable(text) from error


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _stored(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _unreadable(text: str) -> InvalidInput:
    return InvalidInput(
        f"{text.strip()!r} is no date or time. Nothing was read. Write UTC such as 2026-01-31 or 2026-01-31T14:30."
    )
