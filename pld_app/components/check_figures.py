"""Seeded checks on screen: a task's catch rate, one's own, and what a closed check was."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pld_app import session
from pld_app.checking import told_after_check
from pld_app.components.text import plain
from pld_core.checks import CatchRate
from pld_core.models import Task


def draw_check_figures(task: Task) -> None:
    """Draw how many seeded checks of a task were caught, by kind, and one's own figure; nobody else's."""
    app = session.app()
    rate, mine = app.store.checks.figures(task.name), app.store.checks.mine(task.name, app.actor)
    st.markdown("**Seeded checks caught**")
    per_hundred = app.store.policies.of(task.name).known_bad
    if not (rate.open or rate.share.n):
        st.caption(
            f"No check was drawn yet. The policy mixes in {per_hundred} for each 100 rules that enter review."
            if per_hundred
            else "The policy of this task mixes no known-bad rules in. An admin can change that in the Settings."
        )
        return
    st.markdown(f"{plain(rate.words)} · {rate.open:,} open")
    st.dataframe(_table(rate), hide_index=True, key="check_kinds", width="content")
    if mine.share.n:
        st.caption(f"Of those that you closed, caught: {plain(mine.words)}. Only you see this line.")
    st.caption(
        "Known-bad variants of rules, mixed in among those to review. Rejecting, asking for changes, editing, "
        "splitting or merging one catches it; approving one misses it. No check can be in a prompt. Nobody is shown "
        "another person's figure."
    )


def _table(rate: CatchRate) -> pd.DataFrame:
    rows = [(kind.kind.label, kind.caught, kind.missed) for kind in rate.kinds]
    return pd.DataFrame(rows, columns=["What was made wrong", "Caught", "Missed"])


def draw_closed_check(rule_id: str) -> None:
    """Draw what the rule was, if it was a seeded check; nothing while it is open."""
    if told := told_after_check(session.app(), rule_id):
        st.info(plain(told), icon=":material/fact_check:")
