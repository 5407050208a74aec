"""Shares with their intervals below each other, such as accuracy in each part of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import plotly.graph_objects as go

from pld_app.components.charts.chart_frame import Cell, Chart, framed
from pld_app.components.charts.look import NEUTRAL, RIGHT, ROW, SPACE, one_right, one_wrong, plain_label, short_label
from pld_app.components.charts.statement import Statement
from pld_core.proportion import SMALL_SAMPLE, Proportion

_WIDTH = 34
STEP = 0.035
"""How far the dots of single examples stand apart on the axis of shares."""


@dataclass(frozen=True)
class Meaning:
    """What a share is of.

    Attributes:
        counted, other: what is said of an example that counts, and of one that does not.
        colour: of the shares.
        counted_mark, other_mark: the marker of a single example, where there are fewer than ten.
    """

    counted: str = "right"
    other: str = "wrong"
    colour: str = RIGHT
    counted_mark: Mapping[str, object] = field(default_factory=one_right)
    other_mark: Mapping[str, object] = field(default_factory=one_wrong)


RIGHT_ANSWERS = Meaning()


def shares_chart(
    name: str,
    title: str,
    statement: Statement,
    parts: Sequence[tuple[str, Proportion]],
    meaning: Meaning = RIGHT_ANSWERS,
) -> Chart:
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
            marker={"color": meaning.colour, "size": 10, "symbol": "diamond", "line": {"color": NEUTRAL, "width": 1}},
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
    _add_dots(figure, [(place, share) for place, (_, share) in enumerate(parts) if share.n < SMALL_SAMPLE], meaning)
    figure.update_yaxes(
        tickmode="array",
        tickvals=places,
        ticktext=[f"{SPACE}{short_label(part, _WIDTH)}  {plain_label(_counts(share))}" for part, share in parts],
        range=[len(parts) - 0.5, -0.5],
        zeroline=False,
    )
    figure.update_xaxes(title=f"share {meaning.counted}, 95 % interval", range=[-0.03, 1.03], tickformat=".0%")
    heading = ("part", statement.noun, meaning.counted, f"share {meaning.counted}", "interval low", "interval high")
    rows = [_row(part, share) for part, share in parts]
    return framed(name, title, figure, statement, (heading, rows), ROW * len(parts) + 20)


def _add_dots(figure: go.Figure, few: Sequence[tuple[int, Proportion]], meaning: Meaning) -> None:
    """Add a mark for each where there are fewer than ten: those that count at the right end, others at the left."""
    other = [(STEP * n, place) for place, share in few for n in range(share.n - share.k)]
    counted = [(1 - STEP * n, place) for place, share in few for n in range(share.k)]
    for dots, marker, word in (
        (counted, meaning.counted_mark, meaning.counted),
        (other, meaning.other_mark, meaning.other),
    ):
        figure.add_trace(
            go.Scatter(
                x=[x for x, _ in dots],
                y=[place for _, place in dots],
                mode="markers",
                marker=dict(marker),
                hovertemplate=f"one: {word}<extra></extra>",
            )
        )


def _counts(share: Proportion) -> str:
    return f"{share.k:,} of {share.n:,}"


def _row(part: str, share: Proportion) -> tuple[Cell, ...]:
    rates: tuple[Cell, ...] = (share.rate, share.low, share.high) if share.n >= SMALL_SAMPLE else (None, None, None)
    return (part, share.n, share.k, *rates)
