"""What a rule does to the student, beside the rule: measured, being measured, or not measured yet."""

from __future__ import annotations

import streamlit as st

from pld_app import effects, session
from pld_app.components.answered_example import draw_answered_example
from pld_app.components.job_progress import draw_jobs, newest_jobs, order_job
from pld_app.components.student_choice import draw_student
from pld_app.components.text import count, moment, plain, short_hash
from pld_app.effects import ShownEffect, chance_words, unusable_words
from pld_core import measuring
from pld_core.effect import Case, Outcome, Trial
from pld_core.errors import InvalidInput
from pld_core.model_ports import BackendStatus
from pld_core.models import Answer, JobState, RuleDossier, Task
from pld_core.permissions import PERMITTED, Step, permits, role_words

KIND = "effect"
LIST_HEIGHT = 380


def draw_effect(task: Task, dossier: RuleDossier) -> None:
    """Draw the newest effect on each student, the job that measures one, and the way to measure it."""
    rule = dossier.summary.id
    found = effects.shown(session.app(), dossier)
    with st.container(border=True, key="effect", gap="small"):
        st.markdown("**Effect on the student**")
        if not found:
            st.caption("Not measured yet: nobody knows what this rule does to the student's answers.")
        for one in found:
            _draw_measured(task, one)
        newest = newest_jobs(task.name, KIND, 1, rule)
        if newest and newest[0].state is not JobState.DONE:
            draw_jobs(task.name, KIND, 1, rule)
        if not newest or newest[0].state.is_final:
            _draw_measuring(task, dossier, "Measure again" if found else "Measure the effect")


# --- what was measured ------------------------------------------------------------------------------------------------


def _draw_measured(task: Task, one: ShownEffect) -> None:
    stored, effect = one.stored, one.stored.effect
    if one.warning:
        st.warning(one.warning, icon=":material/history:")
    st.markdown(
        f":green-badge[fixed {effect.fixed:,}] :red-badge[broken {effect.broken:,}] "
        f"of {count(len(effect.cases), 'affected validation example')}"
    )
    st.caption(f"Right without the rule: {effect.right_without.words}. With it: {effect.right_with.words}.")
    st.caption(f"{chance_words(effect)} {unusable_words(effect)}")
    digest = f" ({plain(short_hash(effect.student.digest))})" if effect.student.digest else ""
    st.caption(f"Measured on {plain(effect.student.name)}{digest}, {moment(stored.at)}, by {plain(stored.by)}.")
    _draw_cases(task, one)


def _draw_cases(task: Task, one: ShownEffect) -> None:
    stored, effect = one.stored, one.stored.effect
    chosen = st.segmented_control(
        "Show the examples",
        [outcome for outcome in Outcome if effect.having(outcome)],
        format_func=lambda outcome: f"{outcome.value.capitalize()} ({len(effect.having(outcome)):,})",
        key=f"effect_cases_{stored.id}",
    )
    if chosen is not None:
        with st.container(height=LIST_HEIGHT, border=False, key=f"effect_list_{stored.id}"):
            for case in effect.having(chosen):
                _draw_case(task, case)


def _draw_case(task: Task, case: Case) -> None:
    with st.container(border=True, gap="xsmall"):
        st.markdown(
            f"Gold label **{plain(case.gold)}**  \nwithout the rule {_said(case, case.without)}  \n"
            f"with the rule {_said(case, case.with_rule)}"
        )
        draw_answered_example(task, case.example_hash, case.without, case.with_rule)


def _said(case: Case, answer: Answer) -> str:
    if answer.label is None:
        return f":red[✗ no label ({answer.status.value})]"
    return f":green[✓ {plain(answer.label)}]" if answer.label == case.gold else f":red[✗ {plain(answer.label)}]"


# --- measuring --------------------------------------------------------------------------------------------------------


def _draw_measuring(task: Task, dossier: RuleDossier, label: str) -> None:
    rule, is_open = dossier.summary.id, f"effect_open_{dossier.summary.id}"
    if not permits(session.app().actor, Step.MEASURE_EFFECT):
        st.caption(f"Measuring takes the role {role_words(PERMITTED[Step.MEASURE_EFFECT])}.")
        return
    if not session.flag(is_open):
        st.button(label, key="effect_open", icon=":material/science:", on_click=session.flip, args=(is_open,))
        return
    try:
        trial = effects.trial_of(session.app(), dossier)
    except InvalidInput as error:
        st.info(plain(str(error)))
        return
    student = draw_student("effect_student")
    if student.ready:
        st.caption(_price(task, trial, student))
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Start measuring",
            key="effect_start",
            type="primary",
            disabled=not student.ready,
            **session.as_shown("effect_student", _order, task.name, rule, student.name, is_open),
        )
        st.button("Not now", key="effect_close", on_click=session.flip, args=(is_open,))


def _price(task: Task, trial: Trial, student: BackendStatus) -> str:
    """Say what it takes, and over which examples."""
    store = session.app().store
    todo = len(measuring.open_questions(store, measuring.student_key(task, student), trial))
    if not todo:
        return f"Takes no question: all {trial.questions:,} were answered before, and the result is there at once."
    cached = (
        f" ({trial.questions - todo:,} of {trial.questions:,} were answered before)" if todo < trial.questions else ""
    )
    return (
        f"Takes {count(todo, 'question')}{cached}: the {len(trial.examples):,} validation examples nearest to the "
        f"rule's evidence, of {trial.basis.validation:,}, each with and without the rule beside the rules in force. "
        "The worker does it; you can go on meanwhile."
    )


def _order(task: str, rule: str, student: str, is_open: str) -> None:
    session.flip(is_open)
    order_job(KIND, task, {"rule": rule, "student": student})
