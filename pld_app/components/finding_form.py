"""Marking one answer of the student: right, or wrong with the right label, a note, and the rules that it is about."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.permitted import allowed
from pld_app.components.text import plain
from pld_app.findings import likely_rules
from pld_core.finding import MOST_NOTE, AnswerPlace, Finding, Mark, Marking
from pld_core.models import Answer, Prediction, Run, Task
from pld_core.permissions import Step

LISTED_RULES = 200
"""Of a longer list nobody chooses: ids are typed."""


def draw_mark(
    task: Task,
    place: AnswerPlace,
    answer: Answer,
    rules: tuple[str, ...],
    gold: str = "",
) -> None:
    """Draw the line under an answer. Marking it changes no rule.

    Args:
        rules: ids of the rules that the prompt held; those that the student cited are chosen already.
        gold: the gold label of a stored example; it is proposed as the right one.
    """
    key = f"mark_{place.live_test}_{place.run}_{place.example_hash[-12:]}"
    if (done := session.finding_marked(key)) is not None:
        st.caption(f":material/flag: {plain(_told(done))}")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Right",
            key=f"{key}_right",
            icon=":material/check:",
            **allowed(Step.MARK, answer.label is not None),
            on_click=_mark,
            args=(key, Marking(task.name, place, Mark.RIGHT, answer.label or "")),
        )
        with st.popover("Wrong…", icon=":material/flag:", key=f"{key}_wrong"):
            _draw_wrong(task, key, Marking(task.name, place, Mark.WRONG, gold), answer, rules)


def rules_asked(run: Run) -> tuple[str, ...]:
    """Return the ids of the rules that the prompt of a run held."""
    version = session.app().store.prompts.get(run.task, run.prompt_number)
    return tuple(rule.rule_id for rule in version.prompt.rules)


def draw_run_mark(task: Task, run: Run, prediction: Prediction, rules: tuple[str, ...]) -> None:
    """Draw the line under an answer of a run; `rules` are those that its prompt held."""
    place = AnswerPlace(run=run.id, example_hash=prediction.example_hash)
    draw_mark(task, place, prediction.answer, rules, prediction.gold)


def _draw_wrong(task: Task, key: str, blank: Marking, answer: Answer, rules: tuple[str, ...]) -> None:
    labels = [name for name in task.label_names if name != answer.label]
    st.radio(
        "Right would be",
        labels,
        index=labels.index(blank.label) if blank.label in labels else None,
        key=f"{key}_label",
    )
    st.text_area("Why", key=f"{key}_note", max_chars=MOST_NOTE, height=80)
    likely = likely_rules(answer, rules)
    st.multiselect(
        "Which rules is it about",
        # A list of thousands under each of several answers would make the page heavy: their ids are typed.
        list(rules if len(rules) <= LISTED_RULES else likely),
        default=list(likely),
        accept_new_options=True,
        key=f"{key}_rules",
        help="It waits at these rules in the tab Findings of Review. Without one, somebody can name it later.",
    )
    st.button(
        "Mark as wrong", type="primary", key=f"{key}_send", **allowed(Step.MARK), on_click=_wrong, args=(key, blank)
    )
    st.caption("No rule changes by it: a reviewer takes it as evidence, or dismisses it.")


def _wrong(key: str, blank: Marking) -> None:
    marking = Marking(
        blank.task,
        blank.place,
        Mark.WRONG,
        session.widget(f"{key}_label") or "",
        session.widget(f"{key}_note"),
        session.chosen(f"{key}_rules"),
    )
    _mark(key, marking)


def _mark(key: str, marking: Marking) -> None:
    def record() -> str:
        app = session.app()
        finding = app.store.findings.mark(marking, app.actor)
        session.remember_finding(key, finding)
        return _told(finding)

    session.step(record)


def _told(finding: Finding) -> str:
    where = f" It waits at {', '.join(finding.rules)}." if finding.waits_at else ""
    return f"You marked it as {finding.marking.mark.value} (finding {finding.id}).{where}"
