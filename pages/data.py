"""Data: examples and where they come from, import with a check before it, label conflicts, data sets."""

import streamlit as st

from pld_app import session
from pld_app.components.conflict_list import draw_conflicts
from pld_app.components.data_overview import draw_overview
from pld_app.components.dataset_list import draw_datasets
from pld_app.components.example_list import draw_examples
from pld_app.components.frame import current_task
from pld_app.components.guideline_form import draw_guideline_form
from pld_app.components.import_form import draw_import
from pld_app.components.label_form import draw_label_form
from pld_app.components.text import plain
from pld_core.models import Task

EXAMPLES, IMPORT, DATASETS, CONFLICTS = "Examples", "Import", "Data sets", "Label conflicts"
GUIDELINE = "Guideline and labels"


def draw(task: Task) -> None:
    st.title(f"Data: {plain(task.title)}")
    view = st.segmented_control(
        "View",
        [EXAMPLES, IMPORT, DATASETS, CONFLICTS, GUIDELINE],
        default=EXAMPLES,
        required=True,
        key="view",
        bind="query-params",
        label_visibility="collapsed",
    )
    if view == IMPORT:
        draw_import(task.name)
    elif view == DATASETS:
        draw_datasets(task)
    elif view == CONFLICTS:
        draw_conflicts(task)
    elif view == GUIDELINE:
        draw_guideline_form(task)
        draw_label_form(task)
    else:
        waiting = session.app().store.data.count_conflicts(task.name)
        if waiting:
            have = (
                "text has more than one label and takes" if waiting == 1 else "texts have more than one label and take"
            )
            one = "it" if waiting == 1 else "them"
            st.warning(f"{waiting:,} {have} no part; settle {one} under “{CONFLICTS}”.")
        draw_overview(task)
        draw_examples(task)


if session.app().store.tasks.all():
    if (chosen := current_task()) is not None:
        draw(chosen)
else:
    st.title("Data")
    st.info("No data yet. Import a file here, or build a demo task on the Home page.")
    draw_import("")
    if session.app().store.tasks.all():
        # The first import ended while the page was drawn: nothing else would draw it again.
        st.rerun()
