"""A run on screen: which one, its headline, its labels, the baselines beside it, and one view at a time of the rest."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pld_app import run_figures, session
from pld_app.components.run_baselines import draw_baselines
from pld_app.components.run_change_view import draw_change
from pld_app.components.run_confusion import draw_confusion
from pld_app.components.run_costs import draw_costs
from pld_app.components.run_curve import draw_curve
from pld_app.components.run_form import NEW
from pld_app.components.run_headline import draw_headline
from pld_app.components.run_labels import draw_labels
from pld_app.components.run_seen import SeenRun
from pld_app.components.run_slices import draw_slices
from pld_app.components.text import moment
from pld_core.models import Run, Task

VIEWS: dict[str, Callable[[SeenRun], None]] = {
    "Confusion and wrong answers": draw_confusion,
    "Against another run": draw_change,
    "Parts": draw_slices,
    "Learning curve": draw_curve,
    "Time and tokens": draw_costs,
}


def draw_runs(task: Task) -> None:
    """Draw the list of runs and the chosen one."""
    runs = session.app().store.runs.all(task.name)
    if not runs:
        st.info(f"No run yet. Start one under “{NEW}”: its figures appear here.")
        return
    st.header("Runs")
    labels = {run.id: _run_words(run) for run in runs}
    run_id = st.selectbox("Run", list(labels), format_func=lambda i: labels[i], key=f"run_{task.name}")
    run = next(r for r in runs if r.id == run_id)
    found = run_figures.figures_of(session.app(), run)
    draw_headline(run, found)
    if not found.accuracy.n:
        return
    draw_labels(run, found)
    draw_baselines(run, found)
    view = st.segmented_control(
        "Figures of this run",
        list(VIEWS),
        default=next(iter(VIEWS)),
        required=True,
        key="run_view",
        bind="query-params",
        wrap=True,
    )
    VIEWS[str(view)](SeenRun(task, run, found))


def _run_words(run: Run) -> str:
    return f"Run {run.id} · prompt {run.prompt_number} · {run.student} · {run.split.value} · {moment(run.created_at)}"
