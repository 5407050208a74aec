"""What changes when a rule is left out: answers that are right only with it, only without it, and macro F1."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pld_app.components.charts.chart_frame import Cell, Chart, framed
from pld_app.components.charts.look import HARM, NEUTRAL, RIGHT, ROW, fill, marked, plain_label
from pld_app.components.charts.statement import Statement
from pld_core.ablation import Scope, ShownAblation
from pld_core.attribution import Method
from pld_core.models import Run
from pld_core.proportion import SMALL_SAMPLE

COLUMNS = (
    *("rule", "answers asked", "of all answers", "right only with the rule", "right only without it"),
    *("macro F1 with less without", "interval low", "interval high", "verdict"),
)


def left_out_chart(run: Run, found: Sequence[ShownAblation], chosen: str | None) -> Chart:
    """Return a row for each rule that was left out, in the order given."""
    names = [marked(_name(one), one.stored.ablation.of.rule_id == chosen) for one in found]
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, column_widths=[0.6, 0.4], horizontal_spacing=0.05)
    for title, colour, counts in (
        ("right only without it", HARM, [-one.stored.ablation.broken for one in found]),
        ("right only with the rule", RIGHT, [one.stored.ablation.fixed for one in found]),
    ):
        bar = go.Bar(
            x=counts,
            y=names,
            orientation="h",
            name=title,
            marker=fill(colour),
            text=[f"{abs(n):,}" if n else "" for n in counts],
            textposition="outside",
            cliponaxis=False,
            customdata=[[one.stored.ablation.of.rule_id] for one in found],
            hovertext=[_hover(one) for one in found],
            hovertemplate="%{hovertext}<extra></extra>",
        )
        figure.add_trace(bar, row=1, col=1)
    _add_differences(figure, names, found)
    most = max((max(one.stored.ablation.broken, one.stored.ablation.fixed) for one in found), default=0) or 1
    figure.update_layout(barmode="relative", bargap=0.35)
    figure.update_yaxes(categoryorder="array", categoryarray=names, autorange="reversed")
    figure.update_xaxes(title="answers", range=[-most * 1.3, most * 1.3], showticklabels=False, row=1, col=1)
    figure.update_xaxes(title="macro F1 gained, 95 % interval", tickformat="+.2f", row=1, col=2)
    statement = Statement(run, run.total, method=Method.ABLATION, more="what was not asked counts as unchanged")
    table = COLUMNS, [_row(one) for one in found]
    return framed("rules-left-out", "Rules left out", figure, statement, table, ROW * len(found) + 20, legend=True)


def _add_differences(figure: go.Figure, names: Sequence[str], found: Sequence[ShownAblation]) -> None:
    enough = [
        (name, one.figures.comparison)
        for name, one in zip(names, found, strict=True)
        if one.figures.comparison.n >= SMALL_SAMPLE
    ]
    points = go.Scatter(
        x=[one.difference for _, one in enough],
        y=[name for name, _ in enough],
        mode="markers",
        marker={"color": NEUTRAL, "size": 9, "symbol": "diamond"},
        error_x={
            "type": "data",
            "array": [one.high - one.difference for _, one in enough],
            "arrayminus": [one.difference - one.low for _, one in enough],
            "color": NEUTRAL,
        },
        hovertemplate="%{x:+.3f}<extra></extra>",
        showlegend=False,
    )
    figure.add_trace(points, row=1, col=2)


def _name(one: ShownAblation) -> str:
    """Return the rule; of one that was measured on all answers, that too, as it may stand there twice."""
    of = one.stored.ablation.of
    return plain_label(of.rule_id + (" (all answers)" if of.scope is Scope.ALL else ""))


def _hover(one: ShownAblation) -> str:
    measured, found = one.stored.ablation, one.figures.comparison
    lines = [
        f"{measured.of.rule_id}: {one.figures.verdict.value}",
        f"{len(measured.cases):,} of {found.n:,} answers asked without it",
        f"{measured.fixed:,} right only with it, {measured.broken:,} right only without it",
        f"macro F1 {found.difference:+.3f} (95 % interval {found.low:+.3f} to {found.high:+.3f})",
    ]
    return "<br>".join(plain_label(line) for line in lines)


def _row(one: ShownAblation) -> tuple[Cell, ...]:
    measured, found = one.stored.ablation, one.figures.comparison
    counts = (measured.of.rule_id, len(measured.cases), found.n, measured.fixed, measured.broken)
    return (*counts, found.difference, found.low, found.high, one.figures.verdict.value)
