"""How many examples there are by label and split, and dividing them anew."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pld_app import importing, session
from pld_app.components.charts.look import plain_label
from pld_app.components.label_form import draw_labels
from pld_app.components.permitted import allowed
from pld_app.components.text import count, plain
from pld_core.errors import PldError
from pld_core.models import Split, Task
from pld_core.permissions import Step
from pld_core.validation.findings import scarce_labels

LOOKS = {Split.TRAIN: ("#2b5c8a", ""), Split.VALIDATION: ("#d97706", "/"), Split.TEST: ("#0f766e", ".")}
"""Colour and pattern of each split: told apart in grey print too."""


def draw_overview(task: Task) -> None:
    """Draw the chart of labels by split, the numbers, the guideline and the re-split."""
    table = session.app().store.tasks.split_table(task.name)
    left, right = st.columns([6, 4], gap="medium")
    with left:
        st.plotly_chart(_chart(task, table), width="stretch", key=f"splits_{task.name}")
        if words := scarce_labels(task.label_names, table):
            st.warning(plain(words))
        with st.expander("Guideline and labels", expanded=False):
            st.caption(f"Guideline, version {task.guideline_version}")
            st.text(task.guideline or "(none)")
            draw_labels(task)
    with right:
        st.dataframe(_frame(task, table), width="stretch")
        _draw_resplit(task)


def _chart(task: Task, table: dict[tuple[Split, str], int]) -> go.Figure:
    figure = go.Figure()
    names = [plain_label(label) for label in task.label_names]
    for split, (colour, pattern) in LOOKS.items():
        counts = [table.get((split, label), 0) for label in task.label_names]
        figure.add_trace(
            go.Bar(
                y=names,
                x=counts,
                name=split.value,
                orientation="h",
                marker={"color": colour, "pattern": {"shape": pattern, "fillmode": "overlay", "fgcolor": "white"}},
            )
        )
    figure.update_layout(
        barmode="stack",
        height=90 + 32 * len(names),
        margin={"l": 0, "r": 0, "t": 30, "b": 0},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
        xaxis={"title": "examples"},
        yaxis={"autorange": "reversed"},
    )
    return figure


def _frame(task: Task, table: dict[tuple[Split, str], int]) -> pd.DataFrame:
    rows = []
    for label in task.label_names:
        counts = {split.value: table.get((split, label), 0) for split in Split}
        rows.append({"label": label, **counts, "all": sum(counts.values())})
    frame = pd.DataFrame(rows).set_index("label")
    frame.loc["all labels"] = frame.sum()
    return frame


def _draw_resplit(task: Task) -> None:
    with st.expander("Divide anew", expanded=False):
        st.caption(
            "60 % train, 20 % validation, 20 % test, stratified by label. What is alike or of one group stays "
            "together, and examples that an instruction was made from stay in train."
        )
        seed = st.number_input("Seed", min_value=0, value=0, step=1, key="resplit_seed", width=160)
        st.button(
            "Divide the examples anew",
            key="resplit",
            **session.as_shown("resplit_seed", _resplit, task.name, int(seed)),
            **allowed(Step.RESPLIT),
        )


def _resplit(task_name: str, seed: int) -> None:
    try:
        moved = importing.resplit_task(session.app(), task_name, seed)
    except PldError as error:
        session.complain(error)
        return
    session.notify(f"{count(moved, 'example')} moved to another split")
