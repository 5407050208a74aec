"""Making the audit pack of a task, and downloading it."""

from __future__ import annotations

import streamlit as st

from pld_app import auditing, session
from pld_app.auditing import PackContent
from pld_app.components.job_progress import draw_jobs, is_ordered
from pld_app.components.text import moment, plain
from pld_core.models import Task
from pld_core.permissions import PERMITTED, Step, permits, role_words

KIND = "audit_pack"


def draw_pack(task: Task) -> None:
    """Draw what a pack is, the button that makes one, its progress, and the packs that wait for their download."""
    app = session.app()
    explained, made = st.columns([5, 5], gap="medium")
    with explained, st.container(border=True):
        st.markdown(f"**Everything about {plain(task.title)} in one file, for an auditor**")
        st.markdown(
            "A zip file with a report to read and to print, every rule with its evidence and decisions (rejected ones "
            "too), inventory and model card, figures on the oversight, and the event log. `verify.py` in it checks, "
            "with Python alone, that nothing was changed."
        )
        if not permits(app.actor, Step.EXPORT):
            st.info(f"Making one takes the role {role_words(PERMITTED[Step.EXPORT])}.")
            return
        if kept := app.store.audit.kept_from(app.actor):
            st.info(
                "A pack holds first decisions that you see after your own: you may still decide on "
                f"{', '.join(kept)}. Decide first, or let somebody make it who does not decide on rules. Packs that "
                "wait for their download are shown then."
            )
            return
        st.checkbox(
            "Mask personal data in examples",
            key="pack_masking",
            help="Found by pattern, so some may be missed. Reasons, rules and people's names stay as they are. What a "
            "masked text was cannot be verified; evidence and decisions still can.",
        )
        st.button("Make the audit pack", key="make_pack", type="primary", icon=":material/folder_zip:", on_click=_order)
        st.caption(
            "It is recorded as an event in your name. The examples' texts are in it: keep it as you keep them. "
            "The same by command:"
        )
        st.code(f"pld audit pack --task {task.name} --out pack.zip", language=None)
    with made:
        draw_jobs(task.name, KIND, limit=3)
        _draw_downloads(task)


def _order() -> None:
    if is_ordered(KIND, session.widget("task"), auditing.pack_order(session.ticked("pack_masking"))):
        session.notify("The pack is being made; its progress is on this page")


def _draw_downloads(task: Task) -> None:
    app = session.app()
    jobs = [job for job in app.store.jobs.recent(task.name, 50) if job.kind == KIND]
    waiting = [(job, path) for job in jobs if (path := auditing.waiting_pack(app.settings, job))]
    for job, path in waiting[:3]:
        size = path.stat().st_size / 1_000_000
        st.download_button(
            f"Download the pack of {moment(job.finished_at)} ({size:,.1f} MB)",
            PackContent(path),
            path.name,
            "application/zip",
            key=f"pack_{job.id}",
            icon=":material/download:",
            on_click="ignore",
        )
    if waiting:
        st.caption("Packs wait here for a week.")
