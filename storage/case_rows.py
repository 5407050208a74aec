"""One example with and without a rule, to JSON and back. Pure."""

from __future__ import annotations

from typing import Any

from pld_core.canonical import Json
from pld_core.effect import Case
from storage import rows


def case_json(case: Case) -> dict[str, Json]:
    return {
        "example": case.example_hash,
        "gold": case.gold,
        "without": rows.answer_json(case.without),
        "with": rows.answer_json(case.with_rule),
    }


def case_from(value: dict[str, Any]) -> Case:
    return Case(value["example"], value["gold"], rows.answer_from(value["without"]), rows.answer_from(value["with"]))
