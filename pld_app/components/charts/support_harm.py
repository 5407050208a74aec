"""Support against harm: a point for each rule, which shows where time for review pays."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import plotly.graph_objects as go

from pld_app.components.charts.chart_frame import Chart, framed
from pld_app.components.charts.look import HARM, NEUTRAL, RIGHT, SPACE, marked, plain_label, whole_steps
from pld_app.components.charts.name_places import Plot, sides_of_names
from pld_app.components.charts.statement import Statement
from pld_core.analytics import HarmPoint
from pld_core.attribution import Method
from pld_core.models import Run

NAMED = 8
"""Rules with the most harm that stand beside their points by name, as far as there is room."""
MANY = 1000
"""From so many rules on the points are small."""
REACH = 0.38
"""How far a point is moved at most so that rules with equal figures can be told apart."""
CROWD = 3
"""Of more rules than this with equal figures none is named: which one would be by chance."""
LEAST_HARM = 3
"""To which the axis of harm goes at least."""
_WIDTH, _HEIGHT = 540, 380
_TURN = math.pi * (3 - math.sqrt(5))


def harm_chart(run: Run, method: Method, baseline: int, points: Sequence[HarmPoint], chosen: str | None) -> Chart:
    """Return the points of all rules of a prompt; those that harm are filled crosses, the others small circles."""
    ranked = sorted(points, key=lambda point: (-point.harm, point.support, len(point.rule_id), point.rule_id))
    places = dict(zip((point.rule_id for point in ranked), _spread(ranked), strict=True))
    figure = go.Figure()
    for title, colour, symbol, part in (
        ("no harm", RIGHT, "circle-open", [p for p in ranked if not p.harm]),
        ("harm", HARM, "x", [p for p in ranked if p.harm]),
    ):
        figure.add_trace(
            go.Scattergl(
                x=[places[p.rule_id][0] for p in part],
                y=[places[p.rule_id][1] for p in part],
                mode="markers",
                name=f"{title}: {len(part):,} rules",
                marker={
                    "color": colour,
                    "symbol": symbol,
                    "size": 8 if len(ranked) < MANY else 5,
                    "line": {"color": colour, "width": 1},
                },
                opacity=1 if len(ranked) < MANY else 0.6,
                customdata=[[p.rule_id] for p in part],
                hovertext=[_hover(p) for p in part],
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )
    plot = _plot(points)
    _add_names(figure, _names(ranked, chosen), places, plot, chosen)
    for axis, title, most, shown in (
        ("xaxis", "support: examples that the rule rests on", max((p.support for p in points), default=0), plot.x),
        ("yaxis", "harm: wrong now, right at baseline", max((p.harm for p in points), default=0), plot.y),
    ):
        step = whole_steps(most)
        figure.layout[axis].update(title=title, zeroline=False, tick0=0, dtick=step, tickformat=",d", range=shown)
    statement = Statement(run, len(points), "rules", method, baseline, "equal points are moved apart a little")
    table = [(p.rule_id, p.support, p.covered, p.wrong, p.harm) for p in ranked]
    heading = ("rule", "support", "covered", "wrong", "harm")
    return framed(
        "errors-support-harm", "Support against harm", figure, statement, (heading, table), _HEIGHT, legend=True
    )


def _plot(points: Sequence[HarmPoint]) -> Plot:
    """Return the axes: all points, and room for the names of the outer ones."""
    support = [p.support for p in points] or [0]
    # Of an axis that ends at 0, points that are moved apart would fill the height as if they did harm.
    most = max([LEAST_HARM, *(p.harm for p in points)])
    wide = max(support) - min(support) + 2 * REACH
    x = (min(support) - REACH - 0.04 * wide, max(support) + REACH + 0.04 * wide)
    return Plot(x, (-0.05 * (most + 1), most + REACH + 0.08 * (most + 1)), _WIDTH, _HEIGHT)


def _names(ranked: Sequence[HarmPoint], chosen: str | None) -> list[str]:
    """Return the rules to name, the chosen one first, then those with the most harm."""
    equals = Counter((p.support, p.harm) for p in ranked)
    worst = [p.rule_id for p in ranked[:NAMED] if p.harm and equals[p.support, p.harm] <= CROWD]
    return [*(p.rule_id for p in ranked if p.rule_id == chosen), *(name for name in worst if name != chosen)]


def _add_names(
    figure: go.Figure, names: Sequence[str], places: dict[str, tuple[float, float]], plot: Plot, chosen: str | None
) -> None:
    sides = sides_of_names(names, places, plot)
    figure.add_trace(
        go.Scatter(
            x=[places[name][0] for name in sides],
            y=[places[name][1] for name in sides],
            mode="text",
            text=[f"{SPACE * 2}{marked(plain_label(name), name == chosen)}{SPACE * 2}" for name in sides],
            textposition=list(sides.values()),
            cliponaxis=False,
            textfont={"size": 11},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    figure.add_hline(y=0, line={"color": NEUTRAL, "width": 1})


def _spread(points: Sequence[HarmPoint]) -> list[tuple[float, float]]:
    """Return a place for each point; equal ones lie around their place like the seeds of a sunflower."""
    equals = Counter((p.support, p.harm) for p in points)
    seen: Counter[tuple[int, int]] = Counter()
    found = []
    for p in points:
        at = (p.support, p.harm)
        number, total = seen[at], equals[at]
        seen[at] += 1
        far = REACH * math.sqrt(number / total) if total > 1 else 0.0
        aside, up = far * math.cos(number * _TURN), far * math.sin(number * _TURN)
        # Below the line at 0 a point would seem to do the opposite of harm.
        found.append((round(p.support + aside, 3), round(p.harm + (up if p.harm else abs(up)), 3)))
    return found


def _hover(point: HarmPoint) -> str:
    return (
        f"{plain_label(point.rule_id)}<br>rests on {point.support:,} examples<br>covers {point.covered:,}, "
        f"{point.wrong:,} wrong, {point.harm:,} harm"
    )
