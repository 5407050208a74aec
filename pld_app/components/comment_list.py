"""The discussion of a rule: threads with answers, settled or open, each with a link of its own."""

from __future__ import annotations

from itertools import groupby

import streamlit as st

from pld_app import session
from pld_app.components.permitted import allowed
from pld_app.components.text import moment, plain
from pld_core.desk import Comment
from pld_core.models import RuleDossier
from pld_core.permissions import Step

ABOUT_RULE = "The rule"


def holds_linked(comments: tuple[Comment, ...]) -> bool:
    """Return whether the address names one of these comments; then they stand first, where the link's reader looks."""
    return session.address("comment") in {str(comment.id) for comment in comments}


def draw_comments(dossier: RuleDossier, comments: tuple[Comment, ...]) -> None:
    """Draw the threads, open ones first, and the field for a new comment."""
    threads = [list(group) for _, group in groupby(comments, key=lambda c: c.parent or c.id)]
    unsettled = [t for t in threads if not t[0].resolved]
    linked = session.address("comment")
    title = f"Comments ({len(unsettled)} open)" if threads else "Comments"
    with st.expander(title, expanded=bool(unsettled) or bool(linked), key="comments"):
        for thread in [*unsettled, *(t for t in threads if t[0].resolved)]:
            _draw_thread(dossier, thread, linked)
        _draw_new(dossier)


def _draw_thread(dossier: RuleDossier, thread: list[Comment], linked: str) -> None:
    first = thread[0]
    is_linked = linked in {str(comment.id) for comment in thread}
    with st.container(border=True, key=f"thread_{first.id}", gap="xsmall"):
        if first.example_hash:
            st.caption(f"On {plain(_place(dossier, first.example_hash))}")
        if first.resolved and not is_linked:
            st.caption(f"Resolved by {plain(first.resolved_by)}: {plain(first.text[:80])}")
        else:
            for comment in thread:
                if str(comment.id) == linked:
                    st.badge("linked", color="blue")
                link = f"?rule={comment.rule_id}&comment={comment.id}"
                st.caption(f"**{plain(comment.by)}** · {moment(comment.at)} · [#{comment.id}]({link})")
                st.text(comment.text)
        may = allowed(Step.COMMENT)
        with st.container(horizontal=True, gap="small"):
            if first.resolved:
                st.button(
                    "Reopen", key=f"reopen_{first.id}", type="tertiary", on_click=_settle, args=(first.id, False), **may
                )
                return
            with st.popover("Answer", key=f"answering_{first.id}"):
                key = f"answer_{first.id}"
                st.text_area("Answer", key=key, persist_state="session", max_chars=4000)
                st.button(
                    "Send", key=f"send_{first.id}", on_click=_add, args=(dossier.summary.id, key, "", first.id), **may
                )
            st.button(
                "Resolve", key=f"resolve_{first.id}", type="tertiary", on_click=_settle, args=(first.id, True), **may
            )


def _draw_new(dossier: RuleDossier) -> None:
    rule = dossier.summary.id
    key, about = f"comment_{rule}", f"comment_about_{rule}_{dossier.head.hash[-12:]}"
    places = {"": ABOUT_RULE} | {e.example_hash: _place(dossier, e.example_hash) for e in dossier.evidence}
    st.text_area(
        "New comment",
        key=key,
        persist_state="session",
        max_chars=4000,
        height=70,
        placeholder="@name tells somebody",
    )
    st.selectbox("About", list(places), format_func=lambda h: places[h], key=about)
    st.button("Comment", key="add_comment", on_click=_add, args=(rule, key, about, None), **allowed(Step.COMMENT))


def _place(dossier: RuleDossier, example_hash: str) -> str:
    example = dossier.examples.get(example_hash)
    if example is None:
        return "an example that is no longer among the evidence"
    return f"{example.place}: {' '.join(example.text.split())[:50]}"


def _add(rule_id: str, key: str, about: str, parent: int | None) -> None:
    app = session.app()

    def add() -> str:
        made = app.store.desk.comments.add(
            rule_id, session.widget(key), app.actor, session.widget(about) if about else "", parent
        )
        session.forget(key)
        told = f" It names {', '.join(made.mentions)}." if made.mentions else ""
        return f"Comment {made.id} is added.{told}"

    session.step(add)


def _settle(comment_id: int, resolved: bool) -> None:
    app = session.app()

    def settle() -> str:
        if resolved:
            app.store.desk.comments.resolve(comment_id, app.actor)
            return f"Comment {comment_id} is resolved"
        app.store.desk.comments.reopen(comment_id, app.actor)
        return f"Comment {comment_id} is open again"

    session.step(settle)
