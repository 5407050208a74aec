"""The frame of a chart: the figure with its statement, saved as a picture or as CSV, and what was clicked on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import plotly.graph_objects as go
import streamlit as st

from pld_app import session
from pld_app.components.charts.look import lay_out, saved_as
from pld_app.components.charts.statement import Statement
from pld_core.spreadsheet import csv_line

Cell = str | int | float | None


@dataclass(frozen=True)
class Chart:
    """A figure with the numbers behind it.

    Attributes:
        name: what its files begin with; letters, digits and hyphens.
        title: what it shows, in a few words, for people who cannot see it.
        columns, rows: the same numbers as a table.
    """

    name: str
    title: str
    figure: go.Figure
    statement: Statement
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def file_name(self) -> str:
        """The name of its files, without what follows the dot."""
        method = self.statement.method
        return "-".join([self.name, f"run-{self.statement.run.id}", *([method.value] if method else [])])

    @property
    def csv(self) -> str:
        """The numbers as CSV; every row says where they come from, and no cell runs as a formula."""
        lines = [csv_line([*self.columns, "chart", *self.statement.columns])]
        lines += [csv_line([*map(_text, row), self.title, *self.statement.cells]) for row in self.rows]
        return "".join(lines)


def framed(
    name: str,
    title: str,
    figure: go.Figure,
    statement: Statement,
    table: tuple[Sequence[str], Sequence[Sequence[Cell]]],
    plot_height: int,
    legend: bool = False,
) -> Chart:
    """Return the chart of a figure, laid out and with its title and statement above it.

    Args:
        table: headings and rows of the numbers behind it.
    """
    lay_out(figure, statement.parts, plot_height, legend, title)
    columns, rows = table
    return Chart(name, title, figure, statement, tuple(columns), tuple(tuple(row) for row in rows))


def draw_chart(chart: Chart, key: str, can_click: bool = False) -> tuple[str, ...]:
    """Draw a chart with its downloads; return what the clicked point stands for, on the run after the click only."""
    settings = saved_as(chart.file_name)
    alt = f"{chart.title}: {chart.statement.line}. The same numbers are in the CSV file below."
    clicked: tuple[str, ...] = ()
    if can_click:
        event = st.plotly_chart(
            chart.figure, width="stretch", on_select="rerun", selection_mode="points", config=settings, key=key, alt=alt
        )
        clicked = _clicked(event)
    else:
        st.plotly_chart(chart.figure, width="stretch", config=settings, key=key, alt=alt)
    st.download_button(
        "Numbers as CSV",
        partial(_encoded, chart),
        f"{chart.file_name}.csv",
        "text/csv",
        key=f"{key}_csv",
        icon=":material/download:",
        on_click="ignore",
        help="The camera above the chart saves it as a picture (PNG).",
    )
    return clicked if session.changed(f"click_{key}", clicked) else ()


def _encoded(chart: Chart) -> bytes:
    return chart.csv.encode()


def _clicked(event: object) -> tuple[str, ...]:
    points = event["selection"]["points"] if isinstance(event, dict) else []
    found = points[0].get("customdata") if points else None
    return tuple(str(part) for part in found) if isinstance(found, list | tuple) else ()


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    return f"{cell:.4f}" if isinstance(cell, float) else str(cell)
