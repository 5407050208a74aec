"""Extract: let the teacher write one instruction for each training example, and read what it wrote."""

import streamlit as st

from pld_app import extracting, session
from pld_app.components.extract_batches import draw_batches
from pld_app.components.extract_failures import draw_failures, newest_failures
from pld_app.components.extract_form import draw_form, draw_no_teacher
from pld_app.components.frame import current_task
from pld_app.components.instruction_list import draw_instructions
from pld_app.components.job_progress import draw_jobs
from pld_app.components.text import count, plain
from pld_app.extract_order import ExtractOrder
from pld_core.errors import InvalidInput
from pld_core.models import Split, Task
from pld_core.pricing import money
from pld_core.records import TeacherCall

INSTRUCTIONS, FAILURES = "Instructions", "Failures"


def draw(task: Task) -> None:
    st.title(f"Extract: {plain(task.title)}")
    app = session.app()
    failed = newest_failures(task)
    try:
        teacher = extracting.teacher_name(app, task)
    except InvalidInput:
        teacher = ""
    training = app.store.tasks.counts(task.name).examples.get(Split.TRAIN, 0)
    order = ExtractOrder(task.name)
    left, right = st.columns([6, 4], gap="medium")
    with left, st.container(border=True):
        if not teacher:
            draw_no_teacher()
        elif training == 0:
            st.info("There is no training example to extract from. Import data, or divide the examples anew.")
            st.page_link("pages/data.py", label="Go to Data", icon=":material/table_rows:")
        else:
            order = draw_form(task, teacher, training, len(failed))
    with right:
        _draw_spent(task)
        draw_jobs(task.name, "extract", limit=3)
        draw_batches(task)
    _draw_results(task, teacher, failed, order)


def _draw_spent(task: Task) -> None:
    app = session.app()
    spent = app.store.logic.spend(task.name)
    cost = money(spent.cost, app.settings.teacher.currency)
    st.markdown(f"**Spent on this task so far:** {count(spent.calls, 'call')}, {plain(cost)}")
    if spent.prompt_tokens:
        st.caption(
            f"{spent.prompt_tokens:,} tokens in, {spent.output_tokens:,} out. "
            "Every call to a teacher or an embedder is counted."
        )


def _draw_results(task: Task, teacher: str, failed: tuple[TeacherCall, ...], order: ExtractOrder) -> None:
    if failed:
        replies = "1 reply" if len(failed) == 1 else f"{len(failed):,} replies"
        st.warning(f"{replies} could not be used. What came is under “{FAILURES}”.")
    view = st.segmented_control(
        "Show",
        [INSTRUCTIONS, FAILURES],
        default=INSTRUCTIONS,
        required=True,
        key="extract_view",
        bind="query-params",
        label_visibility="collapsed",
    )
    if view == FAILURES:
        draw_failures(task, teacher, failed, order)
    else:
        draw_instructions(task)


if (chosen := current_task()) is not None:
    draw(chosen)
