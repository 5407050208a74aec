"""What somebody typed for a setting, turned into its value or refused with a sentence that never quotes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import urlsplit

from pld_app.pasted_keys import KEY_VARIABLES, secret_in
from pld_app.setting_fields import PRICES, Kind, all_fields, is_backend_name, is_known, is_price, type_of, words_of
from pld_app.setting_problems import NUMBER, WHOLE
from pld_app.settings import addresses_in
from pld_app.settings_file import PriceAmounts, Value
from pld_app.settings_view import Given, PriceText, fixed_by
from pld_core.errors import NotFound, SecretRefused, SettingFixed, SettingRefused

LONGEST = 300
"""Characters of a text; no address or model is longer, what is was pasted by mistake."""

PRICE_AMOUNTS = "It needs an amount for a million tokens of input; output and batch discount may follow."
KEYS_BELONG = f"Keys belong in the environment only: {' or '.join(KEY_VARIABLES)}."
_WHOLE = re.compile(r"-?\d{1,15}")
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,9})?")


def checked(
    draft: Mapping[str, Given], environment: Mapping[str, str]
) -> tuple[Mapping[str, Value | None], Mapping[str, str]]:
    """Return the values that a draft stands for, None for a default, and what is wrong with the others.

    Limits such as "at least 1" are not looked at here. For errors see `change_settings`.
    """
    _refuse_secrets(draft, environment)
    values: dict[str, Value | None] = {}
    problems: dict[str, str] = {}
    for name, given in draft.items():
        if not is_known(name):
            raise NotFound(f"There is no setting {name!r}. `pld settings show` lists them. Nothing was changed.")
        if variable := fixed_by(name, environment):
            raise SettingFixed(
                f"{name} is set by {variable} in the environment, so it cannot be changed in the file. "
                "Nothing was changed. Change or unset the variable, then start again."
            )
        try:
            values[name] = _value(name, given)
        except ValueError as error:
            problems[name] = str(error)
    return values, problems


def _refuse_secrets(draft: Mapping[str, Given], environment: Mapping[str, str]) -> None:
    problems: dict[str, str] = {}
    for name, given in draft.items():
        texts = given if isinstance(given, PriceText) else (given,)
        found = [secret_in(text, environment) for text in (name, *texts)]
        if "key" in name.lower() and not is_known(name):
            found.append("a key")
        if what := next(filter(None, found), ""):
            # A model's name may be what was pasted, so it is not quoted either.
            shown = name if name in all_fields() else PRICES
            problems[shown] = f"This looks like {what}, so it was neither stored nor shown. {KEYS_BELONG}"
    if problems:
        raise SecretRefused(f"Nothing was saved. {next(iter(problems.values()))}", problems)


def refusal(problems: Mapping[str, str]) -> SettingRefused:
    """Return the error for what is wrong with settings, each with its sentence."""
    name, words = next(iter(problems.items()))
    return SettingRefused(f"Nothing was saved. {words_of(name).label}: {words}", problems)


def _value(name: str, given: Given) -> Value | None:
    """Return the value that was typed. Raises `ValueError` with a sentence."""
    for text in (name, *given) if isinstance(given, PriceText) else (name, given):
        if not text.isprintable() or len(text) > LONGEST:
            raise ValueError(f"It has to be one line of at most {LONGEST} characters.")
    match given:
        case PriceText() if is_price(name):
            return _price(given)
        case str(text) if not text.strip() or not is_price(name):
            return _single(name, text.strip())
        case str():
            raise ValueError(PRICE_AMOUNTS)
        case _:
            raise ValueError("It takes one value.")


def _single(name: str, text: str) -> Value | None:
    if not text:
        return None
    wanted = type_of(name)
    if wanted is int:
        if not _WHOLE.fullmatch(text):
            raise ValueError(f"{WHOLE[0].upper()}{WHOLE[1:]}.")
        return int(text)
    if wanted is not str:
        return _decimal(text)
    match words_of(name).kind:
        case Kind.ADDRESS if not _is_address(text):
            raise ValueError("It has to be an address, such as http://127.0.0.1:11434.")
        case Kind.ADDRESSES if not all(_is_address(address) for address in addresses_in(text)):
            raise ValueError("It has to be addresses parted by commas, such as http://one:11434, http://two:11434.")
        case Kind.BACKEND if not is_backend_name(text):
            raise ValueError(
                "It has to be a kind of server and a model, such as openai:gpt-4.1-mini or ollama:gemma3:4b, "
                "or embedded alone."
            )
    return text


def _price(given: PriceText) -> PriceAmounts:
    if not given.input.strip():
        raise ValueError(PRICE_AMOUNTS)
    amounts = PriceAmounts(_decimal(given.input.strip()), *(_decimal_or_none(text.strip()) for text in given[1:]))
    if any(amount is not None and amount < 0 for amount in amounts[:2]):
        raise ValueError("A price cannot be below 0.")
    if amounts.batch_discount is not None and not 0 <= amounts.batch_discount <= 1:
        raise ValueError("A batch discount is a share from 0 to 1, such as 0.5 for half price.")
    return amounts


def _decimal_or_none(text: str) -> Decimal | None:
    return _decimal(text) if text else None


def _decimal(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{NUMBER[0].upper()}{NUMBER[1:]}.")
    return Decimal(text)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and " " not in text
    except ValueError:
        return False
