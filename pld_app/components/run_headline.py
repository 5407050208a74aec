"""The headline of a run: accuracy, macro F1, answers without a label, how far it is, and looks at the test split."""

from __future__ import annotations

import streamlit as st

from pld_app import evaluating, session
from pld_app.components.charts.statement import Statement
from pld_app.components.text import plain
from pld_app.components.unusable_answers import are_all_unusable, draw_all_unusable
from pld_core.metrics import Figures
from pld_core.models import AnswerStatus, Run, Split
from pld_core.proportion import SMALL_SAMPLE

_NONE = "–"


def draw_headline(run: Run, found: Figures) -> None:
    """Draw the headline; below ten answers there are counts and no rate."""
    accuracy, macro = found.accuracy, found.macro_f1
    enough = accuracy.n >= SMALL_SAMPLE
    st.caption(plain(Statement(run, accuracy.n).line))
    columns = st.columns(4)
    columns[0].metric("Accuracy", f"{accuracy.rate:.0%}" if enough else _NONE)
    columns[0].caption(accuracy.words)
    columns[1].metric("Macro F1", f"{macro.value:.3f}" if enough else _NONE)
    columns[1].caption(macro.words)
    bad = {s: n for s, n in found.statuses.items() if s is not AnswerStatus.OK}
    columns[2].metric("Answers without a label", f"{sum(bad.values()):,}")
    columns[2].caption(", ".join(f"{n:,} {s.value}" for s, n in bad.items()) or "none; all would count as wrong")
    columns[3].metric("Answered", f"{accuracy.n:,} of {run.total:,}")
    columns[3].caption("complete" if accuracy.n == run.total else "not complete: figures so far")
    for caution in found.cautions:
        st.caption(plain(caution))
    if run.split is Split.TEST:
        st.caption(f":material/lock: {evaluating.looks_words(session.app().store.runs.looks(run.task))}")
    _draw_warnings(found, is_complete=accuracy.n == run.total)


def _draw_warnings(found: Figures, is_complete: bool) -> None:
    accuracy, majority = found.accuracy, found.majority
    if are_all_unusable(found):
        draw_all_unusable("look at what it said below, and try the prompt on the Live test page before another run.")
    elif is_complete and accuracy.rate is not None and majority.rate is not None and accuracy.rate <= majority.rate:
        st.warning(
            "This is not better than always giving the most frequent label "
            f"({majority.words}). With this prompt, this student is no help."
        )
