"""The limits of a task's release gates: what each means, what a change changes, and every change so far."""

from __future__ import annotations

from dataclasses import fields

import streamlit as st

from pld_app import session
from pld_app.components.change_history import draw_changes
from pld_app.components.permitted import allowed
from pld_core.canonical import canonical_json
from pld_core.errors import PldError
from pld_core.gate_policy import (
    AS_MADE,
    LARGEST_BUDGET,
    LIMITS,
    GatePolicy,
    GatePolicyChange,
    limit_changes,
)
from pld_core.permissions import Step

STEP = Step.CHANGE_POLICY


def draw_gate_policy() -> None:
    """Draw the limits of the task that is chosen for the policy; for an admin with the way to change them."""
    store, task = session.app().store, session.widget("policy_task")
    if not task:
        return
    st.header("Gates of a release")
    st.caption("What a prompt version has to reach before a release label moves to it.")
    now = store.gate_policies.of(task)
    _begin_where_nothing_is_lost(task, now)
    left, right = st.columns([58, 42], gap="medium")
    with left:
        _draw_limits(task)
    with right:
        _draw_change(task, now, _chosen(task))
    _draw_history(store.gate_policies.history(task))


def _key(task: str, limit: str) -> str:
    return f"limit_{limit}_{task}"


def _begin_where_nothing_is_lost(task: str, now: GatePolicy) -> None:
    """Fill the fields with the limits in force, unless somebody has begun to change them."""
    seen, in_force = _key(task, "seen"), canonical_json(now.as_json())
    on_screen = session.holds(*(_key(task, limit) for limit in LIMITS))
    if on_screen and canonical_json(_chosen(task).as_json()) not in (session.widget(seen), in_force):
        return
    session.preset(seen, in_force)
    for limit, value in now.as_json().items():
        session.preset(_key(task, limit), value)


def _chosen(task: str) -> GatePolicy:
    shares = {limit: session.number(_key(task, limit)) for limit in ("f1_margin", "label_margin", "malformed")}
    budget = int(session.number(_key(task, "token_budget")))
    return GatePolicy(**shares, token_budget=budget, on_test=session.ticked(_key(task, "on_test")))


def _draw_limits(task: str) -> None:
    locked = allowed(STEP)["disabled"]
    for limit in fields(GatePolicy):
        words, key = LIMITS[limit.name], _key(task, limit.name)
        with st.container(gap="xxsmall"):
            if limit.name == "on_test":
                st.toggle(words.label, key=key, disabled=locked)
            elif limit.name == "token_budget":
                st.number_input(words.label, 1, LARGEST_BUDGET, step=1, key=key, disabled=locked, width=320)
            else:
                st.number_input(words.label, 0.0, 1.0, step=0.005, format="%.3f", key=key, disabled=locked, width=320)
            st.caption(words.meaning)


def _draw_change(task: str, now: GatePolicy, chosen: GatePolicy) -> None:
    with st.container(border=True, key="limits_change"):
        st.markdown("**What changes**")
        lines = limit_changes(now, chosen)
        for line in lines:
            st.markdown(f"- {line}")
        if not lines:
            st.caption("Nothing yet.")
        reason = _key(task, "reason")
        st.text_area(
            "Reason, kept with the change", key=reason, max_chars=500, height=80, disabled=allowed(STEP)["disabled"]
        )
        st.button(
            "Change the limits",
            key="limits_save",
            type="primary",
            **session.as_shown(("policy_task", *(_key(task, limit) for limit in LIMITS)), _save, task, now),
            **allowed(STEP, bool(lines), "" if lines else "Change a limit first."),
        )
        st.caption("In force at once, for the next release. Labels that were moved stay where they are.")


def _save(task: str, seen: GatePolicy) -> None:
    app, reason = session.app(), _key(task, "reason")
    try:
        app.store.gate_policies.change(task, seen, _chosen(task), session.widget(reason), app.actor)
    except PldError as error:
        session.complain(error)
        return
    session.forget(reason)
    session.notify(f"The limits of the gates of {task} are changed")


def _draw_history(history: tuple[GatePolicyChange, ...]) -> None:
    if not history:
        st.caption("Nobody has changed these limits: they are those that every task begins with.")
        return
    with st.expander(f"Every change of these limits ({len(history):,})", expanded=True):
        before = [change.policy for change in history[1:]] + [AS_MADE]
        draw_changes(history, (limit_changes(old, change.policy) for change, old in zip(history, before, strict=True)))
