"""A loop whose job stopped at its cap: continuing would stop there again, so the way to another cap is told instead."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_core.conflicts.records import Resolution


def draw_way_on(loop: Resolution, on_its_page: bool) -> None:
    """Say how a loop goes on whose job stopped at its cap.

    Args:
        on_its_page: the job stands on the Conflicts page, so that no link leads there.
    """
    if session.app().store.resolutions.score(loop.id) is not None:
        st.caption(f"Loop {loop.id} went on since with another cap, and has ended.")
        return
    st.caption(f"With the same cap it would stop there again. **Go on with another cap**: *Go on* at loop {loop.id}.")
    if not on_its_page:
        label = f"Loop {loop.id} on the Conflicts page"
        here = {"task": loop.order.task}
        st.page_link("pages/conflicts.py", label=label, icon=":material/play_arrow:", query_params=here)
