"""Personal data in texts, found and masked by pattern. A heuristic: some are missed and some are none."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from pld_core.models import Example

# In each pattern the first character comes before the look at what is before it: a search then leaps from one
# possible beginning to the next.
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
# Cards as they are printed come first: a check number that follows one would otherwise be taken for part of it.
_CARD_BLOCKS = re.compile(r"[0-9](?<![\w.].)[0-9]{3}([ -])(?:[0-9]{4}\1[0-9]{4}\1[0-9]{4}|[0-9]{6}\1[0-9]{5})(?!\w)")
_CARD = re.compile(r"[0-9](?<![\w.].)(?:[ -]?[0-9]){12,18}(?!\w)")
# United Kingdom: national insurance number
_NATIONAL_UK = re.compile(r"[A-CEGHJ-PR-TW-Z](?<![\w-].)[A-CEGHJ-PR-TW-Z](?: ?[0-9]{2}){3} ?[A-D](?![\w-])")
_NATIONAL = re.compile(
    r"[0-9](?<![\w-].)(?:"
    r"[0-9]{2}-[0-9]{2}-[0-9]{4}"  # United States: social security number
    r"|[0-9]{7}-?[A-HJ-NP-TV-Z]"  # Spain: identity document
    r"|[0-9]{16}[0-9Xx]"  # China: resident identity number
    # France: social security number
    r"|(?<=[12]) ?[0-9]{2} ?(?:0[1-9]|1[0-2]) ?[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}"
    r")(?![\w-])"
)
# A number that begins with +, with an area code in brackets or with 0, but no fraction and no date like 05.06.2024.
_PHONE = re.compile(
    r"[+(0](?<![\w-].)(?<![0-9][.,].)"
    r"(?:(?<=\+)|(?<=\()\+?[0-9]{1,5}\)|(?<=0)(?!\.|[0-9][./-][0-9]{1,2}[./-][0-9]{2,4}(?![0-9])))"
    r"(?:[ ()/.-]{0,3}[0-9]){5,14}(?![\w-])"
)
_PHONE_AMERICA = re.compile(
    r"[1-9](?<![\w-].)(?<![0-9][.,].)(?:(?<=1)[ .-][2-9])?[0-9]{2}[ .-][0-9]{3}[ .-][0-9]{4}(?![\w-])"
)


def _luhn(text: str) -> bool:
    digits = [int(c) for c in text if c.isdigit()]
    doubled = (sum(divmod(2 * d, 10)) if place % 2 else d for place, d in enumerate(reversed(digits)))
    return sum(doubled) % 10 == 0 and len(set(digits)) > 1


def _is_phone(text: str) -> bool:
    digits = [c for c in text if c.isdigit()]
    return 8 <= len(digits) <= 15 and len(set(digits)) > 1


def _always(_: str) -> bool:
    return True


@dataclass(frozen=True)
class _Kind:
    name: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool] = _always


# What few texts have comes first, so that most texts are done with quickly.
_LOOK_FOR = (
    (re.compile("@"), (_Kind("e-mail", _EMAIL),)),
    (re.compile(r"[A-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2}"), (_Kind("national id", _NATIONAL_UK),)),
    (
        re.compile(r"[0-9](?:[ ()/.-]{0,3}[0-9]){7}"),
        (
            _Kind("card number", _CARD_BLOCKS, _luhn),
            _Kind("card number", _CARD, _luhn),
            _Kind("national id", _NATIONAL),
            _Kind("phone", _PHONE, _is_phone),
            _Kind("phone", _PHONE_AMERICA),
        ),
    ),
)
"""What a text has to hold, and what it may then be; in the order in which it is masked, and not found again."""


def find_personal(text: str) -> tuple[str, ...]:
    """Return the kinds of personal data that the text seems to hold.

    >>> find_personal("Write to ann@example.org")
    ('e-mail',)
    """
    return _masked(text)[1]


def mask_personal(text: str) -> str:
    """Return the text with each find replaced by its kind in brackets.

    >>> mask_personal("Write to ann@example.org")
    'Write to [e-mail]'
    """
    return _masked(text)[0]


def shown_to_teacher(example: Example) -> Example:
    """Return the example as a teacher may see it: masked if its import asked for that."""
    if not example.masked:
        return example
    return replace(example, fields=tuple((name, mask_personal(text)) for name, text in example.fields))


def _masked(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the masked text, and the kinds that were found in it."""
    found: dict[str, None] = {}
    before = ""
    # Once more after each find: a place holder can lay bare what stood against it.
    while text != before:
        before = text
        for needed, kinds in _LOOK_FOR:
            if needed.search(text):
                for kind in kinds:
                    text = kind.pattern.sub(partial(_place_holder, kind, found), text)
    return text, tuple(found)


def _place_holder(kind: _Kind, found: dict[str, None], match: re.Match[str]) -> str:
    if not kind.check(match.group()):
        return match.group()
    found[kind.name] = None
    return f"[{kind.name}]"
