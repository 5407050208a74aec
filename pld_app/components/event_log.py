"""The audit chain on screen."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pld_app import session
from pld_app.auditing import LOG_FORMATS, LogContent
from pld_app.components.text import count, moment, plain
from pld_core.errors import PldError
from pld_core.event_words import rule_of, sentence
from pld_core.models import Event
from pld_core.moments import since_moment, until_moment
from pld_core.records import EventFilter, Page

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
    """Draw the log, newest first, a page at a time, the chosen event in full, and the export of all that match."""
    app = session.app()
    store, where = app.store, _draw_filters()
    total = store.events.count(where, app.actor)
    if total == 0:
        st.info("No event matches. Clear the search or choose another person, kind, rule or time.")
        return
    pages = -(-total // PAGE_SIZE)
    page = st.pagination(pages, key="event_page") if pages > 1 else 1
    events = store.events.page(where, Page((page - 1) * PAGE_SIZE, PAGE_SIZE), app.actor) or store.events.page(
        where, Page(0, PAGE_SIZE), app.actor
    )
    listing, full = st.columns([6, 4], gap="medium")
    with listing:
        st.caption(f"{count(total, 'event')}. Choose a row to see all that was recorded.")
        event = st.dataframe(
            pd.DataFrame([_row(e) for e in events]),
            hide_index=True,
            width="stretch",
            height=420,
            on_select="rerun",
            selection_mode="single-row",
            key="event_rows",
            column_config={
                "nr": st.column_config.NumberColumn(width=55, format="%d"),
                "when": st.column_config.TextColumn(width=165),
                "what happened": st.column_config.TextColumn(width=560),
            },
        )
        _draw_export(where, total)
    rows = event["selection"]["rows"] if event else []
    with full:
        _draw_event(events[rows[0]] if rows and rows[0] < len(events) else events[0])


def _draw_filters() -> EventFilter:
    store = session.app().store
    who, what, rule, since, until, content = st.columns([5, 6, 4, 4, 5, 5])
    actor = who.selectbox("Who", [ANY, *store.events.actors()], key="actor", bind="query-params")
    # Shown as the command line spells them: what is shown is what the address holds.
    kind = what.selectbox("What", [ANY, *store.events.kinds()], key="kind", bind="query-params")
    rule_id = rule.text_input("Rule", key="event_rule", bind="query-params", placeholder="such as R12")
    # A date in the address that is none would stop the whole page; as a text it is one sentence.
    first = since.text_input("From (UTC)", key="since", bind="query-params", placeholder="2026-01-31")
    last = until.text_input("Until (UTC), included", key="until", bind="query-params", placeholder="2026-01-31 14:30")
    search = content.text_input("Search", key="event_q", bind="query-params", placeholder="any content")
    return EventFilter(
        "" if actor == ANY else actor,
        "" if kind == ANY else kind,
        search.strip(),
        rule_id.strip(),
        since_moment(first),
        until_moment(last),
    )


def _draw_export(where: EventFilter, total: int) -> None:
    with st.container(horizontal=True):
        for file_format in LOG_FORMATS:
            st.download_button(
                f"Export {count(total, 'event')} as {file_format.upper()}",
                LogContent(session.app(), where, file_format),
                f"events.{file_format}",
                "text/csv" if file_format == "csv" else "application/x-ndjson",
                key=f"events_{file_format}",
                icon=":material/download:",
                help="Formulas are defused by a quote." if file_format == "csv" else "Word for word, oldest first.",
                on_click="ignore",
            )


def _row(event: Event) -> dict[str, str | int]:
    return {"nr": event.seq, "when": moment(event.at), "what happened": sentence(event)}


def _draw_event(event: Event) -> None:
    st.text(sentence(event))
    if event.at:
        st.caption(f"Event {event.seq}, {plain(event.kind)}, {plain(event.at)}")
    else:
        st.caption(f"Event {event.seq}. Its time and content are kept until you have decided on the rule.")
    if rule_id := rule_of(event):
        st.page_link(
            "pages/review.py",
            label=f"Open {rule_id}",
            icon=":material/rule:",
            query_params={"rule": rule_id, "show": "All"},
        )
    if event.at:
        st.json(event.payload)
    st.caption("Hash of this event, and of the one before it")
    st.code(f"{event.hash}\n{event.prev}", language=None)
