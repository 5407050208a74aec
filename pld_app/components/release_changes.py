"""What a release would change for the student: the rules first, then the text."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.text import plain, short_hash
from pld_app.components.text_diff import diff_texts
from pld_core.models import CompiledPrompt, PromptVersion, Task
from pld_core.releases import Release


def draw_changes(task: Task, version: PromptVersion, production: Release | None) -> None:
    """Draw the rules that come, go and change against production, then the text."""
    st.markdown("**2. What changes against production**")
    if production is None:
        st.caption("No version is in production yet, so all of it is new.")
        return
    if production.version == version.number:
        st.caption("This version is in production.")
        return
    old, new = session.app().store.prompts.get(task.name, production.version).prompt, version.prompt
    for line in _rule_lines(old, new):
        st.markdown(line)
    st.caption(
        f"Against version {production.version}, {short_hash(old.sha256)}. "
        "Rules whose place alone changed are in the text."
    )
    with st.expander("The text, with what goes struck through and what comes in bold"):
        st.markdown(diff_texts(old.text, new.text))


def _rule_lines(old: CompiledPrompt, new: CompiledPrompt) -> list[str]:
    """Return a line of Markdown for each rule that comes, goes or reads differently."""
    before = {rule.rule_id: rule.revision_hash for rule in old.rules}
    after = {rule.rule_id: rule.revision_hash for rule in new.rules}
    lines = [f"- :green[**comes**] {_named(rule)}" for rule in after if rule not in before]
    lines += [f"- :red[**goes**] {_named(rule)}" for rule in before if rule not in after]
    lines += [f"- **changes** {_named(rule)}" for rule in after if rule in before and after[rule] != before[rule]]
    return lines or ["- The same rules, as they read."]


def _named(rule_id: str) -> str:
    title = session.app().store.rules.summary(rule_id, session.app().actor).title
    return f"{rule_id} {plain(title)}"
