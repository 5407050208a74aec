"""The audit chain on screen."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pld_app import session
from pld_app.components.text import moment, plain
from pld_app.settings_change import CHANGED, change_words
from pld_core.errors import PldError
from pld_core.models import Event
from pld_core.ports import EventFilter, Page

PAGE_SIZE = 50
ANY = "any"


def draw_chain() -> None:
    """Draw the button that verifies the chain, and its last result."""
    st.button("Verify the chain now", key="verify", icon=":material/verified_user:", on_click=_verify)
    report = session.last_chain()
    if report is None:
        st.caption("Not verified in this session yet. The same check by command: `pld audit verify`.")
    elif report.intact:
        st.success(f"Intact: {report.events:,} events, and the last one is the one noted beside the database.")
        st.code(report.head or "no event yet", language=None)
    else:
        st.error(f"The chain is broken. {plain(report.problems[0])}", icon=":material/gpp_bad:")
        for problem in report.problems[1:20]:
            st.caption(plain(problem))


def _verify() -> None:
    try:
        session.remember_chain(session.app().store.events.verify())
    except PldError as error:
        session.complain(error)


def draw_events() -> None:
    """Draw the log, newest first, a page at a time, and the chosen event in full."""
    store = session.app().store
    first, second, third = st.columns([3, 3, 4])
    actor = first.selectbox("Who", [ANY, *store.events.actors()], key="actor", bind="query-params")
    kind = second.selectbox("What", [ANY, *store.events.kinds()], key="kind", bind="query-params")
    search = third.text_input("Search subject and content", key="event_q", bind="query-params")
    where = EventFilter("" if actor == ANY else actor, "" if kind == ANY else kind, search.strip())
    total = store.events.count(where)
    if total == 0:
        st.info("No event matches. Clear the search or choose another person or kind.")
        return
    pages = -(-total // PAGE_SIZE)
    page = st.pagination(pages, key="event_page") if pages > 1 else 1
    events = store.events.page(where, Page((page - 1) * PAGE_SIZE, PAGE_SIZE)) or store.events.page(
        where, Page(0, PAGE_SIZE)
    )
    listing, full = st.columns([6, 4], gap="medium")
    with listing:
        st.caption(f"{total:,} events. Choose a row to see all that was recorded.")
        event = st.dataframe(
            pd.DataFrame([_row(e) for e in events]),
            hide_index=True,
            width="stretch",
            height=420,
            on_select="rerun",
            selection_mode="single-row",
            key="event_rows",
        )
    rows = event["selection"]["rows"] if event else []
    with full:
        _draw_event(events[rows[0]] if rows and rows[0] < len(events) else events[0])


def _row(event: Event) -> dict[str, str | int]:
    return {
        "nr": event.seq,
        "when": moment(event.at),
        "who": event.actor,
        "what": event.kind,
        "subject": event.subject,
        "details": _details(event),
    }


def _details(event: Event) -> str:
    return change_words(event) if event.kind == CHANGED else str(event.payload.get("reason", ""))


def _draw_event(event: Event) -> None:
    st.caption(f"Event {event.seq}, {plain(event.kind)}, {plain(event.at)}")
    if event.kind == CHANGED:
        st.markdown(plain(change_words(event)))
    st.json(event.payload)
    st.caption("Hash of this event, and of the one before it")
    st.code(f"{event.hash}\n{event.prev}", language=None)
