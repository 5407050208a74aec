"""Pairs of rules that claim the same examples, and how many of these are answered wrongly."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from pld_app.components.charts.chart_frame import Chart, framed
from pld_app.components.charts.look import RIGHT, ROW, WRONG, fill, plain_label
from pld_app.components.charts.statement import Statement
from pld_core.analytics import SharedClaims
from pld_core.attribution import Method
from pld_core.models import Run


def overlap_chart(run: Run, method: Method, pairs: Sequence[SharedClaims]) -> Chart:
    """Return a bar for each pair of rules, in the order given."""
    names = [plain_label(f"{pair.low} + {pair.high}") for pair in pairs]
    figure = go.Figure()
    for title, colour, counts in (
        ("wrong", WRONG, [pair.wrong for pair in pairs]),
        ("right", RIGHT, [pair.examples - pair.wrong for pair in pairs]),
    ):
        figure.add_trace(
            go.Bar(
                x=counts,
                y=names,
                orientation="h",
                name=title,
                marker=fill(colour),
                customdata=[[pair.low, "", "", pair.high] for pair in pairs],
                text=[f"{name}: {p.wrong:,} of {p.examples:,} wrong" for name, p in zip(names, pairs, strict=True)],
                textposition="none",
                hovertemplate="%{text}<extra></extra>",
            )
        )
    figure.add_trace(
        go.Scatter(
            x=[pair.examples for pair in pairs],
            y=names,
            mode="text",
            text=[f" {pair.wrong:,} of {pair.examples:,}" for pair in pairs],
            textposition="middle right",
            textfont={"size": 11},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    most = max((pair.examples for pair in pairs), default=1)
    figure.update_layout(barmode="stack", bargap=0.35)
    figure.update_xaxes(title="examples that both rules claim", range=[0, most * 1.25])
    figure.update_yaxes(categoryorder="array", categoryarray=names, autorange="reversed")
    statement = Statement(run, len(pairs), "pairs of rules", method, more="own sources included")
    table = ("rule", "other rule", "examples", "wrong"), [(p.low, p.high, p.examples, p.wrong) for p in pairs]
    height = ROW * len(pairs) + 20
    return framed("errors-overlap", "Examples that two rules claim", figure, statement, table, height, legend=True)
