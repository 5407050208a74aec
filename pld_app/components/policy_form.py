"""The policy of a task: what each part means and costs, what a change changes, and every change so far."""

from __future__ import annotations

from dataclasses import fields

import streamlit as st

from pld_app import session
from pld_app.components.change_history import draw_changes
from pld_app.components.permitted import allowed
from pld_core.errors import PldError
from pld_core.models import RevisionState
from pld_core.permissions import PERMITTED, Step, permits, role_words
from pld_core.policy import LONGEST_FRESH, MOST_KNOWN_BAD, Policy
from pld_core.policy_words import PARTS, change_lines, open_reviews, value_words
from pld_core.records import RuleFilter

STEP = Step.CHANGE_POLICY
MOST = {"second_look": 100, "known_bad": MOST_KNOWN_BAD, "fresh_sign_in": LONGEST_FRESH}


def draw_policy() -> None:
    """Draw the policy of the chosen task; for an admin with the way to change it."""
    app = session.app()
    titles = {task.name: task.title for task in app.store.tasks.all()}
    if not titles:
        st.info("There is no task yet. Each task gets a policy of its own.")
        return
    if not permits(app.actor, STEP):
        st.info(f"You can read the policy. Changing it takes the role {role_words(PERMITTED[STEP])}.")
    session.preset_once("policy_task", session.widget("task") or next(iter(titles)))
    task = st.selectbox("Task", list(titles), format_func=titles.__getitem__, key="policy_task")
    now = app.store.policies.of(task)
    seen = _seen(task, now)
    left, right = st.columns([58, 42], gap="medium")
    with left:
        _draw_parts(task)
    with right:
        chosen = _chosen(task)
        if now != seen:
            _draw_moved_on(task, seen, now, chosen)
        _draw_change(task, seen, chosen)
    _draw_history(task)


def _key(task: str, part: str) -> str:
    return f"policy_{part}_{task}"


def _seen(task: str, now: Policy) -> Policy:
    """Return the policy that the fields began with; they begin anew where nothing in them would be lost."""
    seen = session.policy_seen(task)
    on_screen = session.holds(*(_key(task, part) for part in PARTS))
    if seen is None or not on_screen or _chosen(task) in (seen, now):
        _begin_with(task, now)
        return now
    return seen


def _begin_with(task: str, policy: Policy) -> None:
    """Fill the fields."""
    session.see_policy(task, policy)
    for part, value in policy.as_json().items():
        session.preset(_key(task, part), value)


def _chosen(task: str) -> Policy:
    # Without four eyes the field of the blind review rests, whatever it shows.
    four_eyes = session.ticked(_key(task, "four_eyes"))
    return Policy(
        four_eyes=four_eyes,
        blind=four_eyes and session.ticked(_key(task, "blind")),
        **{part: int(session.number(_key(task, part))) for part in MOST},
    )


def _draw_parts(task: str) -> None:
    locked = allowed(STEP)["disabled"]
    for part in fields(Policy):
        words, key = PARTS[part.name], _key(task, part.name)
        with st.container(gap="xxsmall"):
            if part.name in MOST:
                st.number_input(words.label, 0, MOST[part.name], step=1, key=key, disabled=locked, width=320)
            else:
                alone = part.name == "blind" and not session.ticked(_key(task, "four_eyes"))
                st.toggle(words.label, key=key, disabled=locked or alone)
            st.caption(f"{words.meaning} *{words.cost}*")


def _draw_change(task: str, seen: Policy, chosen: Policy) -> None:
    with st.container(border=True, key="policy_change"):
        st.markdown("**What changes**")
        lines = change_lines(seen, chosen)
        for line in lines:
            st.markdown(f"- {line}")
        if not lines:
            st.caption("Nothing yet.")
        if note := open_reviews(seen, chosen, *_half_done(task)):
            st.warning(note, icon=":material/rule:")
        reason = _key(task, "reason")
        st.text_area(
            "Reason, kept with the change", key=reason, max_chars=500, height=80, disabled=allowed(STEP)["disabled"]
        )
        st.button(
            "Change the policy",
            key="policy_save",
            type="primary",
            **session.as_shown(("policy_task", *(_key(task, part) for part in PARTS)), _save, task, seen, chosen),
            **allowed(STEP, bool(lines), "" if lines else "Change a part first."),
        )
        st.caption("In force at once, for the next decision. Decisions that are made stay as they are.")


def _half_done(task: str) -> tuple[int, int]:
    rules = session.app().store.rules
    states = (RevisionState.FIRST_APPROVED, RevisionState.DISPUTED)
    first, disputed = (rules.count(task, RuleFilter((state,))) for state in states)
    return first, disputed


def _save(task: str, seen: Policy, chosen: Policy) -> None:
    app, reason = session.app(), _key(task, "reason")
    try:
        app.store.policies.change(task, seen, chosen, session.widget(reason), app.actor)
    except PldError as error:
        session.complain(error)
        return
    session.forget(reason)
    session.notify(f"The policy of {task} is changed")


def _draw_moved_on(task: str, seen: Policy, now: Policy, chosen: Policy) -> None:
    """Draw the three policies beside each other."""
    with st.container(border=True, key="policy_moved_on"):
        st.warning(
            "Somebody changed this policy since you opened it. Nothing of yours was saved, and what you chose is kept.",
            icon=":material/difference:",
        )
        columns = {"when you opened it": seen, "in force now": now, "what you chose": chosen}
        rows = [
            {
                "part": words.label,
                **{title: value_words(name, policy.as_json()[name]) for title, policy in columns.items()},
            }
            for name, words in PARTS.items()
            if len({str(policy.as_json()[name]) for policy in columns.values()}) > 1
        ]
        st.dataframe(rows, hide_index=True)
        with st.container(horizontal=True):
            st.button("Go on with what I chose", key="policy_go_on", on_click=session.see_policy, args=(task, now))
            st.button("Drop it", key="policy_drop", on_click=_begin_with, args=(task, now))
        st.caption("Going on saves nothing yet.")


def _draw_history(task: str) -> None:
    history = session.app().store.policies.history(task)
    with st.expander(f"Every change of this policy ({len(history):,})", expanded=bool(history)):
        if not history:
            st.caption("Nobody has changed it: one person decides, and nothing is added.")
            return
        before = [change.policy for change in history[1:]] + [Policy()]
        draw_changes(history, (change_lines(old, change.policy) for change, old in zip(history, before, strict=True)))
    if not allowed(STEP)["disabled"]:
        st.caption("By command:")
        st.code(f"pld policy set --task {task}", language=None)
