"""The charts of the Errors page, one at a time, so that only what is looked at is read."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pld_app import session
from pld_app.components.charts.chart_frame import Chart, draw_chart
from pld_app.components.charts.coverage import coverage_chart
from pld_app.components.charts.heat import confusion_heat, label_heat
from pld_app.components.charts.overlap import overlap_chart
from pld_app.components.charts.rule_bars import bars_chart
from pld_app.components.charts.spread import TITLES, spread_chart
from pld_app.components.charts.support_harm import harm_chart
from pld_app.components.charts.trend import trend_chart
from pld_app.components.errors_choice import choose_clicked, error_choice
from pld_app.components.errors_ground import Ground
from pld_app.components.errors_missing import draw_no_baseline
from pld_app.components.text import plain
from pld_core.analytics import BarSort, Quantity, RuleBars
from pld_core.attribution import UNCOVERED
from pld_core.models import Task
from pld_core.records import Page

PAGE_SIZE = 15
PAIRS = 20
SORTS = {
    "harm": BarSort.HARM,
    "wrong answers": BarSort.WRONG,
    "covered answers": BarSort.COUNT,
    "share wrong": BarSort.RATE,
}


def draw_views(task: Task, ground: Ground) -> RuleBars | None:
    """Draw the choice of a chart and the chart; return the page of bars that it shows, None if it shows none."""
    view = st.segmented_control(
        "Chart",
        list(VIEWS),
        default=next(iter(VIEWS)),
        required=True,
        key="errors_view",
        bind="query-params",
        wrap=True,
        label_visibility="collapsed",
    )
    chosen = VIEWS.get(str(view))
    if chosen is not None:
        chosen(ground)
        return None
    return _draw_page(task, ground, str(view))


# --- charts of a page of rules ----------------------------------------------------------------------------------------


def _draw_page(task: Task, ground: Ground, view: str) -> RuleBars:
    found = _draw_pager(ground)
    rule_ids = [*(bar.rule_id for bar in found.bars), UNCOVERED]
    analytics, chosen = session.app().store.analytics, error_choice().rule_id
    if view == BY_LABEL:
        cells = analytics.by_label(ground.run.id, ground.method, rule_ids)
        chart = label_heat(found, cells, task.label_names, chosen)
    elif view == BY_CONFUSION:
        confusions = analytics.by_confusion(ground.run.id, ground.method, rule_ids)
        if not confusions:
            st.info("No answer is wrong that is put down to these rules.")
            return found
        chart = confusion_heat(found, confusions, chosen)
    else:
        chart = bars_chart(found, chosen)
    _draw_clickable(chart)
    st.caption(READING[view])
    if found.note:
        st.caption(plain(found.note))
    return found


def _draw_pager(ground: Ground) -> RuleBars:
    """Draw the order and the page of rules, and return it."""
    line = st.container(horizontal=True, vertical_alignment="bottom")
    sort = line.selectbox(
        "Rules with most … first",
        list(SORTS),
        key="errors_sort",
        bind="query-params",
        width=200,
        help="A share of fewer than ten answers is none: such rules stand last there.",
    )
    rules = session.app().store.analytics.rule_bars(ground.run.id, ground.method, page=Page(0, 1)).rules
    pages = -(-rules // PAGE_SIZE)
    with line:
        page = st.pagination(pages, key=f"errors_page_{ground.run.id}_{sort}", max_visible_pages=5) if pages > 1 else 1
    part = Page((page - 1) * PAGE_SIZE, PAGE_SIZE)
    analytics = session.app().store.analytics
    found = analytics.rule_bars(ground.run.id, ground.method, ground.baseline, SORTS[str(sort)], part)
    if SORTS[str(sort)] is BarSort.HARM and ground.baseline is None:
        st.caption("There is no run to tell harm against, so rules stand by wrong answers.")
    return found


# --- charts of their own ----------------------------------------------------------------------------------------------


def _draw_overlap(ground: Ground) -> None:
    pairs = session.app().store.analytics.overlap(ground.run.id, ground.method, PAIRS)
    if not pairs:
        st.info("No two rules claim the same example.")
        return
    _draw_clickable(overlap_chart(ground.run, ground.method, pairs))
    st.caption(
        f"Rules that speak of the same examples can pull the student to and fro. The {PAIRS} pairs with the most wrong "
        "answers at most. Click a pair to read what both claim."
    )


def _draw_coverage(ground: Ground) -> None:
    labels = session.app().store.analytics.coverage(ground.run.id, ground.method)
    _draw_clickable(coverage_chart(ground.run, ground.method, labels))
    st.caption("Many wrong answers that no rule covers: a rule is missing. Click such a bar to read them.")


def _draw_trend(ground: Ground) -> None:
    rule_id = error_choice().rule_id
    if rule_id is None:
        st.info("Choose a rule: its share of wrong answers is drawn over the versions of the prompt.")
        return
    points = session.app().store.analytics.trend(rule_id, ground.run.id, ground.method)
    draw_chart(trend_chart(rule_id, ground.run, ground.method, points), "errors_trend")
    st.caption(
        "Complete runs of the same student and weights over the same split, oldest first. Fewer than ten answers "
        "give no rate: a circle at the bottom is a right answer, a cross at the top a wrong one."
    )


def _draw_harm(ground: Ground) -> None:
    if ground.baseline is None:
        draw_no_baseline(ground.run)
        return
    points = session.app().store.analytics.support_vs_harm(ground.run.id, ground.method, ground.baseline)
    _draw_clickable(harm_chart(ground.run, ground.method, ground.baseline, points, error_choice().rule_id))
    st.caption(
        "Time for review pays at the upper left: rules that rest on few examples and do much harm. Click a point to "
        "read its examples."
    )


def _draw_cost(ground: Ground) -> None:
    for quantity in Quantity:
        st.markdown(f"**{TITLES[quantity]}**")
        found = session.app().store.analytics.histogram(ground.run.id, quantity)
        if found.counts:
            draw_chart(spread_chart(ground.run, found), f"errors_{quantity.value}")
        else:
            st.caption(f"Not known of any of the {found.missing:,} answers.")


def _draw_clickable(chart: Chart) -> None:
    if choose_clicked(draw_chart(chart, f"chart_{chart.name}", can_click=True)):
        # The chart above is drawn again, with what was clicked marked.
        st.rerun()


BARS, BY_LABEL, BY_CONFUSION = "Rules", "Rule × label", "Rule × confusion"
READING = {
    BARS: "Harm is what is wrong now and right at the baseline. Fewer than ten answers give no rate: a "
    "circle at the left end is a right answer, a cross at the right end a wrong one. Click a bar to read its examples.",
    BY_LABEL: "Darker is more wrong answers. Click a cell to read its examples.",
    BY_CONFUSION: "Gold label → what the student said. Darker is more answers. Click a cell to read its examples.",
}
VIEWS: dict[str, Callable[[Ground], None] | None] = {
    BARS: None,
    BY_LABEL: None,
    BY_CONFUSION: None,
    "Overlap": _draw_overlap,
    "Coverage": _draw_coverage,
    "Trend": _draw_trend,
    "Support and harm": _draw_harm,
    "Time and tokens": _draw_cost,
}
