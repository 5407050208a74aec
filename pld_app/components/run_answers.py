"""Wrong answers of a run, a page at a time, each with its example and the line that marks it."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.answered_example import draw_answered_example
from pld_app.components.finding_form import draw_run_mark, rules_asked
from pld_app.components.text import count, plain
from pld_core.analytics import INVALID
from pld_core.metrics import Figures
from pld_core.models import Prediction, Run, Task
from pld_core.records import Page

PAGE_SIZE = 10


def draw_wrong(task: Task, run: Run, found: Figures, gold: str = "", said: str = "") -> None:
    """Draw the wrong answers of a run.

    Args:
        gold, said: only these; empty for any.
    """
    number = count_wrong(found, gold, said)
    if not number:
        st.caption("No wrong answer." if not (gold or said) else "No wrong answer of this kind.")
        return
    # Part of the key, so that another list begins at its beginning.
    key = f"wrong_from_{run.id}_{gold}_{said}"
    start = min(int(session.number(key)), (number - 1) // PAGE_SIZE * PAGE_SIZE)
    page = session.app().store.runs.wrong(run.id, gold, said, Page(start, PAGE_SIZE))
    draw_pager(key, start, len(page), number, "wrong answer")
    rules = rules_asked(run)
    for prediction in page:
        _draw_answer(task, run, prediction, rules)


def count_wrong(found: Figures, gold: str, said: str) -> int:
    """Return how many wrong answers there are of a kind; see `draw_wrong`."""
    named = sum(
        n for (g, s), n in found.confusion.items() if g != s and (not gold or g == gold) and (not said or s == said)
    )
    invalid = sum(n for (g, _), n in found.unusable.items() if not gold or g == gold)
    return named + (invalid if said in ("", INVALID) else 0)


def draw_pager(key: str, start: int, shown: int, number: int, noun: str) -> None:
    """Draw which part of a list is shown, and the ways to the parts beside it."""
    line = st.container(horizontal=True, vertical_alignment="center")
    line.caption(f"{start + 1:,} to {start + shown:,} of {count(number, noun)}", width="content")
    if start:
        line.button("Earlier", key=f"{key}_earlier", on_click=session.preset, args=(key, start - PAGE_SIZE))
    if start + shown < number:
        line.button("More", key=f"{key}_more", on_click=session.preset, args=(key, start + PAGE_SIZE))


def _draw_answer(task: Task, run: Run, prediction: Prediction, rules: tuple[str, ...]) -> None:
    answer = prediction.answer
    with st.container(border=True, gap="xsmall"):
        said = answer.label or f"no label ({answer.status.value})"
        st.markdown(f"Gold **{plain(prediction.gold)}**, the student said **{plain(said)}**")
        draw_answered_example(task, prediction.example_hash, answer)
        draw_run_mark(task, run, prediction, rules)
