"""The matrix on screen: prompt versions down, students across; what is missing is started with one click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from pld_app import evaluating, session
from pld_app.components.grid_baselines import draw_grid_baselines, with_baselines
from pld_app.components.permitted import allowed
from pld_app.components.run_form import NEW, SPLITS, order, version_words
from pld_app.components.test_lock import draw_test_lock
from pld_app.components.text import plain
from pld_app.run_order import MatrixOrder
from pld_core.model_ports import BackendStatus
from pld_core.models import ListedPrompt, Split, Task
from pld_core.permissions import Step
from pld_core.run_matrix import Cell, CellState

NEWEST = 8
_MARKS = {
    CellState.DONE: ":material/check_circle:",
    CellState.ORDERED: ":material/schedule:",
    CellState.STOPPED: ":material/pause_circle:",
}


def draw_grid(task: Task, versions: Sequence[ListedPrompt], statuses: Mapping[str, BackendStatus]) -> None:
    """Draw how the newest versions do with each student on a split.

    Args:
        statuses: the students that can be chosen, each with its state.
    """
    app = session.app()
    st.header("Prompts and students")
    split = st.segmented_control(
        "Split of the table",
        list(SPLITS),
        default=Split.VALIDATION,
        required=True,
        format_func=SPLITS.__getitem__,
        key="grid_split",
    )
    reason_key = draw_test_lock(task, "grid") if split is Split.TEST else ""
    students = evaluating.students_of(app, task.name)
    shown = with_baselines(versions, NEWEST)
    cells = evaluating.matrix(app, task.name, [version.number for version in shown], students, split)
    widths = [3, *[4] * len(students)]
    for column, words in zip(st.columns(widths), ("Prompt", *students), strict=True):
        column.markdown(f"**{plain(words)}**")
    for row, version in enumerate(shown):
        columns = st.columns(widths, vertical_alignment="center")
        columns[0].markdown(plain(version_words(version)))
        for column, cell in zip(columns[1:], cells[row * len(students) :], strict=False):
            with column:
                _draw_cell(task, cell, statuses.get(cell.student), reason_key)
    draw_grid_baselines(task, versions, split, widths)
    if len(versions) > len(shown):
        st.caption(
            f"The newest {NEWEST} of {len(versions)} versions are shown; “{NEW}” at the top of this page has all."
        )
    st.caption(
        "Share of right answers and macro F1 (the mean over the labels, 1 is perfect), both with a 95 % interval, of "
        "the newest complete run at temperature 0. A rule prompt is worth its length only if it does better than the "
        "baselines. Whether one is shown to beat it stands at the run, under “Beside the baselines”, and in "
        "`pld figures`, `pld compare` and `pld report`."
    )


def _draw_cell(task: Task, cell: Cell, status: BackendStatus | None, reason_key: str) -> None:
    if cell.state is not CellState.MISSING:
        st.markdown(f"{_MARKS[cell.state]} {plain(cell.words)}")
    if cell.state not in (CellState.MISSING, CellState.STOPPED):
        return
    if status is None or not status.ready:
        st.caption("not evaluated; this student is not ready")
        return
    wanted = MatrixOrder(task.name, (cell.prompt,), (cell.student,), (cell.split,))
    st.button(
        "Evaluate",
        key=f"cell_{cell.prompt}_{cell.student}",
        icon=":material/play_arrow:",
        **allowed(Step.EVALUATE, help=f"Version {cell.prompt} with {cell.student} on {cell.split.value}"),
        **session.as_shown("grid_split", order, wanted, reason_key),
    )
