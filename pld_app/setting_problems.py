"""What is wrong with a setting, in plain words instead of a validator's."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

WHOLE = "it has to be a whole number, such as 8"
NUMBER = "it has to be a number with a dot, such as 2.5"
_WORDS = {
    "int_type": WHOLE,
    "int_parsing": WHOLE,
    "int_parsing_size": "the number is too large",
    "int_from_float": WHOLE,
    "decimal_type": NUMBER,
    "decimal_parsing": NUMBER,
    "float_type": NUMBER,
    "float_parsing": NUMBER,
    "finite_number": NUMBER,
    "string_type": "it has to be a text in quotes",
    "missing": "it is missing, and is needed",
    "unexpected_keyword_argument": "there is no such setting",
    "dataclass_type": "it has to be a table with settings in it",
    "mapping_type": "it has to be a table with settings in it",
    "dict_type": "it has to be a table with settings in it",
}


def problems_of(error: ValidationError) -> Mapping[str, tuple[str, object]]:
    """Return what is wrong: by the setting's name with its dots, the reason in words and the value that was found."""
    found: dict[str, tuple[str, object]] = {}
    for detail in error.errors(include_url=False):
        name = ".".join(str(part) for part in detail["loc"])
        found.setdefault(name, (_in_words(detail), detail["input"]))
    return found


def _in_words(detail: ErrorDetails) -> str:
    limits = detail.get("ctx", {})
    match detail["type"]:
        case "greater_than_equal":
            return f"it has to be at least {limits['ge']}"
        case "greater_than":
            return f"it has to be more than {limits['gt']}"
        case "less_than_equal":
            return f"it may be at most {limits['le']}"
        case kind:
            return _WORDS.get(kind) or detail["msg"][:1].lower() + detail["msg"][1:]
