"""The guideline of a task, version by version: what may be set, and what counts as a change. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pld_core.errors import InvalidInput, MissingReason

LONGEST = 20_000
"""Characters, about 5,000 tokens: it stands in every prompt, beside the rules."""


@dataclass(frozen=True)
class GuidelineVersion:
    """A guideline as it was set; `version` counts from 1 in each task.

    Attributes:
        reason: why it was changed; empty for the one that the task was made with.
        at: UTC time, ISO 8601.
    """

    version: int
    text: str
    reason: str
    by: str
    at: str


def settled_text(text: str) -> str:
    """Return the text without white space at line ends and without blank lines around it: neither says anything.

    >>> settled_text(" Keep it.  \\r\\nOr not.\\n\\n")
    ' Keep it.\\nOr not.'
    """
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return "\n".join(lines).strip("\n")


def is_same(one: str, other: str) -> bool:
    """Return whether two guidelines differ in nothing but white space at line ends."""
    return settled_text(one) == settled_text(other)


def checked_change(before: str, text: str, reason: str) -> tuple[str, str]:
    """Return the text and the reason as they are stored.

    Raises:
        InvalidInput: no text, one beyond `LONGEST` characters or without bytes, or the one in force.
        MissingReason: no reason.
    """
    cleaned, why = settled_text(text), " ".join(reason.split())
    if not cleaned.strip():
        raise InvalidInput("A guideline needs a text. Nothing was changed; write one and save again.")
    if len(cleaned) > LONGEST:
        raise InvalidInput(
            f"The guideline has {len(cleaned):,} characters; at most {LONGEST:,} are allowed, as it stands in every "
            "prompt. Nothing was changed; shorten it and save again."
        )
    if any("\ud800" <= sign <= "\udfff" for sign in cleaned):
        raise InvalidInput("The guideline holds half a character (a lone surrogate). Nothing was changed; remove it.")
    if is_same(before, cleaned):
        raise InvalidInput("Nothing was changed: this is the guideline in force.")
    if not why:
        raise MissingReason("A change of the guideline needs a reason, which is kept. Nothing was changed; say why.")
    return cleaned, why
