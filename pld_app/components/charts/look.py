"""How charts look: what stands for what, readable by the colour-blind, in grey print, in light and in dark."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from pld_core.attribution import UNCOVERED

# Okabe and Ito: told apart by colour-blind readers. In grey the pattern tells them apart.
RIGHT, WRONG, HARM = "#0072b2", "#e69f00", "#d55e00"
NEUTRAL = "#7f8894"
"""Lines and intervals: seen on white and on dark."""
PATTERNS = {RIGHT: "", WRONG: "/", HARM: "x"}
_PATTERN_INK = {RIGHT: "#ffffff", WRONG: "#5c3d00", HARM: "#3d1500"}
FONT = "Arial, Helvetica, sans-serif"
"""A font of the machine: a saved picture has no other, and letters of another width would be cut off there."""
HEAT = ((0.0, "#fdf0d5"), (0.5, "#e69f00"), (1.0, "#7a3300"))
"""From few to many; each step is darker than the one before, so it can be read in grey."""
DARK_INK, LIGHT_INK = "#1a1200", "#ffffff"
NO_RULE = "no rule (uncovered)"
TITLE_WIDTH = 26
SPACE = "\u00a0"
"""A space that a chart keeps."""
ROW = 25
"""Pixels of a row of bars or cells."""
_LINE, _FIRST_LINE = 16, 20
"""Pixels of a line above a chart, and from the top to the first one, past the button beside it."""
_CHARACTERS = 98
"""So many characters of the line above a chart fit into the narrowest screen that we draw for."""


def plain_label(text: str) -> str:
    """Take the angle brackets from a text for a chart, which would read them as HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def rule_name(rule_id: str, title: str = "") -> str:
    """Return what a rule goes by on an axis, cut where it is long, safe for a chart."""
    if rule_id == UNCOVERED:
        return NO_RULE
    return plain_label(f"{rule_id} {_cut(title, TITLE_WIDTH)}".rstrip())


def short_label(text: str, width: int = 18) -> str:
    """Return a label for an axis, cut where it is long, safe for a chart."""
    return plain_label(_cut(text, width))


def axis_names(labels: Sequence[str], width: int = 18) -> dict[str, str]:
    """Return what each label is called on an axis: cut where it is long, and told apart where the rest is alike."""
    names: dict[str, str] = {}
    for label in dict.fromkeys(labels):
        name = short_label(label, width)
        names[label] = f"{name} ({len(names) + 1})" if name in names.values() else name
    return names


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"


def marked(name: str, is_chosen: bool) -> str:
    """Return a name on an axis so that the chosen one stands out."""
    return f"<b>▶ {name}</b>" if is_chosen else name


def fill(colour: str) -> dict[str, object]:
    """Return the marker of bars that stand for right, wrong or harmed answers."""
    pattern = {"shape": PATTERNS[colour], "fgcolor": _PATTERN_INK[colour], "fillmode": "overlay", "size": 6}
    return {"color": colour, "pattern": {**pattern, "solidity": 0.25}, "line": {"color": NEUTRAL, "width": 0.5}}


def one_wrong() -> dict[str, object]:
    """Return the marker of a single wrong answer: the colour of wrong ones, and a form that tells without colour."""
    return {"color": WRONG, "size": 9, "symbol": "x", "line": {"color": NEUTRAL, "width": 0.5}}


def one_right() -> dict[str, object]:
    """Return the marker of a single right answer."""
    return {"color": RIGHT, "size": 7, "symbol": "circle-open", "line": {"color": RIGHT, "width": 1.5}}


def ink_on(value: float, darkest: float) -> str:
    """Return the colour of letters on a cell of a heat map whose darkest cell stands for `darkest`."""
    return LIGHT_INK if value / darkest > 0.6 else DARK_INK


def whole_steps(most: int) -> int:
    """Return how far the ticks of an axis of counts stand apart: at most ten of them, at 1, 2, 5, 10, 20, ...

    >>> whole_steps(3), whole_steps(15), whole_steps(234)
    (1, 2, 50)
    """
    size = int(10 ** max(0, len(str(most)) - 2))
    return next(step * size for step in (1, 2, 5, 10, 20) if most <= 10 * step * size)


def said_above(parts: Sequence[str]) -> str:
    """Return the line that stands above a chart, broken where it is long; each part stays whole if it can."""
    lines, line = [], ""
    for part in parts:
        longer = f"{line} · {part}" if line else part
        if line and len(longer) > _CHARACTERS:
            lines.append(line)
            longer = part
        line = longer
    return "<br>".join(plain_label(one) for one in [*lines, line])


def lay_out(
    figure: go.Figure, above: Sequence[str], plot_height: int, legend: bool = False, title: str = ""
) -> go.Figure:
    """Give a figure its measures and the line above it, which a saved picture keeps; return the figure.

    Args:
        above: parts of that line.
        plot_height: pixels for what is drawn; what stands above and below it is added.
        legend: whether there is one below the line.
        title: what the figure shows, on a line of its own above the others; empty for none.
    """
    text = said_above(above)
    text = f"<b>{plain_label(title)}</b><br>{text}" if title else text
    lines = text.count("<br>") + 1
    top = 18 + _LINE * lines + (30 if legend else 8)
    height = plot_height + top + 50
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 8, "t": top, "b": 50},
        title={
            "text": _light(text),
            "font": {"size": 12},
            "x": 0,
            "xref": "container",
            "y": 1 - _FIRST_LINE / height,
            "yanchor": "top",
        },
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1,
            "yanchor": "bottom",
            "traceorder": "normal",
            "font": {"size": 12},
        },
        showlegend=legend,
        clickmode="event+select",
        dragmode=False,
        hoverlabel={"align": "left"},
        font={"family": FONT},
    )
    figure.update_xaxes(automargin=True)
    # The room is measured before the letters are there: without a space before them the first one is cut off.
    figure.update_yaxes(automargin=True, tickprefix=SPACE)
    return figure


def _light(text: str) -> str:
    """Return a title in the weight of other text: the theme would make it bold."""
    return f'<span style="font-weight:400">{text}</span>'


def saved_as(name: str) -> dict[str, object]:
    """Return the settings of a chart with one button, which saves it as a picture; the browser makes it."""
    return {
        "displaylogo": False,
        "displayModeBar": True,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": "png", "filename": name, "scale": 2},
    }
