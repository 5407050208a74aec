"""How each label of a run did, as a table that can be saved as CSV."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pld_app.components.text import count
from pld_core.metrics import Figures, LabelFigures
from pld_core.models import Run
from pld_core.proportion import SMALL_SAMPLE, Proportion, percent_words


def draw_labels(run: Run, found: Figures) -> None:
    """Draw a line for each declared label; rates of fewer than ten are left out, counts stay."""
    st.subheader("By label")
    st.dataframe(
        pd.DataFrame([label_row(label) for label in found.labels]), hide_index=True, width="stretch", key="run_labels"
    )
    st.caption(
        f"Run {run.id}, {count(found.accuracy.n, 'answer')}. Recall: of the examples of a label, how many are answered "
        f"right. Precision: of the answers that say it, how many are right. Intervals of 95 %, by Wilson; below "
        f"{SMALL_SAMPLE} there are counts only. Macro F1 is the mean of F1; its interval is a bootstrap within each "
        "label."
    )


def label_row(label: LabelFigures) -> dict[str, str | int]:
    """Return the line of a label."""
    enough = min(label.gold, label.predicted) >= SMALL_SAMPLE
    return {
        "label": label.label,
        "examples": label.gold,
        "right": label.correct,
        "student said it": label.predicted,
        "recall": rate_words(label.recall) if label.gold else "no example",
        "precision": rate_words(label.precision) if label.predicted else "never said",
        "F1": f"{label.f1:.2f}" if enough else "–",
    }


def rate_words(share: Proportion) -> str:
    """Return such as `80% (49 to 94%)`; counts below ten.

    >>> rate_words(Proportion.of(3, 6))
    '3 of 6'
    """
    if share.rate is None or share.low is None or share.high is None or share.n < SMALL_SAMPLE:
        return f"{share.k:,} of {share.n:,}"
    rate, interval = percent_words(share.rate, share.low, share.high)
    return f"{rate} ({interval})"
