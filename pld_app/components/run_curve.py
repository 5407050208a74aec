"""How the task got on from version to version, with the student and on the split of a run."""

from __future__ import annotations

import streamlit as st

from pld_app import run_figures, session
from pld_app.components.charts.chart_frame import draw_chart
from pld_app.components.charts.curve import curve_chart
from pld_app.components.run_form import NEW
from pld_app.components.run_seen import SeenRun
from pld_core.models import Split


def draw_curve(seen: SeenRun) -> None:
    """Draw the learning curve; that of the test split only when somebody asks for it."""
    run = seen.run
    if run.split is Split.TEST and not st.toggle(
        "Draw it over the test split",
        key=f"curve_test_{run.id}",
        help="Whoever follows test from version to version ends up choosing by it. Choose by validation.",
    ):
        st.info("The learning curve is drawn over validation: choose a run over validation in the list of runs.")
        return
    points = run_figures.curve(session.app(), run)
    if not points:
        st.info(
            f"No version with rules has a complete run of this student over {run.split.value} yet. Start one "
            f"under “{NEW}” at the top of this page; baselines are no part of the curve."
        )
        return
    draw_chart(curve_chart(run, points), f"curve_{run.id}")
    if len(points) == 1:
        st.caption("One version so far. The curve begins with the next one: compile it, and evaluate it.")
