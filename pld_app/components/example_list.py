"""Examples on screen: search and filters, a page at a time, one in full with its rules, and export."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pld_app import exporting, session
from pld_app.components.evidence_card import draw_example, draw_origin
from pld_app.components.text import count, in_badge, plain
from pld_core.models import Example, ExampleState, Split, Task
from pld_core.records import ExampleFilter, Page

PAGE_SIZE = 25
CELL = 200
"""Characters of a text in the list."""
ANY = "any"
TAKING_PART, EVERY_STATE = "taking part", "all"
STATES: dict[str, tuple[ExampleState, ...]] = {
    TAKING_PART: (ExampleState.ACTIVE,),
    "in a label conflict": (ExampleState.CONFLICT,),
    "withdrawn": (ExampleState.WITHDRAWN,),
    "archived": (ExampleState.ARCHIVED,),
    EVERY_STATE: (),
}


def draw_examples(task: Task) -> None:
    """Draw the searchable list, a page at a time, and the chosen example in full."""
    store = session.app().store
    where = _draw_filters(task)
    total = store.tasks.count_examples(task.name, where)
    if total == 0:
        st.info("No example matches. Clear the search or choose another filter.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{count(total, 'example')}. Choose a row to read it in full.")
        pages = -(-total // PAGE_SIZE)
        page = st.pagination(pages, key="data_page") if pages > 1 else 1
    found = store.tasks.examples(task.name, where, Page((page - 1) * PAGE_SIZE, PAGE_SIZE))
    if not found:
        found = store.tasks.examples(task.name, where, Page(0, PAGE_SIZE))
    listing, full = st.columns([5, 4], gap="medium")
    width = 180 if len(task.input_fields) > 1 else 340
    with listing:
        event = st.dataframe(
            _frame(task, found),
            hide_index=True,
            width="stretch",
            height=420,
            on_select="rerun",
            selection_mode="single-row",
            key="data_rows",
            column_config={name: st.column_config.TextColumn(width=width) for name in _columns(task)},
        )
        _draw_export(task, where, total)
    rows = event["selection"]["rows"] if event else []
    with full, st.container(border=True, height=420, key="example"):
        _draw_full(task, found[rows[0]] if rows and rows[0] < len(found) else found[0])


def _draw_filters(task: Task) -> ExampleFilter:
    search, split, label, dataset, state, personal = st.columns([4, 2, 2, 3, 2, 2], vertical_alignment="bottom")
    text = search.text_input("Search the texts", key="data_q", bind="query-params", placeholder="all of these words")
    splits = [ANY, *(s.value for s in Split)]
    chosen_split = split.selectbox("Split", splits, key="data_split", bind="query-params")
    chosen_label = label.selectbox("Label", [ANY, *task.label_names], key="data_label", bind="query-params")
    files = {d.id: f"{d.id}. {d.about.file}" for d in session.app().store.data.all(task.name)}
    chosen_set = dataset.selectbox(
        "Data set", [None, *files], format_func=lambda i: files.get(i, ANY) if i else ANY, key=f"data_set_{task.name}"
    )
    chosen_state = state.selectbox("State", list(STATES), key="data_state", bind="query-params")
    only_personal = personal.checkbox("Personal data", key="data_personal", help="Found by pattern: a heuristic.")
    return ExampleFilter(
        split=Split(chosen_split) if chosen_split in set(Split) else None,
        label=chosen_label if chosen_label in task.label_names else "",
        search=text.strip(),
        dataset=chosen_set,
        personal=only_personal,
        states=STATES.get(chosen_state, STATES[TAKING_PART]),
    )


def _columns(task: Task) -> tuple[str, ...]:
    """Return a title for each text field that no other column of the list has."""
    return tuple(f"{name} (text)" if name in ("label", "split", "from") else name for name in task.input_fields)


def _frame(task: Task, examples: tuple[Example, ...]) -> pd.DataFrame:
    rows = []
    for example in examples:
        values = dict(example.fields)
        texts = [values.get(name, "")[:CELL] for name in task.input_fields]
        row = {"label": example.label, "split": example.split.value}
        rows.append({**row, **dict(zip(_columns(task), texts, strict=True)), "from": example.place})
    return pd.DataFrame(rows)


def _draw_full(task: Task, example: Example) -> None:
    with st.container(horizontal=True, gap="small"):
        st.badge(f"gold label: {in_badge(example.label)}", color="blue")
        st.badge(example.split.value, color="gray")
        if example.state is not ExampleState.ACTIVE:
            st.badge(example.state.value, color="orange")
        if example.personal:
            st.badge(in_badge(f"{', '.join(example.personal)}{', masked' if example.masked else ''}"), color="violet")
    draw_example(example)
    draw_origin(example)
    if kept := session.app().store.kept.values(task.name, [example.hash]).get(example.hash):
        st.caption(" · ".join(f"{plain(column)}: {plain(value)}" for column, value in kept.items()))
    rules = session.app().store.data.rules_of(task.name, example.hash)
    if rules:
        st.caption("Rules that rest on it")
        with st.container(horizontal=True, gap="small"):
            for rule_id in rules[:20]:
                st.page_link(
                    "pages/review.py", label=rule_id, query_params={"task": task.name, "rule": rule_id, "show": "All"}
                )


def _draw_export(task: Task, where: ExampleFilter, total: int) -> None:
    with st.container(horizontal=True):
        for file_format in exporting.FORMATS:
            st.download_button(
                f"Export {count(total, 'example')} as {file_format.upper()}",
                _exported(task, where, file_format),
                f"{task.name}.{file_format}",
                "text/csv" if file_format == "csv" else "application/x-ndjson",
                key=f"export_{file_format}",
                icon=":material/download:",
                help="Formulas are defused by a quote." if file_format == "csv" else "Word for word.",
            )


def _exported(task: Task, where: ExampleFilter, file_format: str) -> exporting.Exported:
    return exporting.Exported(session.app(), task.name, where, file_format)
