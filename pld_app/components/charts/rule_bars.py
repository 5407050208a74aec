"""A bar for each rule: what it covers, right and wrong; and the share of wrong answers with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pld_app.components.charts.chart_frame import Cell, Chart, framed
from pld_app.components.charts.look import (
    HARM,
    NEUTRAL,
    RIGHT,
    ROW,
    WRONG,
    fill,
    marked,
    one_right,
    one_wrong,
    plain_label,
    rule_name,
)
from pld_app.components.charts.statement import Statement
from pld_core.analytics import RuleBar, RuleBars
from pld_core.attribution import UNCOVERED
from pld_core.proportion import SMALL_SAMPLE

COLUMNS = (
    *("rule", "title", "covered", "correct", "wrong", "wrong now and right at baseline"),
    *("share wrong", "interval low", "interval high", "own sources left out", "own sources wrong"),
)
STEP = 0.07
"""How far the dots of single answers stand apart on the axis of shares."""
_LETTER, _MOST_WORDS = 0.029, 0.75
"""Part of the axis of answers that a letter behind a bar takes on a small screen, and that all of them take at most."""


def bars_chart(found: RuleBars, chosen: str | None = None) -> Chart:
    """Return the bars of a page of rules, the one of what no rule covers last.

    Args:
        chosen: the rule that is looked at; None for none.
    """
    bars = [*found.bars, found.uncovered]
    names = [marked(rule_name(bar.rule_id, bar.title), bar.rule_id == chosen) for bar in bars]
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, column_widths=[0.62, 0.38], horizontal_spacing=0.05)
    for title, colour, counts in _segments(bars, found.baseline is not None):
        _add_segment(figure, title, colour, counts, names, bars)
    _add_counts(figure, names, bars)
    _add_shares(figure, names, bars)
    _add_dots(figure, names, bars)
    figure.update_layout(barmode="stack", bargap=0.35)
    figure.update_yaxes(categoryorder="array", categoryarray=names, autorange="reversed")
    figure.update_xaxes(title="answers", range=[0, _reach(bars)], nticks=5, tickformat=",d", row=1, col=1)
    figure.update_xaxes(
        title="share wrong, 95 %", range=[-0.05, 1.1], tickvals=[0, 0.5, 1], tickformat=".0%", row=1, col=2
    )
    n = found.run.total - found.own_sources
    statement = Statement(found.run, n, method=found.method, baseline=found.baseline)
    table = COLUMNS, [_row(bar) for bar in bars]
    return framed("errors-by-rule", "Errors by rule", figure, statement, table, ROW * len(bars) + 10, legend=True)


def _segments(bars: Sequence[RuleBar], has_baseline: bool) -> list[tuple[str, str, list[int]]]:
    """Return title, colour and lengths of what the bars are made of, from the left."""
    right = ("right", RIGHT, [bar.correct for bar in bars])
    if not has_baseline:
        return [("wrong", WRONG, [bar.wrong for bar in bars]), right]
    harm = [bar.harm or 0 for bar in bars]
    other = [bar.wrong - n for bar, n in zip(bars, harm, strict=True)]
    return [("harm", HARM, harm), ("wrong at both", WRONG, other), right]


def _add_segment(
    figure: go.Figure, title: str, colour: str, counts: list[int], names: list[str], bars: Sequence[RuleBar]
) -> None:
    bar = go.Bar(
        x=counts,
        y=names,
        orientation="h",
        name=title,
        marker=fill(colour),
        customdata=[[bar.rule_id] for bar in bars],
        text=[_hover(bar) for bar in bars],
        textposition="none",
        hovertemplate="%{text}<extra></extra>",
    )
    figure.add_trace(bar, row=1, col=1)


def _add_counts(figure: go.Figure, names: list[str], bars: Sequence[RuleBar]) -> None:
    counts = go.Scatter(
        x=[bar.covered for bar in bars],
        y=names,
        mode="text",
        text=[_short(bar) for bar in bars],
        textposition="middle right",
        textfont={"size": 11},
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_trace(counts, row=1, col=1)


def _add_shares(figure: go.Figure, names: list[str], bars: Sequence[RuleBar]) -> None:
    enough = [(name, bar) for name, bar in zip(names, bars, strict=True) if bar.covered >= SMALL_SAMPLE]
    rates = [bar.error_rate for _, bar in enough]
    figure.add_trace(
        go.Scatter(
            x=[rate.rate for rate in rates],
            y=[name for name, _ in enough],
            mode="markers",
            marker={"color": WRONG, "size": 9, "symbol": "diamond", "line": {"color": NEUTRAL, "width": 1}},
            error_x={
                "type": "data",
                "array": [(rate.high or 0) - (rate.rate or 0) for rate in rates],
                "arrayminus": [(rate.rate or 0) - (rate.low or 0) for rate in rates],
                "color": NEUTRAL,
                "thickness": 1.5,
            },
            customdata=[[bar.rule_id] for _, bar in enough],
            text=[_hover(bar) for _, bar in enough],
            hovertemplate="%{text}<extra></extra>",
            showlegend=False,
        ),
        row=1,
        col=2,
    )


def _add_dots(figure: go.Figure, names: list[str], bars: Sequence[RuleBar]) -> None:
    """Add a dot for each answer of a rule with fewer than ten: right ones at the left end, wrong ones at the right."""
    few = [(name, bar) for name, bar in zip(names, bars, strict=True) if bar.covered < SMALL_SAMPLE]
    right = [(STEP * n, name, bar) for name, bar in few for n in range(bar.correct)]
    wrong = [(1 - STEP * n, name, bar) for name, bar in few for n in range(bar.wrong)]
    for dots, marker in ((right, one_right()), (wrong, one_wrong())):
        figure.add_trace(
            go.Scatter(
                x=[x for x, _, _ in dots],
                y=[name for _, name, _ in dots],
                mode="markers",
                marker=marker,
                customdata=[[bar.rule_id] for _, _, bar in dots],
                text=[_hover(bar) for _, _, bar in dots],
                hovertemplate="%{text}<extra></extra>",
                showlegend=False,
            ),
            row=1,
            col=2,
        )


def _reach(bars: Sequence[RuleBar]) -> float:
    """Return how far the axis of answers goes, so that what stands behind a bar ends before the axis does."""
    needed = [bar.covered / (1 - min(_MOST_WORDS, len(_short(bar)) * _LETTER)) for bar in bars]
    return max(needed) or 1


def _short(bar: RuleBar) -> str:
    harm = f", {bar.harm:,} harm" if bar.harm else ""
    return f" {bar.wrong:,} of {bar.covered:,}{harm}" if bar.covered else " nothing covered"


def _hover(bar: RuleBar) -> str:
    lines = [plain_label(f"{bar.rule_id} {bar.title}") if bar.rule_id != UNCOVERED else "Covered by no rule"]
    lines.append(f"{bar.covered:,} answers: {bar.correct:,} right, {bar.wrong:,} wrong")
    lines += [f"{bar.harm:,} of the wrong are right at the baseline"] if bar.harm is not None else []
    lines += [f"wrong: {bar.error_rate.words}"] if bar.covered else []
    lines += [f"{bar.own_sources:,} answers to its own sources left out"] if bar.own_sources else []
    return "<br>".join(lines)


def _row(bar: RuleBar) -> tuple[Cell, ...]:
    rate = bar.error_rate
    shares: tuple[Cell, ...] = (rate.rate, rate.low, rate.high) if bar.covered >= SMALL_SAMPLE else (None, None, None)
    name = bar.rule_id or "(uncovered)"
    return (
        *(name, bar.title, bar.covered, bar.correct, bar.wrong, bar.harm),
        *shares,
        *(bar.own_sources, bar.own_wrong),
    )
