"""The fields of a section of settings, and the price table; what is wrong stands at its field."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pld_app import price_rows, session
from pld_app.components.remark import draw_remark
from pld_app.components.settings_draft import (
    PRICE_SECTION,
    field_key,
    save_prices,
    save_section,
    table_key,
)
from pld_app.components.text import plain
from pld_app.session import SettingsDraft
from pld_app.setting_fields import (
    DISCOUNT_HELP,
    PRICE_HELP,
    PRICES,
    FieldWords,
    Section,
    default_of,
    is_price,
    price_model,
)
from pld_app.settings_view import Entry, typed
from pld_app.teacher_settings import TokenPrice
from pld_core.permissions import PERMITTED, Step, permits, role_words

COLUMNS = 2
PRICE_COLUMNS = {
    price_rows.MODEL: ("Model", "As its server spells it."),
    "input": ("Input, a million tokens", "Needed."),
    "output": ("Output, a million tokens", f"Empty for {typed(TokenPrice.output)}: an embedding has no output."),
    "batch_discount": ("Batch discount", f"{DISCOUNT_HELP} Empty for {typed(TokenPrice.batch_discount)}."),
}
"""Title and help of each column."""
_STEP = Step.CHANGE_SETTINGS


def may_change() -> bool:
    """Return whether the person may change settings; for others the fields are there to read."""
    return permits(session.app().actor, _STEP)


def draw_reading_only() -> None:
    """Say why the fields take nothing, to whom they take nothing from."""
    if not may_change():
        st.info(f"You can read these settings. Changing them takes the role {role_words(PERMITTED[_STEP])}.")


def draw_section(draft: SettingsDraft, section: Section) -> None:
    """Draw the fields of a section with their button."""
    view = draft.base(section.key)
    with st.form(f"form_{section.key}", enter_to_submit=False):
        names = list(section.fields)
        for at in range(0, len(names), COLUMNS):
            for name, column in zip(names[at : at + COLUMNS], st.columns(COLUMNS, gap="medium"), strict=False):
                with column:
                    _draw_field(draft, section, view.entries[name], section.fields[name])
        st.form_submit_button(
            "Save",
            type="primary",
            key=f"save_{section.key}",
            on_click=save_section,
            args=(section,),
            disabled=not may_change(),
        )


def _draw_field(draft: SettingsDraft, section: Section, entry: Entry, words: FieldWords) -> None:
    key = field_key(draft, section, entry.name)
    default = typed(default_of(entry.name))
    session.preset_once(key, entry.value)
    st.text_input(
        words.label,
        key=key,
        disabled=entry.is_fixed or not may_change(),
        placeholder=f"empty for the default: {default}" if default else "empty",
    )
    if problem := draft.problems.get(entry.name):
        draw_remark("red", f":material/error: {plain(problem)}")
    if entry.is_fixed:
        st.caption(f"Set by {plain(entry.variable)} in the environment, so it cannot be changed here.")
    else:
        st.caption(plain(words.help))


def draw_prices(draft: SettingsDraft) -> None:
    """Draw the price table with its button."""
    prices = draft.base(PRICE_SECTION).prices
    currency = plain(draft.seen.settings.teacher.currency)
    st.caption(
        f"{plain(PRICE_HELP)} In {currency}, with a dot, such as 0.40. {plain(DISCOUNT_HELP)} "
        "An emptied output is 0, an emptied discount 0.5: half price."
    )
    for name, problem in draft.problems.items():
        if name == PRICES:
            st.error(plain(problem), icon=":material/error:")
        elif is_price(name):
            st.error(f"{plain(price_model(name))}: {plain(problem)}", icon=":material/error:")
    if not prices:
        st.info("No price is set yet, so a run has no cost and no cap in money. Add a row for each model that costs.")
    with st.form("form_prices", enter_to_submit=False):
        st.data_editor(
            pd.DataFrame(
                [(model, *price) for model, price in price_rows.rows_of(prices)],
                columns=list(price_rows.COLUMNS),
                dtype="str",
            ),
            key=table_key(draft),
            num_rows="dynamic",
            disabled=not may_change(),
            hide_index=True,
            width="stretch",
            column_config={
                name: st.column_config.TextColumn(title, help=text) for name, (title, text) in PRICE_COLUMNS.items()
            },
        )
        st.form_submit_button(
            "Save prices", type="primary", key="save_prices", on_click=save_prices, disabled=not may_change()
        )
