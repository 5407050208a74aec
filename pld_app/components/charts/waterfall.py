"""What a run fixed and broke since another one, label by label, from no change down to the sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from pld_app.components.charts.chart_frame import Chart, framed
from pld_app.components.charts.look import HARM, NEUTRAL, RIGHT, ROW, axis_names, fill
from pld_app.components.charts.statement import Statement
from pld_core.analytics import LabelChange
from pld_core.effect import Outcome
from pld_core.run_change import RunChange

MOST_LABELS = 12
"""Labels with a line of their own, those with the most changes; the others share one."""
_OTHERS = ""
"""Stands for the labels that share a line; a click on it means any label."""


@dataclass(frozen=True)
class Step:
    """A bar of the waterfall: from where to where the sum of right answers moves, counted from the run before.

    Attributes:
        label: `""` for the labels that share a line.
    """

    label: str
    outcome: Outcome
    start: int
    n: int

    @property
    def end(self) -> int:
        return self.start + self.n if self.outcome is Outcome.FIXED else self.start - self.n


def steps_of(changes: Sequence[LabelChange]) -> tuple[Step, ...]:
    """Return the bars, the label with the most changes first: what was fixed of it, then what was broken."""
    moved = sorted(changes, key=lambda one: (-one.fixed - one.broken, one.label))
    lines = [(one.label, one.fixed, one.broken) for one in moved[:MOST_LABELS]]
    if rest := moved[MOST_LABELS:]:
        lines.append((_OTHERS, sum(one.fixed for one in rest), sum(one.broken for one in rest)))
    steps: list[Step] = []
    for label, fixed, broken in lines:
        for outcome, n in ((Outcome.FIXED, fixed), (Outcome.BROKEN, broken)):
            if n:
                steps.append(Step(label, outcome, steps[-1].end if steps else 0, n))
    return tuple(steps)


def waterfall_chart(found: RunChange) -> Chart:
    """Return the waterfall of what changed between two runs; a click means an outcome and a label."""
    steps = steps_of(found.changes)
    labels = {**axis_names([step.label for step in steps if step.label]), _OTHERS: "other labels:"}
    names = [f"{labels[step.label]} {step.outcome.value}" for step in steps]
    total = steps[-1].end if steps else 0
    last = f"sum: {total:+,}"
    figure = go.Figure()
    for outcome, colour in ((Outcome.FIXED, RIGHT), (Outcome.BROKEN, HARM)):
        own = [(name, step) for name, step in zip(names, steps, strict=True) if step.outcome is outcome]
        figure.add_trace(_bars(outcome, colour, own))
    figure.add_trace(
        go.Bar(x=[total], y=[last], orientation="h", name="sum", marker={"color": NEUTRAL}, hoverinfo="skip")
    )
    ends = [0, *(end for step in steps for end in (step.start, step.end))]
    room = max(1.0, 0.12 * (max(ends) - min(ends)))
    figure.update_layout(barmode="overlay", bargap=0.3)
    figure.update_yaxes(categoryorder="array", categoryarray=[*names, last], autorange="reversed")
    figure.update_xaxes(
        title=f"right answers, counted from run {found.before.id}",
        range=[min(ends) - room, max(ends) + room],
        tickformat="+,d",
        zeroline=True,
        zerolinecolor=NEUTRAL,
    )
    statement = Statement(found.after, found.figures.n, "examples of both runs", more=f"against run {found.before.id}")
    table = ("gold label", "outcome", "examples"), [(s.label or "(other labels)", s.outcome.value, s.n) for s in steps]
    name = f"fixed-and-broken-since-run-{found.before.id}"
    return framed(
        name, "Fixed and broken by label", figure, statement, table, (ROW + 3) * (len(steps) + 1) + 10, legend=True
    )


def _bars(outcome: Outcome, colour: str, own: Sequence[tuple[str, Step]]) -> go.Bar:
    return go.Bar(
        base=[min(step.start, step.end) for _, step in own],
        x=[step.n for _, step in own],
        y=[name for name, _ in own],
        orientation="h",
        name=outcome.value,
        marker=fill(colour),
        text=[f"{step.end - step.start:+,}" for _, step in own],
        textposition="outside",
        cliponaxis=False,
        customdata=[[step.outcome.value, step.label] for _, step in own],
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
