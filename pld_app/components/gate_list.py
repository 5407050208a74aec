"""The gates of a prompt version on screen: each with its state, its figure and the way to its fix."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pld_app import session
from pld_app.components.job_progress import draw_jobs, order_job
from pld_app.components.permitted import allowed
from pld_app.components.remark import draw_remark
from pld_app.components.text import count, plain
from pld_app.run_order import RunOrder
from pld_core.gate_facts import Fix, Gate, GateState, red_gates
from pld_core.models import PromptVersion, Split, Task
from pld_core.permissions import Step
from pld_core.records import ExampleFilter
from pld_core.run_setup import RunSetup

BADGES = {
    GateState.GREEN: ("green", ":material/check:"),
    GateState.RED: ("red", ":material/close:"),
    GateState.NOT_APPLICABLE: ("gray", ":material/remove:"),
}
PAGES = {"review": "Review", "data": "Data", "evaluate": "Evaluate"}
"""Where fixes are made but for this page, by the page's file."""


def draw_gates(task: Task, version: PromptVersion, gates: Sequence[Gate]) -> None:
    """Draw how many gates are red, each gate, and the way to an evaluation on the test split where one is missing."""
    bad = len(red_gates(gates))
    state = f":red[**{count(bad, 'gate')} red**]" if bad else ":green[**No gate is red**]"
    st.markdown(f"**1. Gates of version {version.number}** · {state}")
    for gate in gates:
        _draw_gate(task, gate)
    _draw_test_run(task, version)


def _draw_gate(task: Task, gate: Gate) -> None:
    colour, icon = BADGES[gate.state]
    mark, words = st.columns([20, 80], gap="small")
    mark.badge(gate.state.value, icon=icon, color=colour)  # type: ignore[arg-type]  # one of the colours above
    with words.container(key=f"gate_{gate.key}", gap="xxsmall"):
        st.markdown(plain(gate.title))
        st.caption(plain(gate.figure))
        if gate.fix:
            draw_remark("red", plain(f"{gate.reason} {gate.fix.todo}"))
            _draw_link(task, gate.fix)
        elif gate.reason:
            st.caption(plain(gate.reason))


def _draw_link(task: Task, fix: Fix) -> None:
    """Draw the way to the page on which a gate is put right, unless it is this one."""
    if fix.page in PAGES:
        label = f"Put it right on {PAGES[fix.page]}"
        st.page_link(f"pages/{fix.page}.py", label=label, icon=":material/build:", query_params={"task": task.name})


def _draw_test_run(task: Task, version: PromptVersion) -> None:
    """Draw the button that evaluates the version on the locked split; every look at it is counted."""
    app = session.app()
    size = app.store.tasks.count_examples(task.name, ExampleFilter(split=Split.TEST))
    student = app.settings.student
    look = RunSetup(reason=f"to judge the gates of version {version.number}")
    order = RunOrder(task.name, version.number, student, Split.TEST, look)
    st.button(
        f"Evaluate version {version.number} on the test split",
        key="run_on_test",
        icon=":material/science:",
        **allowed(Step.EVALUATE, size > 0, "" if size else "The task has no test example."),
        **session.as_shown(f"version_{task.name}", order_job, "evaluate", task.name, order.as_json()),
    )
    st.caption(
        f"{count(size, 'example')}, asked of {plain(student)}. The test split is kept for releases: each evaluation on "
        "it is counted, as a version that is tried again and again ends up fitting it."
    )
    if any(job.kind == "evaluate" and not job.state.is_final for job in app.store.jobs.recent(task.name)):
        draw_jobs(task.name, "evaluate", limit=1)
