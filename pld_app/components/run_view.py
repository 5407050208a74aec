"""Evaluation runs on screen: figures with their interval, confusion, the wrong answers."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pld_app import session
from pld_app.components.answered_example import draw_answered_example
from pld_app.components.charts.look import plain_label
from pld_app.components.finding_form import draw_run_mark
from pld_app.components.text import moment, plain
from pld_core.metrics import Figures, cells_of, figures
from pld_core.models import AnswerStatus, Prediction, Run, Task

WRONG_SHOWN = 25
INVALID = "(no usable answer)"
"""The column of the confusion matrix for answers without a label; reads unlike any label that people declare."""


def draw_runs(task: Task) -> None:
    """Draw the list of runs and the chosen one."""
    store = session.app().store
    runs = store.runs.all(task.name)
    if not runs:
        st.info("No run yet. Its figures appear here while it goes on.")
        return
    st.header("Runs")
    labels = {
        run.id: f"Run {run.id} · prompt {run.prompt_number} · {run.student} · {run.split.value} · "
        f"{moment(run.created_at)}"
        for run in runs
    }
    run_id = st.selectbox("Run", list(labels), format_func=lambda i: labels[i], key=f"run_{task.name}")
    run = next(r for r in runs if r.id == run_id)
    predictions = store.runs.predictions(run.id)
    found = figures(task.label_names, cells_of(predictions))
    _draw_headline(run, found)
    left, right = st.columns([5, 5], gap="medium")
    with left:
        _draw_labels(found)
    with right:
        _draw_confusion(task, found)
    _draw_wrong(task, run, predictions)


def _draw_headline(run: Run, found: Figures) -> None:
    accuracy, majority = found.accuracy, found.majority
    columns = st.columns(4)
    shown = "–" if accuracy.rate is None or accuracy.n < 10 else f"{accuracy.rate:.0%}"
    columns[0].metric("Accuracy", shown)
    columns[0].caption(accuracy.words)
    columns[1].metric("Always the most frequent label", "–" if majority.rate is None else f"{majority.rate:.0%}")
    columns[1].caption("what an answer without reading would get")
    bad = {s: n for s, n in found.statuses.items() if s is not AnswerStatus.OK}
    columns[2].metric("Answers without a label", sum(bad.values()))
    columns[2].caption(", ".join(f"{n} {s.value}" for s, n in bad.items()) or "none; all would count as wrong")
    columns[3].metric("Answered", f"{accuracy.n} of {run.total}")
    columns[3].caption("complete" if accuracy.n == run.total else "not complete: figures so far")
    if accuracy.rate is not None and majority.rate is not None and accuracy.rate <= majority.rate:
        st.warning(
            "This is not better than always giving the most frequent label. The student or the rules do not help."
        )


def _draw_labels(found: Figures) -> None:
    st.markdown("**By gold label**")
    rows = [
        {"label": s.label, "examples": s.gold, "right": s.correct, "student said it": s.predicted} for s in found.labels
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")


def _draw_confusion(task: Task, found: Figures) -> None:
    st.markdown("**Gold label against answer**")
    answers = [*task.label_names, INVALID]
    counts = [
        [*(found.confusion.get((gold, said), 0) for said in task.label_names), found.unusable_of(gold)]
        for gold in task.label_names
    ]
    figure = go.Figure(
        go.Heatmap(
            z=counts,
            x=[f"said {plain_label(a)}" for a in answers],
            y=[plain_label(g) for g in task.label_names],
            text=counts,
            texttemplate="%{text}",
            colorscale="Blues",
            showscale=False,
            hovertemplate="gold %{y}, %{x}: %{z}<extra></extra>",
        )
    )
    figure.update_layout(height=220, margin={"l": 0, "r": 0, "t": 4, "b": 0}, yaxis={"autorange": "reversed"})
    st.plotly_chart(figure, width="stretch", config={"displayModeBar": False}, key="confusion")


def _draw_wrong(task: Task, run: Run, predictions: tuple[Prediction, ...]) -> None:
    wrong = [p for p in predictions if p.answer.label != p.gold]
    if not wrong:
        return
    with st.expander(f"Wrong answers ({len(wrong)})"):
        for prediction in wrong[:WRONG_SHOWN]:
            answer = prediction.answer
            with st.container(border=True, gap="xsmall"):
                said = answer.label or f"no label ({answer.status.value})"
                st.markdown(f"Gold **{plain(prediction.gold)}**, the student said **{plain(said)}**")
                draw_answered_example(task, prediction.example_hash, answer)
                draw_run_mark(task, run, prediction)
        if len(wrong) > WRONG_SHOWN:
            st.caption(f"The first {WRONG_SHOWN} of {len(wrong)} are shown.")
