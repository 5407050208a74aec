"""One proposal: what it changes and why, what its trial came to, its examples, and what a person makes of it."""

from __future__ import annotations

import streamlit as st

from pld_app.components.proposal_decision import draw_decision
from pld_app.components.proposal_trial import draw_examples, draw_figures
from pld_app.components.rule_card import draw_rule_text, word_diff
from pld_app.components.text import author, count, moment, plain
from pld_app.proposal_view import ShownProposal, Standing
from pld_core.conflicts.proposal import ActionKind
from pld_core.conflicts.records import Fate
from pld_core.desk import Tab
from pld_core.models import RuleText, Task

COLOURS = {Standing.PASSES: "green", Standing.REFUSED: "red"}


def draw_proposal(task: Task, one: ShownProposal) -> None:
    """Draw a card; one that does not pass lies on grey."""
    look = "proposal" if one.standing is Standing.PASSES else "held"
    with st.container(border=True, key=f"{look}_{one.key}", gap="small"):
        _draw_head(task, one)
        left, right = st.columns([5, 6], gap="medium")
        with left:
            _draw_change(one)
            draw_decision(task, one)
        with right:
            draw_figures(one)
            draw_examples(task, one)


def action_words(one: ShownProposal) -> str:
    """Return what is proposed, such as `Add exception: R1`; as the teacher named it."""
    action = one.said.action.replace("_", " ").capitalize()
    return f"{action}: {' and '.join(one.said.rules)}" if one.said.rules else action


def _draw_head(task: Task, one: ShownProposal) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(plain(action_words(one)), width="content", anchor=False)
        st.badge(one.standing.value, color=COLOURS.get(one.standing, "gray"))  # type: ignore[arg-type]  # names of colours
        for rule_id in one.locked:
            st.badge(f"{rule_id} is locked", icon=":material/lock:", color="orange")
        for rule_id in one.said.rules:
            if rule_id in one.base.rules.ids and not one.base.rules.rule(rule_id).in_force:
                why = "An example was ticked against it. The trial is of the prompt without it against this repair."
                st.badge(f"{rule_id} is out of force", icon=":material/do_not_disturb_on:", color="orange", help=why)
            if rule_id in one.loop.basis.rules.ids:
                draw_rule_link(task.name, rule_id)
    if one.why:
        st.markdown(plain(one.why))
    if one.outcome is not None:
        _draw_outcome(task, one)


def draw_rule_link(task: str, rule_id: str) -> None:
    """Draw a link to a rule on the Review page."""
    link = {"task": task, "rule": rule_id, "show": Tab.ALL.value}
    st.page_link("pages/review.py", label=f"Open {rule_id}", icon=":material/rule:", query_params=link)


def _draw_outcome(task: Task, one: ShownProposal) -> None:
    outcome = one.outcome
    assert outcome is not None  # noqa: S101 - the caller looked
    what = {Fate.ACCEPTED: "Accepted for review", Fate.EDITED: "Edited and sent to review", Fate.DISMISSED: "Dismissed"}
    words = "Retired" if one.retires and outcome.fate is Fate.ACCEPTED else what[outcome.fate]
    reason = f": {outcome.reason}" if outcome.reason else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{words}** by {plain(outcome.by)}, {moment(outcome.at)}{plain(reason)}", width="content")
        for rule_id in outcome.rules:
            draw_rule_link(task.name, rule_id)


def _draw_change(one: ShownProposal) -> None:
    draw_changed_texts(one, tuple(proposed.text for proposed in one.said.texts))
    st.caption(f"The teacher’s reason ({plain(author(one.loop.basis.teacher))}):")
    st.text(one.said.reason or "It gave none.")
    rests = count(len(one.said.examples), "example") if one.said.examples else "no example"
    st.caption(f"Rests on {rests} that the teacher was shown.")
    if one.said.ignored:
        st.caption(f"It named {count(len(one.said.ignored), 'example')} that it was not shown; they do not count.")
    for flag in one.said.flags:
        st.warning(plain(flag), icon=":material/visibility:")


def draw_changed_texts(one: ShownProposal, texts: tuple[RuleText, ...]) -> None:
    """Draw texts against those of the rules: as a diff where one takes the place of another, else both."""
    old = one.old_texts()
    if len(old) == 1 and len(texts) == 1:
        st.markdown(word_diff(old[0], texts[0]))
        return
    for rule_id, text in zip(one.said.rules, old, strict=False):
        goes = one.said.action != ActionKind.KEEP
        st.caption(f"{rule_id} goes" if goes else f"{rule_id} stays as it is")
        draw_rule_text(text)
    for text in texts:
        st.caption(f"New: {plain(text.title)}")
        draw_rule_text(text)
