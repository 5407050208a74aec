"""What a trial of a proposal came to: the figures, each label, the prompt's tokens, and the examples behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from pld_app import proposal_view, session
from pld_app.components.answered_example import draw_answered_example
from pld_app.components.text import count, plain
from pld_app.proposal_view import ShownProposal
from pld_core.conflicts.records import ShownAnswer, Tried
from pld_core.effect import Case, Outcome
from pld_core.models import Answer, Task

LIST_HEIGHT = 360
MOST = 25
"""So many examples of a kind are drawn."""


def draw_figures(one: ShownProposal) -> None:
    """Draw the sentence of the proposal's own trial, the labels it affects, the tokens, and trials with others."""
    # Where nothing was compared, why is all there is to say, and the head of the card says it.
    if one.alone is not None and one.alone.result.comparison is not None:
        draw_tried(one.alone)
    for tried in one.sums:
        verdict = "passes" if tried.result.passes else "does not pass"
        others = count(len(tried.proposals) - 1, "other")
        st.caption(f"Together with {others}: {plain(tried.words)}. It {verdict}.")


def draw_tried(tried: Tried) -> None:
    """Draw the figures of a trial."""
    words = tried.words
    st.markdown(f"**{plain(words[:1].upper() + words[1:])}**")
    if tried.examples:
        st.caption("Affected examples only: it lost on these, so the other validation examples were not asked.")
    changed = [line for line in tried.result.labels if line.before != line.after]
    for line in changed:
        sign = "green" if line.after > line.before else "red"
        st.markdown(
            f":small[Label **{plain(line.label)}**: {line.before:,} to {line.after:,} of {line.n:,} right] "
            f":{sign}-badge[{line.after - line.before:+,}]"
        )
    if tried.result.labels and not changed:
        st.caption("No label gets more or fewer right answers.")
    more = tried.tokens - tried.base_tokens
    st.caption(f"Prompt: {tried.base_tokens:,} to {tried.tokens:,} tokens ({more:+,}), estimated.")


def draw_examples(task: Task, one: ShownProposal) -> None:
    """Draw the choice of examples: those that the trial fixed and broke, and those that the teacher was shown."""
    app, parts = session.app(), dict[str, Callable[[], None]]()
    cases = proposal_view.cases_of(app, one.loop, one.alone) if one.alone is not None else ()
    for outcome in (Outcome.FIXED, Outcome.BROKEN):
        if having := [case for case in cases if case.outcome is outcome]:
            parts[f"{outcome.value.capitalize()} ({len(having):,})"] = partial(_draw_cases, task, having)
    group = one.group
    if group and group.failures:
        parts[f"Wrong in training ({len(group.failures):,})"] = partial(_draw_shown, task, group.failures)
    if group and group.successes:
        parts[f"Right in training ({len(group.successes):,})"] = partial(_draw_shown, task, group.successes)
    if group and group.matching:
        parts[f"Match both rules ({len(group.matching):,})"] = partial(_draw_matching, task, group.matching)
    if not parts:
        return
    chosen = st.segmented_control("Examples", list(parts), default=next(iter(parts)), key=f"cases_{one.key}")
    if chosen in parts:
        with st.container(height=LIST_HEIGHT, border=True, key=f"case_list_{one.key}"):
            parts[chosen]()
    if group and (group.failures or group.successes):
        st.caption(
            f"The teacher was shown {len(group.failures):,} of {count(group.failed, 'wrong answer')} and "
            f"{len(group.successes):,} of {count(group.succeeded, 'right answer')}, all on training examples."
        )


def draw_cases_of(task: Task, one: ShownProposal, tried: Tried) -> None:
    """Draw what another trial of the proposal fixed and broke, one below the other."""
    cases = proposal_view.cases_of(session.app(), one.loop, tried)
    for outcome in (Outcome.FIXED, Outcome.BROKEN):
        having = [case for case in cases if case.outcome is outcome]
        st.markdown(f"**{outcome.value.capitalize()} ({len(having):,})**")
        _draw_cases(task, having)


def _draw_cases(task: Task, cases: Sequence[Case]) -> None:
    for case in cases[:MOST]:
        with st.container(border=True, gap="xsmall"):
            st.caption(f"Right is **{plain(case.gold)}**")
            left, right = st.columns(2)
            left.markdown(f"before: {_said(case.gold, case.without)}")
            right.markdown(f"with it: {_said(case.gold, case.with_rule)}")
            draw_answered_example(task, case.example_hash, case.without, case.with_rule)
    _draw_rest(len(cases))


def _draw_shown(task: Task, answers: Sequence[ShownAnswer]) -> None:
    for one in answers[:MOST]:
        with st.container(border=True, gap="xsmall"):
            said = plain(one.said) if one.said is not None else "no label"
            colour = "green" if one.said == one.gold else "red"
            cited = f" :gray[naming {plain(', '.join(one.cited))}]" if one.cited else ""
            who = "the student said" if one.asked else "the rule concludes"
            st.markdown(f"Right is **{plain(one.gold)}**, {who} :{colour}[**{said}**]{cited}")
            draw_answered_example(task, one.example_hash)
    _draw_rest(len(answers))


def _draw_matching(task: Task, hashes: Sequence[str]) -> None:
    for content in hashes[:MOST]:
        with st.container(border=True, gap="xsmall"):
            draw_answered_example(task, content)
    _draw_rest(len(hashes))


def _draw_rest(total: int) -> None:
    if total > MOST:
        st.caption(f"The first {MOST} of {total:,} are shown.")


def _said(gold: str, answer: Answer) -> str:
    if answer.label is None:
        return f":red[✗ no label ({answer.status.value})]"
    return f":green[✓ {plain(answer.label)}]" if answer.label == gold else f":red[✗ {plain(answer.label)}]"
