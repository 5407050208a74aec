"""The settings file was changed by someone else: both versions side by side, and what to do with the draft."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pld_app.components.settings_draft import all_typed, drop_draft, go_on_with_draft
from pld_app.session import SettingsDraft
from pld_app.setting_fields import words_of
from pld_app.settings_view import Given, PriceText, SettingsView, price_words


def draw_conflict(draft: SettingsDraft, now: SettingsView) -> None:
    """Draw what the file has now beside what was typed, if the file is another one than the one that was seen."""
    if draft.seen.content == now.content:
        return
    with st.container(border=True):
        st.warning(
            "The settings file was changed since you opened this page. Nothing of yours was saved, and what you typed "
            "is kept.",
            icon=":material/difference:",
        )
        typed, before, after = all_typed(draft), draft.seen.all_given, now.all_given
        moved = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        rows = [
            {
                "setting": words_of(name).label,
                "when you opened it": _shown(before.get(name, "")),
                "in the file now": _shown(after.get(name, "")),
                "your draft": _shown(typed[name]) if name in typed else "not touched",
            }
            for name in dict.fromkeys([*moved, *typed])
        ]
        if rows:
            st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
        else:
            st.caption("Only comments or the layout changed.")
        with st.container(horizontal=True):
            st.button("Go on with my draft", key="settings_go_on", on_click=go_on_with_draft)
            st.button("Drop my draft, show the file", key="settings_drop", on_click=drop_draft)
        st.caption("Going on saves nothing yet: your draft stays in the fields, and Save writes it over the file.")


def _shown(given: Given) -> str:
    return price_words(given) if isinstance(given, PriceText) else given or "none"
