"""Progress of jobs, read from the database again and again: it survives page switches and F5."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import streamlit as st

from pld_app import open_loops, session
from pld_app.components.loop_at_cap import draw_way_on
from pld_app.components.permitted import allowed
from pld_app.components.text import count, moment, plain
from pld_app.edited_trials import EditOrder
from pld_app.extract_order import Cap, Delivery
from pld_app.greedy_orders import GreedyOrder
from pld_app.pair_work import PairOrder
from pld_app.resolution_work import ResolveOrder
from pld_app.run_order import RunOrder
from pld_core.canonical import Json
from pld_core.errors import PldError
from pld_core.models import Actor, Job, JobState
from pld_core.permissions import JOBS

KINDS = {
    "evaluate": "Evaluation",
    "synthesise": "Rule synthesis",
    "judge_pairs": "Overlapping rules judged",
    "resolve": "Repair of rules",
    "try_edited": "Trial of an edited proposal",
    "greedy": "Adding up proposals",
    "demo": "Demo task",
    "import": "Import",
    "extract": "Extraction",
    "embed": "Embedding",
    "audit_pack": "Audit pack",
    "effect": "Effect of a rule",
    "live_batch": "Many inputs at once",
    "attribute": "Rules behind the answers",
    "ablate": "Rules left out",
}
WAITING_S = 10.0
STATE_ICONS = {
    JobState.QUEUED: ":material/schedule:",
    JobState.RUNNING: ":material/play_arrow:",
    JobState.DONE: ":material/check_circle:",
    JobState.FAILED: ":material/error:",
    JobState.CANCELLED: ":material/cancel:",
}


def draw_jobs(
    task: str = "", kind: str = "", limit: int = 5, rule: str = "", ended: int | None = None, none: str = "No job yet."
) -> None:
    """Draw the newest jobs, or those about a rule; while one is going on, they are drawn anew each second, one that
    waits less often.

    Args:
        ended: so many are drawn once all have ended; `limit` if left out.
        none: what is said where there is no job; empty for nothing.
    """
    jobs = newest_jobs(task, kind, limit, rule)
    if not jobs:
        if none:
            st.caption(none)
        return
    if all(job.state.is_final for job in jobs):
        # Not as a part that is drawn by itself: a browser may still ask for that once more as the page is drawn for
        # the last time. Streamlit would answer, and drop what it has not yet sent of the page.
        with st.container():
            for job in jobs[:ended]:
                _draw(job, bool(kind))
        return

    # A job that waits for somebody else may do so for hours.
    pause = WAITING_S if all(job.state.is_final or job.not_before for job in jobs) else 1.0

    @st.fragment(run_every=pause)
    def moving() -> None:
        now = newest_jobs(task, kind, limit, rule)
        if all(job.state.is_final for job in now) or [bool(j.not_before) for j in now] != [
            bool(j.not_before) for j in jobs
        ]:
            # The rest of the page shows results: draw all of it, and stop asking or ask at another pace.
            st.rerun()
        for job in now:
            _draw(job, bool(kind))

    moving()


def order_job(kind: str, task: str, params: Mapping[str, Json]) -> None:
    """Put a job into the queue, in the name of the person at the screen."""
    is_ordered(kind, task, params)


def is_ordered(kind: str, task: str, params: Mapping[str, Json]) -> bool:
    """Put a job into the queue, in the name of the person at the screen; return whether it is there."""
    app = session.app()
    try:
        app.store.jobs.enqueue(kind, task, params, app.actor)
    except PldError as error:
        session.complain(error)
        return False
    return True


def newest_jobs(task: str, kind: str, limit: int, rule: str = "") -> list[Job]:
    """Return the newest jobs of a task and kind, or those of them about a rule; what runs comes first."""
    recent = session.app().store.jobs.recent(task, 50)
    wanted = [job for job in recent if not kind or job.kind == kind]
    found = [job for job in wanted if not rule or job.params.get("rule") == rule]
    return sorted(found, key=lambda job: job.state is not JobState.RUNNING)[:limit]


def _draw(job: Job, among_its_kind: bool) -> None:
    capped = open_loops.capped_loop(session.app(), job)
    with st.container(border=True, gap="small", key=f"job_{job.id}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            title = KINDS.get(job.kind, job.kind)
            state = "waiting" if job.not_before else job.state.value
            st.markdown(
                f"{STATE_ICONS[job.state]} **{title}** {plain(job.task)} :gray[{plain(_detail(job))} · job {job.id}, "
                f"{state}, ordered by {plain(job.created_by)}, {moment(job.created_at)}]"
            )
            if capped is None:
                _draw_button(job)
        if job.state is JobState.RUNNING:
            share = job.done / job.total if job.total else 0.0
            st.progress(share, text=plain(_words(job)))
        elif job.message:
            later = f" Looked at again at {moment(job.not_before)}." if job.not_before else ""
            st.caption(plain(job.message + later))
            if capped is not None:
                draw_way_on(capped, among_its_kind)
        elif job.state is JobState.QUEUED:
            st.caption("Waiting for the worker. If this stays, start one: `pld worker`.")


def _detail(job: Job) -> str:
    """Return what the job was asked to do; of an import, the file; of an extraction, its caps."""
    if job.kind == "import":
        order = job.params.get("order")
        return str(order.get("name", "")) if isinstance(order, dict) else ""
    if job.kind == "extract":
        return _extract_detail(job)
    if job.kind == "evaluate":
        return RunOrder.from_json(job.task, job.params).words
    if job.kind == "resolve":
        return ResolveOrder.from_json(job.task, job.params).words
    if job.kind == "judge_pairs":
        return PairOrder.from_json(job.task, job.params).words
    if job.kind == "try_edited":
        return EditOrder.from_json(job.task, job.params).words
    if job.kind == "greedy":
        return GreedyOrder.from_json(job.task, job.params).words
    if job.kind == "audit_pack":
        return "personal data masked" if job.params.get("mask_personal") else "in full"
    return ", ".join(f"{name} {value}" for name, value in job.params.items())


def _extract_detail(job: Job) -> str:
    """Return what an extraction was asked to do, and the caps that it was given."""
    asked = job.params
    again = len(examples) if isinstance(examples := asked.get("examples"), list) else 0
    parts = ["failures again" if asked.get("retry") else ""]
    parts += [count(again, "example") if again else ""]
    parts += [f"at most {asked['limit']} calls" if asked.get("limit") else ""]
    parts = [part for part in parts if part] or ["everything that is missing"]
    parts += ["as a batch" if asked.get("delivery") == Delivery.BATCH else ""]
    parts += [_cap("calls", asked.get("max_calls")), _cap("in money", asked.get("max_cost"))]
    return ", ".join(part for part in parts if part)


def _cap(of_what: str, amount: Json) -> str:
    return "" if amount is None or amount == Cap.NONE else f"cap {amount} {of_what}"


def _draw_button(job: Job) -> None:
    app = session.app()
    if not job.state.is_final:
        label, action = "Cancel", app.store.jobs.request_cancel
        if job.cancel_requested:
            st.caption("Stopping after the current step…")
            return
    elif job.state in (JobState.FAILED, JobState.CANCELLED):
        label, action = "Continue", app.store.jobs.resume
    else:
        return
    # A callback: a press that comes while the page is still being drawn would else be lost.
    key = f"job_button_{job.id}_{job.state.value}"
    st.button(label, key=key, **allowed(JOBS[job.kind]), on_click=_press, args=(action, job.id))


def _press(action: Callable[[int, Actor], object], job_id: int) -> None:
    try:
        action(job_id, session.app().actor)
    except PldError as error:
        session.complain(error)
    # The whole page, not this part of it: whether it has to keep looking may have changed.
    st.rerun()


def _words(job: Job) -> str:
    words = f"{job.done} of {job.total} {job.message}"
    if job.done and job.started_at and job.done < job.total:
        elapsed = (datetime.now(UTC) - datetime.fromisoformat(job.started_at)).total_seconds()
        left = elapsed / job.done * (job.total - job.done)
        words += f", about {left:.0f} s left" if left < 90 else f", about {left / 60:.0f} min left"
    return words
