"""The open panel, and what became of the step in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from pld_app.session.messages import notify
from pld_core.errors import PldError, RevisionMovedOn
from pld_core.models import RevisionState, RuleDossier, evidence_set_hash

PANEL, PROBLEM, MOVED_ON, OPENED = "_panel", "_problem", "_moved_on", "_opened"


@dataclass(frozen=True)
class Panel:
    """A decision in progress: which step, on exactly which revision in which state, beside which evidence."""

    kind: str
    rule_id: str
    revision_hash: str
    state: RevisionState
    opened_at: str
    evidence_hash: str = ""
    guideline_version: int = 0


def open_panel(kind: str, dossier: RuleDossier) -> None:
    """Open the panel of a step for the revision that is on the screen."""
    head = dossier.head
    opened_at = first_seen(dossier)
    evidence = evidence_set_hash(dossier.evidence)
    st.session_state[PANEL] = Panel(
        kind, dossier.summary.id, head.hash, dossier.summary.state, opened_at, evidence, dossier.guideline_version
    )
    st.session_state.pop(PROBLEM, None)


def panel() -> Panel | None:
    found = st.session_state.get(PANEL)
    return found if isinstance(found, Panel) else None


def close_panel() -> None:
    st.session_state.pop(PANEL, None)
    st.session_state.pop(PROBLEM, None)


def first_seen(dossier: RuleDossier) -> str:
    """Return the UTC time at which this session first showed the revision; it is part of the decision."""
    seen: dict[str, str] = st.session_state.setdefault(OPENED, {})
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return seen.setdefault(dossier.head.hash, now)


def opened_before(dossier: RuleDossier, at: str) -> None:
    """Note that the revision was on this person's screen at an earlier time, before the page was left."""
    st.session_state.setdefault(OPENED, {})[dossier.head.hash] = at


def problem() -> str:
    """Return what went wrong with the step in the open panel, empty if nothing did."""
    return str(st.session_state.get(PROBLEM, ""))


def moved_on() -> RevisionMovedOn | None:
    """Return the refused decision on a revision that had moved on, until somebody dismisses it."""
    found = st.session_state.get(MOVED_ON)
    return found if isinstance(found, RevisionMovedOn) else None


def dismiss_moved_on() -> None:
    st.session_state.pop(MOVED_ON, None)


def carry_draft(*keys: str) -> None:
    """After a refusal, put what was typed for the revision that was seen into the fields of the one that is there now.

    The keys of such fields hold the hash of their revision.
    """
    refused = moved_on()
    if refused is None or refused.seen.hash == refused.current.hash:
        return
    for key in keys:
        if key in st.session_state:
            st.session_state[key.replace(refused.seen.hash, refused.current.hash)] = st.session_state[key]


def attempt(action: Callable[[], str]) -> bool:
    """Run a step of the open panel; keep the panel and what was typed if it is refused.

    `action` returns the message for the person. Returns whether it succeeded.
    """
    try:
        message = action()
    except RevisionMovedOn as error:
        st.session_state[MOVED_ON] = error
        close_panel()
        return True
    except PldError as error:
        st.session_state[PROBLEM] = str(error)
        return False
    close_panel()
    dismiss_moved_on()
    notify(message)
    return True
