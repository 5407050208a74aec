"""The rounds of a loop: macro F1 on train, validation and, once at the end, test, with intervals and prompt tokens."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from pld_app.components.charts.look import HARM, NEUTRAL, RIGHT, WRONG, lay_out, plain_label
from pld_core.conflicts.records import HeldOutScore, Resolution, RoundRecord
from pld_core.conflicts.rounds import Figure

Point = tuple[int, Figure | None]


def loop_chart(loop: Resolution, rounds: Sequence[RoundRecord], score: HeldOutScore | None) -> go.Figure:
    """Return a line for train and one for validation over the rounds, and the two figures on the test split."""
    figure = go.Figure()
    tested: list[Point] = [] if score is None else [(0, score.first), (score.best_round, score.best)]
    lines: tuple[tuple[str, str, str, str, list[Point]], ...] = (
        ("validation", RIGHT, "circle", "solid", [(one.number, one.validation) for one in rounds]),
        ("train", WRONG, "diamond", "dot", [(one.number, one.train) for one in rounds]),
        ("test", HARM, "x", "solid", tested if score is None or score.best_round else tested[:1]),
    )
    for place, (name, colour, symbol, dash, points) in enumerate(lines):
        held = [(number + 0.06 * (place - 1), found) for number, found in points if found is not None]
        if held:
            mode = "markers" if name == "test" else "lines+markers"
            figure.add_trace(_line(name, colour, symbol, dash, mode, held))
    ticks = [f"round {one.number}<br>{one.tokens:,} tokens" for one in rounds]
    figure.update_xaxes(tickvals=[one.number for one in rounds], ticktext=ticks, range=[-0.5, len(rounds) - 0.5])
    figure.update_yaxes(title="macro F1, 95 % interval", range=[-0.03, 1.06], tickformat=".1f")
    above = (f"loop {loop.id}", f"student {loop.basis.student.name}", "tokens of the prompt are estimated")
    return lay_out(figure, above, 230, legend=True)


def _line(
    name: str, colour: str, symbol: str, dash: str, mode: str, held: Sequence[tuple[float, Figure]]
) -> go.Scatter:
    return go.Scatter(
        x=[x for x, _ in held],
        y=[found.macro_f1 for _, found in held],
        mode=mode,
        name=plain_label(name),
        marker={"color": colour, "symbol": symbol, "size": 10, "line": {"color": NEUTRAL, "width": 1}},
        line={"color": colour, "dash": dash, "width": 1.5},
        error_y={
            "type": "data",
            "array": [found.high - found.macro_f1 for _, found in held],
            "arrayminus": [found.macro_f1 - found.low for _, found in held],
            "color": colour,
            "thickness": 1,
        },
        text=[f"{name}: {figure_words(found)}" for _, found in held],
        hovertemplate="%{text}<extra></extra>",
    )


def figure_words(figure: Figure | None) -> str:
    """Return a figure for people, such as `0.812 (0.740 to 0.880), 40 of 48 right`."""
    if figure is None:
        return "–"
    return f"{figure.macro_f1:.3f} ({figure.low:.3f} to {figure.high:.3f}), {figure.right:,} of {figure.n:,} right"
