"""The Errors page by ablation: what changes when a rule is left out, the changed answers, and ordering more of it."""

from __future__ import annotations

import streamlit as st

from pld_app import ablations, session
from pld_app.components.answered_example import draw_answered_example
from pld_app.components.charts.chart_frame import draw_chart
from pld_app.components.charts.left_out import left_out_chart
from pld_app.components.errors_choice import ErrorChoice, choose, choose_clicked, error_choice
from pld_app.components.errors_ground import Ground
from pld_app.components.job_progress import draw_jobs, order_job
from pld_app.components.permitted import allowed
from pld_app.components.remark import draw_remark
from pld_app.components.text import count, in_badge, plain
from pld_core.ablating import AblationOrder
from pld_core.ablation import StoredAblation
from pld_core.analytics import BarSort
from pld_core.attribution import Method
from pld_core.effect import Case, Outcome
from pld_core.errors import PldError
from pld_core.models import Task
from pld_core.permissions import Step
from pld_core.records import Page

PAGE_SIZE = 20
MOST_HARM = 5
SHOWN = 25
ENTRIES = ("errors_run_", "errors_baseline_", "left_out_rules", "left_out_calls")
"""How the keys of the fields begin that an order is made of."""
OUTCOMES = {Outcome.BROKEN: "Right only without the rule", Outcome.FIXED: "Right only with the rule"}


def draw_left_out(task: Task, ground: Ground) -> None:
    """Draw the rules that were left out and what changed, and the order of more."""
    found = ablations.measured(session.app(), ground.run.id)
    left, right = st.columns([63, 37], gap="medium")
    with left:
        if found:
            _draw_rules(ground, found)
        else:
            st.info(f"No rule was left out of run {ground.run.id} yet.")
        _draw_order(ground)
    with right:
        st.header("Examples")
        _draw_changed(task, found)


def _draw_rules(ground: Ground, found: tuple[StoredAblation, ...]) -> None:
    pages = -(-len(found) // PAGE_SIZE)
    page = st.pagination(pages, key=f"left_out_page_{ground.run.id}") if pages > 1 else 1
    part = ablations.shown(session.app(), ground.run.id, found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE])
    chart = left_out_chart(ground.run, part, error_choice().rule_id)
    if choose_clicked(draw_chart(chart, f"chart_{chart.name}", can_click=True)):
        st.rerun()
    st.caption("The rules that break most stand first. Click a bar to read the answers that changed.")


def _draw_order(ground: Ground) -> None:
    with st.container(border=True):
        st.markdown("**Leave rules out and ask again**")
        choices = _choices(ground)
        what = st.radio("Rules", list(choices), key="left_out_rules", horizontal=True)
        most = st.number_input(
            "Most questions", 1, 100_000, 200, key="left_out_calls", help="The same order later goes on from there."
        )
        order = AblationOrder(ground.run.id, choices[what], max_calls=int(most))
        line = st.container(horizontal=True)
        line.button(
            "Leave them out",
            type="primary",
            key="left_out_start",
            **allowed(Step.EVALUATE),
            **session.as_shown(ENTRIES, order_job, "ablate", ground.run.task, ablations.order_json(order)),
        )
        if line.button("What does it take?", key="left_out_estimate"):
            _draw_estimate(order)
        draw_jobs(ground.run.task, "ablate", limit=1, none="")


def _choices(ground: Ground) -> dict[str, tuple[str, ...]]:
    """Return what can be left out, by its words: the chosen rule, those with most harm, all of the prompt."""
    evidence = Method.EVIDENCE
    bars = session.app().store.analytics.rule_bars(
        ground.run.id, evidence, ground.baseline, BarSort.HARM, Page(0, MOST_HARM)
    )
    chosen = error_choice().rule_id
    found: dict[str, tuple[str, ...]] = {f"{chosen} only": (chosen,)} if chosen else {}
    if bars.rules > MOST_HARM:
        found[f"the {MOST_HARM} with most harm by evidence"] = tuple(bar.rule_id for bar in bars.bars)
    return {**found, f"all {count(bars.rules, 'rule')}": ()}


def _draw_estimate(order: AblationOrder) -> None:
    try:
        st.caption(plain(ablations.estimated(session.app(), order).words))
    except PldError as error:
        draw_remark("red", plain(str(error)))


def _draw_changed(task: Task, found: tuple[StoredAblation, ...]) -> None:
    """Draw the answers of the chosen rule that changed between right and wrong."""
    rule_ids = list(dict.fromkeys(one.ablation.of.rule_id for one in found))
    chosen = error_choice().rule_id
    session.preset("left_out_rule", chosen if chosen in rule_ids else None)
    st.selectbox(
        "Rule",
        rule_ids,
        index=None,
        key="left_out_rule",
        placeholder="Click a bar, or choose a rule here",
        on_change=_picked,
    )
    if chosen not in rule_ids:
        st.caption("The answers that change without a rule stand here once one is chosen.")
        return
    stored = next(one for one in found if one.ablation.of.rule_id == chosen)
    (one,) = ablations.shown(session.app(), stored.ablation.of.run_id, [stored])
    st.markdown(f"**{plain(one.figures.verdict.value.capitalize())}**")
    st.page_link(
        "pages/review.py",
        label=f"Open {plain(chosen)} on Review",
        icon=":material/rule:",
        query_params={"task": task.name, "rule": chosen, "show": "All"},
    )
    for outcome, title in OUTCOMES.items():
        cases = [case for case in stored.ablation.cases if case.outcome is outcome]
        st.markdown(f"**{title}** ({len(cases):,})")
        for case in cases[:SHOWN]:
            _draw_case(task, case)
        if len(cases) > SHOWN:
            st.caption(f"The first {SHOWN} of {len(cases):,} are shown.")


def _picked() -> None:
    choose(ErrorChoice(session.picked("left_out_rule")))


def _draw_case(task: Task, case: Case) -> None:
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, gap="xsmall"):
            st.badge(f"gold label: {in_badge(case.gold)}", color="blue")
            st.badge(f"with: {in_badge(case.with_rule.label or 'no label')}", color="gray")
            st.badge(f"without: {in_badge(case.without.label or 'no label')}", color="gray")
        draw_answered_example(task, case.example_hash)
