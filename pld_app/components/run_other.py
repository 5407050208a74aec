"""What stands in place of a comparison while there is no other run: the choice of a version, and the button for it."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.permitted import allowed
from pld_app.components.run_baselines import draw_start
from pld_app.components.run_form import order, version_words
from pld_app.components.student_choice import student_statuses
from pld_app.components.test_lock import draw_test_lock
from pld_app.components.text import plain
from pld_app.run_order import MatrixOrder
from pld_core.baselines import Baseline
from pld_core.models import Run, Split, Task
from pld_core.permissions import Step
from pld_core.prompt_manifest import PromptKind

ORDERED = "The run is ordered; the worker does it. Its progress stands at the top of this page."


def draw_no_other(task: Task, run: Run) -> None:
    """Draw that no other run over the split of a run is complete, and the way to one with the same student."""
    st.info(f"No other run over {run.split.value} is complete, so there is nothing to compare with.")
    versions = {one.number: one for one in session.app().store.prompts.listed(task.name)}
    own = versions.pop(run.prompt_number)
    if not versions and own.kind is PromptKind.NO_RULES:
        st.caption("The only version is this one without rules. Approve a rule, then compile.")
        st.page_link("pages/prompt.py", label="Go to Prompt", icon=":material/description:")
        return
    with st.container(border=True, width=560):
        st.markdown(f"**Another version with {plain(run.student)} over {run.split.value}**")
        reason_key = draw_test_lock(task, "other") if run.split is Split.TEST else ""
        if not versions:
            draw_start(run, Baseline.NO_RULES, reason_key, place="other")
            return
        number = st.selectbox(
            "Prompt version", list(versions), format_func=lambda n: version_words(versions[n]), key="other_version"
        )
        status = student_statuses().get(run.student)
        is_ready = status is not None and status.ready
        wanted = MatrixOrder(task.name, (number,), (run.student,), (run.split,))
        st.button(
            "Start the run",
            type="primary",
            key="other_start",
            **allowed(Step.EVALUATE, is_ready, help="" if is_ready else "This student is not ready."),
            **session.as_shown((f"run_{task.name}", "other_version"), order, wanted, reason_key, ORDERED),
        )
