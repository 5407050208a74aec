"""Examples on screen: counts per label and split, search, one in full."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pld_app import session
from pld_app.components.evidence_card import draw_fields
from pld_app.components.text import in_badge, plain, short_hash
from pld_core.models import Example, Split, Task
from pld_core.ports import ExampleFilter, Page

PAGE_SIZE = 25
ANY = "any"


def draw_counts(task: Task) -> None:
    """Draw the number of examples per label and split."""
    table = session.app().store.tasks.split_table(task.name)
    rows = []
    for label in task.label_names:
        counts = {split.value: table.get((split, label), 0) for split in Split}
        rows.append({"label": label, **counts, "all": sum(counts.values())})
    frame = pd.DataFrame(rows).set_index("label")
    frame.loc["all labels"] = frame.sum()
    st.dataframe(frame, width="stretch")
    scarce = [label for label in task.label_names if table.get((Split.TRAIN, label), 0) < 10]
    if scarce:
        st.warning(f"Fewer than 10 training examples: {plain(', '.join(scarce))}. Rules for them rest on little.")


def draw_examples(task: Task) -> None:
    """Draw the searchable list, a page at a time, and the chosen example in full."""
    store = session.app().store
    search, split, label = st.columns([5, 2, 2])
    text = search.text_input("Search the texts", key="data_q", bind="query-params")
    splits = [ANY, *(s.value for s in Split)]
    chosen_split = split.selectbox("Split", splits, key="data_split", bind="query-params")
    chosen_label = label.selectbox("Label", [ANY, *task.label_names], key="data_label", bind="query-params")
    where = ExampleFilter(
        split=Split(chosen_split) if chosen_split in set(Split) else None,
        label=chosen_label if chosen_label in task.label_names else "",
        search=text.strip(),
    )
    total = store.tasks.count_examples(task.name, where)
    if total == 0:
        st.info("No example matches. Clear the search or choose another split or label.")
        return
    pages = -(-total // PAGE_SIZE)
    page = st.pagination(pages, key="data_page") if pages > 1 else 1
    found = store.tasks.examples(task.name, where, Page((page - 1) * PAGE_SIZE, PAGE_SIZE))
    if not found:
        found = store.tasks.examples(task.name, where, Page(0, PAGE_SIZE))
    st.caption(f"{total:,} examples. Choose a row to read it in full.")
    listing, full = st.columns([5, 4], gap="medium")
    with listing:
        event = st.dataframe(
            _frame(found),
            hide_index=True,
            width="stretch",
            height=420,
            on_select="rerun",
            selection_mode="single-row",
            key="data_rows",
        )
    rows = event["selection"]["rows"] if event else []
    with full, st.container(border=True, height=420, key="example"):
        _draw_full(found[rows[0]] if rows and rows[0] < len(found) else found[0])


def _frame(examples: tuple[Example, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        [{"label": e.label, "split": e.split.value, "text": " · ".join(v for _, v in e.fields)[:200]} for e in examples]
    )


def _draw_full(example: Example) -> None:
    with st.container(horizontal=True, gap="small"):
        st.badge(f"gold label: {in_badge(example.label)}", color="blue")
        st.badge(example.split.value, color="gray")
    draw_fields(example)
    st.caption(f"From {plain(example.source or 'an unnamed source')} · {short_hash(example.hash)}")
