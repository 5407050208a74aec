"""Two prompt versions beside each other: what changed, word for word, and how both did."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pld_app import prompting, session
from pld_app.components.text import plain, short_hash
from pld_app.components.text_diff import diff_markdown
from pld_core.models import PromptVersion, Task
from pld_core.prompt_diff import Change, PromptDiff, RuleChange
from pld_core.prompt_figures import SideBySide
from pld_core.word_diff import word_pieces

COLOURS = {Change.ADDED: "green", Change.REMOVED: "red", Change.CHANGED: "orange", Change.MOVED: "blue"}


def draw_compare(task: Task, versions: Sequence[PromptVersion]) -> None:
    """Draw the choice of two versions, the older first, and their difference. `versions` are newest first."""
    st.header("Compare two versions")
    numbers = [version.number for version in versions]
    left, right = st.columns(2)
    before = left.selectbox("From version", numbers, index=1, key=f"compare_from_{task.name}")
    after = right.selectbox("To version", numbers, index=0, key=f"compare_to_{task.name}")
    compared = prompting.compare_versions(session.app(), task.name, before, after)
    draw_difference(compared.diff)
    _draw_figures(compared.figures, before, after)


def draw_difference(diff: PromptDiff) -> None:
    """Draw what differs between two versions: the rules, then how they were built, then the text."""
    if diff.is_same:
        st.info("Both are the same.")
    _draw_rules(diff)
    for fact in diff.facts:
        st.markdown(f"**{plain(fact.name.capitalize())}:** {plain(fact.before)} → {plain(fact.after)}")
    _draw_text(diff)


def _draw_rules(diff: PromptDiff) -> None:
    for rule in diff.rules:
        with st.container(border=True, gap="xsmall"), st.container(horizontal=True, vertical_alignment="center"):
            st.badge(rule.change.value, color=COLOURS[rule.change])  # type: ignore[arg-type]
            st.markdown(f"**{rule.rule_id}** {_places(rule)}", width="content")
            st.markdown(diff_markdown(rule.pieces))


def _places(rule: RuleChange) -> str:
    if rule.before and rule.after:
        return f"no. {rule.before} → {rule.after}"
    return f"no. {rule.before or rule.after}"


def _draw_text(diff: PromptDiff) -> None:
    changed = [piece for piece in diff.text if not piece.is_same]
    if not changed:
        return
    with st.expander("The text, word for word"):
        for piece in changed:
            st.markdown(diff_markdown(word_pieces(piece.before, piece.after)))


def _draw_figures(rows: Sequence[SideBySide], before: int, after: int) -> None:
    if not rows:
        st.caption("Neither version was evaluated yet.")
        return
    for row in rows:
        st.markdown(f"**{plain(row.student)}**, {row.split} · {short_hash(row.digest) or 'weights not told'}")
        for number, figure in ((before, row.before), (after, row.after)):
            st.markdown(f"Version {number}: {figure.words if figure else 'not evaluated'}")
        if row.before and row.after:
            st.caption(f"From {before} to {after}: {row.fixed} answers became right, {row.broken} became wrong.")
