"""Which prompts are asked side by side, how often, and how the answers are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from pld_app import live_prompts, session
from pld_app.components.text import count, plain
from pld_app.live_prompts import AskedPrompt
from pld_app.live_testing import TIMES
from pld_core.models import Task

MOST_COLUMNS = 3
ONCE, OFTEN = "Once", f"{TIMES} times"


@dataclass(frozen=True)
class Manner:
    """How a question is asked.

    Attributes:
        times: how often, with seeds 0, 1, ...
        temperature: 0.0 where it is asked once.
    """

    times: int = 1
    temperature: float = 0.0


def draw_prompts(task: Task) -> tuple[AskedPrompt, ...]:
    """Draw the choice of up to three prompts and return them in the order of the columns."""
    app = session.app()
    prompts = live_prompts.prompts_to_ask(app, task.name)
    there = {one.key: one for one in prompts}
    at_first = [one.key for one in live_prompts.chosen_at_first(app, task.name, prompts)]
    chosen = st.multiselect(
        "Prompts, side by side",
        list(there),
        default=at_first,
        format_func=lambda key: words_of(there[key]),
        max_selections=MOST_COLUMNS,
        key=f"test_prompts_{task.name}",
        placeholder="Choose up to three",
        help="They are asked one after the other, with the same input.",
    )
    return tuple(there[key] for key in chosen)


def draw_manner() -> Manner:
    """Draw how often the question is asked and at which temperature."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    how = left.segmented_control("How often", [ONCE, OFTEN], default=ONCE, required=True, key="test_times")
    if how != OFTEN:
        return Manner()
    warm = right.number_input("Temperature", 0.0, 2.0, value=0.0, step=0.1, format="%.1f", key="test_temperature")
    if warm == 0:
        st.caption("Seeds 0 to 4. Evaluations ask at temperature 0 too: a steady server answers the same each time.")
    else:
        st.caption("Seeds 0 to 4. Evaluations ask at temperature 0: this one shows how sure the student is.")
    return Manner(TIMES, round(float(warm), 2))


def words_of(asked: AskedPrompt) -> str:
    """Return a prompt in few words for a choice, such as `Version 3, newest, production`."""
    marks = [mark.partition(" (")[0] for mark in asked.marks if asked.number is not None]
    return ", ".join([asked.title, *marks])


def draw_heading(asked: AskedPrompt) -> None:
    """Draw the name of a column's prompt, and what it is."""
    with st.container(gap="xsmall"):
        st.markdown(f"**{plain(asked.title)}**")
        st.caption(plain(", ".join([*asked.marks, count(len(asked.prompt.rules), "rule")])))
