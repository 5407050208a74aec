"""Short coloured lines, such as a warning under a field."""

from __future__ import annotations

from typing import Literal

import streamlit as st

Colour = Literal["green", "orange", "red"]


def draw_remark(colour: Colour, text: str) -> None:
    """Draw a line of Markdown in colour. `st.caption` would fade the colour below a contrast that can be read."""
    st.markdown(f":{colour}[:small[{text}]]")
