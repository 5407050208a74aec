"""What no rule covers yet: labels, clusters and examples, with the way on."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pld_app import session
from pld_app.components.text import count, plain
from pld_core import synthesising
from pld_core.coverage import Coverage
from pld_core.models import Task
from pld_core.records import StoredClustering

CLUSTERS = 12
"""So many clusters without a rule are listed; `pld coverage` lists all."""


@st.cache_data(ttl=300, show_spinner=False, max_entries=8)
def _coverage(workspace: str, task: str, clustering: int, events: int) -> Coverage:
    """Read once for each state of the workspace: it reads every training example and every rule."""
    del workspace, events  # part of the cache key only
    store = session.app().store
    return synthesising.coverage(store, task, store.logic.clustering(clustering))


def draw_coverage(task: Task, kept: StoredClustering | None, stored: tuple[StoredClustering, ...]) -> None:
    """Draw the coverage of the rules, looked at with the kept clustering on screen, else with the newest kept one."""
    st.header("What no rule covers")
    app = session.app()
    if kept is None and not stored:
        st.caption("Keep a clustering to see which of its clusters have a rule, and which labels have none.")
        return
    looked_at = kept or stored[0]
    found = _coverage(str(app.settings.workspace), task.name, looked_at.id, app.store.events.count())
    st.caption(
        f"{found.covered:,} of {found.examples:,} training examples support a rule; rejected and retired rules do not "
        f"count. Looked at with clustering {looked_at.id}"
        + ("." if kept else ", the newest that is kept: the one on screen is not kept.")
    )
    for words in found.warnings:
        st.warning(plain(words), icon=":material/warning:")
    st.dataframe(_frame(found), hide_index=True, width="stretch", key="coverage_labels")
    _draw_clusters(task, found)


def _frame(found: Coverage) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "label": row.label,
                "rules": row.rules,
                "examples": row.examples,
                "support a rule": row.covered,
                "noise": row.noise,
                "without instruction": row.unread,
                "in a cluster, no rule": row.open,
            }
            for row in found.labels
        ]
    )


def _draw_clusters(task: Task, found: Coverage) -> None:
    if not found.clusters:
        st.caption("Every cluster of this clustering has a rule. Noise can be promoted below.")
        return
    st.markdown(f"**{count(len(found.clusters), 'cluster')} without a rule**")
    if any(not cluster.closed for cluster in found.clusters):
        st.caption("“Synthesise rules” asks the teacher about those that had none before: one call for each.")
    for cluster in found.clusters[:CLUSTERS]:
        held = ", ".join(f"{n:,} {plain(label)}" for label, n in cluster.labels)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"Cluster {cluster.number} :gray[{held}]")
            for rule_id in cluster.closed:
                st.page_link(
                    "pages/review.py",
                    label=f"{rule_id} was rejected or retired",
                    query_params={"task": task.name, "rule": rule_id, "show": "All"},
                )
    if len(found.clusters) > CLUSTERS:
        st.caption(f"and {len(found.clusters) - CLUSTERS:,} more: `pld coverage --task {plain(task.name)}` lists all.")
