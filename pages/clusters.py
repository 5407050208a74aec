"""Clusters: which instructions say the same thing, what is noise, and what another setting would give."""

import streamlit as st

from pld_app import session
from pld_app.components.cluster_view import draw_clustering, draw_preview
from pld_app.components.frame import current_task
from pld_app.components.job_progress import draw_jobs
from pld_app.components.text import moment, plain
from pld_core.models import Task


def draw(task: Task) -> None:
    st.title(f"Clusters: {plain(task.title)}")
    store = session.app().store
    instructions = store.logic.instructions(task.name)
    if not instructions:
        st.info(
            "No instructions yet. A teacher writes one for each training example; this version does that for the demo "
            "tasks only (`pld demo`)."
        )
        return
    st.caption(
        f"The teacher wrote {len(instructions):,} instructions. Those that say the same become one rule; noise "
        "is kept and never forced into a cluster."
    )
    stored = store.logic.clusterings(task.name)
    labels = {
        c.id: f"Clustering {c.id} · {c.clusters} clusters, {c.noise} noise · eps {c.params.eps}, "
        f"at least {c.params.min_samples} · {moment(c.created_at)}"
        for c in stored
    }
    if labels:
        number = st.selectbox(
            "Clustering", list(labels), format_func=lambda i: labels[i], key=f"clustering_{task.name}"
        )
        draw_clustering(task, store.logic.clustering(number), instructions)
    draw_preview(task, instructions)
    draw_jobs(task.name, "synthesise", limit=3)


if (chosen := current_task()) is not None:
    draw(chosen)
