"""Clusters: what each setting would give, the map of the chosen one, what is noise, and rules from it."""

import streamlit as st

from pld_app import session
from pld_app.components.cluster_coverage import draw_coverage
from pld_app.components.cluster_embedding import draw_to_embed
from pld_app.components.cluster_ground import numbers_for, prepare
from pld_app.components.cluster_map import draw_map
from pld_app.components.cluster_noise import draw_noise
from pld_app.components.cluster_settings import draw_settings
from pld_app.components.cluster_view import draw_actions, draw_figures, draw_kept, kept_as
from pld_app.components.frame import current_task
from pld_app.components.job_progress import draw_jobs
from pld_app.components.text import plain
from pld_core.errors import PldError, VectorsMissing
from pld_core.models import Task


def draw(task: Task) -> None:
    st.title(f"Clusters: {plain(task.title)}")
    try:
        prepared = prepare(task)
    except VectorsMissing:
        draw_to_embed(task)
        return
    except PldError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    if prepared is None:
        st.info(
            "No instructions yet. A teacher writes one for each training example; this version does that for the demo "
            "tasks only (`pld demo`)."
        )
        return
    st.caption(
        f"The teacher wrote {len(prepared.instructions):,} instructions. Those that say the same become one rule; "
        f"noise is kept and never forced into a cluster. Compared by {plain(prepared.embedder)}."
    )
    stored = session.app().store.logic.clusterings(task.name)
    draw_kept(task, stored, prepared.embedder)
    params = draw_settings(task, prepared, stored)
    numbers = numbers_for(prepared.key, params, prepared.ground)
    kept = kept_as(prepared, params, numbers, stored)
    draw_figures(task, prepared, params, numbers)
    draw_actions(task, params, kept)
    if any(job.kind == "synthesise" for job in session.app().store.jobs.recent(task.name)):
        draw_jobs(task.name, "synthesise", limit=3)
    draw_map(task, prepared, numbers)
    draw_coverage(task, kept, stored)
    draw_noise(task, prepared, numbers, kept)


if (chosen := current_task()) is not None:
    draw(chosen)
