"""The learning curve: macro F1 with its interval, version by version."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from pld_app.components.charts.chart_frame import Cell, Chart, framed
from pld_app.components.charts.look import NEUTRAL, RIGHT
from pld_app.components.charts.statement import Statement
from pld_core.learning_curve import CurvePoint
from pld_core.models import Run
from pld_core.proportion import SMALL_SAMPLE


def curve_chart(run: Run, points: Sequence[CurvePoint]) -> Chart:
    """Return the curve; versions with fewer than ten answers have their place and no point.

    Args:
        run: the one that is looked at; its point is marked.
        points: the oldest version first.
    """
    names = {point.run.id: _name(point) for point in points}
    drawn = [point for point in points if point.accuracy.n >= SMALL_SAMPLE]
    values = [point.macro_f1.value or 0.0 for point in drawn]
    ends = [point.macro_f1.interval or (value, value) for point, value in zip(drawn, values, strict=True)]
    figure = go.Figure(
        go.Scatter(
            x=[names[point.run.id] for point in drawn],
            y=values,
            mode="lines+markers",
            marker={
                "color": RIGHT,
                "symbol": ["star" if point.run.id == run.id else "circle" for point in drawn],
                "size": [14 if point.run.id == run.id else 10 for point in drawn],
                "line": {"color": NEUTRAL, "width": 1},
            },
            line={"color": RIGHT, "dash": "dot", "width": 1.5},
            error_y={
                "type": "data",
                "array": [high - value for (_, high), value in zip(ends, values, strict=True)],
                "arrayminus": [value - low for (low, _), value in zip(ends, values, strict=True)],
                "color": NEUTRAL,
                "thickness": 1.5,
            },
            text=[f"macro F1 {point.macro_f1.words}" for point in drawn],
            hovertemplate="%{text}<extra></extra>",
        )
    )
    shown = list(names.values())
    figure.update_xaxes(categoryorder="array", categoryarray=shown, range=[-0.5, len(shown) - 0.5], showgrid=False)
    figure.update_yaxes(title="macro F1, 95 % interval", range=[-0.03, 1.03])
    statement = Statement(run, len(points), "versions with rules", more="the star is this run")
    heading = ("version of the point", "run of the point", "answers", "macro F1", "interval low", "interval high")
    return framed("learning-curve", "Learning curve", figure, statement, (heading, [_row(p) for p in points]), 280)


def _name(point: CurvePoint) -> str:
    return f"version {point.run.prompt_number}<br>run {point.run.id}<br>n = {point.accuracy.n:,}"


def _row(point: CurvePoint) -> tuple[Cell, ...]:
    place = (point.run.prompt_number, point.run.id, point.accuracy.n)
    if point.accuracy.n < SMALL_SAMPLE:
        return (*place, None, None, None)
    low, high = point.macro_f1.interval or (None, None)
    return (*place, point.macro_f1.value, low, high)
