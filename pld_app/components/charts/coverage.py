"""Of the examples of each gold label, how many a rule covers, and how many answers are wrong with and without one."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from pld_app.components.charts.chart_frame import Cell, Chart, framed
from pld_app.components.charts.look import NEUTRAL, RIGHT, ROW, SPACE, WRONG, axis_names, fill, plain_label
from pld_app.components.charts.statement import Statement
from pld_core.analytics import LabelFigures
from pld_core.attribution import UNCOVERED, Method
from pld_core.models import Run

COVERED, OPEN = "by a rule", "by no rule"
COLUMNS = (
    *("gold label", "covered", "covered wrong", "uncovered", "uncovered wrong", "own sources left out"),
    *("share covered", "interval low", "interval high"),
)


def coverage_chart(run: Run, method: Method, labels: Sequence[LabelFigures]) -> Chart:
    """Return two bars for each label: answers to examples that a rule covers, and to those that none does."""
    halves = [
        *((label, COVERED, label.covered, label.wrong) for label in labels),
        *((label, OPEN, label.uncovered, label.uncovered_wrong) for label in labels),
    ]
    halves.sort(key=lambda half: [label.label for label in labels].index(half[0].label))
    names = axis_names([label.label for label in labels])
    axis = [[SPACE + names[half[0].label] for half in halves], [half[1] for half in halves]]
    figure = go.Figure()
    for title, colour, counts in (
        ("wrong", WRONG, [wrong for _, _, _, wrong in halves]),
        ("right", RIGHT, [n - wrong for _, _, n, wrong in halves]),
    ):
        figure.add_trace(
            go.Bar(
                x=counts,
                y=axis,
                orientation="h",
                name=title,
                marker=fill(colour),
                # Only what no rule covers is one list of examples.
                customdata=[[UNCOVERED, label.label] if half == OPEN else [] for label, half, _, _ in halves],
                text=[_hover(*half) for half in halves],
                textposition="none",
                hovertemplate="%{text}<extra></extra>",
            )
        )
    _add_counts(figure, axis, [(n, wrong) for _, _, n, wrong in halves])
    most = max((n for _, _, n, _ in halves), default=0) or 1
    figure.update_layout(barmode="stack", bargap=0.35)
    figure.update_xaxes(title="answers", range=[0, most * 1.25], tickformat=",d")
    figure.update_yaxes(autorange="reversed", dividercolor=NEUTRAL)
    n = sum(label.covered + label.uncovered for label in labels)
    statement = Statement(run, n, method=method)
    table = COLUMNS, [_row(label) for label in labels]
    height = ROW * len(halves) + 20
    return framed("errors-coverage", "Coverage by gold label", figure, statement, table, height, legend=True)


def _add_counts(figure: go.Figure, axis: list[list[str]], counts: Sequence[tuple[int, int]]) -> None:
    figure.add_trace(
        go.Scatter(
            x=[n for n, _ in counts],
            y=axis,
            mode="text",
            text=[f" {wrong:,} of {n:,} wrong" if n else " none" for n, wrong in counts],
            textposition="middle right",
            textfont={"size": 11},
            cliponaxis=False,
            hoverinfo="skip",
            showlegend=False,
        )
    )


def _hover(label: LabelFigures, half: str, n: int, wrong: int) -> str:
    covered = label.coverage.words if label.coverage.n else "nothing to cover"
    lines = [f"gold {label.label}, covered {half}: {wrong:,} of {n:,} wrong", f"covered by a rule: {covered}"]
    lines += [f"{label.own_sources:,} answers to own sources left out"] if label.own_sources else []
    return "<br>".join(plain_label(line) for line in lines)


def _row(label: LabelFigures) -> tuple[Cell, ...]:
    share = label.coverage
    counts = (label.label, label.covered, label.wrong, label.uncovered, label.uncovered_wrong, label.own_sources)
    return (*counts, share.rate, share.low, share.high)
