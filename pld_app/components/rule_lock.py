"""Locking a rule against repairs, at the rule: a loop may argue about it and never changes it."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.permitted import allowed
from pld_app.components.text import moment, plain
from pld_core.permissions import Step

MOST_REASON = 500


def draw_lock(rule_id: str) -> None:
    """Draw whether a rule is locked, by whom and why, and the button that changes it."""
    history = session.app().store.locks.history(rule_id)
    locked = bool(history) and history[0].locked
    with st.popover("Locked" if locked else "Lock", key="rule_lock", type="tertiary", icon=_icon(locked)):
        st.caption(
            "No proposal of a loop can change a locked rule. People can still edit and decide on it."
            if locked
            else "A loop may propose changes of this rule. Lock it to have it left as it is."
        )
        for word in history[:5]:
            what = "Locked" if word.locked else "Unlocked"
            st.caption(plain(f"{what} by {word.by}, {moment(word.at)}: {word.reason}"))
        key = f"lock_reason_{rule_id}"
        st.text_input("Reason", key=key, max_chars=MOST_REASON)
        st.button(
            "Unlock the rule" if locked else "Lock the rule",
            key="rule_lock_set",
            **allowed(Step.LOCK),
            on_click=_set,
            args=(rule_id, not locked, key),
        )


def _icon(locked: bool) -> str:
    return ":material/lock:" if locked else ":material/lock_open:"


def _set(rule_id: str, locked: bool, key: str) -> None:
    def record() -> str:
        app = session.app()
        change = app.store.locks.lock if locked else app.store.locks.unlock
        change(rule_id, session.widget(key), app.actor)
        session.preset(key, "")
        return f"{rule_id} is locked against repairs" if locked else f"{rule_id} is not locked any more"

    session.step(record)
