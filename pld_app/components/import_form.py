"""Import on the Data page: choose a file, say what its columns mean, check it, settle what was found, import it."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pld_app import importing, session
from pld_app.components.import_columns import draw_columns
from pld_app.components.import_file import draw_file
from pld_app.components.import_report import draw_report
from pld_app.components.import_settle import draw_settle
from pld_app.components.import_words import on_page
from pld_app.components.job_progress import draw_jobs, is_ordered
from pld_app.components.permitted import allowed
from pld_app.components.text import count, plain
from pld_app.importing import Checked, ImportOrder
from pld_app.uploads import Waiting
from pld_core.canonical import hash_json
from pld_core.errors import PldError
from pld_core.permissions import Step, require
from pld_core.validation.facts import ImportChoices
from pld_core.validation.plan import TaskWords
from pld_core.validation.report import ValidationReport

ENTRIES = ("upload_", "inbox_", "read_", "import_", "map_", "field_", "variant_", "labels_")
"""How the keys of the fields begin that an order is made of."""


def draw_import(task_name: str) -> None:
    """Draw the import, step by step; nothing is written before the last button is pressed."""
    try:
        _draw_steps(task_name)
    except PldError as error:
        st.error(on_page(str(error)), icon=":material/error:")
    st.markdown("**Imports**")
    draw_jobs(kind="import", limit=3)


def _draw_steps(task_name: str) -> None:
    # Before a file is kept, not only when it is imported.
    require(session.app().actor, Step.IMPORT_DATA)
    st.markdown("**1. The file**")
    chosen = draw_file()
    if chosen is None:
        return
    waiting, source = chosen
    st.markdown("**2. What its columns mean**")
    words = _draw_task(task_name)
    choices = draw_columns(source, importing.task_there(session.app(), words.name))
    if choices is None:
        return
    order = ImportOrder(source.name, words, source.options, choices)
    checked = _draw_check(waiting, order)
    if checked is not None:
        _draw_found(waiting, checked, order)


def _draw_task(task_name: str) -> TaskWords:
    names = [task.name for task in session.app().store.tasks.all()]
    left, middle, right = st.columns([3, 3, 4])
    new = "A new task"
    session.preset_once("import_into", task_name or new)
    into = left.selectbox("Import into", [*names, new], key="import_into")
    if into != new:
        return TaskWords(str(into))
    name = middle.text_input(
        "Name of the new task", key="import_name", placeholder="complaints", help="Lower-case letters, digits, hyphens."
    )
    title = right.text_input("Title", key="import_title", placeholder="Consumer complaints")
    guideline = st.text_area(
        "Guideline: what people follow when they label (part of every prompt; can be empty)",
        key="import_guideline",
        height=80,
    )
    if name.strip() in names:
        st.info(f"There is a task {plain(name)} already; the examples go into it.")
    return TaskWords(name.strip(), title.strip(), guideline.strip())


def _draw_check(waiting: Waiting, order: ImportOrder) -> Checked | None:
    """Offer to go through the file; return what was found, as long as nothing it depends on was changed."""
    choices = order.choices
    # What is settled after the check does not change what was found.
    asked = replace(order, choices=ImportChoices(choices.columns, choices.field_names))
    key = hash_json({"file": waiting.as_json(), "order": asked.as_json()})
    if (found := session.checked(key)) is not None:
        return found
    if not order.words.name:
        st.caption("Name the task, then check the file.")
    place = st.empty()
    if not place.button("Check the file", type="primary", key="check_file", disabled=not order.words.name):
        return None
    app = session.app()
    place.progress(0.0, text="Reading…")

    def report(done: int, total: int, message: str) -> None:
        place.progress(min(1.0, done / total), text=f"{done:,} of about {total:,} {message}")

    try:
        _, checked = importing.check_chosen(app, waiting.path(app.settings), order, report)
    finally:
        place.empty()
    session.remember_checked(key, checked)
    return checked


def _draw_found(waiting: Waiting, checked: Checked, order: ImportOrder) -> None:
    st.markdown("**3. What was found**")
    # The report counts what is settled below it.
    place = st.container()
    st.markdown("**4. What you decide**")
    order = draw_settle(checked, order)
    planned = importing.plan(checked, order)
    with place:
        draw_report(planned.report, "check", lambda: _draw_remedy(order, planned.report))
    _draw_go(waiting, order, planned.report)


def _draw_go(waiting: Waiting, order: ImportOrder, report: ValidationReport) -> None:
    going_on = any(not job.state.is_final for job in session.app().store.jobs.recent() if job.kind == "import")
    label = f"Import {count(report.kept, 'example')} into {plain(order.words.name)}"
    if report.refused:
        label += f" and leave {count(report.refused, report.unit)} out"
    st.button(
        label,
        type="primary",
        key="import_go",
        **allowed(Step.IMPORT_DATA, not report.problems and not going_on),
        **session.as_shown(ENTRIES, _order, waiting, order, but="import_go"),
    )
    if report.problems:
        st.caption("Settle what stands in red first.")
    elif going_on:
        st.caption("An import is going on. This one can be ordered when it has ended.")


def _draw_remedy(order: ImportOrder, report: ValidationReport) -> None:
    if report.problems and report.leak_count and order.choices.columns.split and not order.choices.resplit:
        st.button(
            "Divide anew: what is alike and what is one group stays together",
            key="divide_anew",
            type="primary",
            on_click=session.preset,
            args=("import_resplit", True),
        )


def _order(waiting: Waiting, order: ImportOrder) -> None:
    if not is_ordered("import", order.words.name, {**waiting.as_json(), "order": order.as_json()}):
        return
    session.begin_next_import()
    session.notify(f"{order.name} is being imported into {order.words.name}")
