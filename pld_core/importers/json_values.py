"""JSON as text: numbers keep their digits, a field that stands twice is noticed, nesting is not followed for ever."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import TypeAlias


class Number(str):
    """A number as it stands in the file: 1.10 stays 1.10, and no digit is lost."""


class Fields(dict[str, "Value"]):
    """A JSON object. `twice` is the name of a field that stands twice in it; of those only the last is kept."""

    twice: str = ""


Value: TypeAlias = "str | bool | list[Value] | Fields | None"


class NotFlat(ValueError):
    """A value cannot be the text of a cell; the message says which and why, in words."""


def parse(text: str) -> Value:
    """Return the value of a JSON text.

    Raises:
        ValueError: not valid JSON, or nested too deeply; the message says so in words.
    """
    try:
        value: Value = _DECODER.decode(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno:,}, column {error.colno:,}" if error.lineno > 1 else f"column {error.colno:,}"
        raise ValueError(f"{error.msg} at {where}") from error
    return value


def as_cells(fields: Mapping[str, Value]) -> dict[str, str]:
    """Return the fields of a flat object as text: null is empty, booleans are `true` and `false`.

    Raises:
        NotFlat: a field is a list or an object, or stands twice.
    """
    if isinstance(fields, Fields) and fields.twice:
        raise NotFlat(f"The field {fields.twice!r} stands twice in it. Keep one of the two.")
    return {name: as_cell(name, value) for name, value in fields.items()}


def as_cell(name: str, value: Value) -> str:
    """Return a value as text; see `as_cells`."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    kind = "an object" if isinstance(value, dict) else "a list"
    raise NotFlat(f"The field {name!r} is {kind}, not a text. Flatten it first.")


def _as_fields(pairs: list[tuple[str, Value]]) -> Fields:
    found = Fields(pairs)
    if len(found) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        found.twice = counts.most_common(1)[0][0]
    return found


def _no_constant(name: str) -> Value:
    raise ValueError(f"{name} is not JSON; write null for what is missing")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_as_fields, parse_int=Number, parse_float=Number, parse_constant=_no_constant
)
