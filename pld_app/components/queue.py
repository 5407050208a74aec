"""The queue of rules with its filters, which live in the address."""

from __future__ import annotations

import streamlit as st

from pld_app import session, synthesis_work
from pld_app.components.text import count, plain
from pld_core.errors import PldError
from pld_core.models import RevisionState, RuleSummary, Task
from pld_core.ports import Page, RuleFilter
from pld_core.review import AWAITING_DECISION

PAGE_SIZE = 20
TO_DECIDE, OVERLAPPING, DECIDED, EVERYTHING = "Open", "Conflicts", "Decided", "All"
SHOWN: dict[str, tuple[RevisionState, ...]] = {
    TO_DECIDE: AWAITING_DECISION,
    OVERLAPPING: (),
    DECIDED: tuple(state for state in RevisionState if state not in AWAITING_DECISION),
    EVERYTHING: (),
}
ANY = "Any label"


def queue_filter() -> RuleFilter:
    """Return the filter that the widgets hold."""
    label = session.widget("label")
    return RuleFilter(
        states=SHOWN.get(session.widget("show"), AWAITING_DECISION),
        label="" if label in ("", ANY) else label,
        search=session.widget("q"),
        overlapping=session.widget("show") == OVERLAPPING,
    )


def draw_queue(task: Task) -> str | None:
    """Draw filters and queue; return the rule to show, or None with the reason on screen."""
    store = session.app().store
    st.pills(
        "Show",
        list(SHOWN),
        default=TO_DECIDE,
        required=True,
        key="show",
        bind="query-params",
        wrap=True,
        label_visibility="collapsed",
    )
    st.text_input("Search", key="q", bind="query-params", placeholder="Search rules", label_visibility="collapsed")
    st.selectbox("Label", [ANY, *task.label_names], key="label", bind="query-params", label_visibility="collapsed")
    where = queue_filter()
    if where.overlapping:
        st.caption("Rules with close conditions and different labels. An input that fits both has two answers.")
    total = store.rules.count(task.name, where)
    wanted = session.address("rule").upper()
    if total == 0:
        _draw_empty(task)
        return wanted or None
    pages = -(-total // PAGE_SIZE)
    page = 1
    if pages > 1:
        page = st.pagination(pages, key="queue_page", max_visible_pages=3)
    rows = store.rules.queue(task.name, where, Page((page - 1) * PAGE_SIZE, PAGE_SIZE))
    by_id = {row.id: row for row in rows}
    if not wanted:
        wanted = rows[0].id
        session.set_address("rule", wanted)
    st.caption(count(total, "rule"))
    session.preset("queue_pick", wanted if wanted in by_id else None)
    with st.container(height=430, border=False, key="queue"):
        st.radio(
            "Queue",
            list(by_id),
            index=None,
            format_func=lambda rule_id: f"**{rule_id}** {plain(by_id[rule_id].title)}",
            captions=[_caption(row) for row in rows],
            key="queue_pick",
            on_change=_picked,
            label_visibility="collapsed",
        )
    return wanted


def _picked() -> None:
    session.set_address("rule", session.widget("queue_pick"))
    session.dismiss_moved_on()


def _caption(row: RuleSummary) -> str:
    parts = [" or ".join(plain(label) for label in row.labels), count(row.support, "example")]
    if row.contradictions:
        parts.append(f"⚡\N{NO-BREAK SPACE}{row.contradictions}\N{NO-BREAK SPACE}against")
    if row.uncovered:
        parts.append(f"◐ cluster also holds {', '.join(plain(label) for label in row.uncovered)}")
    if row.state not in (RevisionState.IN_REVIEW, RevisionState.PROPOSED):
        parts.append(row.state.label)
    return " · ".join(parts)


def _draw_empty(task: Task) -> None:
    store = session.app().store
    if store.rules.count(task.name) == 0:
        st.info("No rule yet. Rules come from clusters of instructions: see the Clusters page.")
    elif session.widget("q") or session.widget("label") not in ("", ANY):
        st.info("No rule matches this filter. Clear the search or choose another label.")
    elif session.widget("show") == OVERLAPPING:
        _draw_no_overlap(task)
    elif session.widget("show") == DECIDED:
        st.info("Nothing is decided yet. Switch to “Open”.")
    else:
        st.success("All rules are decided. Compile them on the Prompt page.", icon=":material/done_all:")
        st.page_link("pages/prompt.py", label="Go to Prompt", icon=":material/description:")


def _draw_no_overlap(task: Task) -> None:
    waiting = session.app().store.lineage.uncompared(task.name)
    if not waiting:
        st.success("No two rules have close conditions and different labels.", icon=":material/done_all:")
        return
    st.info(f"{count(len(waiting), 'rule')} not compared with the others yet.")
    st.button("Compare now", key="compare", on_click=_compare, args=(task.name,))


def _compare(task: str) -> None:
    try:
        synthesis_work.compare(session.app(), task)
    except PldError as error:
        session.complain(error)
