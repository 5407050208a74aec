"""Noise by label: what no cluster took in, and promoting a point of it to a rule."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from pld_app import session, wiring
from pld_app.components.cluster_ground import Prepared
from pld_app.components.cluster_settings import entries
from pld_app.components.permitted import allowed
from pld_app.components.text import plain
from pld_core.errors import PldError
from pld_core.lineage import origin_of
from pld_core.models import NOISE, MicroInstruction, Task
from pld_core.permissions import Step
from pld_core.records import StoredClustering

A_PAGE = 8


def draw_noise(task: Task, prepared: Prepared, numbers: list[int], kept: StoredClustering | None) -> None:
    """Draw the noise of the chosen label, each point with a button that makes a rule of it."""
    st.header("Noise by label")
    labels = prepared.ground.labels
    noisy = Counter(label for label, number in zip(labels, numbers, strict=True) if number == NOISE)
    if not noisy:
        st.caption("No instruction is noise at these settings.")
        return
    totals = Counter(labels)
    told = (f"**{plain(label)}** {noisy[label]:,} of {totals[label]:,}" for label in sorted(totals))
    st.markdown(" · ".join(told))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox("Label", sorted(totals), key=f"noise_{task.name}", width=340)
        found = [
            i for i, number in zip(prepared.instructions, numbers, strict=True) if number == NOISE and i.label == label
        ]
        pages = -(-len(found) // A_PAGE)
        page = st.pagination(pages, key=f"noise_page_{task.name}") if pages > 1 else 1
    st.caption(
        "A rare reason looks like noise. Promoting a point makes a rule of it, in your name and with its one example "
        "as evidence; the rule goes into review."
        + ("" if kept else " Keep the clustering first: a rule names the clustering that it is from.")
    )
    if not found:
        st.caption(f"No instruction of {plain(label)} is noise.")
    origins = session.app().store.rules.origins(task.name)
    page = min(page, max(1, pages))
    for instruction in found[(page - 1) * A_PAGE : page * A_PAGE]:
        _draw_point(task, instruction, kept, origin_of([instruction.example_hash]) in origins)


def _draw_point(task: Task, instruction: MicroInstruction, kept: StoredClustering | None, has_rule: bool) -> None:
    short = instruction.example_hash.removeprefix("sha256:")[:12]
    text, button = st.columns([8, 2], vertical_alignment="center")
    text.markdown(f"IF {plain(instruction.condition)} :gray[{plain(instruction.label)}]")
    with button:
        if has_rule:
            st.caption("is a rule already")
            return
        st.button(
            "Promote to rule",
            key=f"promote_{short}",
            **allowed(Step.PROMOTE, kept is not None),
            **session.as_shown(
                entries(task.name), _promote, task.name, kept.id if kept else 0, instruction.example_hash
            ),
        )


def _promote(task: str, clustering_id: int, example_hash: str) -> None:
    try:
        rule_id = wiring.promote(session.app(), task, clustering_id, example_hash)
    except PldError as error:
        session.complain(error)
        return
    session.notify(f"{rule_id} is in review. Open it on the Review page")
