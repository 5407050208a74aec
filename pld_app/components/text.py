"""Texts from data, teacher and student on screen: always as plain text."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from pld_core.count_words import count as count
from pld_core.models import RevisionState, Role

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_REWRITTEN = re.compile(r"(?<=:)(?=[\w/+-])|(?<=@)(?=[\w-])|(?<=www)(?=\.)|(?<=[<>~-])(?=[=>-])", re.IGNORECASE)
"""Inside what the browser turns into links, icons and arrows even where it is escaped: it looks again afterwards."""
BREAK = ":small{}"
"""An empty piece of small text: it shows and copies as nothing, and what stands on its two sides is read apart."""
STATE_COLOURS = {
    RevisionState.APPROVED: "green",
    RevisionState.REJECTED: "red",
    RevisionState.STALE: "orange",
    RevisionState.DISPUTED: "orange",
    RevisionState.CHANGES_REQUESTED: "violet",
    RevisionState.IN_REVIEW: "blue",
    RevisionState.FIRST_APPROVED: "blue",
}


def plain(text: str) -> str:
    """Escape a text for labels that take Markdown: it shows as it stands, line breaks fold, nothing becomes a link."""
    parts = _REWRITTEN.split(" ".join(text.split()))
    return BREAK.join(_PUNCTUATION.sub(r"\\\1", part) for part in parts)


def in_badge(text: str) -> str:
    """Escape a text for a badge, which takes Markdown too but escapes square brackets by itself."""
    return plain(text).replace("\\[", "[").replace("\\]", "]")


def state_colour(state: RevisionState) -> str:
    return STATE_COLOURS.get(state, "gray")


def author(name: str) -> str:
    """Return an author's name for people; the scripted teacher says what it is."""
    return "scripted teacher: replies written for this demo" if name.startswith("scripted:") else name


def moment(at: str) -> str:
    """Return a stored UTC time for people, such as `24 Nov 2026, 08:15 UTC`; empty stays empty."""
    if not at:
        return ""
    return datetime.fromisoformat(at).astimezone(UTC).strftime("%d %b %Y, %H:%M UTC")


def day(at: str) -> str:
    """Return the day of a stored UTC time for people, such as `24 Nov 2026`; empty stays empty."""
    return moment(at).partition(",")[0]


def short_hash(value: str) -> str:
    """Return the first 12 hex digits of a hash, for recognising it."""
    return value.removeprefix("sha256:")[:12]


def words(name: str) -> str:
    """Return an identifier in words: `over_broad` as `over broad`."""
    return name.replace("_", " ")


ROLE_ICONS = {"contradicts": "⚡", "near_miss": "≈", "supports": "✓", "irrelevant": "–"}
ALL_ROLES = ", ".join(words(role.value) for role in Role)
