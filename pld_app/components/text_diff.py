"""What differs between two texts, word by word, as escaped Markdown."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from pld_app.components.text import plain
from pld_core.word_diff import Piece, word_pieces


def diff_words(before: Sequence[str], after: Sequence[str]) -> str:
    """Return the new words with removed ones struck through and added ones in bold."""
    return diff_markdown(word_pieces(" ".join(before), " ".join(after)))


def diff_markdown(pieces: Sequence[Piece]) -> str:
    """Return pieces as escaped Markdown: what went struck through, what came in bold."""
    parts = []
    for piece in pieces:
        if piece.is_same:
            parts.append(plain(piece.after))
            continue
        parts += [f":red-background[~~{plain(piece.before)}~~]"] if piece.before else []
        parts += [f":green-background[**{plain(piece.after)}**]"] if piece.after else []
    return " ".join(parts)


def diff_texts(before: str, after: str) -> str:
    """Return what differs between two texts of several lines: lines are matched first, then words inside them."""
    old, new = _lines(before), _lines(after)
    lines = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [plain(line) for line in old[a:b]]
            continue
        for at in range(max(b - a, d - c)):
            here, there = (part[at].split() if at < len(part) else [] for part in (old[a:b], new[c:d]))
            lines.append(diff_words(here, there))
    return "  \n".join(lines)


def plain_lines(text: str) -> str:
    """Return a text of several lines as it stands, drawn as `diff_texts` draws it."""
    return "  \n".join(plain(line) for line in _lines(text))


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]
