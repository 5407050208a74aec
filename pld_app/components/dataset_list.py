"""The data sets of a task: what was imported when by whom, its report, and archiving or deleting it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pld_app import importing, session
from pld_app.components.import_report import draw_report
from pld_app.components.permitted import allowed
from pld_app.components.text import count, moment, plain, short_hash
from pld_core.errors import PldError
from pld_core.models import Task
from pld_core.permissions import Step
from pld_core.records import Dataset, DatasetState
from pld_core.validation.report import ValidationReport


def draw_datasets(task: Task) -> None:
    """Draw the data sets of a task, newest first."""
    found = session.app().store.data.all(task.name)
    if not found:
        st.info("No data set yet. Import a file.")
        return
    for dataset in found:
        _draw(dataset)


def _draw(dataset: Dataset) -> None:
    archived = dataset.state is DatasetState.ARCHIVED
    with st.container(border=True, key=f"dataset_{dataset.id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{dataset.id}. {plain(dataset.about.file)}**")
            if archived:
                st.badge("archived", color="gray")
            st.caption(
                f"{count(dataset.rows, 'row')} · {plain(dataset.about.importer)} · {short_hash(dataset.about.sha256)} "
                f"· imported by {plain(dataset.created_by)}, {moment(dataset.created_at)}"
            )
        if dataset.about.report:
            report = ValidationReport.model_validate(dataset.about.report)
            st.text(importing.summary(report))
            with st.expander("Validation report"):
                draw_report(report, f"dataset_{dataset.id}")
        with st.expander("Take it out of use" if not archived else "Use it again, or delete it"):
            _draw_put_away(dataset, archived)


def _draw_put_away(dataset: Dataset, archived: bool) -> None:
    store, actor = session.app().store.data, session.app().actor
    rules = store.resting(dataset.id)
    if rules:
        shown = ", ".join(rules[:20]) + (f" and {len(rules) - 20:,} more" if len(rules) > 20 else "")
        rest = "rule rests" if len(rules) == 1 else "rules rest"
        st.caption(f"{len(rules):,} {rest} on it: {plain(shown)}. It cannot be deleted; archive it instead.")
    reason_key = f"reason_{dataset.id}"
    reason = st.text_input("Reason", key=reason_key, placeholder="Kept with the change")
    with st.container(horizontal=True):
        if archived:
            st.button(
                "Take into use again",
                key=f"restore_{dataset.id}",
                **allowed(Step.RESTORE_DATA),
                on_click=_try,
                args=(lambda: store.restore(dataset.id, actor), f"Data set {dataset.id} is in use again"),
            )
        else:
            st.button(
                "Archive",
                key=f"archive_{dataset.id}",
                **allowed(
                    Step.ARCHIVE_DATA,
                    bool(reason.strip()),
                    "Its examples take no part any more, but stay readable.",
                ),
                on_click=_try,
                args=(
                    lambda: store.archive(dataset.id, session.widget(reason_key), actor),
                    f"Data set {dataset.id} is archived",
                ),
            )
        st.button(
            "Delete",
            key=f"delete_{dataset.id}",
            **allowed(
                Step.DELETE_DATA,
                not rules and bool(reason.strip()),
                "Its examples are deleted; the record and the report stay.",
            ),
            on_click=_try,
            args=(
                lambda: store.delete(dataset.id, session.widget(reason_key), actor),
                f"Data set {dataset.id} is deleted",
            ),
        )


def _try(action: Callable[[], None], done: str) -> None:
    try:
        action()
    except PldError as error:
        session.complain(error)
        return
    session.notify(done)
