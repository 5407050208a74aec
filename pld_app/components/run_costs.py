"""What the answers of a run cost: time and tokens, as histograms."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.charts.chart_frame import draw_chart
from pld_app.components.charts.spread import TITLES, spread_chart
from pld_app.components.errors_missing import draw_no_attribution
from pld_app.components.run_seen import SeenRun
from pld_core.analytics import Quantity
from pld_core.errors import NotFound


def draw_costs(seen: SeenRun) -> None:
    """Draw how time and tokens are spread over the answers of a complete run."""
    run = seen.run
    if not seen.is_complete:
        st.info("Time and tokens are counted once the run is complete.")
        return
    left, right = st.columns(2, gap="medium")
    for column, quantity in zip((left, right, right), Quantity, strict=True):
        try:
            spread = session.app().store.analytics.histogram(run.id, quantity)
        except NotFound:
            draw_no_attribution(run)
            return
        with column:
            st.subheader(TITLES[quantity])
            if spread.counts:
                draw_chart(spread_chart(run, spread), f"cost_{run.id}_{quantity.value}")
            else:
                st.caption("The student does not say it of any answer.")
