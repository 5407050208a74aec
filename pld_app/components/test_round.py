"""A round of live tests: prompts asked one after the other, each answer streamed into its own column."""

from __future__ import annotations

from contextlib import closing

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pld_app import session
from pld_app.components.remark import Colour, draw_remark
from pld_app.components.test_prompts import draw_heading
from pld_app.components.test_result import draw_result
from pld_app.components.text import plain
from pld_app.live_testing import LiveQuestion, begin_live_test
from pld_app.session import LiveColumn, LiveRound
from pld_core.errors import PldError
from pld_core.models import AnswerStatus, Task
from pld_core.repeated_answers import Flip, Flips, tally

QUOTED = 160
"""So many characters of an input tell it from others."""
COLOURS: dict[bool | None, Colour] = {True: "orange", False: "green", None: "red"}


def draw_round(task: Task, shown: LiveRound, asking: bool) -> None:
    """Draw a round.

    Args:
        asking: it has just begun, so ask what has no answer yet.
    """
    if not asking:
        # Streamlit begins a new run before the one that asks has noticed that it is to end.
        shown.close()
    _draw_asked(shown)
    changes = st.empty()
    places = [
        column.container(border=True, gap="small", key=f"result_{n}")
        for n, column in enumerate(st.columns(len(shown.columns)))
    ]
    slots = []
    for place, column in zip(places, shown.columns, strict=True):
        with place:
            draw_heading(column.prompt)
        slots.append(place.empty())
    if asking:
        for slot in slots:
            slot.caption("Waits for its turn.")
    for column, slot in zip(shown.columns, slots, strict=True):
        if asking and not any(one.problem for one in shown.columns):
            _ask(task, column, slot)
        with slot.container(gap="small"):
            _draw_column(task, column, shown.gold)
    with changes.container():
        _draw_flips(shown)


def _ask(task: Task, column: LiveColumn, slot: DeltaGenerator) -> None:
    """Ask what the column has no answer to. A rerun ends it; what came is in the column even then."""
    for number, question in enumerate(column.questions, start=1):
        with slot.container():
            if len(column.questions) > 1:
                st.caption(f"Question {number} of {len(column.questions)}")
            try:
                _stream(task, column, question)
            except PldError as error:
                column.problem = str(error)
                return


def _stream(task: Task, column: LiveColumn, question: LiveQuestion) -> None:
    place = st.empty()
    with st.spinner("The student reads the prompt; the first answer takes longest…", show_time=True):
        place.skeleton(height=60)
        running = begin_live_test(session.app(), task, question)
        column.begun.append(running)
        with closing(running):
            for text in running.texts():
                # Drawn even if nothing new has come: that is when Streamlit looks whether Stop was pressed.
                place.code(text or " ", language=None, wrap_lines=True)


def _draw_column(task: Task, column: LiveColumn, gold: str) -> None:
    if column.problem:
        st.error(plain(column.problem), icon=":material/error:")
    if not column.tests:
        if not column.problem:
            st.caption("Not asked: it was stopped, or the student failed, before its turn.")
        return
    if len(column.questions) == 1:
        draw_result(task, column.tests[0], gold)
        return
    _draw_tally(column)
    for test in column.tests:
        said = test.answer.label or f"no label ({test.answer.status.value})"
        with st.expander(f"Seed {test.question.seed}: {plain(said)}"):
            draw_result(task, test, gold)


def _draw_tally(column: LiveColumn) -> None:
    """Draw how often each label came. No rate: of so few answers it would say nothing."""
    found = tally([test.answer for test in column.tests])
    for label, times in found.counts:
        st.markdown(f"**{plain(label or 'no label')}** {times} of {found.n}")
    if found.n > 1 and found.flips:
        st.markdown(f"{found.flips} of {found.n} differ from the most frequent.")
    elif found.n > 1:
        st.markdown("All answers are the same.")
    asked, planned = len(column.tests), len(column.questions)
    if found.n:
        st.caption(f"n = {found.n}, temperature {column.questions[0].temperature:g}, seeds 0 to {found.n - 1}")
    if asked < planned:
        st.caption(f"Asked {asked} of {planned} times: it was stopped, or the student failed.")
    if column.tests[-1].answer.status is AnswerStatus.STOPPED:
        st.caption("The last answer was stopped; it does not count.")


def _draw_asked(shown: LiveRound) -> None:
    """Draw what the answers are to: the fields above may hold something else by now."""
    text = " · ".join(value for value in shown.columns[0].questions[0].values.values() if value.strip())
    cut = f"{text[:QUOTED]}…" if len(text) > QUOTED else text
    st.caption(f"Asked of {plain(shown.student)} about: {plain(cut) or 'nothing'}")


def _draw_flips(shown: LiveRound) -> None:
    """Draw what switching rules off did to the answer."""
    for trial in shown.columns:
        base = next((one for one in shown.columns if one.prompt.name == trial.prompt.of), None)
        pairs = zip(base.tests, trial.tests, strict=False) if base else ()
        found = Flips(tuple(Flip(before.answer, after.answer) for before, after in pairs))
        if found.pairs:
            words = f"Without {', '.join(trial.prompt.without)}: {found.words}"
            draw_remark(COLOURS[found.changed], f"**{plain(words)}**")
