"""The action bar: equal buttons, each with its key. While a panel is open they rest, or keys would fire behind it."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.decision_panel import APPROVE, CHANGES, EDIT, HELP, REJECT, SECOND
from pld_app.components.permitted import allowed
from pld_core.models import RevisionState, RuleDossier
from pld_core.permissions import Step
from pld_core.review import AWAITING_DECISION

DECIDABLE = (RevisionState.STALE, RevisionState.IN_REVIEW, RevisionState.FIRST_APPROVED, RevisionState.DISPUTED)

UNDO = "Takes back the last tick, tag or discarded draft of this visit."
NOTHING_TO_UNDO = (
    "Nothing of this visit can be taken back. A reload begins a new visit: change an earlier tick on its card, an "
    "earlier tag under Tags."
)


def draw_bar(dossier: RuleDossier, before: str | None, after: str | None) -> None:
    """Draw the bar for the rule on screen; a click or key opens the panel of that step."""
    resting = session.panel() is not None
    state = dossier.summary.state
    decidable = state in DECIDABLE
    why = "" if decidable else f"This revision is {state.label}. Edit it to make a new one."
    no_evidence = not any(e.role.value in ("supports", "contradicts") for e in dossier.evidence)
    why_not = "No evidence to judge it by." if no_evidence else why
    steps = [
        ("Approve", "A", APPROVE, Step.JUDGE, decidable and not no_evidence, why_not),
        ("Edit", "E", EDIT, Step.EDIT, True, ""),
        ("Request changes", None, CHANGES, Step.JUDGE, decidable, why),
        ("Reject", "X", REJECT, Step.JUDGE, decidable, why),
        ("2nd opinion", "S", SECOND, Step.ASK_OPINION, state in AWAITING_DECISION, why),
    ]
    with st.bottom:
        columns = st.columns([10, 8, 14, 9, 11, 8, 10, 8, 8, 8], gap="xsmall")
        for column, (label, key, kind, step, possible, reason) in zip(columns[:5], steps, strict=True):
            control = allowed(step, possible and not resting, reason)
            column.button(
                label,
                key=f"bar_{kind}",
                shortcut=None if control["disabled"] else key,
                **control,
                width="stretch",
                on_click=session.open_panel,
                args=(kind, dossier),
            )
        moves = [("Skip", "N", after, "skip"), ("Previous", "K", before, "previous"), ("Next", "J", after, "next")]
        for column, (label, key, target, name) in zip(columns[5:8], moves, strict=True):
            column.button(
                label,
                key=f"bar_{name}",
                shortcut=None if resting or target is None else key,
                disabled=resting or target is None,
                width="stretch",
                on_click=_go,
                args=(target,),
            )
        undoable = session.can_undo()
        columns[8].button(
            "Undo",
            key="bar_undo",
            shortcut=None if resting or not undoable else "U",
            disabled=resting or not undoable,
            help=UNDO if undoable else NOTHING_TO_UNDO,
            width="stretch",
            on_click=session.undo_last,
        )
        columns[9].button(
            "Help",
            key="bar_help",
            shortcut=None if resting else "H",
            disabled=resting,
            width="stretch",
            on_click=session.open_panel,
            args=(HELP, dossier),
        )


def _go(rule_id: str | None) -> None:
    if rule_id:
        session.set_address("rule", rule_id)
        session.dismiss_moved_on()
