"""Ordering a loop: student, teacher, how far it may go, and the most that it can take, told before."""

from __future__ import annotations

import streamlit as st

from pld_app import extracting, resolution_work, session
from pld_app.components.job_progress import order_job
from pld_app.components.permitted import allowed
from pld_app.components.remark import draw_remark
from pld_app.components.student_choice import draw_student
from pld_app.components.teacher_choice import draw_teacher
from pld_app.components.text import count, plain
from pld_app.resolution_work import ResolveOrder
from pld_core.conflicts.records import LoopLimits
from pld_core.errors import PldError
from pld_core.loop_estimate import LoopEstimate
from pld_core.models import Split, Task
from pld_core.permissions import Step
from pld_core.pricing import money
from pld_core.records import ExampleFilter
from pld_core.trying import greedy_cost

KIND = resolution_work.KIND
OPEN = "loop_form_open"
BUTTONS = ("loop_start", "loop_go_on_")
"""How the keys of buttons begin among those of the form's entries."""
MOST_ROUNDS = 10


def draw_loop_form(task: Task) -> None:
    """Draw the button that opens the form, or the form. It asks no model before somebody starts a loop."""
    if not session.flag(OPEN):
        st.button(
            "New loop…",
            key="loop_open",
            icon=":material/call_split:",
            **allowed(Step.RESOLVE, help="Shows what it takes before it starts."),
            on_click=session.flip,
            args=(OPEN,),
        )
        return
    with st.container(border=True):
        st.markdown("**New loop**")
        try:
            teacher = extracting.teacher_name(session.app(), task, "conflicts")
        except PldError as error:
            st.info(plain(str(error)))
            st.page_link("pages/settings.py", label="Name one on the Settings page", icon=":material/settings:")
            return
        student = draw_student("loop_student")
        teacher, can_be_asked = draw_teacher(task, teacher, f"loop_teacher_{task.name}")
        limits = _draw_limits(task)
        seed, budget = int(session.number("loop_seed")), int(session.number("loop_budget")) or None
        order = ResolveOrder(task.name, student.name, seed, limits, teacher, budget=budget)
        possible = student.ready and can_be_asked and _draw_estimate(order)
        with st.container(horizontal=True):
            st.button(
                "Start the loop",
                key="loop_start",
                type="primary",
                **allowed(Step.RESOLVE, possible),
                **session.as_shown("loop_", _start, order, but=BUTTONS),
            )
            st.button("Not now", key="loop_close", on_click=session.flip, args=(OPEN,))


def _draw_limits(task: Task) -> LoopLimits:
    rounds = st.number_input("Rounds at most", 1, MOST_ROUNDS, 3, key="loop_rounds")
    cap = st.number_input(
        "Questions to the student at most (0: no cap)", 0, None, 0, step=100, key="loop_cap", persist_state="session"
    )
    st.number_input(
        "Calls to the teacher at most (0: the cap of the settings)",
        0,
        None,
        0,
        key="loop_budget",
        persist_state="session",
        help="Counts over all starts of the loop. The caps on the Settings page hold as well.",
    )
    with st.expander("Further choices"):
        st.number_input("Seed of the samples that the teacher is shown", 0, None, 0, key="loop_seed")
        limits = LoopLimits()
        validation = session.app().store.tasks.count_examples(task.name, ExampleFilter(split=Split.VALIDATION))
        greedy = st.checkbox(
            "Add up proposals one by one in each round, with the running score",
            key="loop_greedy",
            help="Shows which of them still help once others are in.",
        )
        extra = greedy_cost(limits.trials, validation)
        st.caption(f"That takes up to {extra:,} questions more in each round.")
        test = st.checkbox("Ask the test split once, at the end", value=True, key="loop_test")
    return LoopLimits(rounds=int(rounds), student_calls=int(cap) or None, greedy=greedy, scores_test=test)


@st.cache_data(ttl=60, show_spinner="Counting questions…", max_entries=16)
def _estimated(workspace: str, order: ResolveOrder, state: tuple[object, ...]) -> LoopEstimate:
    """Estimate once for each order and state of the task."""
    del workspace, state  # part of the cache key only
    return resolution_work.estimated(session.app(), order)


def _draw_estimate(order: ResolveOrder) -> bool:
    """Say what the loop would take at most, and return whether it can be started."""
    app = session.app()
    state = (app.store.resolutions.marks(), str(app.settings.teacher))
    try:
        found = _estimated(str(app.settings.workspace), order, state)
    except PldError as error:
        draw_remark("red", plain(str(error)))
        return False
    st.markdown(
        f"**At most {count(found.student_most, 'question')} to the student** ({found.open_now:,} of them at once, for "
        f"the first look) and **{count(found.teacher_most, 'call')} to the teacher**."
    )
    st.caption(plain(_teacher_words(found)))
    return True


def _teacher_words(found: LoopEstimate) -> str:
    first = found.first_round
    if first is None:
        return (
            "What the teacher costs is known once the student has answered the training examples: its mistakes decide "
            "what the teacher is asked. The teacher's own caps on the Settings page hold."
        )
    own = session.app().settings.teacher
    cost = "no price is set" if first.cost is None else f"about {money(first.cost, own.currency)}"
    return f"Round 1 asks the teacher {count(first.calls, 'time')}: {cost}, a rule of thumb. Its own caps hold as well."


def _start(order: ResolveOrder) -> None:
    session.flip(OPEN)
    order_job(KIND, order.task, order.as_json())
