"""A run against another one on the same split: verdict, what was fixed and broken by label, and the examples."""

from __future__ import annotations

import streamlit as st

from pld_app import run_figures, session
from pld_app.components.answered_example import draw_answered_example
from pld_app.components.charts.chart_frame import draw_chart
from pld_app.components.charts.waterfall import waterfall_chart
from pld_app.components.run_answers import PAGE_SIZE, draw_pager
from pld_app.components.run_form import NEW
from pld_app.components.run_other import draw_no_other
from pld_app.components.run_seen import SeenRun
from pld_app.components.text import plain
from pld_core.analytics import ChangedExample
from pld_core.effect import Outcome
from pld_core.errors import PldError
from pld_core.models import Task
from pld_core.records import Page
from pld_core.run_change import RunChange

OUTCOMES = (Outcome.FIXED, Outcome.BROKEN, Outcome.STILL_WRONG)


def draw_change(seen: SeenRun) -> None:
    """Draw the choice of the other run, and what changed since it."""
    app, run = session.app(), seen.run
    if not seen.is_complete:
        st.info(
            f"A run is compared once it is complete. Start it again under “{NEW}”: what is answered is not asked again."
        )
        return
    others = run_figures.comparable(app, run)
    if not others:
        draw_no_other(seen.task, run)
        return
    names = {one.id: f"Run {one.id} · prompt {one.prompt_number} · {one.student}" for one in others}
    first = next((place for place, one in enumerate(others) if one.id < run.id and one.student == run.student), 0)
    chosen = st.selectbox(
        "Before", list(names), index=first, format_func=names.__getitem__, key=f"before_{run.id}", width=420
    )
    before = next(one for one in others if one.id == chosen)
    try:
        change = run_figures.change_since(app, before, run)
    except PldError as error:
        st.info(plain(str(error)))
        return
    words = change.figures.words
    st.markdown(f"**{plain(words[:1].upper() + words[1:])}**")
    for note in _notes(change):
        st.caption(note)
    left, right = st.columns([5, 5], gap="medium")
    with left:
        _draw_waterfall(change)
    with right:
        _draw_examples(seen.task, change)


def _notes(change: RunChange) -> list[str]:
    notes = ["Better or worse only if the interval of the difference leaves out 0: paired bootstrap within each label."]
    if change.before.digest != change.after.digest:
        notes.append("The two runs are of other weights: the difference may be theirs, not the prompt's.")
    if change.apart:
        notes.append(f"{change.apart:,} examples were answered by one of the two only and are left out.")
    return notes


def _draw_waterfall(change: RunChange) -> None:
    st.subheader("Fixed and broken by label")
    if not any(one.fixed or one.broken for one in change.changes):
        st.caption("No answer changed between right and wrong.")
        return
    clicked = draw_chart(waterfall_chart(change), f"waterfall_{change.before.id}_{change.after.id}", can_click=True)
    if clicked:
        session.preset("change_outcome", clicked[0])
        session.preset("change_label", clicked[1])


def _draw_examples(task: Task, change: RunChange) -> None:
    st.subheader("Examples")
    fields = st.columns(2)
    labels = [one.label for one in change.changes]
    if session.widget("change_label") not in ("", *labels):
        session.preset("change_label", "")
    outcome = Outcome(
        str(fields[0].selectbox("What became of them", [one.value for one in OUTCOMES], key="change_outcome"))
    )
    label = str(
        fields[1].selectbox("Gold label", ["", *labels], format_func=lambda name: name or "any", key="change_label")
    )
    number = count_changed(change, outcome, label)
    if not number:
        st.caption("No such example.")
        return
    key = f"changed_{change.before.id}_{change.after.id}_{outcome.name}_{label}"
    start = min(int(session.number(key)), (number - 1) // PAGE_SIZE * PAGE_SIZE)
    try:
        page = session.app().store.analytics.changed_examples(
            change.before.id, change.after.id, outcome, label, Page(start, PAGE_SIZE)
        )
    except PldError as error:
        st.info(plain(str(error)))
        return
    draw_pager(key, start, len(page), number, "example")
    for example in page:
        _draw_example(task, change, example)


def count_changed(change: RunChange, outcome: Outcome, label: str) -> int:
    """Return how many examples had one outcome, of a gold label or of any."""
    own = [one for one in change.changes if label in ("", one.label)]
    if outcome is Outcome.STILL_WRONG:
        return sum(one.still_wrong for one in own)
    return sum(one.fixed if outcome is Outcome.FIXED else one.broken for one in own)


def _draw_example(task: Task, change: RunChange, example: ChangedExample) -> None:
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"Gold **{plain(example.gold)}**")
        sides = st.columns(2)
        for side, run, said in ((0, change.before, example.before), (1, change.after, example.after)):
            mark = ":material/check:" if said == example.gold else ":material/close:"
            sides[side].markdown(f"Run {run.id}, version {run.prompt_number}: {mark} **{plain(said)}**")
        draw_answered_example(task, example.example_hash)
