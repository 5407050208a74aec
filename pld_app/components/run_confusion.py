"""The confusion matrix of a run, and the wrong answers of the cell that was chosen in it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pld_app import session
from pld_app.components.charts.chart_frame import draw_chart
from pld_app.components.charts.matrix import matrix_chart
from pld_app.components.run_answers import draw_wrong
from pld_app.components.run_seen import SeenRun
from pld_core.analytics import INVALID


def draw_confusion(seen: SeenRun) -> None:
    """Draw the matrix beside the wrong answers; a click on a cell narrows the list to it, and so do two fields."""
    task, run, found = seen.task, seen.run, seen.figures
    left, right = st.columns([5, 5], gap="medium")
    gold_key, said_key = f"cell_gold_{run.id}", f"cell_said_{run.id}"
    with left:
        st.subheader("Gold label (down) against answer (across)")
        clicked = draw_chart(matrix_chart(run, task.label_names, found), f"matrix_{run.id}", can_click=True)
        if clicked:
            session.preset(gold_key, clicked[0])
            session.preset(said_key, clicked[1])
        st.caption("Click a coloured cell to see its answers, or choose one beside.")
    with right:
        st.subheader("Wrong answers")
        labels = [*task.label_names, *found.undeclared]
        fields = st.columns(2)
        with fields[0]:
            gold = _choice("Gold label", labels, gold_key)
        with fields[1]:
            said = _choice("Answer", [*labels, INVALID], said_key)
        draw_wrong(task, run, found, gold, said)


def _choice(title: str, labels: Sequence[str], key: str) -> str:
    return str(st.selectbox(title, ["", *labels], format_func=lambda name: name or "any", key=key))
