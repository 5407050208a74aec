"""How the student is to answer: what the prompt says of it, the schema that is sent along, and how an answer is read.

The compiler owns this; no rule says anything of it. In every style the label comes first: nothing is reasoned before.
"""

from __future__ import annotations

import json
import string
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pld_core.canonical import Json

UNKNOWN_RULE = "unknown"
"""Stands among the cited rules for an id that the prompt does not hold; the raw answer keeps what was said."""
MOST_CITED = 8
LETTERS = string.ascii_uppercase


class Style(StrEnum):
    """What an answer holds: the label, the label and then the rules it rests on, or one letter for the label."""

    LABEL = "label"
    CITED = "cited"
    LETTER = "letter"

    @property
    def words(self) -> str:
        """The style in words."""
        return _WORDS[self]

    @property
    def max_tokens(self) -> int:
        """Most tokens of an answer."""
        return _TOKENS[self]


_WORDS = {
    Style.LABEL: "label only",
    Style.CITED: "label, then the rules it rests on (for an audit)",
    Style.LETTER: "one letter for the label (one token)",
}
_TOKENS = {Style.LABEL: 64, Style.CITED: 160, Style.LETTER: 1}
"""Room for an answer. A label never takes 64 tokens."""


@dataclass(frozen=True)
class Reading:
    """What an answer says.

    Attributes:
        label: a declared label.
        cited: ids of rules of the prompt, in the order in which they were named; `UNKNOWN_RULE` once for all others.
    """

    label: str
    cited: tuple[str, ...] = ()


@dataclass(frozen=True)
class AnswerForm:
    """The form of the answers to one prompt.

    Attributes:
        labels: the declared labels, in the task's order.
        rule_ids: the rules that the prompt holds, in its order.
    """

    style: Style
    labels: tuple[str, ...]
    rule_ids: tuple[str, ...] = ()

    @property
    def letters(self) -> dict[str, str]:
        """The label that each letter stands for, `A` for the first declared one; empty in the other styles."""
        return dict(zip(LETTERS, self.labels, strict=False)) if self.style is Style.LETTER else {}

    @property
    def max_tokens(self) -> int:
        """Most tokens of an answer."""
        return self.style.max_tokens

    @property
    def problem(self) -> str:
        """Why the style cannot be used for this prompt, empty if it can."""
        if self.style is Style.LETTER and len(self.labels) > len(LETTERS):
            return f"There are {len(self.labels)} labels, but only {len(LETTERS)} letters. Choose another style."
        if self.style is Style.CITED and not self.rule_ids:
            return "A prompt without rules has none that an answer could cite. Choose another style."
        return ""

    @property
    def instruction(self) -> str:
        """What stands in the prompt under ANSWER."""
        names = ", ".join(f'"{name}"' for name in self.labels)
        if self.style is Style.LETTER:
            codes = ", ".join(f'{letter} for "{label}"' for letter, label in self.letters.items())
            return f"Reply with one letter and nothing else: {codes}"
        if self.style is Style.CITED:
            return (
                f'Reply with one JSON object and nothing else: {{"label": one of {names}, '
                '"rules": ids of the rules that decided, such as ["R1"], or [] if none fits}'
            )
        return f'Reply with one JSON object and nothing else: {{"label": one of {names}}}'

    @property
    def schema(self) -> dict[str, Json] | None:
        """The JSON schema that holds an answer to the form; None for a letter, which is no JSON object."""
        if self.style is Style.LETTER:
            return None
        properties: dict[str, Json] = {"label": {"type": "string", "enum": list(self.labels)}}
        if self.style is Style.CITED:
            ids: Json = {"type": "string", "enum": list(self.rule_ids)}
            properties["rules"] = {"type": "array", "items": ids, "maxItems": MOST_CITED}
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }

    def answer(self, label: str) -> str:
        """Return the answer that states a label, as an example in a prompt shows it."""
        if self.style is Style.LETTER:
            return next(letter for letter, name in self.letters.items() if name == label)
        return json.dumps({"label": label}, ensure_ascii=False)

    def read(self, text: str) -> Reading | None:
        """Return what an answer says, or None where it is not in the form.

        A bare declared label is read in every style but the letters. Nothing is guessed from prose.
        """
        stripped = text.strip()
        if self.style is Style.LETTER:
            return Reading(self.letters[stripped]) if stripped in self.letters else None
        if stripped in self.labels:
            return Reading(stripped)
        found = _object(stripped)
        label = found.get("label")
        if not isinstance(label, str) or label not in self.labels:
            return None
        if self.style is Style.LABEL:
            return Reading(label) if len(found) == 1 else None
        cited = found.get("rules")
        if set(found) != {"label", "rules"} or type(cited) is not list:
            return None
        return Reading(label, self._known(cited))

    def _known(self, cited: Sequence[object]) -> tuple[str, ...]:
        ids = (str(given).strip("[] ").upper() if isinstance(given, str) else "" for given in cited)
        return tuple(dict.fromkeys(one if one in self.rule_ids else UNKNOWN_RULE for one in ids))


def _object(text: str) -> dict[str, object]:
    """Return the JSON object that the text is; empty if it is none, or says something twice."""
    try:
        # As pairs: of a label that is stated twice, a plain dict would silently keep the last.
        pairs = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(pairs, _Pairs):
        return {}
    found = {str(name): value for name, value in pairs}
    return found if len(found) == len(pairs) else {}


class _Pairs(list[tuple[str, object]]):
    """The pairs of a JSON object, told apart from a list."""
