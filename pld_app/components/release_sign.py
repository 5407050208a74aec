"""Signing a release: which label, why, an exception where a gate is red; and taking a label back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import streamlit as st

from pld_app import session
from pld_app.components.permitted import allowed
from pld_app.components.signature_card import kind_words
from pld_app.components.text import count, short_hash
from pld_core.errors import PldError
from pld_core.gate_facts import Gate, red_gates
from pld_core.models import PromptVersion, Task
from pld_core.permissions import Step
from pld_core.releases import (
    LONGEST_EXCEPTION,
    MEANINGS,
    BreakGlass,
    MoveKind,
    Release,
    ReleaseLabel,
    ReleaseOrder,
    before_holder,
    is_settled,
)
from pld_core.signing import is_fresh

REASON, GLASS, GLASS_REASON, GLASS_DAY = "reason", "exception", "exception_reason", "exception_day"


def field(name: str, version: PromptVersion) -> str:
    """Return the key of a field: what is written for one version is not signed for another."""
    return f"release_{name}_{version.prompt.task}_{version.number}"


def draw_sign(
    task: Task, version: PromptVersion, gates: Sequence[Gate], holders: Mapping[ReleaseLabel, Release]
) -> None:
    """Draw what is signed, the fields, and the button."""
    st.markdown("**3. Sign**")
    if not _may_sign_now(task):
        return
    label = st.segmented_control(
        "Label that moves",
        list(ReleaseLabel)[::-1],
        default=ReleaseLabel.PRODUCTION,
        required=True,
        format_func=lambda one: one.value,
        key="release_label",
    )
    locked = allowed(Step.RELEASE)["disabled"]
    st.text_area(
        "Reason, kept with the release",
        key=field(REASON, version),
        persist_state="session",
        max_chars=1000,
        height=80,
        disabled=locked,
    )
    is_exception = bool(red_gates(gates)) and _draw_exception(version, locked)
    held = holders.get(label)
    hindrance = _hindrance(task, version, gates, held, is_exception)
    st.markdown(f"**What you sign** “{MEANINGS[MoveKind.MOVE]}”")
    st.markdown(f":gray[Bound to] version {version.number} ({short_hash(version.prompt.sha256)})")
    st.caption(kind_words(session.app().actor))
    entries = ("release_label", field(GLASS, version), f"version_{task.name}")
    st.button(
        f"Sign and release as {label.value}",
        type="primary",
        key="release",
        **allowed(Step.RELEASE, not hindrance, hindrance),
        **session.as_shown(entries, _release, task, version, label, held.number if held else 0, is_exception),
    )
    if hindrance:
        st.caption(hindrance)


def _may_sign_now(task: Task) -> bool:
    """Return whether the sign-in is fresh enough, or draw the way to a fresher one before anything is written."""
    minutes = session.app().store.policies.of(task.name).fresh_sign_in
    if is_fresh(session.app().actor, minutes, datetime.now(UTC)):
        return True
    st.warning(
        f"This task's policy asks for a sign-in of the last {count(minutes, 'minute')}, and yours is older.",
        icon=":material/lock_clock:",
    )
    st.button("Sign in again", key="release_sign_in", icon=":material/login:", on_click=session.sign_in_again)
    return False


def _draw_exception(version: PromptVersion, locked: bool) -> bool:
    """Draw the way past red gates; return whether it is chosen."""
    if not st.toggle("Release in spite of red gates (exception)", key=field(GLASS, version), disabled=locked):
        return False
    today = datetime.now(UTC).date()
    st.text_area(
        "Why it cannot wait",
        key=field(GLASS_REASON, version),
        persist_state="session",
        max_chars=1000,
        height=80,
        disabled=locked,
    )
    st.date_input(
        "Last day of the exception",
        today + timedelta(days=7),
        min_value=today,
        max_value=today + timedelta(days=LONGEST_EXCEPTION),
        key=field(GLASS_DAY, version),
        disabled=locked,
    )
    st.caption("It is marked on this page, on Home and in every audit pack; from the day after it is called expired.")
    return True


def _hindrance(
    task: Task, version: PromptVersion, gates: Sequence[Gate], held: Release | None, is_exception: bool
) -> str:
    """Return why it cannot be signed now, empty if it can; the store decides in the end."""
    app = session.app()
    if held is not None and is_settled(held, version):
        return f"{held.label.value.capitalize()} is on this version already."
    if app.store.policies.of(task.name).four_eyes and version.created_by == app.actor.name:
        return "You built this version, and the policy asks for four eyes: another release manager has to sign."
    if red_gates(gates) and not is_exception:
        return f"{count(len(red_gates(gates)), 'gate')} red. Put them right, or make an exception."
    return ""


def _release(task: Task, version: PromptVersion, label: ReleaseLabel, seen: int, is_exception: bool) -> None:
    app = session.app()
    # What was typed last reaches the app with the click, so the fields are read now.
    keys = [field(name, version) for name in (REASON, GLASS, GLASS_REASON, GLASS_DAY)]
    reason, _, why, until = (session.widget(key) for key in keys)
    glass = BreakGlass(why, until) if is_exception else None
    order = ReleaseOrder(task.name, label, version.number, seen, reason, glass)
    try:
        moved = app.store.releases.move(order, app.actor)
    except PldError as error:
        session.complain(error)
        return
    session.forget(*keys)
    session.notify(f"{moved.label.value.capitalize()} is on version {moved.version}")


def draw_rollback(task: Task, moves: Sequence[Release]) -> None:
    """Draw the way back to the version that a label was on before, for each label that has one.

    Args:
        moves: of both labels, oldest first.
    """
    for label in (ReleaseLabel.PRODUCTION, ReleaseLabel.CANDIDATE):
        own = [move for move in moves if move.label is label]
        if (before := before_holder(own)) is not None and _may_sign_now(task):
            _draw_way_back(task, own[-1], before)


def _draw_way_back(task: Task, held: Release, before: Release) -> None:
    label, key = held.label.value, f"rollback_reason_{held.label.value}"
    with st.container(border=True, key=f"rollback_{label}"):
        st.markdown(f"**Take {label} back** from version {held.version} to version {before.version}")
        st.caption(f"“{MEANINGS[MoveKind.ROLLBACK]}” Gates are recorded; they keep nobody from going back.")
        st.text_input("Reason, kept with the move", key=key, max_chars=1000, disabled=allowed(Step.RELEASE)["disabled"])
        st.button(
            f"Sign and take {label} back to version {before.version}",
            key=f"roll_back_{label}",
            **allowed(Step.RELEASE),
            on_click=_roll_back,
            args=(task, held, key),
        )


def _roll_back(task: Task, held: Release, key: str) -> None:
    app = session.app()
    try:
        moved = app.store.releases.roll_back(task.name, held.label, held.number, session.widget(key), app.actor)
    except PldError as error:
        session.complain(error)
        return
    session.forget(key)
    session.notify(f"{moved.label.value.capitalize()} is back on version {moved.version}")
