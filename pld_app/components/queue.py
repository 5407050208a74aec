"""The queue of rules with its tabs and filters, which live in the address."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pld_app import session, synthesis_work
from pld_app.components.bulk import draw_selection
from pld_app.components.permitted import allowed
from pld_app.components.text import count, plain
from pld_core.analytics import harm_ground
from pld_core.desk import NO_HARM, DeskFilter, QueueOrder, QueueRow, Tab
from pld_core.errors import NotFound, PldError
from pld_core.models import RevisionState, Task
from pld_core.permissions import Step
from pld_core.records import EVERY_RULE, Page, RuleFilter
from pld_core.review import AWAITING_DECISION

PAGE_SIZE = 20
ANY, ANY_TAG = "Any label", "Any tag"
ORDERS = {"Usual order": QueueOrder.USUAL, "Most harm first": QueueOrder.HARM}
OVERLAPS, CONTRADICTED = "Overlapping rules", "Contradicted rules"
CONFLICTS = {
    "Any conflict": EVERY_RULE,
    OVERLAPS: RuleFilter(overlapping=True),
    CONTRADICTED: RuleFilter(contradicted=True),
}
"""What the tab of conflicts can be narrowed to."""
TABS = [tab.value for tab in Tab]


def desk_filter() -> DeskFilter:
    """Return the tab and the filter that the widgets hold."""
    label, tag, show = session.widget("label"), session.widget("tag"), session.widget("show")
    tab = Tab(show) if show in TABS else Tab.MINE
    kind = CONFLICTS.get(session.widget("conflict"), EVERY_RULE) if tab is Tab.CONFLICTS else EVERY_RULE
    return DeskFilter(
        tab,
        replace(kind, label="" if label in ("", ANY) else label, search=session.widget("q")),
        "" if tag in ("", ANY_TAG) else tag,
        ORDERS.get(session.widget("order"), QueueOrder.USUAL),
    )


def draw_tabs() -> None:
    """Draw the tabs, which need the width of the page."""
    st.segmented_control(
        "Show",
        TABS,
        default=Tab.MINE.value,
        required=True,
        key="show",
        bind="query-params",
        wrap=True,
        label_visibility="collapsed",
    )


def draw_queue(task: Task) -> str | None:
    """Draw filters and queue; return the rule to show, or None with the reason on screen."""
    desk, actor = session.app().store.desk.queue, session.app().actor
    _draw_filters(task)
    where = desk_filter()
    if where.tab is Tab.CONFLICTS:
        _draw_comparing(task)
    total = desk.count(task.name, where, actor)
    wanted = session.address("rule").upper()
    if total == 0:
        _draw_empty(task)
        return wanted or None
    pages = -(-total // PAGE_SIZE)
    page = 1
    if pages > 1:
        # The key holds the rule: the queue turns to the page of a rule that somebody went to by key or link.
        place = _place(wanted, where) or 0
        page = st.pagination(pages, default=place // PAGE_SIZE + 1, key=f"queue_page_{wanted}", max_visible_pages=3)
    rows = desk.rows(task.name, where, Page((page - 1) * PAGE_SIZE, PAGE_SIZE), actor)
    if not rows:
        # Somebody else decided what stood on this page.
        rows = desk.rows(task.name, where, Page(0, PAGE_SIZE), actor)
    by_id = {row.summary.id: row for row in rows}
    if not wanted:
        wanted = next((row.summary.id for row in rows if not row.opened_by), rows[0].summary.id)
        session.set_address("rule", wanted)
    line = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    line.caption(count(total, "rule"), width="content")
    if line.toggle("Several", key="several", help="Tick several rules to assign, tag or reject them as duplicates."):
        draw_selection(rows, where.tab.value)
        return wanted
    session.preset("queue_pick", wanted if wanted in by_id else None)
    if wanted not in by_id and _place(wanted, where) is None:
        st.caption(f"{plain(wanted)} is not among them.")
    with st.container(height=380, border=False, key="queue"):
        st.radio(
            "Queue",
            list(by_id),
            index=None,
            format_func=lambda rule_id: f"**{rule_id}** {plain(by_id[rule_id].summary.title)}",
            captions=[_caption(row) for row in rows],
            key="queue_pick",
            on_change=_picked,
            label_visibility="collapsed",
        )
    return wanted


def _place(rule_id: str, where: DeskFilter) -> int | None:
    """Return how many rules of the queue stand before this one; None if it is not among them."""
    app = session.app()
    try:
        return app.store.desk.queue.position(rule_id, where, app.actor)
    except NotFound:
        # The page says so in the rule's place.
        return None


def _draw_filters(task: Task) -> None:
    tags = session.app().store.desk.queue.tags(task.name)
    st.text_input("Search", key="q", bind="query-params", placeholder="Search rules", label_visibility="collapsed")
    places = st.columns(2, gap="xsmall") if tags else [st.container()]
    places[0].selectbox(
        "Label", [ANY, *task.label_names], key="label", bind="query-params", label_visibility="collapsed"
    )
    if tags:
        places[1].selectbox("Tag", [ANY_TAG, *tags], key="tag", bind="query-params", label_visibility="collapsed")
    if session.widget("show") == Tab.CONFLICTS:
        st.selectbox("Conflict", list(CONFLICTS), key="conflict", bind="query-params", label_visibility="collapsed")
    _draw_order(task)


def _draw_order(task: Task) -> None:
    order = st.selectbox(
        "Order",
        list(ORDERS),
        key="order",
        bind="query-params",
        label_visibility="collapsed",
        help="Harm: answers that are wrong now and right at the baseline, in the newest complete run over validation.",
    )
    if ORDERS[order] is QueueOrder.HARM and harm_ground(session.app().store.analytics.complete(task.name)) is None:
        st.caption(NO_HARM)


def _picked() -> None:
    session.set_address("rule", session.widget("queue_pick"))
    session.dismiss_moved_on()


def _caption(row: QueueRow) -> str:
    rule = row.summary
    parts = [" or ".join(plain(label) for label in rule.labels), count(rule.support, "example")]
    if rule.contradictions:
        parts.append(f"⚡\N{NO-BREAK SPACE}{rule.contradictions}\N{NO-BREAK SPACE}against")
    if rule.uncovered:
        parts.append(f"◐ cluster also holds {', '.join(plain(label) for label in rule.uncovered)}")
    if rule.state not in (RevisionState.IN_REVIEW, RevisionState.PROPOSED):
        parts.append(rule.state.label)
    if row.open_comments:
        parts.append(count(row.open_comments, "open comment"))
    if row.open_findings:
        parts.append(count(row.open_findings, "open finding"))
    if row.second_opinion:
        parts.append("second opinion asked")
    if row.has_draft:
        parts.append("your draft")
    if row.assignee:
        parts.append(f"for {plain(row.assignee)}")
    if row.opened_by:
        parts.append(f"open at {plain(row.opened_by)}")
    return " · ".join([*parts, *(f"#{plain(tag)}" for tag in row.tags)])


EMPTY = {
    Tab.SECOND: "Nothing waits for a second person.",
    Tab.SECOND_LOOK: "No rejection by somebody else waits for a second look. The policy of the task says how many are "
    "drawn.",
    Tab.STALE: "Nothing is stale: evidence, guideline, labels and overlaps of every approved rule are as they were.",
    Tab.CONFLICTS: "No rule has examples that contradict it, and no two that were compared have close conditions and "
    "different labels.",
    Tab.FINDINGS: "No wrong answer of the student waits at a rule. Answers are marked on the Live test page, those of "
    "a run on the Evaluate page.",
    Tab.DECIDED: "Nothing is decided yet. Switch to “Mine”.",
}


def _draw_empty(task: Task) -> None:
    store, where = session.app().store, desk_filter()
    if store.rules.count(task.name) == 0:
        st.info("No rule yet. Rules come from clusters of instructions: see the Clusters page.")
    elif where.where != RuleFilter() or where.tag:
        st.info("No rule matches this filter. Clear the search or choose another label.")
    elif where.tab in EMPTY:
        st.info(EMPTY[where.tab])
    elif store.rules.count(task.name, RuleFilter(states=AWAITING_DECISION)):
        st.info("Nothing is left for you: what is open waits for somebody else. “Second review” and “All” show it.")
    else:
        st.success("All rules are decided. Compile them on the Prompt page.", icon=":material/done_all:")
        st.page_link("pages/prompt.py", label="Go to Prompt", icon=":material/description:")


def _draw_comparing(task: Task) -> None:
    """Draw what makes a conflict, and the button that compares rules that were changed since."""
    st.caption("Rules with examples that contradict them, and rules with close conditions and different labels.")
    if waiting := session.app().store.lineage.uncompared(task.name):
        st.info(f"{count(len(waiting), 'rule')} not compared with the others yet.")
        st.button("Compare now", key="compare", on_click=_compare, args=(task.name,), **allowed(Step.COMPARE))


def _compare(task: str) -> None:
    try:
        synthesis_work.compare(session.app(), task)
    except PldError as error:
        session.complain(error)
