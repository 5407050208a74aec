"""Changed words on screen: what went struck through, what came in bold."""

from __future__ import annotations

from collections.abc import Sequence

from pld_app.components.text import plain
from pld_core.word_diff import Piece


def diff_markdown(pieces: Sequence[Piece]) -> str:
    """Return a diff as escaped Markdown."""
    parts = []
    for piece in pieces:
        if piece.is_same:
            parts.append(plain(piece.after))
            continue
        parts += [f":red-background[~~{plain(piece.before)}~~]"] if piece.before else []
        parts += [f":green-background[**{plain(piece.after)}**]"] if piece.after else []
    return " ".join(parts)
