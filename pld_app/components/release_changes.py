"""What a release would change against production: the rules first, then the text."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.prompt_compare import difference_of, draw_difference
from pld_core.models import PromptVersion, Task
from pld_core.releases import Release


def draw_changes(task: Task, version: PromptVersion, production: Release | None) -> None:
    """Draw the difference between a version and the one in production."""
    st.markdown("**2. What changes against production**")
    if production is None:
        st.caption("No version is in production yet, so all of it is new.")
        return
    if production.version == version.number:
        st.caption("This version is in production.")
        return
    st.caption(f"From version {production.version} to version {version.number}")
    released = session.app().store.prompts.get(task.name, production.version)
    draw_difference(difference_of(released, version))
