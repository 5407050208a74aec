"""The lock of the test split: the reason for one more look, and the list of those so far, once on a page."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pld_app import evaluating, session
from pld_app.components.text import moment
from pld_core.models import Task


def draw_test_lock(task: Task, place: str) -> str:
    """Draw how often test was looked at and the field for a reason, and return the field's key.

    Args:
        place: where on the page, for the key.
    """
    key = f"look_reason_{place}_{task.name}"
    looks = session.app().store.runs.looks(task.name)
    st.warning(
        f"{evaluating.looks_words(looks)} Whoever tries version after version on it ends up fitting it. Choose by "
        "validation, and look at test once, for the version that you have chosen. Each look is counted and shown.",
        icon=":material/lock:",
    )
    st.text_input("Reason for this look, kept and shown", key=key, max_chars=300)
    return key


def draw_looks(task: Task) -> None:
    """Draw by whom and why the test split was looked at; nothing if nobody did."""
    looks = session.app().store.runs.looks(task.name)
    if not looks:
        return
    with st.expander(f"Looks at the test split so far ({len(looks):,})"):
        rows = [
            {
                "when": moment(run.created_at),
                "who": run.created_by,
                "run": run.id,
                "prompt": run.prompt_number,
                "student": run.student,
                "why": run.setup.reason or "not recorded",
            }
            for run in looks
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="test_looks")
