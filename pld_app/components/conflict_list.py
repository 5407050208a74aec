"""Texts with more than one label: a person says which is right."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.evidence_card import draw_example
from pld_app.components.permitted import allowed
from pld_app.components.text import count, plain
from pld_core.errors import PldError
from pld_core.models import Task
from pld_core.permissions import Step
from pld_core.records import LabelConflict, Page

PAGE_SIZE = 10
NO_LABEL = "none of them"


def draw_conflicts(task: Task) -> None:
    """Draw the unsettled label conflicts of a task, a page at a time."""
    store = session.app().store.data
    total = store.count_conflicts(task.name)
    if total == 0:
        st.info("No text has more than one label.")
        return
    st.caption(
        f"{count(total, 'text')} with more than one label. They take no part in extraction and evaluation until "
        "somebody says which label is right."
    )
    pages = -(-total // PAGE_SIZE)
    page = st.pagination(pages, key="conflict_page") if pages > 1 else 1
    for conflict in store.conflicts(task.name, Page((page - 1) * PAGE_SIZE, PAGE_SIZE)):
        _draw(task, conflict)


def _draw(task: Task, conflict: LabelConflict) -> None:
    key = conflict.text_hash[7:19]
    with st.container(border=True, key=f"conflict_{key}"):
        text, decision = st.columns([6, 4], gap="medium")
        with text, st.container(height=240, border=False):
            draw_example(conflict.examples[0])
        with decision:
            for example in conflict.examples:
                st.markdown(f"**{plain(example.label)}** :gray[{plain(example.place)} · {example.split.value}]")
            labels = [example.label for example in conflict.examples]
            right = st.radio(
                "Right is", [*labels, NO_LABEL], index=None, format_func=plain, key=f"right_{key}", horizontal=True
            )
            reason_key = f"settle_reason_{key}"
            reason = st.text_input("Reason", key=reason_key, placeholder="Kept with the decision")
            st.button(
                "Settle",
                key=f"settle_{key}",
                **allowed(Step.SETTLE_LABELS, right is not None and bool(reason.strip())),
                **session.as_shown(f"right_{key}", _settle, task.name, conflict, str(right), reason_key),
            )


def _settle(task_name: str, conflict: LabelConflict, right: str, reason_key: str) -> None:
    app, reason = session.app(), session.widget(reason_key)
    keep = next((example.hash for example in conflict.examples if example.label == right), "")
    try:
        app.store.data.settle(task_name, conflict.text_hash, keep, reason, app.actor)
    except PldError as error:
        session.complain(error)
        return
    session.notify(f"Settled: {right}")
