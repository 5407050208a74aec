"""Batches of a task: how far the open ones are, cancelling and collecting them, and what came of earlier ones."""

from __future__ import annotations

import streamlit as st

from pld_app import batching, session
from pld_app.components.extract_form import is_going_on
from pld_app.components.job_progress import order_job
from pld_app.components.permitted import allowed
from pld_app.components.text import count, moment, plain
from pld_app.extract_order import Delivery, ExtractOrder
from pld_core.batches import BatchState, StoredBatch
from pld_core.errors import PldError
from pld_core.models import Task
from pld_core.permissions import Step

LOOK_S = 5.0
SHOWN = 3
"""Batches that have ended; `pld teacher batches` lists all."""
STATES = {
    BatchState.PREPARED: ("to be submitted", "gray"),
    BatchState.RUNNING: ("at the provider", "blue"),
    BatchState.CANCELLING: ("being cancelled", "orange"),
    BatchState.COMPLETED: ("collected", "green"),
    BatchState.EXPIRED: ("expired", "orange"),
    BatchState.CANCELLED: ("cancelled", "gray"),
    BatchState.FAILED: ("refused", "red"),
}


def draw_batches(task: Task) -> None:
    """Draw the open batches and the newest that have ended; nothing for a task without any."""
    found = batching.batches(session.app(), task.name)
    if not found:
        return
    st.markdown("**Batches**")
    if all(batch.state.is_final for batch in found):
        # Not as a part that is drawn by itself, for the reason that `draw_jobs` gives.
        with st.container():
            for batch in found[:SHOWN]:
                _draw(batch, can_cancel=False)
        return
    has_job = is_going_on(task)

    @st.fragment(run_every=LOOK_S)
    def moving() -> None:
        now = batching.batches(session.app(), task.name)
        is_open = [batch for batch in now if not batch.state.is_final]
        if not is_open:
            # The rest of the page shows what came of them.
            st.rerun()
        for batch in [*is_open, *[batch for batch in now if batch.state.is_final][:SHOWN]]:
            # Where a job looks after the batches, its own button cancels them.
            _draw(batch, can_cancel=not has_job and batch.state in (BatchState.PREPARED, BatchState.RUNNING))

    moving()
    if not has_job:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Collect the answers",
                key="collect_batches",
                icon=":material/download:",
                **allowed(Step.EXTRACT),
                on_click=order_job,
                args=("extract", task.name, ExtractOrder(task.name, delivery=Delivery.BATCH).as_json()),
            )
            st.caption("Nobody is looking after the open batches at the moment.")


def _draw(batch: StoredBatch, *, can_cancel: bool) -> None:
    words, colour = STATES[batch.state]
    note = batch.note
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(words, color=colour)  # type: ignore[arg-type]  # one of the colours above
            st.caption(f"Batch {batch.id}, {count(batch.size, 'request')}, {moment(batch.created_at)}")
        if not batch.state.is_final:
            done = note.done + note.failed
            st.progress(min(1.0, done / batch.size), text=f"{done:,} of {batch.size:,} answered at the provider")
            if can_cancel:
                st.button(
                    "Cancel",
                    key=f"cancel_batch_{batch.id}",
                    **allowed(Step.EXTRACT, True, "What is answered by then is kept and has to be paid for."),
                    on_click=_cancel,
                    args=(batch,),
                )
        if note.message:
            st.text(note.message)
        if note.remote_id:
            st.caption(f"{plain(batch.teacher)} · {plain(note.remote_id)}")


def _cancel(batch: StoredBatch) -> None:
    try:
        batching.cancel(session.app(), batch.task, [batch])
    except PldError as error:
        session.complain(error)
