"""Changing the labels of a task: descriptions, a new label, an unused one to remove."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.guideline_form import draw_effects
from pld_app.components.text import plain
from pld_core.canonical import hash_json
from pld_core.errors import PldError
from pld_core.label_set import LONGEST_DESCRIPTION, LONGEST_NAME, changed_labels
from pld_core.models import Label, Task
from pld_core.permissions import PERMITTED, Step, permits, role_words


def draw_label_form(task: Task) -> None:
    """Draw the labels, to read or to change; what goes stale is listed before it is saved."""
    st.header("Labels")
    st.caption(
        "The descriptions stand in every prompt. Another description makes the rules stale that conclude the label; a "
        "label more or less makes every rule stale."
    )
    if not permits(session.app().actor, Step.CHANGE_LABELS):
        draw_labels(task)
        st.caption(f"Changing them takes the role {role_words(PERMITTED[Step.CHANGE_LABELS])}.")
        return
    # The fields belong to the labels as they are: other labels, other fields.
    state = hash_json([[label.name, label.description] for label in task.labels])[7:19]
    wanted = _draw_fields(task, state)
    if wanted == task.labels:
        st.caption("Nothing is changed yet. What a change makes stale is listed here before you save it.")
        return
    try:
        wanted = changed_labels(task.labels, wanted)
        effects = session.app().store.labels.effects(task.name, wanted)
    except PldError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    draw_effects(effects)
    reason_key = f"label_reason_{state}"
    st.text_input("Why this change", key=reason_key, placeholder="Kept with the change", max_chars=500)
    st.button(
        "Save the labels",
        type="primary",
        key="labels_save",
        **session.as_shown("label_", _save, task, wanted, reason_key, but="label_reason_"),
    )


def draw_labels(task: Task) -> None:
    """Draw each label with what it means, to read."""
    for label in task.labels:
        st.markdown(f"**{plain(label.name)}** {plain(label.description or '(no description)')}")


def _draw_fields(task: Task, state: str) -> tuple[Label, ...]:
    """Draw a line for each label and one for a new one; return what they say."""
    wanted = []
    for at, label in enumerate(task.labels):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            text = st.text_input(
                plain(label.name),
                label.description,
                key=f"label_{at}_{state}",
                placeholder="(no description)",
                max_chars=LONGEST_DESCRIPTION,
            )
            gone = st.checkbox("Remove", key=f"label_gone_{at}_{state}", help="Only if no rule and no example uses it.")
        if not gone:
            wanted.append(Label(label.name, text))
    with st.container(horizontal=True):
        name = st.text_input("New label", key=f"label_name_{state}", max_chars=LONGEST_NAME, width=220)
        text = st.text_input("What it means", key=f"label_text_{state}", max_chars=LONGEST_DESCRIPTION)
    return (*wanted, Label(name.strip(), text)) if name.strip() else tuple(wanted)


def _save(task: Task, wanted: tuple[Label, ...], reason_key: str) -> None:
    app = session.app()
    try:
        effects = app.store.labels.change(task.name, task.labels, wanted, session.widget(reason_key), app.actor)
    except PldError as error:
        session.complain(error)
        return
    session.notify(f"The labels are saved. That {effects.words}.")
