"""Changing settings, for page and command line alike: guarded, checked whole, written at once, on the record."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pld_app.setting_fields import is_price, parts_of, price_model, words_of
from pld_app.setting_input import checked, refusal
from pld_app.settings import parse_settings, read_settings_file, settings_path
from pld_app.settings_file import PriceAmounts, Value, replace_file, rewritten
from pld_app.settings_view import Given, PriceText, SettingsView, Source, found_in, price_words, view_of
from pld_app.teacher_settings import TokenPrice
from pld_app.wiring import App
from pld_core.canonical import Json
from pld_core.errors import SettingRefused, SettingsMovedOn
from pld_core.permissions import Step, guarded_app

CHANGED = "setting.changed"
"""The kind of the events; their subject is the setting's name."""


@guarded_app(Step.CHANGE_SETTINGS)
def change_settings(
    app: App, draft: Mapping[str, Given], seen: bytes, environment: Mapping[str, str] = os.environ
) -> tuple[str, ...]:
    """Change settings in the file and record each change; return the names of those that are other than before.

    Args:
        app: the open workspace and who acts.
        draft: what was typed, by the settings' names; the others stay.
        seen: the file's content that the person looked at.

    Raises:
        MissingRole: the person is no admin.
        SettingFixed: the environment sets one of them.
        SettingRefused: values that cannot be, each named with its reason; `SecretRefused` for a key or a password.
        SettingsMovedOn: the file is another one by now.
        NotFound: there is no such setting.
    """
    workspace = app.settings.workspace
    file = settings_path(workspace)
    parsed, problems = checked(draft, environment)
    in_file = parse_settings(seen, file, environment)
    wanted = {name: _needed(in_file, name, value) for name, value in parsed.items()}
    values = {name: value for name, value in wanted.items() if _in_file(in_file, name) != value}
    content = rewritten(seen, {parts_of(name): value for name, value in values.items()})
    try:
        after = view_of(content, workspace, environment)
    except SettingRefused as error:
        problems = {**error.problems, **problems}
    if problems:
        raise refusal(problems)
    if not values:
        return ()
    payloads = _payloads(view_of(seen, workspace, environment), after, values)
    existed = file.exists()

    def put() -> Mapping[str, dict[str, Json]]:
        if read_settings_file(workspace) != seen:
            raise SettingsMovedOn(
                "The settings file was changed since you looked at it. Nothing was saved, and what you typed is kept. "
                "Compare both, then save again."
            )
        replace_file(file, content)
        return payloads

    def take_back() -> None:
        if existed:
            replace_file(file, seen)
        else:
            file.unlink(missing_ok=True)

    app.store.events.record_with(CHANGED, app.actor, put, take_back)
    return tuple(values)


def _in_file(in_file: Mapping[str, object], name: str) -> object:
    found = found_in(in_file, name)
    return tuple(found.get(part) for part in PriceAmounts._fields) if isinstance(found, dict) else found


def _needed(in_file: Mapping[str, object], name: str, value: Value | None) -> Value | None:
    """Return a price without the defaults that the file does not spell out: what nobody chose is not written."""
    if not isinstance(value, PriceAmounts):
        return value
    found = found_in(in_file, name)
    given = found if isinstance(found, dict) else {}
    return PriceAmounts(
        value.input,
        None if "output" not in given and value.output == TokenPrice.output else value.output,
        None
        if "batch_discount" not in given and value.batch_discount == TokenPrice.batch_discount
        else value.batch_discount,
    )


def _payloads(
    before: SettingsView, after: SettingsView, values: Mapping[str, Value | None]
) -> dict[str, dict[str, Json]]:
    return {
        name: {
            "old": _as_json(before.given(name)),
            "new": _as_json(after.given(name)),
            "old_source": _source(before, name),
            "new_source": _source(after, name),
            "label": words_of(name).label,
            "before": _side(before, name),
            "after": _side(after, name),
        }
        for name in values
    }


def _as_json(given: Given) -> Json:
    return given._asdict() if isinstance(given, PriceText) else given


def _source(view: SettingsView, name: str) -> str:
    if is_price(name):
        return (Source.FILE if price_model(name) in view.prices else Source.DEFAULT).value
    return view.entries[name].source.value


def _side(view: SettingsView, name: str) -> str:
    """Return a value as the event's sentence has it, such as `8 (default)`."""
    value = view.given(name)
    if isinstance(value, PriceText):
        return price_words(value)
    if not value:
        return "none"
    return f"{value} (default)" if _source(view, name) == Source.DEFAULT else value
