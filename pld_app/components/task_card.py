"""A task on the home page: where it stands, and the next step."""

from __future__ import annotations

import streamlit as st

from pld_app import session, wiring
from pld_app.components.job_progress import order_job
from pld_app.components.mentions import draw_mentions
from pld_app.components.permitted import allowed
from pld_app.components.production_line import draw_production
from pld_app.components.text import count, plain
from pld_core.demo import demo_title
from pld_core.metrics import accuracy_of
from pld_core.models import JobState, RevisionState, Split, Task
from pld_core.permissions import Step
from pld_core.records import TaskCounts
from pld_core.review import AWAITING_DECISION


def draw_task(task: Task) -> None:
    """Draw one task: examples, rules by state, newest prompt and its score, next step."""
    store = session.app().store
    counts = store.tasks.counts(task.name)
    with st.container(border=True, key=f"task_{task.name}"):
        st.markdown(f"## {plain(task.title)}")
        columns = st.columns(4)
        with columns[0]:
            st.metric("Examples", f"{sum(counts.examples.values()):,}")
            st.caption(", ".join(f"{counts.examples.get(split, 0):,} {split.value}" for split in Split))
        with columns[1]:
            total, waiting = sum(counts.rules.values()), waiting_rules(counts)
            st.metric("Rules decided", f"{total - waiting} of {total}")
            st.caption(_states(counts))
        with columns[2]:
            st.metric("Prompt versions", counts.prompts)
            draw_production(task)
            st.caption(_newest_prompt(task))
        with columns[3]:
            st.markdown("**Next step**")
            _draw_next_step(task, counts)
        draw_mentions(task)


def waiting_rules(counts: TaskCounts) -> int:
    """Return how many rules still wait for a decision."""
    return sum(counts.rules.get(state, 0) for state in AWAITING_DECISION)


def _states(counts: TaskCounts) -> str:
    named = [f"{n} {state.label}" for state, n in sorted(counts.rules.items())]
    return ", ".join(named) or "no rule yet"


def _newest_prompt(task: Task) -> str:
    store = session.app().store
    versions = store.prompts.listed(task.name)
    if not versions:
        return "nothing compiled yet"
    newest = versions[0]
    line = f"Version {newest.number}, {count(newest.rules, 'rule')}"
    for run in store.runs.all(task.name):
        if run.prompt_number == newest.number:
            accuracy = accuracy_of(store.runs.counted(run.id))
            return f"{line}. {plain(run.student)} on {run.split.value}: {accuracy.words}"
    return f"{line}, not evaluated yet"


def _draw_next_step(task: Task, counts: TaskCounts) -> None:
    waiting = waiting_rules(counts)
    if not counts.rules:
        st.caption("No rule yet. Rules are synthesised from clusters of instructions that a teacher wrote.")
        _link("pages/clusters.py", "Look at clusters", task)
    elif waiting:
        _link("pages/review.py", f"Review {count(waiting, 'rule')}", task)
    elif counts.rules.get(RevisionState.APPROVED) and not counts.prompts:
        _link("pages/prompt.py", "Compile the approved rules", task)
    else:
        _link("pages/live_test.py", "Test the prompt live", task)


def _link(page: str, label: str, task: Task) -> None:
    st.page_link(page, label=label, icon=":material/arrow_forward:", query_params={"task": task.name})


def offer_demos() -> None:
    """Offer the demo tasks that are missing, and import."""
    app = session.app()
    missing = wiring.missing_demos(app)
    if not missing:
        return
    going_on = {job.task for job in app.store.jobs.recent() if job.kind == "demo" and not job.state.is_final}
    with st.container(border=True, key="offer"):
        st.markdown("**Start with a demo task, or with your own data**")
        with st.container(horizontal=True, vertical_alignment="center"):
            for name in missing:
                st.button(
                    f"Build “{demo_title(name)}”",
                    key=f"build_{name}",
                    **allowed(Step.IMPORT_DATA, name not in going_on),
                    on_click=_build,
                    args=(name,),
                )
            st.page_link("pages/data.py", label="Import data", icon=":material/upload:")
        st.caption(
            "The demo's teacher is scripted: its replies were written by hand for this demo. Nothing is sent out."
        )


def _build(name: str) -> None:
    app = session.app()
    running = [j for j in app.store.jobs.recent() if j.task == name and j.state in (JobState.QUEUED, JobState.RUNNING)]
    if not running:
        order_job("demo", name, {})
