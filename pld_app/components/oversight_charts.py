"""Charts of the oversight figures, from figures alone: no person is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from pld_core.oversight import TimeBand

BLUE = "#3b7dbd"
"""Seen on light and on dark ground, and in grey print."""


def time_chart(bands: Sequence[TimeBand]) -> go.Figure:
    """Return the seconds by length of text: a box from quartile to quartile, or a dot for each decision below ten."""
    names = [f"{_short(band)}<br>n = {band.n:,}" for band in bands]
    boxed = [(name, band) for name, band in zip(names, bands, strict=True) if band.median is not None]
    dots = [(name, seconds) for name, band in zip(names, bands, strict=True) for seconds in band.dots]
    figure = go.Figure()
    figure.add_trace(
        go.Box(
            x=[name for name, _ in boxed],
            q1=[band.low for _, band in boxed],
            median=[band.median for _, band in boxed],
            q3=[band.high for _, band in boxed],
            # Without whiskers: the longest and the shortest time are one decision each.
            lowerfence=[band.low for _, band in boxed],
            upperfence=[band.high for _, band in boxed],
            line={"color": BLUE},
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[name for name, _ in dots],
            y=[seconds for _, seconds in dots],
            mode="markers",
            marker={"color": BLUE, "size": 8, "symbol": "circle-open", "line": {"width": 2}},
            hovertemplate="%{y:.0f} s<extra></extra>",
        )
    )
    figure.update_layout(
        height=280,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        xaxis={
            "title": "characters to read",
            "categoryorder": "array",
            "categoryarray": names,
            "range": [-0.5, len(names) - 0.5],
        },
        yaxis={"title": "seconds at work", "rangemode": "tozero"},
        showlegend=False,
    )
    return figure


def _short(band: TimeBand) -> str:
    return "more" if band.longest is None else f"up to {band.longest:,}"


def count_chart(counts: Mapping[str, int]) -> go.Figure:
    """Return bars of counts by name, in the order given, each with its number."""
    figure = go.Figure(
        go.Bar(
            y=list(counts),
            x=list(counts.values()),
            text=[f"{n:,}" for n in counts.values()],
            textposition="outside",
            cliponaxis=False,
            orientation="h",
            marker={"color": BLUE},
            hoverinfo="skip",
        )
    )
    figure.update_layout(
        height=40 + 30 * len(counts),
        margin={"l": 0, "r": 40, "t": 4, "b": 0},
        xaxis={"visible": False, "rangemode": "tozero"},
        yaxis={"autorange": "reversed"},
    )
    return figure
