"""Comments that name the person who looks, each with a link to it."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_core.comments import mention_words
from pld_core.models import Task

SHOWN = 4
"""More links than this would push the tabs of the queue into a second line."""


def draw_mentions(task: Task) -> None:
    """Draw how many open comments of a task mention the person, and a link to each of the newest; nothing for none."""
    app = session.app()
    found = app.store.desk.comments.mentioning(app.actor, task.name)
    if not found:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"mentions_{task.name}"):
        st.caption(f":material/alternate_email: {mention_words(found).partition(':')[0]}:", width="content")
        for comment in found[:SHOWN]:
            st.page_link(
                "pages/review.py",
                label=comment.rule_id,
                query_params={"task": task.name, "rule": comment.rule_id, "show": "All", "comment": str(comment.id)},
            )
        if len(found) > SHOWN:
            st.caption(f"and {len(found) - SHOWN:,} more: `pld rules comments --mentions`", width="content")
