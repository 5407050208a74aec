"""Canonical JSON and content hashes: the same content has the same bytes on every machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


# Made once: making one for each call takes longer than most values do.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: Json) -> str:
    """Return JSON with sorted keys and no optional space; text stays text (no ASCII escapes), NaN is refused.

    >>> canonical_json({"b": 1, "a": "é"})
    '{"a":"é","b":1}'
    """
    return _ENCODER.encode(value)


def hash_text(text: str) -> str:
    """Return `sha256:` and the hex digest of the text's UTF-8 bytes."""
    return "sha256:" + hashlib.sha256(text.encode("utf-8")).hexdigest()


def hash_json(value: Json) -> str:
    """Return the hash of the canonical JSON of `value`."""
    return hash_text(canonical_json(value))
