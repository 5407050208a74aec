"""What a person makes of a proposal: into review, edited and tried again, or dismissed; each with its reason."""

from __future__ import annotations

import streamlit as st

from pld_app import edited_trials, resolution_work, session
from pld_app.components.permitted import allowed
from pld_app.components.proposal_edit import draw_edit_form, draw_edited, edit_flag
from pld_app.components.text import count
from pld_app.proposal_view import ShownProposal, Standing
from pld_core.models import RuleText, Task
from pld_core.permissions import Step

MOST_REASON = 500


def draw_decision(task: Task, one: ShownProposal) -> None:
    """Draw the reason and the buttons; nothing for a proposal that is decided."""
    if one.outcome is not None:
        return
    acceptable = one.standing in (Standing.PASSES, Standing.HELD, Standing.NOT_TRIED)
    passes = one.standing is Standing.PASSES
    needed = "needed to dismiss it" if passes or not acceptable else "needed, as it does not pass"
    st.text_input(f"Reason ({needed})", key=_reason_key(one), max_chars=MOST_REASON)
    with st.container(horizontal=True, gap="small"):
        if acceptable:
            st.button(
                _accept_words(one),
                key=f"accept_{one.key}",
                type="primary" if passes else "secondary",
                **allowed(Step.RETIRE if one.retires else Step.ACCEPT_PROPOSAL, not one.locked, _accept_help(one)),
                on_click=_accept,
                args=(one,),
            )
        if acceptable and one.said.texts:
            st.button(
                "Edit and try again",
                key=f"edit_{one.key}",
                **allowed(Step.ACCEPT_PROPOSAL, not one.locked),
                on_click=session.flip,
                args=(edit_flag(one),),
            )
        st.button("Dismiss", key=f"dismiss_{one.key}", **allowed(Step.DISMISS_PROPOSAL), on_click=_dismiss, args=(one,))
    if one.retires and acceptable:
        st.caption("A rule that is retired is out of force at once: there is no new text that could be reviewed.")
    if one.edited is not None:
        draw_edited(task, one, one.edited)
        _draw_accept_edited(one)
    if session.flag(edit_flag(one)):
        draw_edit_form(task, one)


def _reason_key(one: ShownProposal) -> str:
    return f"why_{one.key}"


def _accept_words(one: ShownProposal) -> str:
    if one.retires:
        return f"Retire {one.said.rules[0]} now"
    return "Accept for review" if one.standing is Standing.PASSES else "Send to review all the same"


def _accept_help(one: ShownProposal) -> str:
    if one.locked:
        return f"{one.locked[0]} is locked. A reviewer can unlock it on its Review page, with a reason."
    return "" if one.retires else "It goes to review like any other revision. Nothing changes until it is approved."


def _draw_accept_edited(one: ShownProposal) -> None:
    edited = one.edited
    if edited is None or edited.tried is None:
        return
    words = "Accept the edited text for review" if edited.tried.result.passes else "Send the edited text to review"
    st.button(
        words,
        key=f"accept_edited_{one.key}",
        **allowed(Step.ACCEPT_PROPOSAL, not one.locked, _accept_help(one)),
        on_click=_accept_edited,
        args=(one, edited.edited.texts),
    )


def _accept(one: ShownProposal) -> None:
    def record() -> str:
        app, reason = session.app(), session.widget(_reason_key(one))
        outcome, problem = resolution_work.accept(app, one.loop.order.task, one.loop.id, one.hash, reason)
        return _told(outcome.rules, problem)

    session.step(record)


def _accept_edited(one: ShownProposal, texts: tuple[RuleText, ...]) -> None:
    def record() -> str:
        reason = session.widget(_reason_key(one))
        outcome, problem = edited_trials.accept(session.app(), one.loop.id, one.hash, texts, reason)
        return _told(outcome.rules, problem)

    session.step(record)


def _told(rules: tuple[str, ...], problem: str) -> str:
    if not rules:
        return "The rule is retired"
    return f"{count(len(rules), 'rule')} in review: {', '.join(rules)}. {problem}".strip()


def _dismiss(one: ShownProposal) -> None:
    def record() -> str:
        app, reason = session.app(), session.widget(_reason_key(one))
        resolution_work.dismiss(app, one.loop.order.task, one.loop.id, one.hash, reason)
        return "Dismissed. The reason is kept"

    session.step(record)
