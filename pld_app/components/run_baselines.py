"""What a run has to beat: its examples without rules, with 5 shots, by nearest neighbours, by the commonest label."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from pld_app import run_figures, session
from pld_app.components.permitted import allowed
from pld_app.components.student_choice import student_statuses
from pld_app.components.test_lock import draw_test_lock
from pld_app.components.text import plain
from pld_app.report_baselines import KINDS
from pld_app.run_figures import BesideRun
from pld_app.wiring import App
from pld_core.baselines import Baseline, beaten_by
from pld_core.errors import PldError
from pld_core.metrics import Figures
from pld_core.models import Run, Split
from pld_core.paired import PairedVerdict
from pld_core.permissions import Step
from pld_core.run_report.baseline_lines import BaselineLine

AT_ONCE = 2_000
"""Answers that are held against their baselines unasked; for more, neighbours take a while."""


@dataclass(frozen=True)
class _Known:
    """What the comparison is made of, for the cache: with the same, it comes out the same.

    Attributes:
        answers: of the run and of those that may be a baseline to it; answers come without an event.
        events: examples, versions and runs come with one.
    """

    workspace: str
    run_id: int
    answers: tuple[tuple[int, int], ...]
    events: int


def draw_baselines(run: Run, found: Figures) -> None:
    """Draw the baselines beside a run, which of them beats it, and the way to those that are missing."""
    st.subheader("Beside the baselines")
    if found.accuracy.n < run.total:
        st.caption("The baselines stand here once the run is complete: part of the answers may be of one label only.")
        return
    app, key = session.app(), f"baselines_{run.id}"
    if found.accuracy.n > AT_ONCE and not session.flag(key):
        st.caption(f"The neighbours of {found.accuracy.n:,} examples take a while to find.")
        st.button("Hold it against the baselines", key=f"{key}_show", on_click=session.flip, args=(key,))
        return
    answers = ((run.id, found.accuracy.n), *run_figures.answers_of_baselines(app, run))
    known = _Known(str(app.settings.workspace), run.id, answers, app.store.events.count())
    beside = _beside(app, known)
    _draw_verdict(beside)
    rows = [_own_row(beside, found), *(_row(line) for line in beside.lines)]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="run_baselines")
    st.caption(
        f"Over the {found.accuracy.n:,} answers of run {run.id}. The difference is macro F1 of this run less that of "
        "the baseline, example by example; it is shown if its interval leaves out 0. Neighbours are found by the "
        "built-in embedder among training examples that the run does not ask about."
    )
    _draw_missing(run, beside)


@st.cache_data(show_spinner="Holding the run against its baselines…", max_entries=16)
def _beside(_app: App, known: _Known) -> BesideRun:
    return run_figures.beside(_app, _app.store.runs.get(known.run_id))


def _draw_verdict(beside: BesideRun) -> None:
    if not beside.has_rules:
        st.caption("This run is of a baseline itself: the others stand beside it without a verdict.")
    elif beaten_by([line.beside for line in beside.lines]):
        st.warning(plain(beside.verdict))
    else:
        st.markdown(plain(beside.verdict))


def _own_row(beside: BesideRun, found: Figures) -> dict[str, str]:
    return {
        "answered by": "the rules" if beside.has_rules else "this prompt",
        "macro F1": found.macro_f1.words,
        "this run beside it": "",
        "correct": found.accuracy.words,
        "from": "this run",
    }


def _row(line: BaselineLine) -> dict[str, str]:
    return {
        "answered by": line.beside.baseline.value,
        "macro F1": line.macro_f1.words,
        "this run beside it": _difference(line),
        "correct": line.accuracy.words,
        "from": line.origin,
    }


def _difference(line: BaselineLine) -> str:
    found = line.beside.comparison
    if found.verdict is PairedVerdict.TOO_FEW:
        return found.verdict.value
    return f"{found.verdict.value}: {found.difference:+.3f} (95 % interval {found.low:+.3f} to {found.high:+.3f})"


def _draw_missing(run: Run, beside: BesideRun) -> None:
    """Draw a button for each baseline that the student did not answer yet."""
    if not beside.missing:
        return
    names = " and ".join(f"“{one.value}”" for one in beside.missing)
    st.info(
        f"Not answered yet by {plain(run.student)} on {run.split.value}: {names}. Rules are worth their length only if "
        "they beat that, too."
    )
    reason_key = draw_test_lock(session.app().store.tasks.get(run.task), "baseline") if run.split is Split.TEST else ""
    with st.container(horizontal=True):
        for baseline in beside.missing:
            draw_start(run, baseline, reason_key)


def draw_start(run: Run, baseline: Baseline, reason_key: str = "", place: str = "baseline") -> None:
    """Draw the button that orders a baseline with the student and on the split of a run, compiled first if it is not.

    Args:
        reason_key: the field that holds why the test split is looked at; empty on the other splits.
        place: where on the page, for the key.
    """
    status = student_statuses().get(run.student)
    is_there = any(one.kind is KINDS[baseline] for one in session.app().store.prompts.listed(run.task))
    st.button(
        f"Evaluate “{baseline.value}”" if is_there else f"Compile and evaluate “{baseline.value}”",
        key=f"{place}_{baseline.name}",
        icon=":material/play_arrow:",
        **allowed(
            Step.EVALUATE if is_there else Step.COMPILE,
            status is not None and status.ready,
            help="" if status is not None and status.ready else "This student is not ready.",
        ),
        **session.as_shown((f"run_{run.task}", f"errors_run_{run.task}"), _order, run, baseline, reason_key),
    )


def _order(run: Run, baseline: Baseline, reason_key: str) -> None:
    try:
        run_figures.order_baseline(session.app(), run, baseline, session.widget(reason_key) if reason_key else "")
    except PldError as error:
        session.complain(error)
        return
    session.notify(f"The run of the baseline “{baseline.value}” is ordered; the worker does it.")
    if reason_key:
        session.preset(reason_key, "")
