"""Heat maps of wrong answers: rule x gold label, and rule x confusion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from pld_app.components.charts.chart_frame import Cell, Chart, framed
from pld_app.components.charts.look import (
    HEAT,
    ROW,
    axis_names,
    ink_on,
    marked,
    plain_label,
    rule_name,
    short_label,
    whole_steps,
)
from pld_app.components.charts.statement import Statement
from pld_core.analytics import ConfusionCell, LabelCell, RuleBar, RuleBars

MOST_CONFUSIONS = 10
"""Confusions that fit beside each other; the most frequent ones of the page."""
UPRIGHT = 48
"""With more letters than this beside each other the names of columns stand aslant: they would run into each other."""
_LETTER = 5.5
"""Pixels that a letter of a name aslant is high."""
SCALE_FROM = 3
"""Fewer rows leave no room for a scale; the numbers stand in the cells."""
DARK_FROM = 5
"""Fewer wrong answers than this make no cell the darkest."""


@dataclass(frozen=True)
class Square:
    """A cell: where it is, how many wrong answers it holds, what stands in it, what a click means, if anything."""

    column: str
    row: str
    wrong: int
    text: str
    hover: str
    means: tuple[str, ...]


def label_heat(found: RuleBars, cells: Sequence[LabelCell], labels: Sequence[str], chosen: str | None) -> Chart:
    """Return wrong of covered answers of each rule and gold label; the rules are those of a page of bars."""
    rows, titles = _rules(found, chosen)
    columns = axis_names([*labels, *(cell.label for cell in cells if cell.label not in labels)])
    squares = [
        Square(
            column=columns[cell.label],
            row=rows[cell.rule_id],
            wrong=cell.wrong,
            text=f"{cell.wrong:,}/{cell.covered:,}",
            hover=f"{rows[cell.rule_id]}<br>gold {plain_label(cell.label)}: {cell.wrong:,} of {cell.covered:,} wrong",
            means=(cell.rule_id, cell.label),
        )
        for cell in cells
    ]
    table = [(c.rule_id or "(uncovered)", titles[c.rule_id], c.label, c.covered, c.wrong) for c in cells]
    n = sum(cell.covered for cell in cells)
    statement = Statement(found.run, n, "answers to the rules shown", found.method, more="in a cell: wrong / covered")
    figure = square_map(list(columns.values()), list(rows.values()), squares)
    heading = ("rule", "title", "gold label", "covered", "wrong")
    return _framed("errors-rule-by-label", "Wrong answers by rule and gold label", figure, statement, heading, table)


def confusion_heat(found: RuleBars, cells: Sequence[ConfusionCell], chosen: str | None) -> Chart:
    """Return how many answers of each rule are wrong in which way; the rules are those of a page of bars."""
    rows, titles = _rules(found, chosen)
    sums: Counter[tuple[str, str]] = Counter()
    for cell in cells:
        sums[cell.gold, cell.said] += cell.n
    shown = _pairs([pair for pair, _ in sums.most_common(MOST_CONFUSIONS)])
    squares = [
        Square(
            column=shown[cell.gold, cell.said],
            row=rows[cell.rule_id],
            wrong=cell.n,
            text=f"{cell.n:,}",
            hover=f"{rows[cell.rule_id]}<br>{plain_label(f'gold {cell.gold}, said {cell.said}: {cell.n:,} answers')}",
            means=(cell.rule_id, cell.gold, cell.said),
        )
        for cell in cells
        if (cell.gold, cell.said) in shown
    ]
    table = [(c.rule_id or "(uncovered)", titles[c.rule_id], c.gold, c.said, c.n) for c in cells]
    left_out = len(sums) - len(shown)
    more = f"the {len(shown)} most frequent of {len(sums)} confusions" if left_out else ""
    n = sum(cell.n for cell in cells)
    statement = Statement(found.run, n, "wrong answers of the rules shown", found.method, more=more)
    figure = square_map(list(shown.values()), list(rows.values()), squares)
    heading = ("rule", "title", "gold label", "said", "answers")
    return _framed("errors-rule-by-confusion", "Wrong answers by rule and confusion", figure, statement, heading, table)


def _rules(found: RuleBars, chosen: str | None) -> tuple[dict[str, str], dict[str, str]]:
    """Return by id the names on the axis, and the titles, of the rules of a page and of no rule."""
    bars: list[RuleBar] = [*found.bars, found.uncovered]
    names = {bar.rule_id: marked(rule_name(bar.rule_id, bar.title), bar.rule_id == chosen) for bar in bars}
    return names, {bar.rule_id: bar.title for bar in bars}


def _pairs(pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return what confusions are called: on two lines if they fit beside each other, else on one, told apart."""
    upright = {(gold, said): f"{short_label(gold, 14)}<br>→ {short_label(said, 14)}" for gold, said in pairs}
    if are_upright(list(upright.values())) and len(set(upright.values())) == len(pairs):
        return upright
    names: dict[tuple[str, str], str] = {}
    for gold, said in pairs:
        name = f"{short_label(gold, 9)} → {short_label(said, 9)}"
        names[gold, said] = f"{name} ({len(names) + 1})" if name in names.values() else name
    return names


