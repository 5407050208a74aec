"""Checks on a micro-instruction beside its example, shown to people as flags. Heuristics: they point, people judge."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from pld_core.models import Example, MicroInstruction

SHARED_WORDS = 8
"""So many words in a row, equal in instruction and example, are copied rather than generalised."""
FEWEST_WORDS = 4
FEWEST_HITS = 3


class Flag(StrEnum):
    """What may be wrong with an instruction."""

    COPIES = "copies"
    CARRIES = "carries"
    VAGUE = "vague"
    LANGUAGE = "language"
    DUPLICATE = "duplicate"

    @property
    def words(self) -> str:
        """The flag for people."""
        return _WORDS[self]


_WORDS = {
    Flag.COPIES: f"shares {SHARED_WORDS} words in a row or more with its example",
    Flag.CARRIES: "carries a name, number or date of its example",
    Flag.VAGUE: "too vague: no condition that could be checked",
    Flag.LANGUAGE: "in another language than its example",
    Flag.DUPLICATE: "says the same as another instruction",
}

_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d[\d.,/:-]*\d")
_NAME = re.compile(r"(?<![.!?:\n\"“(] )(?<=\s)[^\W\d_a-z][\w'’-]{2,}")
_FORMAT = re.compile(
    r"\b(?:respond|reply|answer|output|return|print|format|write)\b[^.;]{0,40}"
    r"\b(?:json|xml|yaml|only the label|label only|(?:one|a single) (?:word|label|object)|no explanation)\b"
    r"|\b(?:the )?(?:answer|output|response|reply)(?:'s)? (?:format|must|should|has to|needs to)\b"
    r"|\bjson (?:object|format|key|output|answer|reply|response)\b",
    re.IGNORECASE,
)
_EMPTY_WORDS = frozenset(
    [
        "the",
        "a",
        "an",
        "this",
        "that",
        "it",
        "is",
        "are",
        "be",
        "of",
        "to",
        "in",
        "on",
        "for",
        "with",
        "and",
        "or",
        "as",
        "by",
        "its",
        "if",
        "when",
        "then",
        "any",
        "all",
        "text",
        "input",
        "example",
        "post",
        "statement",
        "case",
        "content",
        "label",
        "answer",
        "class",
        "category",
        "correct",
        "right",
        "given",
        "applies",
        "apply",
        "matches",
        "match",
        "fits",
        "fit",
        "appropriate",
        "relevant",
        "suitable",
        "accordingly",
        "such",
        "same",
        "kind",
        "here",
        "there",
    ]
)
_COMMON: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "English": "the of and to is that it for with are this not be by was which",
        "German": "der die das und ist nicht ein eine mit auf den dem von wird für zu",
        "French": "le la les des est et une un dans pour que qui pas sur avec du",
        "Spanish": "el los las del es y una un en para que por no con se como",
        "Italian": "il lo gli della è e una un nel per che di non con si come",
        "Portuguese": "o os as do da é e uma um em para que não com se como",
        "Dutch": "de het een en is niet van voor met dat die op te zijn aan wordt",
    }.items()
}


def restates_format(condition: str) -> bool:
    """Return whether a condition speaks of how to answer; the compiled prompt alone says that.

    >>> restates_format("the answer must be a JSON object with the label")
    True
    """
    return _FORMAT.search(condition) is not None


def flags_of(instruction: MicroInstruction, example: Example, public: str = "") -> tuple[Flag, ...]:
    """Return the flags of one instruction, in the order of `Flag`, without duplicates, which take all of them to see.

    Args:
        public: text that everybody may quote: title, guideline and labels of the task.
    """
    said = " ".join([instruction.condition, *instruction.exceptions])
    found = {
        Flag.COPIES: shares_words(said, example.text),
        Flag.CARRIES: bool(carried(said, example.text, public)),
        Flag.VAGUE: is_vague(instruction.condition),
        Flag.LANGUAGE: differs_in_language(said, example.text),
    }
    return tuple(flag for flag, holds in found.items() if holds)


def duplicates(instructions: Sequence[MicroInstruction]) -> frozenset[str]:
    """Return the example hashes of instructions whose label and condition, but for case and marks, another has too."""
    key = {i.example_hash: (i.label, " ".join(_words(i.condition))) for i in instructions}
    counts = Counter(key.values())
    return frozenset(example for example, value in key.items() if counts[value] > 1)


def shares_words(said: str, text: str, least: int = SHARED_WORDS) -> bool:
    """Return whether `least` words in a row of one stand in the other, case and marks aside."""
    theirs = set(_runs(list(_words(text)), least))
    return any(run in theirs for run in _runs(list(_words(said)), least))


def carried(said: str, text: str, public: str = "") -> tuple[str, ...]:
    """Return the numbers of two digits or more, and the names, of the text that the instruction holds too.

    A name is a word with a capital in mid-sentence that the text never writes small and the task itself does not use.
    German writes every noun so: there only numbers count.
    """
    free = set(_words(public))
    names = set() if language_of(text) == "German" else set(_NAME.findall(text))
    small = {word for word in _WORD.findall(text) if word[0].islower()}
    details = {n for n in names if n.casefold() not in small} | set(_NUMBER.findall(text))
    here = set(_WORD.findall(said)) | set(_NUMBER.findall(said))
    return tuple(sorted(detail for detail in details & here if detail.casefold() not in free))


def is_vague(condition: str) -> bool:
    """Return whether the condition is very short or made of words that say nothing.

    >>> is_vague("the text matches the label"), is_vague("the clause obliges one party only")
    (True, False)
    """
    words = list(_words(condition))
    if not _is_spaced(condition):
        return len("".join(words)) < FEWEST_WORDS
    return len(words) < FEWEST_WORDS or sum(word not in _EMPTY_WORDS for word in words) < 2


def differs_in_language(said: str, text: str) -> bool:
    """Return whether both languages, or both scripts, can be told and are not the same."""
    first, second = script_of(said), script_of(text)
    if first and second and first != second:
        return True
    one, other = language_of(said), language_of(text)
    return bool(one and other and one != other)


def language_of(text: str) -> str:
    """Return the language by its most frequent words, or an empty text where that is not clear."""
    words = list(_words(text))
    hits = Counter({name: sum(word in common for word in words) for name, common in _COMMON.items()})
    (best, most), (_, next_most) = hits.most_common(2)
    return best if most >= FEWEST_HITS and most > next_most * 1.5 else ""


def script_of(text: str) -> str:
    """Return the script of most letters, such as LATIN, CYRILLIC or CJK; empty without letters."""
    names = Counter(unicodedata.name(c, "").partition(" ")[0] for c in text[:500] if c.isalpha())
    return names.most_common(1)[0][0] if names else ""


def _is_spaced(text: str) -> bool:
    return script_of(text) not in {"CJK", "HIRAGANA", "KATAKANA", "THAI"}


def _words(text: str) -> Iterator[str]:
    return (word.casefold() for word in _WORD.findall(text))


def _runs(words: list[str], length: int) -> Iterator[tuple[str, ...]]:
    return (tuple(words[at : at + length]) for at in range(len(words) - length + 1))
