"""Ordering evaluations: prompts x students x splits, repeats, the lock of the test split, and what it will cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from pld_app import evaluating, session
from pld_app.components.permitted import allowed
from pld_app.components.remark import draw_remark
from pld_app.components.student_choice import draw_student
from pld_app.components.test_lock import draw_test_lock
from pld_app.components.text import count, plain
from pld_app.run_order import MatrixOrder
from pld_core.errors import PldError
from pld_core.model_ports import BackendStatus
from pld_core.models import ListedPrompt, Split, Task
from pld_core.permissions import Step
from pld_core.prompt_manifest import PromptKind
from pld_core.run_setup import MOST_REPEATS, Repeats

SPLITS = {Split.VALIDATION: "validation", Split.TEST: "test (locked)", Split.TRAIN: "train"}
NEW = "New evaluation"
"""What the form is called, also where it is folded away at the top of the page."""
ONCE, WARM, SHUFFLED = "once", "at a temperature", "with the rules in other orders"


def version_words(version: ListedPrompt) -> str:
    """Return a version for lists, such as `Version 3, 12 rules` or `Version 2, baseline without rules`."""
    held = count(version.rules, "rule") if version.kind is PromptKind.RULES else version.kind.words
    return f"Version {version.number}, {held}"


def draw_run_form(task: Task, versions: Sequence[ListedPrompt], found: Mapping[str, BackendStatus]) -> None:
    """Draw the choice of cells, what they cost, and the button that orders them.

    Args:
        found: the students that can be chosen, each with its state.
    """
    by_number = {version.number: version for version in versions}
    with st.container(border=True):
        st.markdown(f"**{NEW}**")
        key = f"run_prompts_{task.name}"
        session.preset_once(key, [versions[0].number])
        prompts = st.multiselect(
            "Prompt versions", list(by_number), format_func=lambda n: version_words(by_number[n]), key=key
        )
        students = _draw_students(found)
        splits = st.multiselect(
            "Splits", list(SPLITS), default=[Split.VALIDATION], format_func=SPLITS.__getitem__, key="run_splits"
        )
        st.caption("Choose between prompts by the validation split. The test split is for the end.")
        repeats = _draw_repeats()
        reason_key = draw_test_lock(task, "form") if Split.TEST in splits else ""
        wanted = MatrixOrder(task.name, tuple(prompts), tuple(students), tuple(splits), repeats)
        possible = _draw_estimate(wanted, students)
        st.button(
            "Start the run" if _runs(wanted) == 1 else f"Start {count(_runs(wanted), 'run')}",
            type="primary",
            key="start_run",
            **allowed(Step.EVALUATE, possible),
            **session.as_shown("run_", order, wanted, reason_key),
        )


def order(wanted: MatrixOrder, reason_key: str = "", told: str = "") -> None:
    """Order the runs, with the reason that its field holds; the reason of a look is not that of the next one.

    Args:
        told: what is said once they are ordered; empty where their progress appears beside the button.
    """
    app = session.app()
    try:
        evaluating.order_matrix(app, wanted.because(session.widget(reason_key) if reason_key else ""))
    except PldError as error:
        session.complain(error)
        return
    if reason_key:
        session.preset(reason_key, "")
    if told:
        session.notify(told)


def _draw_students(found: Mapping[str, BackendStatus]) -> Mapping[str, BackendStatus]:
    """Return the chosen students with their state; those that are not ready can only be looked at."""
    first = draw_student("run_student", found)
    others = {name: status for name, status in found.items() if status.ready and name != first.name}
    if not others:
        return {first.name: first}
    more = st.multiselect(
        "Further students", list(others), format_func=lambda name: others[name].title, key="run_students"
    )
    return {first.name: first, **{name: others[name] for name in more}}


def _draw_repeats() -> Repeats:
    """Draw how often a cell is asked; more than once only in a way in which answers can differ."""
    with st.expander("Repeats: how stable are the answers?"):
        how = st.radio("Ask", [ONCE, WARM, SHUFFLED], key="run_repeats")
        if how == ONCE:
            st.caption("At temperature 0, as the prompt is used. Only such runs count for a release.")
            return Repeats()
        number = st.number_input("Repeats", 2, MOST_REPEATS, 5, key="run_repeat_number")
        warm = st.number_input("Temperature", 0.1, 2.0, 0.7, 0.1, key="run_temperature") if how == WARM else 0.0
        st.caption("Seeds 0, 1, 2 … are recorded. Such runs are kept apart: they count for no release.")
    return Repeats(int(number), float(warm), how == SHUFFLED)


def _draw_estimate(wanted: MatrixOrder, statuses: Mapping[str, BackendStatus]) -> bool:
    """Say what the order costs, and return whether it can be made."""
    if not wanted.prompts or not wanted.splits:
        draw_remark("orange", "Choose a prompt version and a split.")
        return False
    if not all(status.ready for status in statuses.values()):
        return False
    try:
        found = evaluating.estimated(session.app(), wanted, statuses)
    except PldError as error:
        draw_remark("red", plain(str(error)))
        return False
    if not found.questions:
        draw_remark("orange", "There is no example in this split. The Data page divides examples into splits.")
        return False
    st.caption(f"{found.words}. The worker does it; you can leave this page.")
    return True


def _runs(wanted: MatrixOrder) -> int:
    return len(wanted.prompts) * len(wanted.students) * len(wanted.splits) * wanted.repeats.number
