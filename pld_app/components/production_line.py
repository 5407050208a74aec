"""The version in production and its score, on the card of a task."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from pld_app import session
from pld_app.components.release_panel import draw_exception
from pld_app.components.text import plain
from pld_core.metrics import accuracy_of
from pld_core.models import Task
from pld_core.releases import Release, ReleaseLabel


def draw_production(task: Task) -> None:
    """Draw which version is in production, how it did in the evaluation that it was released with, and exceptions."""
    held = session.app().store.releases.holder(task.name, ReleaseLabel.PRODUCTION)
    if held is None:
        st.caption("No version is in production.")
        return
    st.markdown(f"**In production: version {held.version}**")
    st.caption(_score_words(held))
    draw_exception(held.break_glass, datetime.now(UTC).isoformat())


def _score_words(held: Release) -> str:
    if held.run is None:
        return "released without an evaluation"
    runs = session.app().store.runs
    run, accuracy = runs.get(held.run), accuracy_of(runs.counted(held.run))
    return f"{plain(run.student)} on {run.split.value}: {accuracy.words}"
