"""From the words somebody types to a condition on examples. What is typed is never read as search syntax.

Every word has to stand in the text, in any order, whatever its case and accents; the last may be only begun. Three
cases go beyond the full-text index, which knows whole words only:

- A word with other characters than letters and digits (`100%`, `it's`) has to stand there with them.
- A word of a script that puts no spaces between words (Chinese, Japanese, Thai, ...) is found anywhere in the text.
- Where no text of the task has all the words, those are found that hold them anywhere, such as `vertrag` in
  `Mietvertrag`. Other filters do not matter for that, so a page and its count always agree.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from dataclasses import dataclass

_ACCENTS = re.compile("[\u0300-\u036f]")
_WITHOUT_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)


def fold(text: str) -> str:
    """Return the text without case and accents, for comparing.

    >>> fold("Straße, CAFÉ")
    'strasse, cafe'
    """
    if text.isascii():
        return text.lower()
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", bare).casefold()


def holds(text: str, folded: str) -> bool:
    """Whether a word, folded already, stands anywhere in the text; the database calls it by this name."""
    return folded in fold(text)


@dataclass(frozen=True)
class _Condition:
    """What a search asks of an example.

    Attributes:
        match: what the full-text index is asked; empty if it is not.
        anywhere: folded words that have to stand anywhere in the text.
    """

    match: str
    anywhere: tuple[str, ...]

    def sql(self) -> tuple[str, tuple[str, ...]]:
        clauses = ["e.id IN (SELECT rowid FROM example_fts WHERE example_fts MATCH ?)"] if self.match else []
        clauses += ["holds(e.text, ?)"] * len(self.anywhere)
        return " AND ".join(clauses), ((self.match,) if self.match else ()) + self.anywhere


def search_clause(conn: sqlite3.Connection, task: str, search: str) -> tuple[str, tuple[str, ...]]:
    """Return a condition on `example AS e` with its values; an empty one if nothing is searched for."""
    words = _words(search)
    indexed, values = _condition(words).sql()
    if not words or "MATCH" not in indexed:
        return indexed, values
    sql = f"SELECT 1 FROM example AS e WHERE e.task = ? AND {indexed} LIMIT 1"  # noqa: S608 - clause of literals
    if conn.execute(sql, (task, *values)).fetchone():
        return indexed, values
    return _Condition("", tuple(fold(word) for word in words)).sql()


def _words(search: str) -> list[str]:
    # What cannot be stored cannot be found: half a surrogate pair has no bytes, and a NUL would end the question.
    return search.encode("utf-8", "replace").decode().replace("\x00", " ").split()


def _condition(words: list[str]) -> _Condition:
    terms: list[str] = []
    anywhere: list[str] = []
    for place, word in enumerate(words):
        spaceless = _WITHOUT_SPACES.search(word) is not None
        if spaceless or not word.isalnum():
            anywhere.append(fold(word))
        if not spaceless and any(character.isalnum() for character in word):
            begun = "*" if place == len(words) - 1 else ""
            terms.append('"' + word.replace('"', '""') + '"' + begun)
    return _Condition(" ".join(terms), tuple(anywhere))
