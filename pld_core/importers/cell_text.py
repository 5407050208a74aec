"""Typed cells as text, for formats whose cells are more than text."""

from __future__ import annotations

import math
from datetime import date, datetime, time
from decimal import Decimal


def as_text(value: object) -> str:
    """Return a value of a typed cell as text.

    >>> as_text(7.0), as_text(0.1), as_text(None), as_text(Decimal("1.10")), as_text(True)
    ('7', '0.1', '', '1.10', 'true')
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)
