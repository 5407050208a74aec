"""Texts that have to be embedded before they can be compared: how many, by what, at which cost, and ordering it."""

from __future__ import annotations

import streamlit as st

from pld_app import embedding, session
from pld_app.components.job_progress import draw_jobs, order_job
from pld_app.components.not_ready import draw_not_ready
from pld_app.components.permitted import allowed
from pld_app.components.remark import draw_remark
from pld_app.components.text import count, plain
from pld_app.embedding import ToEmbed
from pld_app.settings import FILE_NAME
from pld_core.errors import PldError
from pld_core.model_ports import BackendStatus
from pld_core.models import Task
from pld_core.permissions import Step
from pld_core.records import StoredClustering


@st.cache_data(ttl=10, show_spinner=False, max_entries=8)
def _status(workspace: str, name: str) -> BackendStatus:
    """Ask the embedder's server whether it is there; kept for 10 seconds, so that clicks do not ask again."""
    del workspace  # part of the cache key only
    return embedding.embedder_status(session.app().settings, name)


@st.cache_data(ttl=60, show_spinner=False, max_entries=8)
def _to_compare(workspace: str, clustering: int, calls: int) -> ToEmbed:
    """Look once for each clustering and number of calls made: it reads the example of every instruction."""
    del workspace, calls  # part of the cache key only
    return embedding.to_compare(session.app(), session.app().store.logic.clustering(clustering))


def draw_to_embed(task: Task) -> None:
    """Draw what it takes to compare the instructions of a task, the button that orders it, and how it goes."""
    app = session.app()
    name = embedding.embedder_name(app.settings)
    try:
        wanted = embedding.to_embed(app, name, embedding.conditions_of(app, task.name))
    except PldError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    jobs = [job for job in app.store.jobs.recent(task.name, 50) if job.kind == "embed"]
    with st.container(border=True):
        st.markdown(f"**To be embedded first** :gray[with {plain(name)}]")
        st.markdown(
            "Clustering compares the instructions by what they mean. An embedding model gives each its place among "
            "the others. For that the instructions are sent to it, not the examples; each once, as its place is kept."
        )
        if any(not job.state.is_final for job in jobs):
            st.caption("It is going on. The clusters appear when it has ended.")
        else:
            _draw_order(task, wanted)
    if jobs:
        draw_jobs(task.name, "embed", limit=3)


def _draw_order(task: Task, wanted: ToEmbed) -> None:
    _draw_figures(wanted)
    ready = _draw_status(wanted.embedder)
    st.button(
        f"Embed {count(wanted.texts, 'text')}",
        type="primary",
        key="start_embed",
        **allowed(Step.EMBED, ready),
        on_click=order_job,
        args=("embed", task.name, {"embedder": wanted.embedder}),
    )
    st.caption(
        "The worker does it; you can leave this page. Nothing is sent before you start. To do without a server, set "
        f"name to tfidf under \\[embedder\\] in {plain(FILE_NAME)}: it compares words, not meaning."
    )


def draw_before_synthesis(task: Task, kept: StoredClustering) -> None:
    """Say what synthesis of a kept clustering has to embed first, if anything: the texts of the examples."""
    app = session.app()
    if embedding.is_built_in(kept.params.embedder):
        return
    wanted = _to_compare(str(app.settings.workspace), kept.id, app.store.logic.spend(task.name).calls)
    if wanted.texts:
        st.caption(
            "Synthesis also compares the examples, to find those that speak against a rule. For that their texts are "
            f"sent to the embedder, masked where their import asked for it. {plain(wanted.words)}"
        )


def _draw_figures(wanted: ToEmbed) -> None:
    shown = {
        "Texts": f"{wanted.texts:,} of {wanted.of:,}",
        "Requests": f"{wanted.found.calls:,}",
        "Tokens": f"about {wanted.found.input_tokens:,}",
        "Cost": wanted.cost,
    }
    for column, (name, value) in zip(st.columns(4, gap="small"), shown.items(), strict=True):
        column.caption(name)
        column.markdown(f"**{plain(value)}**")


def _draw_status(name: str) -> bool:
    try:
        status = _status(str(session.app().settings.workspace), name)
    except PldError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return False
    if status.ready:
        draw_remark("green", f":material/check_circle: It can be used now: {plain(status.title)}")
        return True
    draw_not_ready(status)
    st.button("Look again", key="embedder_again", on_click=_status.clear)
    return False
