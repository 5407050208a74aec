"""What the columns of a file mean, with the first rows as they would become examples."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pld_app import importing, session
from pld_app.components.text import count, plain
from pld_core.errors import InvalidInput
from pld_core.importers.columns import unused_columns
from pld_core.importers.rows import ColumnMap, Source
from pld_core.models import Task
from pld_core.validation.facts import ImportChoices

NONE = "(none)"


def draw_columns(source: Source, there: Task | None) -> ImportChoices | None:
    """Draw the meaning of each column and the first rows; return the choices, or None while one is left open.

    Raises:
        InvalidInput: a column has two meanings, or a field two columns.
    """
    shape = importing.shape_of(source)[7:19]
    proposed, words = _proposed(source, there)
    if words:
        st.caption(f":material/auto_awesome: {plain(words)}")
    columns = _draw_meanings(source, proposed.columns, shape)
    choices = ImportChoices(columns, field_names=dict(proposed.field_names))
    if there is not None:
        choices = _draw_fields(choices, there, shape)
    if columns.split:
        resplit = st.toggle("Divide anew, whatever the split column says", key="import_resplit")
        choices = replace(choices, resplit=resplit)
    if not columns.split or choices.resplit:
        seed = st.number_input("Seed of the division", min_value=0, value=0, step=1, key="import_seed", width=180)
        choices = replace(choices, seed=int(seed))
    if still_open := _still_open(choices, there):
        _draw_preview(source, choices)
        st.info(plain(still_open))
        return None
    choices = importing.complete(source, choices, there)
    _draw_preview(source, choices)
    return choices


def _still_open(choices: ImportChoices, there: Task | None) -> str:
    """Return what has to be chosen before the file can be checked; empty if nothing."""
    if not choices.columns.label:
        return "Choose the column that holds the gold label."
    if not choices.columns.inputs:
        return "Choose at least one column that holds the text."
    named = {name for _, name in choices.inputs}
    missing = [name for name in there.input_fields if name not in named] if there else []
    return f"Choose a column for: {', '.join(missing)}. Only text columns can be chosen." if missing else ""


def _proposed(source: Source, there: Task | None) -> tuple[ImportChoices, str]:
    """Return what is proposed for the file; no label column if none can be told."""
    app = session.app()
    try:
        found, words = importing.columns_for(app, source, ImportChoices(ColumnMap()))
    except InvalidInput:
        # The person chooses below; the same check then says what is wrong with the choice.
        found, words = ImportChoices(source.suggested), ""
    if app.store.data.remembered_columns(importing.shape_of(source)) is not None:
        return found, words
    return importing.propose_kept(source, found, there), words


def _draw_meanings(source: Source, proposed: ColumnMap, shape: str) -> ColumnMap:
    names = list(source.columns)
    first = st.columns([5, 3, 3])
    inputs = first[0].multiselect(
        "Text columns, in order", names, default=list(proposed.inputs), key=f"map_inputs_{shape}"
    )
    label = first[1].selectbox(
        "Label column",
        names,
        index=names.index(proposed.label) if proposed.label in names else None,
        placeholder="Choose the gold label",
        key=f"map_label_{shape}",
    )
    second = st.columns(3)

    def choose(place: DeltaGenerator, title: str, role: str, current: str) -> str:
        options = [NONE, *names]
        index = options.index(current) if current in names else 0
        chosen = place.selectbox(title, options, index=index, key=f"map_{role}_{shape}")
        return "" if chosen == NONE else str(chosen)

    columns = ColumnMap(
        label=label or "",
        inputs=tuple(inputs),
        split=choose(first[2], "Split column", "split", proposed.split),
        ref=choose(second[0], "Id column", "ref", proposed.ref),
        source=choose(second[1], "Source column", "source", proposed.source),
        group=choose(second[2], "Group column (stays in one split)", "group", proposed.group),
    )
    return replace(columns, keep=_draw_keep(source, columns, proposed, shape))


def _draw_keep(source: Source, columns: ColumnMap, proposed: ColumnMap, shape: str) -> tuple[str, ...]:
    """Draw the choice of columns that are kept beside the examples, and which are used for nothing."""
    kept = st.multiselect(
        "Kept beside the examples, to see figures by their values; no model is shown them",
        list(source.columns),
        default=[name for name in proposed.keep if name in source.columns],
        key=f"map_keep_{shape}",
        placeholder="No column",
        help="Proposed are columns with few values that repeat and nothing that looks like personal data. "
        "Kept values stand on the Data page, in figures, reports and exports.",
    )
    keep = tuple(map(str, kept))
    if unused := unused_columns(source.columns, replace(columns, keep=keep)):
        st.caption(f"Not used: {plain(', '.join(unused))}.")
    return keep


def _draw_fields(choices: ImportChoices, there: Task, shape: str) -> ImportChoices:
    """Ask which column stands for each field of an existing task, where the names do not say so."""
    columns = choices.columns.inputs
    if set(there.input_fields) <= {name for _, name in choices.inputs}:
        return choices
    st.caption(f"Task {plain(there.name)} has the fields {plain(', '.join(there.input_fields))}.")
    places = st.columns(max(2, len(there.input_fields)))
    names = {}
    for place, needed in zip(places, there.input_fields, strict=False):
        options = list(columns)
        index = options.index(needed) if needed in options else None
        chosen = place.selectbox(
            f"Column for “{plain(needed)}”", options, index=index, key=f"field_{shape}_{needed}", placeholder="Choose"
        )
        if chosen:
            names[str(chosen)] = needed
    return replace(choices, field_names=names)


def _draw_preview(source: Source, choices: ImportChoices) -> None:
    rows = importing.preview(source)
    columns = choices.columns
    shown = []
    for row in rows:
        entry = {source.unit: row.number, "label": row.values.get(columns.label, "")}
        if columns.split and not choices.resplit:
            entry["split"] = row.values.get(columns.split, "")
        if columns.group:
            entry["group"] = row.values.get(columns.group, "")
        entry |= {f"text: {name}": row.values.get(column, "")[:300] for column, name in choices.inputs}
        entry |= {f"kept: {column}": row.values.get(column, "")[:300] for column in columns.keep}
        if row.problem:
            entry["problem"] = row.problem
        shown.append(entry)
    narrow = {source.unit: st.column_config.NumberColumn(width="small")}
    st.caption(f"The first {count(len(rows), source.unit)} of the file, with these columns")
    st.dataframe(pd.DataFrame(shown), hide_index=True, width="stretch", height=240, column_config=narrow)
