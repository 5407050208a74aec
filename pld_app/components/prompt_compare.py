"""Two prompt versions beside each other: what changed, word for word, and how both did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pld_app import prompting, session
from pld_app.components.remark import draw_remark
from pld_app.components.text import plain, short_hash
from pld_app.components.text_diff import diff_markdown
from pld_app.wiring import App
from pld_core.models import PromptVersion, Task
from pld_core.paired import Comparison, PairedVerdict
from pld_core.prompt_diff import Change, PromptDiff, RuleChange
from pld_core.prompt_figures import SideBySide
from pld_core.word_diff import word_pieces

COLOURS = {Change.ADDED: "green", Change.REMOVED: "red", Change.CHANGED: "orange", Change.MOVED: "blue"}

MOST_LINES = 200
"""Changed words are sought in so many lines in a row: the time it takes grows with their square."""


def draw_compare(task: Task, versions: Sequence[PromptVersion]) -> None:
    """Draw the choice of two versions, the older first, and their difference. `versions` are newest first."""
    st.header("Compare two versions")
    numbers = [version.number for version in versions]
    left, right = st.columns(2)
    before = left.selectbox("From version", numbers, index=1, key=f"compare_from_{task.name}")
    after = right.selectbox("To version", numbers, index=0, key=f"compare_to_{task.name}")
    old, new = (next(version for version in versions if version.number == number) for number in (before, after))
    diff = difference_of(old, new)
    draw_difference(diff)
    _draw_figures(
        task, prompting.Compared(task.name, diff, prompting.figures_beside(session.app(), task, before, after))
    )


@dataclass(frozen=True)
class _Known:
    """What a difference is made of, for the cache: a version never changes, and its time tells it from an earlier
    workspace's in the same place.
    """

    workspace: str
    task: str
    before: tuple[int, str, str]
    after: tuple[int, str, str]


def difference_of(before: PromptVersion, after: PromptVersion) -> PromptDiff:
    """Return what differs between two versions of a task; of thousands of rules it is found once."""
    app = session.app()
    old, new = ((one.number, one.prompt.sha256, one.created_at) for one in (before, after))
    return _difference(app, _Known(str(app.settings.workspace), before.prompt.task, old, new))


# A resource, because a copy of two long texts for each draw would take longer than all that is drawn of it.
@st.cache_resource(show_spinner="Comparing the versions…", max_entries=16)
def _difference(_app: App, known: _Known) -> PromptDiff:
    return prompting.difference(_app, known.task, known.before[0], known.after[0])


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
            lines = max(piece.before.count("\n"), piece.after.count("\n")) + 1
            if lines > MOST_LINES:
                st.caption(f"{lines:,} lines in a row differ, if only by their number: too many to mark each word.")
                continue
            st.markdown(diff_markdown(word_pieces(piece.before, piece.after)))


def _draw_figures(task: Task, compared: prompting.Compared) -> None:
    """Draw how both did with each student, and what to evaluate where that is not known."""
    if compared.unevaluated:
        st.caption(plain(compared.unevaluated))
    for row in compared.figures:
        st.markdown(f"**{plain(row.student)}**, {row.split} · {short_hash(row.digest) or 'weights not told'}")
        st.dataframe(_table(row), hide_index=True, width="stretch")
        if row.comparison is not None:
            st.caption(f"From {row.before.version} to {row.after.version}: {row.comparison.words}.")
        for line in filter(None, (*row.to_do, row.left_aside)):
            draw_remark("orange", plain(line))
    if compared.unevaluated or any(row.to_do for row in compared.figures):
        st.page_link(
            "pages/evaluate.py", label="Go to Evaluate", icon=":material/query_stats:", query_params={"task": task.name}
        )


def _table(row: SideBySide) -> list[dict[str, str]]:
    """Return a line for each figure: what it is, each version's, and the difference."""
    before, after = (f"Version {side.version}" for side in (row.before, row.after))
    found = row.comparison
    moved = "" if found is None else _counted(found.fixed - found.broken)
    lines = [("Right answers", row.before.words, row.after.words, moved)]
    if found is not None and found.verdict is PairedVerdict.TOO_FEW:
        lines.insert(0, ("Macro F1", "", "", "too few examples for a rate"))
    elif found is not None:
        lines.insert(0, ("Macro F1", f"{found.before:.3f}", f"{found.after:.3f}", _interval(found)))
    for label in row.labels:
        old, new = (f"{k:,} of {label.n:,}" for k in (label.before, label.after))
        lines.append((f"Right: {label.label}", old, new, _counted(label.after - label.before)))
    return [{"Figure": name, before: old, after: new, "Difference": moved} for name, old, new, moved in lines]


def _interval(found: Comparison) -> str:
    return f"{found.difference:+.3f} (95 % interval {found.low:+.3f} to {found.high:+.3f})"


def _counted(moved: int) -> str:
    return f"{moved:+,}" if moved else "0"
