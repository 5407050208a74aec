"""Choosing how to cluster: the table of settings, the suggestion, and the controls."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from pld_app import session
from pld_app.components.cluster_ground import Prepared, suggestion, swept
from pld_app.components.text import words
from pld_core.models import Algorithm, ClusterParams, Task
from pld_core.records import StoredClustering
from pld_core.sweep import SweepRow

ALGORITHMS = {Algorithm.DBSCAN: "DBSCAN", Algorithm.HDBSCAN: "HDBSCAN"}
MOST_SAMPLES = 20


def entries(task: str) -> tuple[str, ...]:
    """Return the keys of what the settings are made of; choosing a kept clustering sets them, too."""
    return tuple(f"{name}_{task}" for name in ("kept", "sweep", "within", "algorithm", "eps", "min_samples"))


def apply(task: str, params: ClusterParams) -> None:
    """Set the controls; for callbacks, which run before the controls are drawn."""
    session.preset(f"within_{task}", params.within_label)
    session.preset(f"algorithm_{task}", params.algorithm)
    session.preset(f"eps_{task}", params.eps)
    session.preset(f"min_samples_{task}", min(params.min_samples, MOST_SAMPLES))


def draw_settings(task: Task, prepared: Prepared, stored: tuple[StoredClustering, ...]) -> ClusterParams:
    """Draw the table and the controls, and return the chosen settings. They begin with the newest kept ones."""
    first = stored[0].params if stored else ClusterParams()
    session.preset_once(f"within_{task.name}", first.within_label)
    session.preset_once(f"algorithm_{task.name}", first.algorithm)
    session.preset_once(f"eps_{task.name}", first.eps)
    session.preset_once(f"min_samples_{task.name}", min(first.min_samples, MOST_SAMPLES))
    table, controls = st.columns([62, 38], gap="medium")
    with table:
        within = st.toggle(
            "Inside each label",
            key=f"within_{task.name}",
            help="On: a cluster holds instructions of one gold label only. Off: it may mix them; purity says how far.",
        )
        least = int(session.number(f"min_samples_{task.name}"))
        _draw_table(task, swept(task, prepared, within, least))
    with controls:
        algorithm = st.segmented_control(
            "Algorithm",
            list(ALGORITHMS),
            format_func=ALGORITHMS.__getitem__,
            key=f"algorithm_{task.name}",
            required=True,
        )
        eps = _draw_eps(task, prepared, algorithm is Algorithm.HDBSCAN)
        least = st.slider(
            "Smallest cluster",
            2,
            MOST_SAMPLES,
            key=f"min_samples_{task.name}",
            help="How many neighbours, itself included, make an instruction the core of a cluster (min_samples).",
        )
        _draw_suggestion(task, suggestion(prepared.key, least, within, prepared.ground), algorithm)
    return ClusterParams(eps, least, within, prepared.embedder, algorithm=algorithm or Algorithm.DBSCAN)


def _draw_table(task: Task, rows: tuple[SweepRow, ...]) -> None:
    event = st.dataframe(
        _frame(rows),
        hide_index=True,
        width="stretch",
        height=286,
        on_select="rerun",
        selection_mode="single-row",
        key=f"sweep_{task.name}",
        column_config={
            "noise": st.column_config.NumberColumn(format="%d%%"),
            "largest": st.column_config.NumberColumn(format="%d%%", help="Share of the clustered instructions."),
            "purity": st.column_config.NumberColumn(
                format="%d%%", help="Share of clustered instructions that have their cluster's most frequent label."
            ),
            "tokens": st.column_config.NumberColumn(
                help="Estimate of the prompt: one rule a cluster, as long as its longest instruction, 4 characters "
                "a token."
            ),
        },
    )
    st.caption("What DBSCAN gives for each eps and smallest cluster. Choose a row to set the controls to it.")
    chosen = event["selection"]["rows"] if event else []
    if session.changed(f"sweep_{task.name}", list(chosen)) and chosen and chosen[0] < len(rows):
        row = rows[chosen[0]]
        session.preset(f"algorithm_{task.name}", Algorithm.DBSCAN)
        session.preset(f"eps_{task.name}", row.eps)
        session.preset(f"min_samples_{task.name}", row.min_samples)


def _frame(rows: tuple[SweepRow, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "eps": row.eps,
                "smallest": row.min_samples,
                "clusters": row.figures.clusters,
                "noise": round(100 * row.figures.noise_share),
                "largest": round(100 * row.figures.largest_share),
                "purity": round(100 * row.figures.purity),
                "tokens": row.tokens,
                "trouble": ", ".join(dict.fromkeys(words(kind.value) for kind, _ in row.figures.troubles)) or "none",
            }
            for row in rows
        ]
    )


def _draw_eps(task: Task, prepared: Prepared, unused: bool) -> float:
    key = f"eps_{task.name}"
    highest = max(0.02, math.floor(prepared.ground.graph.eps_max * 100 + 1e-6) / 100)
    session.preset(key, min(highest, max(0.01, session.number(key))))
    eps = st.slider(
        "Largest distance between neighbours (eps)",
        0.01,
        highest,
        step=0.01,
        key=key,
        disabled=unused,
        help="Cosine distance: 0 is the same direction, 1 is nothing in common. HDBSCAN looks at all distances.",
    )
    return float(eps)


def _draw_suggestion(task: Task, eps: float | None, algorithm: Algorithm | None) -> None:
    if algorithm is Algorithm.HDBSCAN:
        st.caption("HDBSCAN needs no eps: it takes the clusters that last over the widest range of distances.")
    elif eps is None:
        st.caption("No suggestion for eps: the distances to the nearest neighbours show no knee.")
    else:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Suggestion: eps {eps:g}, the knee of the distances. No more than a suggestion: see the table.")
            st.button(
                f"Use {eps:g}",
                key="use_suggestion",
                on_click=session.preset,
                args=(f"eps_{task.name}", eps),
            )
