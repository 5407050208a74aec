"""A loop that stopped before its end: what was spent, and going on with it, also with another cap."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pld_app import open_loops, session
from pld_app.components.job_progress import order_job
from pld_app.components.loop_form import KIND
from pld_app.components.permitted import allowed
from pld_app.components.text import count, plain
from pld_app.resolution_work import ResolveOrder
from pld_core.conflicts.records import HeldOutScore, Resolution
from pld_core.conflicts.stopped import LoopStop
from pld_core.loop_estimate import questions_most
from pld_core.models import Task
from pld_core.permissions import Step
from pld_core.pricing import money


def draw_going_on(task: Task, loop: Resolution, score: HeldOutScore | None) -> None:
    """Draw where a loop stopped and how it goes on; nothing for one that has ended or whose job is going on."""
    if score is not None or open_loops.is_going_on(session.app(), loop):
        return
    stop = next(iter(session.app().store.resolutions.stops(loop.id)), None)
    with st.container(border=True, key=f"going_on_{loop.id}", gap="small"):
        _draw_spent(task, loop, stop)
        cap, budget = _draw_cap(loop, stop), _draw_budget(task, loop)
        order = ResolveOrder(
            task.name,
            loop.basis.student.name,
            loop.order.seed,
            replace(loop.order.limits, student_calls=cap),
            loop.basis.teacher,
            loop.order.key,
            budget,
        )
        st.button(
            "Go on",
            key=f"loop_go_on_{loop.id}",
            type="primary",
            icon=":material/play_arrow:",
            **allowed(Step.RESOLVE),
            **session.as_shown(f"loop_cap_{loop.id}_", order_job, KIND, task.name, order.as_json()),
        )
        most = "" if cap is None else f" --max-calls {cap}"
        most += "" if budget is None else f" --budget {budget}"
        whole = count(questions_most(loop.order, loop.basis), "question")
        st.caption(
            f"From beginning to end the loop takes at most {whole}, and fewer if it ends early. Nothing that was "
            "answered is asked again. The same in a terminal:"
        )
        st.code(open_loops.resume_command(loop, most), language=None)


def _draw_spent(task: Task, loop: Resolution, stop: LoopStop | None) -> None:
    app = session.app()
    asked = app.store.logic.spend(task.name, loop.order.key)
    calls = f"{count(asked.calls, 'call')} to the teacher ({plain(money(asked.cost, app.settings.teacher.currency))})"
    if stop is None:
        st.markdown(f"**This loop was interrupted, or it still runs in a terminal.** So far it took {calls}.")
        st.caption(
            "No end of this loop is recorded, and no job of it is going on. If a terminal runs it, leave it alone; "
            "otherwise go on with it."
        )
        return
    st.markdown(f"**This loop stopped before its end.** So far it took {stop.spent} and {calls}.")
    st.caption(plain(stop.reason))


def _draw_cap(loop: Resolution, stop: LoopStop | None) -> int | None:
    """Draw the field of the cap; return it, None for no cap."""
    cap, used = loop.order.limits.student_calls, stop.used if stop else 0
    if stop is not None and stop.cap is not None:
        cap = max(cap or 0, stop.cap)
    key = f"loop_cap_{loop.id}_{cap}"
    if cap is None:
        words = "Questions to the student at most, over all starts of the loop (0: no cap)"
        return int(st.number_input(words, 0, None, 0, step=100, key=key)) or None
    words = "Questions to the student at most, over all starts of the loop"
    # One that was interrupted is not known to need more.
    value = cap if stop is None else max(2 * cap, used + 1)
    return int(st.number_input(words, used + 1, None, value, step=100, key=key))


def _draw_budget(task: Task, loop: Resolution) -> int | None:
    """Draw the field of the cap on calls to the teacher; return it, None for that of the settings alone."""
    orders = [ResolveOrder.from_json(job.task, job.params) for job in open_loops.jobs_of(session.app(), loop)]
    last = next((order.budget for order in orders if order.budget is not None), 0) or 0
    used = session.app().store.logic.spend(task.name, loop.order.key).calls
    words = "Calls to the teacher at most, over all starts of the loop (0: the cap of the settings)"
    given = st.number_input(words, 0, None, 2 * last if used >= last else last, key=f"loop_budget_{loop.id}_{last}")
    return int(given) or None
