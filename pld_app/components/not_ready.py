"""A model that cannot be asked at the moment: why, and the command that helps."""

from __future__ import annotations

import streamlit as st

from pld_app.components.text import plain
from pld_core.model_ports import BackendStatus


def draw_not_ready(status: BackendStatus) -> None:
    """Draw why a model is not ready and what to run."""
    st.warning(plain(status.problem), icon=":material/power_off:")
    if status.fix:
        st.caption("Run this in a terminal, then look again:")
        st.code(status.fix, language=None)
