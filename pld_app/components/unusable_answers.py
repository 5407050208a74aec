"""What is said where no answer of a run holds a label: rules cannot be judged by it."""

from __future__ import annotations

import streamlit as st

from pld_core.metrics import Figures


def are_all_unusable(found: Figures) -> bool:
    """Return whether there are answers and none of them holds a declared label."""
    return sum(found.unusable.values()) == found.accuracy.n > 0


def draw_all_unusable(advice: str) -> None:
    """Draw that no answer holds a label, and what it means here and what to do, in plain words of ours."""
    st.warning(
        f"No answer holds a label that is declared. The student does not keep to the form of the answer: {advice}"
    )
