"""Shares with their intervals below each other, such as accuracy in each part of a run."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from pld_app.components.charts.chart_frame import Cell, Chart, framed
from pld_app.components.charts.look import HARM, NEUTRAL, RIGHT, ROW, plain_label, short_label
from pld_app.components.charts.rule_bars import STEP
from pld_app.components.charts.statement import Statement
from pld_core.proportion import SMALL_SAMPLE, Proportion

_WIDTH = 34


def shares_chart(name: str, title: str, statement: Statement, parts: Sequence[tuple[str, Proportion]]) -> Chart:
    """Return a line for each part; those with fewer than ten answers have a dot for each and no rate.

    Args:
        parts: what a part is called and its share, the first on top; names may be equal.
    """
    places = list(range(len(parts)))
    enough = [(place, share) for place, (_, share) in zip(places, parts, strict=True) if share.n >= SMALL_SAMPLE]
    figure = go.Figure(
        go.Scatter(
            x=[share.rate for _, share in enough],
            y=[place for place, _ in enough],
            mode="markers",
            marker={"color": RIGHT, "size": 10, "symbol": "diamond", "line": {"color": NEUTRAL, "width": 1}},
            error_x={
                "type": "data",
                "array": [(share.high or 0) - (share.rate or 0) for _, share in enough],
                "arrayminus": [(share.rate or 0) - (share.low or 0) for _, share in enough],
                "color": NEUTRAL,
                "thickness": 1.5,
            },
            text=[share.words for _, share in enough],
            hovertemplate="%{text}<extra></extra>",
        )
    )
    _add_dots(figure, [(place, share) for place, (_, share) in enumerate(parts) if share.n < SMALL_SAMPLE])
    figure.update_yaxes(
        tickmode="array",
        tickvals=places,
        ticktext=[f"{short_label(part, _WIDTH)}  {plain_label(_counts(share))}" for part, share in parts],
        range=[len(parts) - 0.5, -0.5],
        zeroline=False,
    )
    figure.update_xaxes(title="share right, 95 % interval", range=[-0.03, 1.03], tickformat=".0%")
    heading = ("part", "answers", "right", "share right", "interval low", "interval high")
    rows = [_row(part, share) for part, share in parts]
    return framed(name, title, figure, statement, (heading, rows), ROW * len(parts) + 20)


def _add_dots(figure: go.Figure, few: Sequence[tuple[int, Proportion]]) -> None:
    """Add a dot for each answer where there are fewer than ten: wrong ones at the left end, right ones at the right."""
    wrong = [(STEP * n, place) for place, share in few for n in range(share.n - share.k)]
    right = [(1 - STEP * n, place) for place, share in few for n in range(share.k)]
    for dots, colour, symbol, word in ((right, RIGHT, "circle-open", "right"), (wrong, HARM, "x", "wrong")):
        figure.add_trace(
            go.Scatter(
                x=[x for x, _ in dots],
                y=[place for _, place in dots],
                mode="markers",
                marker={"color": colour, "size": 7, "symbol": symbol, "line": {"color": colour, "width": 1.5}},
                hovertemplate=f"one {word} answer<extra></extra>",
            )
        )


def _counts(share: Proportion) -> str:
    return f"{share.k:,} of {share.n:,}"


def _row(part: str, share: Proportion) -> tuple[Cell, ...]:
    rates: tuple[Cell, ...] = (share.rate, share.low, share.high) if share.n >= SMALL_SAMPLE else (None, None, None)
    return (part, share.n, share.k, *rates)
