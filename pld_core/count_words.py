"""Numbers with their nouns, in messages and on screens. Pure."""

from __future__ import annotations


def count(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> count(1, "rule"), count(1200, "rule")
    ('1 rule', '1,200 rules')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
