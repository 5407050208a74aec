"""Repeats on screen: how many answers were right in each, so that lots do not pass for progress."""

from __future__ import annotations

from itertools import groupby

import pandas as pd
import streamlit as st

from pld_app import session
from pld_app.components.text import count, moment
from pld_core.models import Task

NEWEST = 30


def draw_repeats(task: Task) -> None:
    """Draw the runs that drew lots, newest first; nothing where there is none."""
    store = session.app().store
    runs = store.runs.trials(task.name)
    if not runs:
        return
    rows = []
    for _, group in groupby(runs[:NEWEST], key=lambda run: run.setup.group or str(run.id)):
        for run in sorted(group, key=lambda run: run.setup.seed):
            answers = store.runs.predictions(run.id)
            rows.append(
                {
                    "run": run.id,
                    "when": moment(run.created_at),
                    "prompt": run.prompt_number,
                    "student": run.student,
                    "split": run.split.value,
                    "how": run.setup.words,
                    "right": sum(answer.answer.label == answer.gold for answer in answers),
                    "answered": f"{len(answers):,} of {run.total:,}",
                }
            )
    with st.expander(f"Repeats ({count(len(runs), 'run')}): kept apart, they count for no release"):
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
        if len(runs) > NEWEST:
            st.caption(f"The newest {NEWEST} are shown.")
