"""One loop on screen: why it ended, which round is best, and how each round does on each split."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pld_app.components.charts.look import saved_as
from pld_app.components.charts.loop_chart import figure_words, loop_chart
from pld_app.components.text import count, moment, plain
from pld_core.conflicts.records import HeldOutScore, Resolution, RoundRecord, Stage


def draw_loop_choice(task: str, loops: Sequence[Resolution]) -> Resolution:
    """Draw the choice of a loop, the newest first; return it."""
    labels = {
        loop.id: f"Loop {loop.id} · {loop.basis.student.name} · {moment(loop.at)} · ordered by {loop.by}"
        for loop in loops
    }
    number = st.selectbox("Loop", list(labels), format_func=labels.__getitem__, key=f"loop_{task}")
    return next(loop for loop in loops if loop.id == number)


def draw_rounds(loop: Resolution, rounds: Sequence[RoundRecord], score: HeldOutScore | None) -> None:
    """Draw how the loop went; while it goes on, the rounds that are over."""
    if not rounds:
        st.info("Not even the first look at the student's answers is over. The rounds appear here one by one.")
        return
    st.markdown(_end_words(rounds, score))
    st.plotly_chart(
        loop_chart(loop, rounds, score),
        width="stretch",
        config=saved_as(f"loop-{loop.id}"),
        key="loop_chart",
        alt="Macro F1 of each round on each split. The same numbers are in the table below it.",
    )
    table = pd.DataFrame([_row(one, score) for one in rounds])
    # Where every answer stated a label, the column says nothing and would only push others off the screen.
    table = table if any(one.unusable for one in rounds) else table.drop(columns="no label")
    st.dataframe(table, hide_index=True, width="stretch")
    st.caption(
        "Macro F1 with its 95 % interval; an answer without a label counts as wrong. Rounds are chosen by the "
        "validation split. The test split is asked once, at the end, for round 0 and the best round."
    )
    basis = loop.basis
    st.caption(
        plain(
            f"Teacher {basis.teacher}, seed {loop.order.seed}. A proposal passes with a gain of at least "
            f"{loop.order.bar.gain:g} macro F1, if no label loses more than {loop.order.bar.label_margin:.0%} of its "
            "examples."
        )
    )


def best_of(rounds: Sequence[RoundRecord], score: HeldOutScore | None) -> int:
    """Return the number of the best round: as the loop recorded it, else the best on validation so far."""
    if score is not None:
        return score.best_round
    return max(rounds, key=lambda one: (one.validation.macro_f1 if one.validation else -1.0, -one.number)).number


def _end_words(rounds: Sequence[RoundRecord], score: HeldOutScore | None) -> str:
    best, last = best_of(rounds, score), rounds[-1]
    if score is None:
        return f"**This loop has not ended.** {count(last.number, 'round')} over; the best so far is round {best}."
    why = last.stop.words if last.stop else ""
    what = "Round 0 is the best: the rules as they are" if best == 0 else f"**Round {best} is the best**"
    return f"{what}, of {count(last.number, 'round')}. {why}"


def _row(one: RoundRecord, score: HeldOutScore | None) -> dict[str, object]:
    tested = {} if score is None else {score.best_round: score.best, 0: score.first}
    alone = [tried for tried in one.trials if tried.stage is Stage.SINGLE]
    name = f"{one.number} (rules as they were)" if one.number == 0 else str(one.number)
    return {
        "round": f"{name} ★ best" if score is not None and one.number == score.best_round else name,
        "validation": figure_words(one.validation),
        "train": figure_words(one.train),
        "test": figure_words(tested.get(one.number)),
        "prompt tokens": one.tokens,
        "proposals": len(one.proposals),
        "pass": sum(tried.result.passes for tried in alone),
        "no label": one.unusable,
    }
