"""JSONL: one JSON object a line."""

from __future__ import annotations

import json

from pld_core.errors import InvalidInput
from pld_core.importers.rows import SourceRow


def read_jsonl(text: str) -> tuple[SourceRow, ...]:
    """Read rows; numbers and booleans become their JSON text, null becomes empty.

    Raises:
        InvalidInput: a line is not a JSON object, names a field twice, or a value is a list or an object.
    """
    found = []
    # Only line feeds end a line here: texts may hold other separators that `splitlines` would break at.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            # As pairs: of a field that stands twice, a plain dict would silently keep the last.
            value = json.loads(line, object_pairs_hook=_Pairs)
        except RecursionError as error:
            raise InvalidInput(
                f"Line {number} is nested too deeply. Nothing was imported. Flatten it first."
            ) from error
        except ValueError as error:
            raise InvalidInput(f"Line {number} is not valid JSON: {error}. Nothing was imported.") from error
        if not isinstance(value, _Pairs):
            raise InvalidInput(f"Line {number} is not a JSON object with named fields. Nothing was imported.")
        values = {name: _as_text(v, name, number) for name, v in value}
        if len(values) != len(value):
            raise InvalidInput(f"Line {number} names a field twice. Nothing was imported. Keep one of the two.")
        found.append(SourceRow(f"line {number}", values))
    return tuple(found)


class _Pairs(list[tuple[str, object]]):
    """A JSON object as it stands in the file."""


def _as_text(value: object, name: str, number: int) -> str:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InvalidInput(
                f"The field {name!r} of line {number} holds half of a character (a lone \\u escape). "
                "Nothing was imported. Correct it first."
            ) from error
        return value
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise InvalidInput(f"The field {name!r} of line {number} is not a text. Nothing was imported. Flatten it first.")
