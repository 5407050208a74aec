"""The settings as they stand: the value of each, and whether environment, file or default gives it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from pld_app.pasted_keys import KEY_VARIABLES, without_secrets
from pld_app.setting_fields import all_fields, is_price, parts_of, price_model, price_name, value_of
from pld_app.settings import (
    OLLAMA_VARIABLE,
    Settings,
    parse_settings,
    read_settings_file,
    settings_from,
    settings_path,
    variable_of,
)


class PriceText(NamedTuple):
    """A price as typed: a million tokens of input, of output, and the share by which a batch costs less.

    An empty text stands for the default of its amount.
    """

    input: str
    output: str = ""
    batch_discount: str = ""


Given = str | PriceText
"""What somebody typed for a setting, empty for its default."""


class Source(StrEnum):
    """Where a setting comes from."""

    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


@dataclass(frozen=True)
class Entry:
    """A setting as it stands.

    Attributes:
        value: as a person would type it, empty for none; without any password.
        variable: the environment variable that sets it, or could.
    """

    name: str
    value: str
    source: Source
    variable: str

    @property
    def is_fixed(self) -> bool:
        return self.source is Source.ENVIRONMENT


@dataclass(frozen=True)
class SettingsView:
    """All settings at one moment.

    Attributes:
        content: of the file, from which a change starts; nothing if there is no file.
        entries: by name, all but prices.
        prices: by model; an amount that the file does not give stands there with its default.
    """

    content: bytes
    settings: Settings
    entries: Mapping[str, Entry]
    prices: Mapping[str, PriceText]

    def given(self, name: str) -> Given:
        """Return what stands for a setting, as a form holds it."""
        return self.prices.get(price_model(name), "") if is_price(name) else self.entries[name].value

    @property
    def all_given(self) -> Mapping[str, Given]:
        """What stands for every setting, prices by their full names."""
        prices = {price_name(model): price for model, price in self.prices.items()}
        return {**{name: entry.value for name, entry in self.entries.items()}, **prices}


def read_view(workspace: Path, environment: Mapping[str, str] = os.environ) -> SettingsView:
    """Look at the settings; for errors see `load_settings`."""
    return view_of(read_settings_file(workspace), workspace, environment)


def view_of(content: bytes, workspace: Path, environment: Mapping[str, str] = os.environ) -> SettingsView:
    """Return all settings as a file of this content gives them."""
    settings = settings_from(content, workspace, environment)
    in_file = parse_settings(content, settings_path(workspace), environment)
    entries = {}
    for name in all_fields():
        variable = fixed_by(name, environment)
        source = Source.DEFAULT if found_in(in_file, name) is None else Source.FILE
        entries[name] = Entry(
            name,
            without_secrets(typed(value_of(settings, name)), environment),
            Source.ENVIRONMENT if variable else source,
            variable or variable_of(name),
        )
    prices = {
        model: PriceText(typed(price.input), typed(price.output), typed(price.batch_discount))
        for model, price in settings.teacher.prices.items()
    }
    return SettingsView(content, settings, entries, prices)


def typed(value: object) -> str:
    """Return a value as a person would type it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def price_words(price: PriceText) -> str:
    """Return a price in words, such as `0.40 in, 1.60 out, batch discount 0.5`."""
    return f"{price.input} in, {price.output} out, batch discount {price.batch_discount}"


def keys_set(environment: Mapping[str, str] = os.environ) -> Mapping[str, bool]:
    """Return which of the variables that hold keys are set; never what they hold."""
    return {variable: bool(environment.get(variable)) for variable in KEY_VARIABLES}


def fixed_by(name: str, environment: Mapping[str, str]) -> str:
    """Return the variable that sets this in the environment, empty if none does."""
    variable = variable_of(name)
    if variable and environment.get(variable):
        return variable
    return OLLAMA_VARIABLE if name == "ollama_host" and environment.get(OLLAMA_VARIABLE, "").strip() else ""


def found_in(in_file: Mapping[str, object], name: str) -> object:
    """Return what stands in the file for a setting, None for nothing."""
    found: object = in_file
    for key in parts_of(name):
        found = found.get(key) if isinstance(found, dict) else None
    return found
