"""A loop whose job stopped at its cap: continuing would stop there again, so the way to another cap is told instead."""

from __future__ import annotations

import streamlit as st

from pld_app import open_loops, session
from pld_core.models import Job


def is_at_cap(job: Job) -> bool:
    """Return whether a job is one of a loop that stopped at its cap."""
    return open_loops.capped_loop(session.app(), job) is not None


def draw_way_on(job: Job, on_its_page: bool) -> None:
    """Say how the loop of a job that stopped at its cap goes on.

    Args:
        on_its_page: the job stands on the Conflicts page, so that no link leads there.
    """
    app = session.app()
    loop = open_loops.capped_loop(app, job)
    if loop is None:
        return
    if app.store.resolutions.score(loop.id) is not None:
        st.caption(f"Loop {loop.id} went on since with another cap, and has ended.")
        return
    st.caption(f"With the same cap it would stop there again. **Go on with another cap**: *Go on* at loop {loop.id}.")
    if not on_its_page:
        label = f"Loop {loop.id} on the Conflicts page"
        st.page_link("pages/conflicts.py", label=label, icon=":material/play_arrow:", query_params={"task": job.task})
