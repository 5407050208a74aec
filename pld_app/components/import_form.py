"""Import by upload: columns chosen, a preview looked at, then all of it or nothing."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pld_app import session, wiring
from pld_app.components.text import plain
from pld_core import importers
from pld_core.errors import PldError
from pld_core.importers import ColumnMap
from pld_core.importers.rows import SourceRow

PREVIEW_ROWS = 20
BY_SEED = "(divide by seed, stratified)"


def draw_import() -> None:
    """Draw the upload form; nothing is written before the button is pressed."""
    with st.expander("Import examples (CSV or JSONL)", expanded=False, icon=":material/upload:"):
        upload = st.file_uploader("File", type=list(importers.FORMATS), key="upload")
        if upload is None:
            st.caption("UTF-8, with a header line (CSV) or named fields (JSONL). Up to 200 MiB.")
            return
        try:
            rows = importers.read_file(upload.name, upload.getvalue())
            _draw_mapping(upload.name, rows)
        except PldError as error:
            st.error(plain(str(error)), icon=":material/error:")


def _draw_mapping(name: str, rows: tuple[SourceRow, ...]) -> None:
    columns = list(rows[0].values)
    first, second, third, fourth = st.columns(4)
    task_name = first.text_input("Task (an existing one, or a new name)", key="import_task").strip()
    default_label = columns.index("label") if "label" in columns else len(columns) - 1
    label = second.selectbox("Label column", columns, index=default_label, key="import_label")
    splits = [BY_SEED, *columns]
    default_split = splits.index("split") if "split" in columns else 0
    split = third.selectbox("Split column", splits, index=default_split, key="import_split")
    rest = [c for c in columns if c not in (label, split)]
    inputs = fourth.multiselect("Text columns, in order", columns, default=rest, key="import_inputs")
    wanted = ColumnMap(label, tuple(inputs), "" if split == BY_SEED else split)
    examples = importers.examples_from(rows, importers.resolve_columns(rows, wanted), name)
    st.caption(f"{len(examples):,} examples. The first {min(PREVIEW_ROWS, len(examples))}:")
    preview = [{"label": e.label, "split": e.split.value, **dict(e.fields)} for e in examples[:PREVIEW_ROWS]]
    st.dataframe(pd.DataFrame(preview), hide_index=True, width="stretch", height=240)
    if st.button("Import", type="primary", disabled=not task_name, key="import_go"):
        outcome = wiring.import_examples(session.app(), task_name, "", "", examples, name)
        session.notify(f"{outcome.added} examples added to {task_name}, {outcome.already_there} were already there")
        session.forget("task")
        session.set_address("task", task_name)
        st.rerun()
