"""When a server says that it can take requests again."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of Retry-After, None if there is none; a date is read against the server's own clock.

    Args:
        headers: of the response; names in lower case, or a mapping that does not mind.

    >>> retry_after_s({"retry-after": "7"})
    7.0
    """
    if (exact := headers.get("retry-after-ms", "")).isdecimal():
        return int(exact) / 1000
    told = headers.get("retry-after", "")
    try:
        return max(0.0, float(told)) if told else None
    except ValueError:
        pass
    try:
        until, now = (parsedate_to_datetime(text) for text in (told, headers.get("date", "")))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):
        return None
