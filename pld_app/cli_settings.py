"""`pld settings`: what is set and where it comes from, and changing it, as the Settings page does."""

from __future__ import annotations

from pathlib import Path

import click

from pld_app import wiring
from pld_app.cli_format import Output, options
from pld_app.setting_fields import SECTIONS, is_price, price_name
from pld_app.settings import AT_START, settings_path
from pld_app.settings_change import change_settings
from pld_app.settings_view import Given, PriceText, SettingsView, Source, keys_set, price_words, read_view
from pld_core.canonical import Json

RESTART = "This takes effect when the app is started again."


@click.group()
def settings() -> None:
    """What is set, where it comes from, and changing it. Keys for model servers are never among it."""


@settings.command()
@options
def show(workspace: Path, out: Output) -> None:
    """List all settings with where each comes from, prices, and whether keys are set; keys themselves never."""
    view = read_view(workspace)
    out.emit(_as_json(view, settings_path(workspace)), "\n".join(_lines(view, settings_path(workspace))))


@settings.command(name="set")
@options
@click.argument("name")
@click.argument("values", nargs=-1, required=True, metavar="VALUE...")
def set_(workspace: Path, out: Output, name: str, values: tuple[str, ...]) -> None:
    """Change a setting, such as: set teacher.in_flight 16

    A price takes up to three amounts, for a million tokens of input and of output, and the share by which a batch costs
    less: set teacher.prices.gpt-4.1-mini 0.4 1.6 0.5

    What is left out stays as it is; of a new price the output is 0 and the batch discount 0.5.
    """
    if len(values) > (len(PriceText._fields) if is_price(name) else 1):
        raise click.UsageError("This takes one value; put a value with spaces in quotes. A price takes up to three.")
    _change(workspace, out, name, values)


@settings.command()
@options
@click.argument("name")
def unset(workspace: Path, out: Output, name: str) -> None:
    """Take a setting out of the file, so that its default is in force again."""
    _change(workspace, out, name, ("",))


def _change(workspace: Path, out: Output, name: str, values: tuple[str, ...]) -> None:
    app = wiring.open_app(workspace)
    seen = read_view(workspace)
    changed = change_settings(app, {name: _given(seen, name, values)}, seen.content)
    now = read_view(workspace)
    value = now.given(name)
    words = f"{name} is {_shown(value)}{'' if changed else ' already; nothing was changed'}."
    if changed and name in AT_START:
        words = f"{words} {RESTART}"
    out.emit({"name": name, "value": _json_value(value), "changed": bool(changed)}, words)


def _given(seen: SettingsView, name: str, values: tuple[str, ...]) -> Given:
    """Return what was typed, of a price with the amounts that were left out as they stand."""
    if not is_price(name) or not any(values):
        return values[0]
    stands = seen.given(name)
    return PriceText(*values, *(stands[len(values) :] if isinstance(stands, PriceText) else ()))


def _lines(view: SettingsView, file: Path) -> list[str]:
    found = [f"Settings file: {file}{'' if view.content else ' (not there yet)'}"]
    for section in SECTIONS:
        found += ["", section.title]
        for name in section.fields:
            entry = view.entries[name]
            where = f"set by {entry.variable}" if entry.source is Source.ENVIRONMENT else entry.source.value
            found.append(f"  {name} = {_shown(entry.value)}  ({where})")
    found += ["", "Prices of a million tokens"]
    prices = [f"  {price_name(model)} = {_shown(price)}" for model, price in view.prices.items()]
    keys = [f"  {variable}: {'set' if is_set else 'not set'}" for variable, is_set in keys_set().items()]
    return [*found, *(prices or ["  none"]), "", "Keys, from the environment only", *keys]


def _shown(value: Given) -> str:
    return price_words(value) if isinstance(value, PriceText) else value or "not set"


def _json_value(value: Given) -> Json:
    return value._asdict() if isinstance(value, PriceText) else value or None


def _as_json(view: SettingsView, file: Path) -> dict[str, Json]:
    return {
        "file": str(file),
        "settings": {
            name: {"value": entry.value or None, "source": entry.source.value, "variable": entry.variable}
            for name, entry in view.entries.items()
        },
        "prices": {model: _json_value(price) for model, price in view.prices.items()},
        "keys": dict(keys_set()),
    }
