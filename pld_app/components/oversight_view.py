"""The figures on the oversight on screen: sentences first, charts beside them, nobody named."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from pld_app import session
from pld_app.components.check_figures import draw_check_figures
from pld_app.components.oversight_charts import count_chart, time_chart
from pld_app.components.text import plain, words
from pld_core.models import Task
from pld_core.oversight import Oversight, oversight
from pld_core.oversight_words import (
    NOBODY,
    VERDICTS,
    Told,
    agreement_told,
    changes_told,
    decisions_told,
    evidence_told,
    opinions_told,
    time_told,
)


def draw_oversight(task: Task) -> None:
    """Draw the figures of a task, or what there will be once somebody decided."""
    figures = oversight(session.app().store.oversight.facts(task.name))
    if figures.decisions == 0:
        st.info(NOBODY)
        st.page_link("pages/review.py", label="Go to the Review page", icon=":material/rule:")
        return
    st.caption(
        "How the deciding itself went, over all decisions of this task. It supports oversight duties; no figure is "
        f"by person. The same by command: `pld oversight --task {plain(task.name)}`."
    )
    left, right = st.columns(2, gap="medium")
    with left:
        _draw_decisions(figures)
        _draw_told(changes_told(figures))
        _draw_told(agreement_told(figures.agreement))
    with right:
        _draw_time(figures)
        _draw_told(evidence_told(figures))
        _draw_told(opinions_told(figures.opinions))
        with st.container(border=True, gap="xsmall"):
            draw_check_figures(task)


def _draw_told(subject: Told) -> None:
    with st.container(border=True, gap="xsmall"):
        _draw_says(subject)
        st.caption(plain(subject.limits))


def _draw_says(subject: Told) -> None:
    st.markdown(f"**{subject.title}**")
    for sentence in subject.says:
        st.markdown(plain(sentence))


def _draw_decisions(figures: Oversight) -> None:
    subject = decisions_told(figures)
    with st.container(border=True, gap="xsmall"):
        _draw_says(subject)
        _draw_chart(count_chart({VERDICTS[verdict][1]: n for verdict, n in figures.verdicts.items()}), "verdicts")
        if reasons := {words(category.value): n for category, n in figures.categories.items() if n}:
            st.markdown("Rejected because")
            _draw_chart(count_chart(reasons), "categories")
        st.caption(plain(subject.limits))


def _draw_time(figures: Oversight) -> None:
    subject = time_told(figures)
    with st.container(border=True, gap="xsmall"):
        _draw_says(subject)
        if any(band.n for band in figures.active):
            _draw_chart(time_chart(figures.active), "time")
            st.caption(
                "A box holds the middle half of the decisions, its line is the median. A circle is one decision, drawn "
                "where there are fewer than ten."
            )
        st.caption(plain(subject.limits))


def _draw_chart(figure: go.Figure, name: str) -> None:
    st.plotly_chart(figure, width="stretch", config={"displayModeBar": False}, key=f"oversight_{name}")
