"""Comments: what is a comment, and whom it names. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pld_core.desk import Comment
from pld_core.errors import InvalidInput

LONGEST = 4000


def clean_comment(text: str) -> str:
    """Return the text without white space around it.

    Raises:
        InvalidInput: nothing is left, or more than 4,000 characters.
    """
    cleaned = text.strip()
    if not cleaned:
        raise InvalidInput("A comment needs a text. Nothing was added.")
    if len(cleaned) > LONGEST:
        raise InvalidInput(
            f"The comment has {len(cleaned):,} characters; at most {LONGEST:,} are allowed. "
            "Nothing was added; shorten it and send it again."
        )
    return cleaned


def mentions(text: str, people: Iterable[str]) -> tuple[str, ...]:
    """Return the people whom a text names as `@name`, in the order of their first mention.

    A name may hold spaces; of names that begin alike the longest counts.

    >>> mentions("@Ada Reviewer, and @bert: see @nobody or mail a@bert.org", ["bert", "Ada", "Ada Reviewer"])
    ('Ada Reviewer', 'bert')
    """
    longest_first = sorted(set(people), key=len, reverse=True)
    lowered, found = text.casefold(), []
    for at, letter in enumerate(text):
        if letter != "@" or (at and text[at - 1].isalnum()):
            continue
        for name in longest_first:
            end = at + 1 + len(name)
            if name and lowered[at + 1 : end] == name.casefold() and not lowered[end : end + 1].isalnum():
                found.append(name)
                break
    return tuple(dict.fromkeys(found))


def mention_words(found: Sequence[Comment]) -> str:
    """Return how many comments mention the reader and on which rules, empty for none.

    Such as `2 comments mention you: R4, R9`.
    """
    if not found:
        return ""
    rules = ", ".join(dict.fromkeys(comment.rule_id for comment in found))
    return f"{'1 comment mentions' if len(found) == 1 else f'{len(found):,} comments mention'} you: {rules}"
