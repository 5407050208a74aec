"""How a rule does over prompt versions: a point with its interval for each comparable run."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from pld_app.components.charts.chart_frame import Chart, framed
from pld_app.components.charts.look import NEUTRAL, WRONG, one_right, one_wrong
from pld_app.components.charts.statement import Statement
from pld_core.analytics import TrendPoint
from pld_core.attribution import Method
from pld_core.models import Run
from pld_core.proportion import SMALL_SAMPLE, Proportion

STEP = 0.035


def trend_chart(rule_name: str, run: Run, method: Method, points: Sequence[TrendPoint]) -> Chart:
    """Return the share of wrong answers of a rule, oldest run first.

    Args:
        rule_name: what the rule goes by, for the files.
    """
    names = [_name(point) for point in points]
    held = [
        (name, p, Proportion.of(p.wrong or 0, p.covered)) for name, p in zip(names, points, strict=True) if p.covered
    ]
    enough = [(name, point, rate) for name, point, rate in held if rate.n >= SMALL_SAMPLE]
    figure = go.Figure(
        go.Scatter(
            x=[name for name, _, _ in enough],
            y=[rate.rate for _, _, rate in enough],
            mode="lines+markers",
            marker={"color": WRONG, "size": 10, "symbol": "diamond", "line": {"color": NEUTRAL, "width": 1}},
            line={"color": WRONG, "dash": "dot", "width": 1.5},
            error_y={
                "type": "data",
                "array": [(rate.high or 0) - (rate.rate or 0) for _, _, rate in enough],
                "arrayminus": [(rate.rate or 0) - (rate.low or 0) for _, _, rate in enough],
                "color": NEUTRAL,
                "thickness": 1.5,
            },
            text=[rate.words for _, _, rate in enough],
            hovertemplate="%{text}<extra></extra>",
        )
    )
    _add_dots(figure, [(name, rate) for name, _, rate in held if rate.n < SMALL_SAMPLE])
    figure.update_xaxes(categoryorder="array", categoryarray=names, range=[-0.5, len(names) - 0.5], showgrid=False)
    figure.update_yaxes(title="share wrong, 95 % interval", range=[-0.04, 1.04], tickformat=".0%")
    n = sum(point.covered or 0 for point in points)
    statement = Statement(run, n, f"answers of {rule_name or 'no rule'} over {len(points)} runs", method)
    table = [(p.prompt_number, p.run_id, p.at, p.covered, p.wrong) for p in points]
    heading = ("version of the point", "run of the point", "at", "covered", "wrong")
    return framed(
        f"errors-trend-{rule_name or 'uncovered'}", "Trend over versions", figure, statement, (heading, table), 300
    )


def _add_dots(figure: go.Figure, few: Sequence[tuple[str, Proportion]]) -> None:
    """Add a dot for each answer where there are fewer than ten: right ones at the bottom, wrong ones at the top."""
    right = [(name, STEP * n) for name, rate in few for n in range(rate.n - rate.k)]
    wrong = [(name, 1 - STEP * n) for name, rate in few for n in range(rate.k)]
    for dots, marker, word in ((right, one_right(), "right"), (wrong, one_wrong(), "wrong")):
        figure.add_trace(
            go.Scatter(
                x=[name for name, _ in dots],
                y=[y for _, y in dots],
                mode="markers",
                marker=marker,
                hovertemplate=f"one {word} answer<extra></extra>",
            )
        )


def _name(point: TrendPoint) -> str:
    n = "not in it" if point.covered is None else f"n = {point.covered:,}"
    return f"version {point.prompt_number}<br>run {point.run_id}<br>{n}"
