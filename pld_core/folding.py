"""Long texts on screen: which stretches to show at first, so that what is marked is seen where it stands. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FOLD_OVER = 700
"""A text of so many characters or fewer is shown whole: about eight lines of a card."""
AROUND = 160
"""Characters left on each side of a marked passage: about two lines."""
HEAD = 420
"""Characters of a text without marked passages that are shown at first."""


@dataclass(frozen=True)
class Stretch:
    """Characters `start` up to, not including, `end`; hidden ones are replaced by a word on how many they are."""

    start: int
    end: int
    hidden: bool


def stretches(text: str, spans: Sequence[tuple[int, int]]) -> tuple[Stretch, ...]:
    """Divide a text into stretches that are shown and hidden, in order and without a gap.

    Args:
        spans: marked ranges, sorted; they may overlap, and reach beyond the text.

    >>> [(s.start, s.end, s.hidden) for s in stretches("a " * 1000, [(1000, 1010)])]
    [(0, 840, True), (840, 1170, False), (1170, 2000, True)]
    """
    size = len(text)
    if size <= FOLD_OVER:
        return (Stretch(0, size, False),)
    inside = [(max(0, a), min(size, b)) for a, b in spans if a < b and a < size and b > 0]
    wanted = [(_back(text, a - AROUND), _on(text, b + AROUND)) for a, b in inside] or [(0, _on(text, HEAD))]
    parts: list[Stretch] = []
    at = 0
    for begin, end in wanted:
        # A gap that is hardly longer than the word on it is no gap.
        if begin - at > AROUND:
            parts.append(Stretch(at, begin, True))
            at = begin
        if end > at:
            parts.append(Stretch(at, end, False))
            at = end
    if size - at > AROUND:
        parts.append(Stretch(at, size, True))
    elif at < size:
        parts.append(Stretch(at, size, False))
    return tuple(parts)


def _back(text: str, at: int) -> int:
    """Return the place of a word's beginning at or before `at`, near by if there is one."""
    at = max(0, at)
    space = text.rfind(" ", max(0, at - 30), at + 1)
    return space + 1 if at and space >= 0 and space + 1 <= at else at


def _on(text: str, at: int) -> int:
    """Return the place of a word's end at or after `at`, near by if there is one."""
    at = min(len(text), at)
    space = text.find(" ", at, at + 30)
    return space if space >= 0 else at
