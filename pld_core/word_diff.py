"""Which words of a text changed."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """A stretch of words: `before` went, `after` came; both are the same where nothing changed."""

    before: str
    after: str

    @property
    def is_same(self) -> bool:
        return self.before == self.after


def word_pieces(before: str, after: str) -> tuple[Piece, ...]:
    """Return both texts as stretches of words that stayed or changed.

    >>> [(p.before, p.after) for p in word_pieces("it is kind", "it is very kind")]
    [('it is', 'it is'), ('', 'very'), ('kind', 'kind')]
    """
    old, new = before.split(), after.split()
    return tuple(Piece(" ".join(old[a:b]), " ".join(new[c:d])) for a, b, c, d in _ranges(old, new))


def line_pieces(before: str, after: str) -> tuple[Piece, ...]:
    """Return both texts as stretches of whole lines that stayed or changed."""
    old, new = before.splitlines(), after.splitlines()
    return tuple(Piece("\n".join(old[a:b]), "\n".join(new[c:d])) for a, b, c, d in _ranges(old, new))


def marked(pieces: Sequence[Piece]) -> str:
    """Return a diff in letters alone: `[-words that went-]` and `{+words that came+}`."""
    parts = []
    for piece in pieces:
        if piece.is_same:
            parts.append(piece.after)
            continue
        parts += [f"[-{piece.before}-]"] if piece.before else []
        parts += [f"{{+{piece.after}+}}"] if piece.after else []
    return " ".join(parts)


def unmoved(old: Sequence[str], new: Sequence[str]) -> tuple[str, ...]:
    """Return what stands in the same order in both lists, as much of it as difflib finds."""
    return tuple(name for a, b, c, d in _ranges(old, new) if old[a:b] == new[c:d] for name in old[a:b])


def _ranges(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int, int]]:
    opcodes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [(a, b, c, d) for _, a, b, c, d in opcodes]
