"""Steps on several rules of the queue at once: assign, tag, reject as a duplicate. Nothing is approved in bulk."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pld_app import session
from pld_app.checking import told_after_check
from pld_app.components.permitted import allowed
from pld_app.components.text import count, plain
from pld_core.desk import QueueRow
from pld_core.models import Judgement, RejectCategory, RuleSummary, Verdict
from pld_core.permissions import Step

PERSON, TAG, KEPT, REASON = "bulk_person", "bulk_tag", "bulk_kept", "bulk_reason"


def draw_selection(rows: Sequence[QueueRow], title: str) -> None:
    """Draw a box for each rule of the page, and what can be done with those that are ticked."""
    steps = st.container(gap="xsmall")
    with st.container(height=300, border=False, key="queue", gap="xsmall"):
        chosen = [
            row.summary
            for row in rows
            if st.checkbox(f"**{row.summary.id}** {plain(row.summary.title)}", key=f"pick_{row.summary.id}")
        ]
    with steps:
        st.caption(f"{count(len(chosen), 'rule')} ticked on this page of {title}")
        _draw_steps(tuple(chosen))


def _draw_steps(chosen: tuple[RuleSummary, ...]) -> None:
    app, ids = session.app(), tuple(summary.id for summary in chosen)
    with st.popover("Assign", disabled=not ids, width="stretch", key="bulk_assign"):
        people = ["", *dict.fromkeys([app.actor.name, *app.store.desk.queue.people()])]
        st.selectbox("To", people, format_func=lambda name: name or "Nobody", key=PERSON)
        st.button("Assign", key="do_assign", **session.as_shown("pick_", _assign, ids), **allowed(Step.ASSIGN))
    with st.popover("Tag", disabled=not ids, width="stretch", key="bulk_tagging"):
        st.text_input("Tag", key=TAG, max_chars=40)
        st.button("Tag", key="do_tag", **session.as_shown("pick_", tag_rules, ids, TAG), **allowed(Step.TAG))
    with st.popover("Reject as duplicates", disabled=not ids, width="stretch", key="bulk_reject"):
        st.text_input("They say the same as rule", key=KEPT, placeholder="R12", max_chars=12)
        st.text_area("Reason, in your own words", key=REASON, max_chars=2000)
        st.caption("Each is a decision of its own, under your name; if one is refused, none is made.")
        st.button(
            f"Reject {count(len(ids), 'rule')}",
            key="do_reject",
            **session.as_shown("pick_", _reject, chosen),
            **allowed(Step.JUDGE),
        )


def _assign(ids: tuple[str, ...]) -> None:
    app, person = session.app(), session.widget(PERSON)

    def assign() -> str:
        app.store.desk.queue.assign(ids, person, app.actor)
        return f"{count(len(ids), 'rule')} assigned to {person or 'nobody'}"

    session.step(assign)


def tag_rules(ids: tuple[str, ...], key: str) -> None:
    """Tag rules with what a field holds; U takes it back from those that did not have the tag."""
    app, tag = session.app(), session.widget(key)
    tagged: list[str] = []

    def add() -> str:
        tagged.extend(app.store.desk.queue.tag(ids, tag, app.actor))
        session.forget(key)
        return f"{count(len(tagged), 'rule')} tagged. U takes it back"

    def take_back() -> str:
        app.store.desk.queue.untag(tagged, tag, app.actor)
        return f"The tag is off {count(len(tagged), 'rule')} again"

    session.step(add, undo=take_back)


def _reject(chosen: tuple[RuleSummary, ...]) -> None:
    app, kept, reason = session.app(), session.widget(KEPT).strip().upper(), session.widget(REASON)

    def reject() -> str:
        said = f"Says the same as {kept}. {reason.strip()}" if reason.strip() else ""
        judgements = [Judgement(s.id, s.head, s.state, Verdict.REJECT, said, RejectCategory.DUPLICATE) for s in chosen]
        made = app.store.desk.queue.reject_duplicates(judgements, kept, app.actor)
        session.forget(KEPT, REASON)
        told = [told_after_check(app, decision.rule_id) for decision in made]
        return " ".join([f"{count(len(made), 'rule')} rejected as duplicates of {kept}.", *filter(None, told)])

    session.step(reject)
