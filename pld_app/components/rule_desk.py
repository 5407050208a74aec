"""Around the rule on screen: who works on it, its tags, what it was made of, and the steps that decide nothing."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.bulk import tag_rules
from pld_app.components.permitted import allowed
from pld_app.components.rule_lock import draw_lock
from pld_app.components.text import plain
from pld_app.session import Panel
from pld_core.desk import Derivation, Lease, QueueRow
from pld_core.models import RuleDossier
from pld_core.permissions import Step
from pld_core.review import FINAL_STATES, Action, is_allowed

SPLIT, MERGE, WITHDRAW, SHOW_DIFF = "split", "merge", "withdraw", "show_diff"


def draw_people(row: QueueRow, lease: Lease) -> None:
    """Draw who has the rule open or was given it, and its tags."""
    if lease.holder != session.app().actor.name:
        st.warning(
            f"Open at {plain(lease.holder)} since {lease.since[11:16]} UTC. You can decide all the same; "
            "Skip goes to a rule that is free.",
            icon=":material/group:",
        )
    parts = [f"assigned to {plain(row.assignee)}"] if row.assignee else []
    if parts:
        st.caption(" · ".join(parts))


def draw_steps(dossier: RuleDossier, row: QueueRow) -> None:
    """Draw the small buttons under the rule."""
    panel: Panel | None = session.panel()
    resting, rule = panel is not None, dossier.summary
    has_parent = len(dossier.revisions) > 1
    with st.container(horizontal=True, gap="xsmall", key="rule_steps"):
        st.button(
            "Hide diff" if session.flag(SHOW_DIFF) else "Diff",
            key="rule_diff",
            type="tertiary",
            shortcut="D" if has_parent and not resting else None,
            disabled=resting or not has_parent,
            help=None if has_parent else "This is the first revision: there is nothing to compare it with.",
            on_click=session.flip,
            args=(SHOW_DIFF,),
        )
        final = rule.state in FINAL_STATES
        steps = [("Split", SPLIT, Step.SPLIT, not final), ("Merge", MERGE, Step.MERGE, not final)]
        if _can_withdraw(rule.id):
            steps.append(("Withdraw decision", WITHDRAW, Step.WITHDRAW, True))
        for label, kind, step, possible in steps:
            st.button(
                label,
                key=f"rule_{kind}",
                type="tertiary",
                **allowed(step, possible and not resting),
                on_click=session.open_panel,
                args=(kind, dossier),
            )
        with st.popover("Tags", key="rule_tags", type="tertiary"):
            _draw_tags(row)
        draw_lock(rule.id)


def _can_withdraw(rule_id: str) -> bool:
    """Return whether the guard would let the person take a decision on the newest revision back."""
    app = session.app()
    return is_allowed(app.store.rules.standing(rule_id), Action.WITHDRAW, app.actor)


def _draw_tags(row: QueueRow) -> None:
    rule_id = row.summary.id
    may = allowed(Step.TAG)
    for tag in row.tags:
        st.button(f"{plain(tag)} ✕", key=f"untag_{tag}", on_click=_untag, args=(rule_id, tag), **may)
    st.text_input("New tag", key="rule_tag", max_chars=40)
    st.button("Add tag", key="rule_tag_add", on_click=tag_rules, args=((rule_id,), "rule_tag"), **may)


def _untag(rule_id: str, tag: str) -> None:
    app = session.app()

    def remove() -> str:
        app.store.desk.queue.untag([rule_id], tag, app.actor)
        return "The tag is off. U puts it back"

    def put_back() -> str:
        app.store.desk.queue.tag([rule_id], tag, app.actor)
        return "The tag is back"

    session.step(remove, undo=put_back)


def draw_kin(dossier: RuleDossier) -> None:
    """Draw what the rule was made from and what was made of it."""
    rule = dossier.summary.id
    for kin in session.app().store.desk.parts.kin(rule):
        verb = "split" if kin.kind is Derivation.SPLIT else "merged"
        line = (
            f"Came from {kin.parent} (revision {kin.parent_number}), {verb} by {plain(kin.by)}"
            if kin.child == rule
            else f"Was {verb} into {kin.child} by {plain(kin.by)}"
        )
        st.caption(f":material/account_tree: {line}: {plain(kin.reason)}")
