"""A clustering on screen: its figures, what is wrong with it and what helps, keeping it, and rules from it."""

from __future__ import annotations

import streamlit as st

from pld_app import embedding, extracting, session
from pld_app.components.cluster_embedding import draw_before_synthesis
from pld_app.components.cluster_ground import Prepared, swept
from pld_app.components.cluster_settings import apply, entries
from pld_app.components.job_progress import order_job
from pld_app.components.permitted import allowed
from pld_app.components.text import count, moment, plain
from pld_core.clustering import health
from pld_core.compilation import fixed_length
from pld_core.errors import PldError
from pld_core.models import Algorithm, ClusterParams, Task
from pld_core.permissions import Step
from pld_core.records import StoredClustering
from pld_core.sweep import prompt_tokens, remedies, rule_lengths


def draw_kept(task: Task, stored: tuple[StoredClustering, ...], embedder: str) -> None:
    """Draw the list of kept clusterings; choosing one sets the controls to its settings.

    Args:
        embedder: by which the page compares now.
    """
    if not stored:
        return
    names = {c.id: clustering_words(c) for c in stored}
    key = f"kept_{task.name}"

    def open_it() -> None:
        chosen = [c for c in stored if str(c.id) == session.widget(key)]
        if chosen:
            apply(task.name, chosen[0].params)

    st.selectbox(
        "Kept clusterings",
        list(names),
        index=None,
        format_func=lambda number: names.get(number, ""),
        placeholder=f"{count(len(stored), 'clustering')} kept. Choose one to set everything as it was made.",
        label_visibility="collapsed",
        key=key,
        on_change=open_it,
    )
    for made in (c for c in stored if str(c.id) == session.widget(key)):
        if made.params.embedder != embedder:
            _draw_other_embedder(task, made, embedder)


def _draw_other_embedder(task: Task, made: StoredClustering, embedder: str) -> None:
    """Say that the page cannot show a clustering as it was made, and offer its rules all the same."""
    with st.container(horizontal=True, vertical_alignment="center", key="other_embedder"):
        st.warning(
            f"Clustering {made.id} was compared by {plain(made.params.embedder)}, this page compares by "
            f"{plain(embedder)}: the same settings give other clusters here.",
            icon=":material/info:",
        )
        st.button(
            f"Synthesise rules of clustering {made.id}",
            key="synthesise_kept",
            icon=":material/merge:",
            **allowed(Step.SYNTHESISE, extracting.has_teacher(session.app(), task)),
            **session.as_shown(f"kept_{task.name}", order_job, "synthesise", task.name, {"clustering": made.id}),
        )
    draw_before_synthesis(task, made)


def clustering_words(clustering: StoredClustering) -> str:
    """Return a kept clustering for lists."""
    params = clustering.params
    how = "HDBSCAN" if params.algorithm is Algorithm.HDBSCAN else f"eps {params.eps:g}"
    borders = "inside each label" if params.within_label else "over all labels"
    return (
        f"Clustering {clustering.id} · {clustering.clusters} clusters, {clustering.noise} noise · {how}, "
        f"at least {params.min_samples}, {borders} · {params.embedder} · {moment(clustering.created_at)}"
    )


def kept_as(
    prepared: Prepared, params: ClusterParams, numbers: list[int], stored: tuple[StoredClustering, ...]
) -> StoredClustering | None:
    """Return the newest kept clustering with these settings and exactly these points, or None."""
    now = {i.example_hash: number for i, number in zip(prepared.instructions, numbers, strict=True)}
    for clustering in stored:
        if _same(clustering.params, params):
            points = session.app().store.logic.clustering(clustering.id).points
            if {p.example_hash: p.cluster for p in points} == now:
                return clustering
    return None


def _same(one: ClusterParams, other: ClusterParams) -> bool:
    eps_counts = Algorithm.DBSCAN in (one.algorithm, other.algorithm)
    fields = ("min_samples", "within_label", "algorithm", "embedder", *(["eps"] if eps_counts else []))
    return all(getattr(one, name) == getattr(other, name) for name in fields)


def draw_figures(task: Task, prepared: Prepared, params: ClusterParams, numbers: list[int]) -> None:
    """Draw the figures of the chosen settings and each warning with the buttons that help."""
    figures = health(prepared.ground.labels, numbers)
    tokens = prompt_tokens(numbers, rule_lengths(prepared.instructions), fixed_length(task))
    columns = st.columns(5)
    columns[0].metric("Clusters", f"{figures.clusters:,}")
    columns[1].metric("Noise", f"{figures.noise:,} of {figures.points:,}")
    columns[2].metric("Largest cluster", f"{figures.largest_share:.0%}")
    columns[3].metric("Label purity", f"{figures.purity:.0%}")
    columns[4].metric("Prompt, estimated", f"{tokens:,} tokens")
    rows = swept(task, prepared, params.within_label, params.min_samples) if figures.troubles else ()
    for trouble in dict.fromkeys(kind for kind, _ in figures.troubles):
        told = " ".join(words for kind, words in figures.troubles if kind is trouble)
        with st.container(horizontal=True, vertical_alignment="center", key=f"trouble_{trouble.value}"):
            st.warning(plain(told), icon=":material/warning:")
            for number, remedy in enumerate(remedies(trouble, params, rows)):
                key = f"remedy_{trouble.value}_{number}"
                st.button(plain(remedy.words), key=key, on_click=apply, args=(task.name, remedy.params))


def draw_actions(task: Task, params: ClusterParams, kept: StoredClustering | None) -> None:
    """Draw what can be done with the clustering: keep it, and merge its clusters into rules."""
    has_teacher = extracting.has_teacher(session.app(), task)
    wanted = {"clustering": kept.id if kept else 0}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Keep this clustering",
            key="keep",
            icon=":material/bookmark:",
            **allowed(Step.CLUSTER, kept is None),
            **session.as_shown(entries(task.name), _keep, task, params),
        )
        st.button(
            "Synthesise rules",
            key="synthesise",
            icon=":material/merge:",
            type="primary",
            **allowed(
                Step.SYNTHESISE,
                kept is not None and has_teacher,
                "Rules for each cluster that has none yet. Rules that are there get the evidence of this clustering; "
                "an approved one that rests on other examples now becomes stale. Nothing decided is overwritten."
                if has_teacher
                else "This task has no teacher, so no rule can be written.",
            ),
            **session.as_shown(entries(task.name), order_job, "synthesise", task.name, wanted),
        )
        if kept is None:
            st.caption("Not kept yet. Rules are made from a kept clustering only, so that each names where it is from.")
        else:
            st.caption(f"Kept as clustering {kept.id} by {plain(kept.created_by)}, {moment(kept.created_at)}.")
    if kept is not None:
        draw_before_synthesis(task, kept)


def _keep(task: Task, params: ClusterParams) -> None:
    try:
        stored = embedding.save_clustering(session.app(), task.name, params)
    except PldError as error:
        session.complain(error)
        return
    session.notify(f"Clustering {stored.id} is kept: {stored.clusters} clusters, {stored.noise} noise")
