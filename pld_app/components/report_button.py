"""The report of the chosen run, made when somebody asks for it and downloaded as one HTML file."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.reporting import ReportContent, Wanted
from pld_core.models import Task


def draw_report_button(task: Task) -> None:
    """Draw the button for the run that the list of runs stands on; nothing where there is no run."""
    app, chosen = session.app(), session.widget(f"run_{task.name}")
    if not chosen:
        return
    run = app.store.runs.get(int(chosen))
    answered = app.store.runs.counted(run.id).total()
    st.header("Report")
    st.caption(
        "One file to read, print or hand on: figures with intervals, known limits, baselines, rules, gates, prompt and "
        "data. It holds no texts of examples, but for those that stand in the prompt."
    )
    st.download_button(
        f"Download the report of run {run.id}",
        ReportContent(app, Wanted(task.name, run.id)),
        f"{task.name}-run-{run.id}.html",
        "text/html",
        key="download_report",
        icon=":material/description:",
        on_click="ignore",
        disabled=not answered,
        help=None if answered else "The run has no answer yet.",
    )
    st.caption("The same by command; a name that ends in .pdf makes a PDF:")
    st.code(f"pld report --task {task.name} --run {run.id} --out report.html", language=None)
