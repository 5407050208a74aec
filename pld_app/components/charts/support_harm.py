"""Support against harm: a point for each rule, which shows where time for review pays."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import plotly.graph_objects as go

from pld_app.components.charts.chart_frame import Chart, framed
from pld_app.components.charts.look import HARM, NEUTRAL, RIGHT, SPACE, marked, plain_label, whole_steps
from pld_app.components.charts.statement import Statement
from pld_core.analytics import HarmPoint
from pld_core.attribution import Method
from pld_core.models import Run

NAMED = 8
"""Rules with the most harm that stand beside their points by name."""
MANY = 1000
"""From so many rules on the points are small."""
REACH = 0.38
"""How far a point is moved at most so that rules with equal figures can be told apart."""
_TURN = math.pi * (3 - math.sqrt(5))


def harm_chart(run: Run, method: Method, baseline: int, points: Sequence[HarmPoint], chosen: str | None) -> Chart:
    """Return the points of all rules of a prompt; those that harm are filled crosses, the others small circles."""
    ranked = sorted(points, key=lambda point: (-point.harm, point.support, len(point.rule_id), point.rule_id))
    named = {point.rule_id for point in ranked[:NAMED] if point.harm} | ({chosen} if chosen else set())
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
                customdata=[[p.rule_id] for p in part],
                hovertext=[_hover(p) for p in part],
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )
    _add_names(figure, [p for p in ranked if p.rule_id in named], places, chosen)
    wide = whole_steps(max((p.support for p in points), default=0))
    high = whole_steps(max((p.harm for p in points), default=0))
    figure.update_xaxes(title="support: examples that the rule rests on", zeroline=False, tick0=0, dtick=wide)
    figure.update_yaxes(title="harm: wrong now, right at baseline", zeroline=False, tick0=0, dtick=high)
    statement = Statement(run, len(points), "rules", method, baseline, "equal points are moved apart a little")
    table = [(p.rule_id, p.support, p.covered, p.wrong, p.harm) for p in ranked]
    heading = ("rule", "support", "covered", "wrong", "harm")
    return framed("errors-support-harm", "Support against harm", figure, statement, (heading, table), 380, legend=True)


def _add_names(
    figure: go.Figure, named: Sequence[HarmPoint], places: dict[str, tuple[float, float]], chosen: str | None
) -> None:
    figure.add_trace(
        go.Scatter(
            x=[places[p.rule_id][0] for p in named],
            y=[places[p.rule_id][1] for p in named],
            mode="text",
            text=[f"{SPACE * 3}{marked(plain_label(p.rule_id), p.rule_id == chosen)}" for p in named],
            textposition="middle right",
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
        found.append(
            (round(p.support + far * math.cos(number * _TURN), 3), round(p.harm + far * math.sin(number * _TURN), 3))
        )
    return found


def _hover(point: HarmPoint) -> str:
    return (
        f"{plain_label(point.rule_id)}<br>rests on {point.support:,} examples<br>covers {point.covered:,}, "
        f"{point.wrong:,} wrong, {point.harm:,} harm"
    )
