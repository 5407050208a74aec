"""Repeats on screen: how many examples changed their answer, so that lots do not pass for progress."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pld_app import evaluating, session
from pld_app.components.charts.chart_frame import draw_chart
from pld_app.components.charts.flips import flips_chart
from pld_app.components.text import count, moment, plain
from pld_app.evaluating import RepeatGroup
from pld_core.metrics import accuracy_of
from pld_core.models import Task

NEWEST = 3


def draw_repeats(task: Task) -> None:
    """Draw the newest repeats, how steady their answers are, and each run; nothing where there is none."""
    groups = evaluating.repeat_groups(session.app(), task.name, NEWEST)
    if not groups:
        return
    with st.expander("Repeats: kept apart, they count for no release"):
        for group in groups:
            _draw_group(group)
        st.caption(f"At most the newest {NEWEST} orders are shown.")


def _draw_group(group: RepeatGroup) -> None:
    first = group.runs[0]
    how = "rules in other orders" if first.setup.shuffled else f"temperature {first.setup.temperature:g}"
    place = f"version {first.prompt_number} with {first.student} on {first.split.value}, {how}"
    st.markdown(f"**{plain(count(len(group.runs), 'run'))} of {plain(place)}**")
    if group.steadiness is not None:
        st.markdown(plain(f"{group.steadiness.words}."))
        draw_chart(flips_chart(group.runs, how, group.steadiness), f"flips_{first.id}")
    elif len(group.runs) > 1:
        st.caption("How many answers change is known once every repeat is complete.")
    rows = []
    for run in group.runs:
        found = accuracy_of(session.app().store.runs.counted(run.id))
        rows.append(
            {
                "run": run.id,
                "seed": run.setup.seed,
                "right": found.k,
                "answered": f"{found.n:,} of {run.total:,}",
                "when": moment(run.created_at),
            }
        )
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
