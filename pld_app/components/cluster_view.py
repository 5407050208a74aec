"""Clusterings on screen: the map, the noise, the members, and a preview of other settings."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pld_app import session, wiring
from pld_app.components.job_progress import order_job
from pld_app.components.run_view import plain_label
from pld_app.components.text import plain
from pld_core.clustering import Vectors, cluster_numbers, health
from pld_core.errors import PldError
from pld_core.models import NOISE, ClusterParams, ClusterPoint, MicroInstruction, Task
from pld_core.ports import StoredClustering

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "hexagon")


def draw_clustering(task: Task, clustering: StoredClustering, instructions: tuple[MicroInstruction, ...]) -> None:
    """Draw a stored clustering: figures, warnings, map, and the members of the chosen cluster."""
    figures = health([p.label for p in clustering.points], [p.cluster for p in clustering.points])
    columns = st.columns(4)
    columns[0].metric("Clusters", figures.clusters)
    columns[1].metric("Noise", f"{figures.noise} of {figures.points}")
    columns[2].metric("Largest cluster", f"{figures.largest_share:.0%}")
    by_label = ", ".join(f"{plain(label)} {n} of {total}" for label, (n, total) in figures.noise_by_label.items())
    columns[3].markdown("**Noise by label**")
    columns[3].caption(by_label)
    for warning in figures.warnings:
        st.warning(plain(warning))
    by_hash = {i.example_hash: i for i in instructions}
    left, right = st.columns([55, 45], gap="medium")
    with left:
        event = st.plotly_chart(
            _map(task, clustering.points, by_hash), width="stretch", on_select="rerun", key=f"map_{clustering.id}"
        )
        st.caption("Near points say alike things; far distances mean little. Colour is the label, crosses are noise.")
    with right:
        _draw_members(clustering, by_hash, _clicked(event))
    st.button(
        "Synthesise rules from this clustering",
        key="synthesise",
        disabled=not task.teacher,
        help="One rule for each cluster that has none yet. What is already in review or decided stays as it is.",
        on_click=order_job,
        args=("synthesise", task.name, {"clustering": clustering.id}),
    )


def _clicked(event: object) -> int | None:
    """Return the cluster of the point that was clicked on the map."""
    points = event["selection"]["points"] if isinstance(event, dict) else []
    return int(points[0]["customdata"][0]) if points else None


def _map(task: Task, points: tuple[ClusterPoint, ...], by_hash: dict[str, MicroInstruction]) -> go.Figure:
    figure = go.Figure()
    for place, label in enumerate(task.label_names):
        mine = [p for p in points if p.label == label]
        figure.add_trace(
            go.Scatter(
                x=[p.x for p in mine],
                y=[p.y for p in mine],
                mode="markers",
                name=plain_label(label),
                marker={
                    "size": 9,
                    "symbol": ["x-thin-open" if p.cluster == NOISE else SYMBOLS[place % len(SYMBOLS)] for p in mine],
                },
                customdata=[[p.cluster] for p in mine],
                text=[_hover(p, by_hash) for p in mine],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    figure.update_layout(
        height=400,
        margin={"l": 0, "r": 0, "t": 4, "b": 0},
        legend={"orientation": "h", "y": -0.02},
        xaxis={"visible": False},
        yaxis={"visible": False},
    )
    return figure


def _hover(point: ClusterPoint, by_hash: dict[str, MicroInstruction]) -> str:
    condition = by_hash[point.example_hash].condition if point.example_hash in by_hash else ""
    name = "noise" if point.cluster == NOISE else f"cluster {point.cluster + 1}"
    lines = textwrap.wrap(condition, 60)[:6]
    return "<br>".join([f"{plain_label(point.label)}, {name}", *(plain_label(line) for line in lines)])


def _draw_members(clustering: StoredClustering, by_hash: dict[str, MicroInstruction], clicked: int | None) -> None:
    sizes = pd.Series([p.cluster for p in clustering.points]).value_counts()
    label_of = {p.cluster: p.label for p in clustering.points}
    numbers = sorted((int(n) for n in sizes.index), key=lambda n: (n == NOISE, n))
    names = {n: "Noise" if n == NOISE else f"Cluster {n + 1}: {label_of[n]}" for n in numbers}
    key = f"cluster_{clustering.id}"
    if clicked is not None:
        session.preset(key, clicked)
    chosen = st.selectbox("Cluster", numbers, format_func=lambda n: f"{names[n]} ({sizes[n]})", key=key)
    with st.container(height=330, key="members"):
        for point in clustering.points:
            if point.cluster == chosen and point.example_hash in by_hash:
                label = f" :gray[{plain(point.label)}]" if chosen == NOISE else ""
                st.markdown(f"IF {plain(by_hash[point.example_hash].condition)}{label}")


@st.cache_data(show_spinner=False, max_entries=8)
def _vectors(conditions: tuple[str, ...]) -> Vectors:
    """Embed once for the slider; the same conditions give the same vectors."""
    return wiring.embedder().embed(conditions)


def draw_preview(task: Task, instructions: tuple[MicroInstruction, ...]) -> None:
    """Draw what another eps or minimum would give, at once, without storing anything."""
    with st.expander("Try other settings", icon=":material/tune:"):
        first, second, third = st.columns([4, 3, 3], vertical_alignment="bottom")
        eps = first.slider("Largest distance (eps)", 0.05, 1.0, 0.55, 0.05, key="eps")
        least = second.slider("Smallest cluster", 2, 12, 3, key="min_samples")
        within = third.toggle("Inside each label", value=True, key="within_label")
        params = ClusterParams(eps=eps, min_samples=least, within_label=within)
        vectors = _vectors(tuple(i.condition for i in instructions))
        labels = [i.label for i in instructions]
        numbers = cluster_numbers(labels, vectors, params)
        figures = health(labels, numbers)
        st.markdown(
            f"**{figures.clusters} clusters**, {figures.noise} of {figures.points} noise, the largest holds "
            f"{figures.largest_share:.0%} · median size {_median(numbers)}"
        )
        for warning in figures.warnings:
            st.caption(f":orange[{plain(warning)}]")
        st.button("Keep this clustering", key="keep", on_click=_keep, args=(task, params))


def _median(numbers: list[int]) -> int:
    sizes = pd.Series([n for n in numbers if n != NOISE], dtype="int64").value_counts()
    return int(np.median(sizes)) if len(sizes) else 0


def _keep(task: Task, params: ClusterParams) -> None:
    try:
        stored = wiring.save_clustering(session.app(), task.name, params)
    except PldError as error:
        session.complain(error)
        return
    session.preset(f"clustering_{task.name}", stored.id)
    session.notify(f"Clustering {stored.id} is kept: {stored.clusters} clusters, {stored.noise} noise")
