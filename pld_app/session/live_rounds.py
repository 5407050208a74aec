"""The live tests of this session: what was asked with one press of a button, and what has come of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from pld_app.live_prompts import AskedPrompt
from pld_app.live_testing import LiveQuestion, LiveTest, Running

ROUND = "_live_round"


@dataclass
class LiveColumn:
    """One prompt with its questions; it fills while the student answers.

    Attributes:
        questions: at least one, alike but for their seeds.
        begun: those that were begun, in their order.
        problem: why it did not go on, in words; empty if nothing went wrong.
    """

    questions: tuple[LiveQuestion, ...]
    begun: list[Running] = field(default_factory=list)
    problem: str = ""

    @property
    def prompt(self) -> AskedPrompt:
        return self.questions[0].prompt

    @property
    def tests(self) -> list[LiveTest]:
        """The outcomes so far, in the order of the questions."""
        return [running.outcome for running in self.begun if running.outcome is not None]


@dataclass(frozen=True)
class LiveRound:
    """What is asked one after the other and shown side by side.

    Attributes:
        gold: label of the stored example; empty for a text of one's own.
        columns: at most three.
    """

    task: str
    student: str
    gold: str
    columns: tuple[LiveColumn, ...]

    def close(self) -> None:
        """Stop what is still asked, and wait until the student has let go and what came is recorded."""
        for column in self.columns:
            for running in column.begun:
                running.close()


def begin_round(begun: LiveRound) -> None:
    """Keep a round from its beginning, so that what came is there even if a rerun ends it; stop the one before."""
    before: LiveRound | None = st.session_state.get(ROUND)
    if before is not None:
        before.close()
    st.session_state[ROUND] = begun


def last_round(task: str) -> LiveRound | None:
    """Return the last round of this session, None if it was about another task."""
    found: LiveRound | None = st.session_state.get(ROUND)
    return found if found is not None and found.task == task else None
