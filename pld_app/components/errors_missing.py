"""What the Errors page shows where something is missing: which run it is, and the button that starts it."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.job_progress import draw_jobs, order_job
from pld_app.components.permitted import allowed
from pld_app.components.run_baselines import draw_start
from pld_app.components.run_form import order, version_words
from pld_app.components.student_choice import draw_student
from pld_app.components.text import plain
from pld_app.run_order import MatrixOrder
from pld_core.baselines import Baseline
from pld_core.models import ListedPrompt, Run, Split, Task
from pld_core.permissions import Step


def _draw_no_prompt() -> None:
    st.info(
        "There is no prompt version yet, so no answer can be wrong because of a rule. Approve a rule, then compile."
    )
    st.page_link("pages/prompt.py", label="Go to Prompt", icon=":material/description:")


def draw_no_run(task: Task) -> None:
    """Draw that no run is complete, and the button that orders one of the newest version over validation.

    Without any version, draw the way to one.
    """
    versions = session.app().store.prompts.listed(task.name)
    if not versions:
        _draw_no_prompt()
        return
    if session.app().store.runs.all(task.name):
        st.info(
            "No run is complete yet. The figures are made when one is; a stopped run goes on with “Continue” below."
        )
    else:
        st.info("No run yet: nobody has asked a student with a version of the prompt.")
    _draw_order(task, versions[0])


def draw_only_other_splits(task: Task) -> None:
    """Draw that the validation split was not run, and the button that does it."""
    st.info("There is no complete run over the validation split, which is the one to look for errors in.")
    _draw_order(task, session.app().store.prompts.listed(task.name)[0])


def _draw_order(task: Task, version: ListedPrompt) -> None:
    with st.container(border=True, width=560):
        st.markdown(f"**{plain(version_words(version))}** over the validation split")
        status = draw_student("run_student")
        wanted = MatrixOrder(task.name, (version.number,), (status.name,))
        st.button(
            "Start the run",
            type="primary",
            key="errors_start_run",
            **allowed(Step.EVALUATE, status.ready),
            **session.as_shown("run_student", order, wanted),
        )
        draw_jobs(task.name, "evaluate", limit=1, none="")


def draw_no_attribution(run: Run) -> None:
    """Draw that the answers of a run were not put down to rules, and the button that does it."""
    st.info(
        f"The answers of run {run.id} are not put down to rules yet. That takes no question to the student: it "
        "compares texts on this machine."
    )
    st.button(
        "Put the answers down to rules",
        type="primary",
        key="errors_attribute",
        **allowed(Step.EVALUATE),
        **session.as_shown("errors_run_", order_job, "attribute", run.task, {"run": run.id}),
    )
    draw_jobs(run.task, "attribute", limit=1, none="")


def draw_no_citations(run: Run) -> None:
    """Draw that the student was not asked which rules it went by."""
    st.info(
        f"Version {run.prompt_number} does not ask the student which rules it goes by, so run {run.id} has no "
        f"citations. Compile a version in the style that asks for them, and evaluate it over {run.split.value}. “By "
        "evidence” works for every run."
    )
    with st.container(horizontal=True):
        st.page_link("pages/prompt.py", label="Go to Prompt", icon=":material/description:")
        st.page_link("pages/evaluate.py", label="Go to Evaluate", icon=":material/query_stats:")


def draw_no_baseline(run: Run) -> None:
    """Draw that there is no run to tell harm against."""
    st.info(
        f"Harm is what is wrong now and right at a baseline, and no other run of {plain(run.student)} over "
        f"{run.split.value} is complete. A run without rules is the usual baseline."
    )
    if run.split is not Split.TEST:
        draw_start(run, Baseline.NO_RULES)
        draw_jobs(run.task, "evaluate", limit=1, none="")
        return
    with st.container(horizontal=True):
        st.page_link("pages/prompt.py", label="Go to Prompt", icon=":material/description:")
        st.page_link("pages/evaluate.py", label="Go to Evaluate", icon=":material/query_stats:")
