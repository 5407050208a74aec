"""The draft of the Settings page: what was typed, saving it, and going on after somebody else changed the file."""

from __future__ import annotations

from collections.abc import Mapping

from pld_app import price_rows, session
from pld_app.session import SettingsDraft
from pld_app.setting_fields import PRICES, SECTIONS, Section, words_of
from pld_app.settings import AT_START
from pld_app.settings_change import change_settings
from pld_app.settings_view import Given, SettingsView, read_view
from pld_core.errors import PldError, SecretRefused, SettingRefused, SettingsMovedOn

PRICE_SECTION = "prices"


def current_view() -> SettingsView:
    """Return the settings as the file has them now."""
    return read_view(session.app().settings.workspace)


def field_key(draft: SettingsDraft, section: Section, name: str) -> str:
    return draft.prefix(section.key) + name


def table_key(draft: SettingsDraft) -> str:
    return f"{draft.prefix(PRICE_SECTION)}table"


def typed_in(draft: SettingsDraft, section: Section) -> Mapping[str, Given]:
    """Return what was typed in the fields of a section that is other than what they began with."""
    base = draft.base(section.key)
    fields = {name: base.entries[name] for name in section.fields if not base.entries[name].is_fixed}
    texts = {
        name: session.text_or(field_key(draft, section, name), entry.value).strip() for name, entry in fields.items()
    }
    return {name: text for name, text in texts.items() if text != fields[name].value}


def typed_prices(draft: SettingsDraft) -> Mapping[str, Given]:
    """Return the prices that were changed; for errors see `price_rows.changes`."""
    base = draft.base(PRICE_SECTION).prices
    return price_rows.changes(base, price_rows.edited(price_rows.rows_of(base), session.edits(table_key(draft))))


def all_typed(draft: SettingsDraft) -> Mapping[str, Given]:
    """Return the whole draft, of the prices only what can be told from one another."""
    typed: dict[str, Given] = {}
    for section in SECTIONS:
        typed.update(typed_in(draft, section))
    try:
        typed.update(typed_prices(draft))
    except SettingRefused:
        return typed
    return typed


def save_section(section: Section) -> None:
    """Save what was typed in a section."""
    draft = session.settings_draft(current_view())
    _save(draft, section.key, typed_in(draft, section))


def save_prices() -> None:
    """Save the price table."""
    draft = session.settings_draft(current_view())
    try:
        typed = typed_prices(draft)
    except SettingRefused as error:
        draft.problems = dict(error.problems)
        return
    _save(draft, PRICE_SECTION, typed)


def _save(draft: SettingsDraft, section: str, typed: Mapping[str, Given]) -> None:
    draft.problems = {}
    try:
        changed = change_settings(session.app(), typed, draft.seen.content)
    except SecretRefused as error:
        draft.problems = dict(error.problems)
        _take_out(draft, error.problems)
    except SettingRefused as error:
        draft.problems = dict(error.problems)
    except SettingsMovedOn:
        # The page finds by itself that the file is another one, and shows both.
        return
    except PldError as error:
        session.complain(error)
        now = current_view()
        # The error may say that the change was saved all the same.
        if now.content != draft.seen.content and all(now.all_given.get(n, "") == given for n, given in typed.items()):
            _take_for_seen(draft, section, now)
    else:
        _take_for_seen(draft, section, current_view())
        session.notify(_saved(changed))


def _take_for_seen(draft: SettingsDraft, section: str, now: SettingsView) -> None:
    draft.seen = now
    draft.begin_anew(section)


def _saved(changed: tuple[str, ...]) -> str:
    if not changed:
        return "Nothing was changed, so nothing was saved."
    labels = ", ".join(words_of(name).label for name in changed)
    after = " after a restart" if set(changed) & set(AT_START) else ""
    return f"Saved, in force{after or ' from now on'}: {labels}"


def _take_out(draft: SettingsDraft, problems: Mapping[str, str]) -> None:
    """Take what looks like a key out of the fields, so that it stays in no session either."""
    for section in SECTIONS:
        for name in set(section.fields) & set(problems):
            session.preset(field_key(draft, section, name), draft.base(section.key).entries[name].value)
    if PRICES in problems:
        draft.begin_anew(PRICE_SECTION)


def go_on_with_draft() -> None:
    """Take the file as it is now for what was seen; what was typed stays, what was not shows its new value."""
    draft = session.settings_draft(current_view())
    now = current_view()
    for section in SECTIONS:
        typed = typed_in(draft, section)
        for name in section.fields:
            if name not in typed:
                session.preset(field_key(draft, section, name), now.entries[name].value)
        draft.bases[section.key] = now
    draft.seen, draft.problems = now, {}


def drop_draft() -> None:
    """Fill all fields anew from the file as it is now."""
    draft = session.settings_draft(current_view())
    draft.seen, draft.problems = current_view(), {}
    for key in (*(section.key for section in SECTIONS), PRICE_SECTION):
        draft.begin_anew(key)