def _longest(names: Sequence[str]) -> int:
    return max((len(line) for name in names for line in name.split("<br>")), default=0)


def are_upright(names: Sequence[str]) -> bool:
    """Return whether the names of columns fit beside each other, so that they need not stand aslant."""
    return _longest(names) * len(names) <= UPRIGHT


def square_map(columns: Sequence[str], rows: Sequence[str], squares: Sequence[Square]) -> go.Figure:
    """Return a map, the first row on top: coloured cells, and on each a mark with its number, which can be clicked."""
    places: Mapping[tuple[str, str], int] = {(one.row, one.column): one.wrong for one in squares}
    darkest = max(DARK_FROM, *places.values()) if places else DARK_FROM
    figure = go.Figure(
        go.Heatmap(
            x=columns,
            y=rows,
            z=[[places.get((row, column)) for column in columns] for row in rows],
            zmin=0,
            zmax=darkest,
            colorscale=[list(step) for step in HEAT],
            xgap=2,
            ygap=2,
            showscale=len(rows) >= SCALE_FROM,
            colorbar={"title": {"text": "wrong", "side": "right"}, "thickness": 10, "dtick": whole_steps(darkest)},
            hoverinfo="skip",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[one.column for one in squares],
            y=[one.row for one in squares],
            mode="markers+text",
            marker={"symbol": "square", "size": ROW - 2, "color": "rgba(0, 0, 0, 0)"},
            text=[one.text for one in squares],
            textfont={"color": [ink_on(one.wrong, darkest) for one in squares], "size": 12},
            customdata=[list(one.means) for one in squares],
            hovertext=[one.hover for one in squares],
            hovertemplate="%{hovertext}<extra></extra>",
            showlegend=False,
        )
    )
    figure.update_xaxes(
        side="top",
        tickangle=0 if are_upright(columns) else -60,
        showgrid=False,
        categoryorder="array",
        categoryarray=columns,
        range=[-0.5, len(columns) - 0.5],
    )
    figure.update_yaxes(
        categoryorder="array", categoryarray=rows, range=[len(rows) - 0.5, -0.5], showgrid=False, zeroline=False
    )
    return figure


def room_for_names(figure: go.Figure) -> int:
    """Return the pixels that the names of columns need above a map."""
    columns = figure.data[0].x
    return 44 if are_upright(columns) else 20 + int(_LETTER * _longest(columns))


def _framed(
    name: str,
    title: str,
    figure: go.Figure,
    statement: Statement,
    heading: Sequence[str],
    table: Sequence[Sequence[Cell]],
) -> Chart:
    rows = len(figure.data[0].y)
    chart = framed(name, title, figure, statement, (heading, table), ROW * rows + 50)
    top = int(chart.figure.layout.margin.t)
    names = room_for_names(figure)
    chart.figure.update_layout(height=chart.figure.layout.height + names - 44, margin={"t": top + names, "b": 6})
    return chart
