"""The confusion matrix of a run: gold label down, answer across, and a column for answers without a label."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from pld_app.components.charts.chart_frame import Chart, framed
from pld_app.components.charts.heat import Square, are_upright, room_for_names, square_map
from pld_app.components.charts.look import RIGHT, ROW, axis_names, plain_label
from pld_app.components.charts.statement import Statement
from pld_core.analytics import INVALID, ConfusionCell
from pld_core.metrics import Figures
from pld_core.models import Run

_NO_ANSWER = "(no usable answer)"
_NO_ANSWER_UPRIGHT = "(no usable<br>answer)"
_CELL = 34
"""Pixels of a row: the frames of right answers need some room."""


def matrix_chart(run: Run, labels: Sequence[str], found: Figures) -> Chart:
    """Return the matrix; wrong answers are coloured by their number, right ones framed.

    Args:
        labels: the declared ones; labels that are not declared stand behind them.
    """
    named = [*labels, *found.undeclared]
    cells = cells_of_matrix(named, found)
    rows = axis_names(named)
    upright = {**rows, INVALID: _NO_ANSWER_UPRIGHT}
    columns = upright if are_upright(list(upright.values())) else {**rows, INVALID: _NO_ANSWER}
    squares = [
        Square(
            column=columns[cell.said],
            row=rows[cell.gold],
            wrong=0 if cell.gold == cell.said else cell.n,
            text=f"{cell.n:,}",
            hover=plain_label(f"gold {cell.gold}, said {cell.said}: {cell.n:,} answers"),
            means=() if cell.gold == cell.said else (cell.gold, cell.said),
        )
        for cell in cells
    ]
    figure = square_map(list(columns.values()), list(rows.values()), squares)
    _frame_right(figure, [square for square in squares if not square.means])
    statement = Statement(run, found.accuracy.n, more="framed: right; coloured: wrong")
    table = ("gold label", "said", "answers"), [(cell.gold, cell.said, cell.n) for cell in cells]
    chart = framed("confusion", "Gold label against answer", figure, statement, table, _CELL * len(rows) + 6)
    top, names = int(chart.figure.layout.margin.t), room_for_names(figure)
    chart.figure.update_layout(height=top + names + _CELL * len(rows) + 6, margin={"t": top + names, "b": 6})
    return chart


def cells_of_matrix(labels: Sequence[str], found: Figures) -> tuple[ConfusionCell, ...]:
    """Return the cells that are not empty, row by row; the column of answers without a label comes last."""
    cells = []
    for gold in labels:
        counts = {said: found.confusion.get((gold, said), 0) for said in labels} | {INVALID: found.unusable_of(gold)}
        cells += [ConfusionCell(gold, said, n) for said, n in counts.items() if n]
    return tuple(cells)


def _frame_right(figure: go.Figure, right: Sequence[Square]) -> None:
    frame = go.Scatter(
        x=[square.column for square in right],
        y=[square.row for square in right],
        mode="markers",
        marker={"symbol": "square-open", "size": ROW + 3, "color": RIGHT, "line": {"color": RIGHT, "width": 3}},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_trace(frame)
