"""A run cut into parts: by label, source, length, group, data set, an input field or a kept column."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from pld_app import run_figures, session
from pld_app.components.charts.chart_frame import draw_chart
from pld_app.components.charts.shares import shares_chart
from pld_app.components.charts.statement import Statement
from pld_app.components.run_baselines import AT_ONCE
from pld_app.components.run_seen import SeenRun
from pld_app.wiring import App
from pld_core.proportion import Proportion
from pld_core.slices import Dimension, Slice

DIMENSIONS = (Dimension.LABEL, Dimension.LENGTH, Dimension.SOURCE, Dimension.GROUP, Dimension.DATASET)


def draw_slices(seen: SeenRun) -> None:
    """Draw the choice of what to cut by, and the share of right answers in each part."""
    run, answers = seen.run, seen.figures.accuracy.n
    choices = {dimension.value: (dimension, "") for dimension in DIMENSIONS}
    choices |= {f"field {field}": (Dimension.FIELD, field) for field in seen.task.input_fields}
    kept = session.app().store.kept.columns(seen.task.name)
    choices |= {f"column {column}": (Dimension.COLUMN, column) for column in kept}
    chosen = str(st.selectbox("Cut by", list(choices), key="slice_by", width=320))
    key, is_counted = f"slices_{run.id}", choices[chosen][0].is_counted
    if not is_counted and answers > AT_ONCE and not session.flag(key):
        st.caption(f"For that, {answers:,} answers and their examples are read.")
        st.button("Cut the run", key=f"{key}_show", on_click=session.flip, args=(key,))
        return
    parts = _parts(seen, *choices[chosen])
    if len(parts) == 1:
        st.caption(f"All examples of this run are alike in this: {parts[0][0]}. There is nothing to cut by.")
        return
    statement = Statement(run, answers, more="accuracy by Wilson")
    draw_chart(shares_chart("parts", f"Accuracy by {chosen}", statement, parts), f"parts_{run.id}_{chosen}")
    st.caption(
        "This chart leads to no list. The wrong answers of a gold label are listed under “Confusion and wrong answers”."
    )


def _parts(seen: SeenRun, dimension: Dimension, field: str) -> tuple[tuple[str, Proportion], ...]:
    if dimension is Dimension.LABEL:
        return tuple((label.label, label.recall) for label in seen.figures.labels if label.gold)
    app = session.app()
    known = _Known(str(app.settings.workspace), seen.run.id, seen.figures.accuracy.n, app.store.events.count())
    return _cut(app, known, dimension, field)


@dataclass(frozen=True)
class _Known:
    """What the parts are made of, for the cache: with the same, they come out the same.

    Attributes:
        events: how many there are: data sets that come, are archived or are deleted have one each.
    """

    workspace: str
    run_id: int
    answers: int
    events: int


@st.cache_data(show_spinner="Cutting the run…", max_entries=64)
def _cut(_app: App, known: _Known, dimension: Dimension, field: str) -> tuple[tuple[str, Proportion], ...]:
    parts = run_figures.slices_of(_app, _app.store.runs.get(known.run_id), dimension, field)
    return tuple((part_name(part), part.accuracy) for part in parts)


def part_name(part: Slice) -> str:
    """Return what a part is called."""
    return f"{part.values:,} others" if part.values > 1 else part.value or "not given"
