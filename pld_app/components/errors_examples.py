"""The chosen rule of the Errors page: its figures, the way to it, and the examples behind them, a page at a time."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pld_app import session
from pld_app.components.charts.look import NO_RULE
from pld_app.components.errors_choice import ErrorChoice, choose, error_choice
from pld_app.components.errors_ground import Ground
from pld_app.components.evidence_card import draw_folded
from pld_app.components.text import in_badge, plain
from pld_core.analytics import AnswerFilter, AttributedAnswer, RuleBars
from pld_core.attribution import UNCOVERED, Method
from pld_core.errors import NotFound
from pld_core.models import Task
from pld_core.records import Page

PAGE_SIZE = 10
WRONG, HARM, EVERY = "Wrong", "Harm", "Every answer"


def draw_chosen(task: Task, ground: Ground, shown: RuleBars | None) -> None:
    """Draw the choice of a rule, which does the same as a click on a chart, and the examples of the chosen one.

    Args:
        shown: the rules on the chart beside; None if it shows none.
    """
    chosen = error_choice()
    st.header("Examples")
    titles = _titles(chosen, shown)
    key = "errors_rule"
    session.preset(key, chosen.rule_id)
    st.selectbox(
        "Rule",
        list(titles),
        index=None,
        format_func=lambda rule_id: f"{rule_id} {titles.get(rule_id, '')}".strip() if rule_id else NO_RULE,
        key=key,
        placeholder="Click a chart, or choose a rule here",
        on_change=_picked,
        args=(key,),
    )
    if chosen.rule_id is None:
        st.caption("The examples of a rule stand here once one is chosen, and the way to the rule.")
        return
    if chosen.rule_id != UNCOVERED:
        st.page_link(
            "pages/review.py",
            label=f"Open {plain(chosen.rule_id)} on Review",
            icon=":material/rule:",
            query_params={"task": task.name, "rule": chosen.rule_id, "show": "All"},
        )
    _draw_limits(chosen)
    _draw_examples(task, ground, chosen)


def _titles(chosen: ErrorChoice, shown: RuleBars | None) -> dict[str, str]:
    """Return the rules to choose from: the chosen one, no rule, and those on the chart."""
    titles = {bar.rule_id: bar.title for bar in shown.bars} if shown else {}
    if chosen.rule_id and chosen.rule_id not in titles:
        app = session.app()
        titles = {chosen.rule_id: app.store.rules.summary(chosen.rule_id, app.actor).title, **titles}
    return {**titles, UNCOVERED: ""}


def _picked(key: str) -> None:
    choose(ErrorChoice(session.picked(key)))


def _draw_limits(chosen: ErrorChoice) -> None:
    """Draw what a click on a cell narrowed the list to, and the way back."""
    parts = [f"gold {chosen.gold}"] if chosen.gold else []
    parts += [f"said {chosen.said}"] if chosen.said else []
    parts += [f"claimed by {chosen.other} too"] if chosen.other else []
    if parts:
        line = st.container(horizontal=True, vertical_alignment="center")
        line.markdown(f"Only: **{plain(', '.join(parts))}**")
        line.button("Show all", key="errors_clear", on_click=choose, args=(ErrorChoice(chosen.rule_id),))


def _draw_examples(task: Task, ground: Ground, chosen: ErrorChoice) -> None:
    kinds = [WRONG, *([HARM] if ground.baseline is not None else []), EVERY]
    kind = st.segmented_control(
        "Answers", kinds, default=WRONG, required=True, key="errors_kind", label_visibility="collapsed"
    )
    where = AnswerFilter(chosen.gold, chosen.said, wrong=kind == WRONG, claimed=bool(chosen.other))
    where = replace(where, claimed_with=chosen.other, harmed_since=ground.baseline if kind == HARM else None)
    # Part of the key, so that another list begins at its beginning.
    key = f"errors_from_{ground.run.id}_{ground.method.value}_{chosen}_{kind}"
    start = int(session.number(key))
    page = Page(start, PAGE_SIZE + 1)
    found = session.app().store.analytics.examples_of(ground.run.id, ground.method, chosen.rule_id or "", where, page)
    if not found:
        st.caption("No such answer.")
        return
    for answer in found[:PAGE_SIZE]:
        _draw_answer(task, ground.method, answer)
    _draw_steps(key, start, min(len(found), PAGE_SIZE), has_more=len(found) > PAGE_SIZE)


def _draw_answer(task: Task, method: Method, answer: AttributedAnswer) -> None:
    is_right = answer.said == answer.gold
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, gap="xsmall"):
            st.badge(f"gold label: {in_badge(answer.gold)}", color="blue")
            st.badge(
                f"said: {in_badge(answer.said)}",
                color="green" if is_right else "orange",
                icon=":material/check:" if is_right else ":material/close:",
            )
        st.caption(_why(method, answer))
        try:
            example = session.app().store.tasks.example(task.name, answer.example_hash)
        except NotFound as error:
            st.caption(plain(str(error)))
            return
        draw_folded(example, f"errors_{answer.example_hash[-16:]}")


def _why(method: Method, answer: AttributedAnswer) -> str:
    """Say why an answer is put down to the rule."""
    if answer.is_source:
        return "The rule was made from this example, so no figure counts its answer."
    if method is Method.CITED:
        return "The student named the rule first." if answer.is_owner else "The student named the rule among others."
    if answer.closeness is None:
        return "No rule's evidence is near to it."
    owner = "" if answer.is_owner else "; another rule is nearer"
    return f"Nearness to the rule's evidence: {answer.closeness:.2f} (1 is the same){owner}."


def _draw_steps(key: str, start: int, shown: int, has_more: bool) -> None:
    line = st.container(horizontal=True, vertical_alignment="center")
    line.caption(f"Examples {start + 1:,} to {start + shown:,}", width="content")
    if start:
        line.button("Earlier", key="errors_earlier", on_click=session.preset, args=(key, start - PAGE_SIZE))
    if has_more:
        line.button("More", key="errors_more", on_click=session.preset, args=(key, start + PAGE_SIZE))
