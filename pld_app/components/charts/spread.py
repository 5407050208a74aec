"""Histograms of what the answers cost: time and tokens."""

from __future__ import annotations

import plotly.graph_objects as go

from pld_app.components.charts.chart_frame import Chart, framed
from pld_app.components.charts.look import NEUTRAL
from pld_app.components.charts.statement import Statement
from pld_core.analytics import Histogram, Quantity
from pld_core.models import Run

AXES = {
    Quantity.LATENCY: "milliseconds for an answer",
    Quantity.PROMPT_TOKENS: "tokens of the question, prompt included",
    Quantity.OUTPUT_TOKENS: "tokens of the answer",
}
TITLES = {
    Quantity.LATENCY: "Time",
    Quantity.PROMPT_TOKENS: "Tokens read",
    Quantity.OUTPUT_TOKENS: "Tokens written",
}


def spread_chart(run: Run, found: Histogram) -> Chart:
    """Return the bins as bars, each as wide as its bin; answers without a figure are told in the line above."""
    edges = [found.low + number * found.width for number in range(len(found.counts))]
    spans = [_span(edge, found.width) for edge in edges]
    figure = go.Figure(
        go.Bar(
            x=[edge + found.width / 2 for edge in edges],
            y=list(found.counts),
            width=found.width,
            marker={"color": NEUTRAL, "line": {"color": "#ffffff", "width": 1}},
            text=[f"{span}: {n:,} answers" for span, n in zip(spans, found.counts, strict=True)],
            textposition="none",
            hovertemplate="%{text}<extra></extra>",
        )
    )
    figure.update_xaxes(title=AXES[found.quantity], tickformat=",d")
    figure.update_yaxes(title="answers", rangemode="tozero", tickformat=",d")
    more = f"{found.missing:,} without a figure left out" if found.missing else ""
    statement = Statement(run, sum(found.counts), more=more)
    rows = [(e, e + found.width - 1, n) for e, n in zip(edges, found.counts, strict=True)]
    name = f"answers-{found.quantity.value.replace('_', '-')}"
    return framed(name, TITLES[found.quantity], figure, statement, (("from", "to", "answers"), rows), 190)


def _span(low: int, width: int) -> str:
    return f"{low:,}" if width == 1 else f"{low:,} to {low + width - 1:,}"
