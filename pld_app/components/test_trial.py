"""Switching rules of a prompt off for one question, to see whether the answer changes."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pld_app import live_prompts, session
from pld_app.components.finding_form import LISTED_RULES
from pld_app.components.permitted import allowed
from pld_app.components.text import plain
from pld_app.live_prompts import AskedPrompt
from pld_core.errors import PldError
from pld_core.models import Task
from pld_core.permissions import Step


def draw_trial(task: Task, prompts: Sequence[AskedPrompt], ready: bool) -> tuple[AskedPrompt, ...]:
    """Draw the choice of rules to switch off; return the prompt and its trial when the button was pressed.

    Args:
        prompts: those that are chosen above.
    """
    with st.expander("Switch rules off, and see whether the answer changes"):
        having = {one.key: one for one in prompts if one.prompt.rules}
        if not having:
            st.caption("Choose a prompt that holds rules first.")
            return ()
        key = st.selectbox(
            "Prompt", list(having), format_func=lambda k: having[k].title, key=f"trial_prompt_{task.name}"
        )
        base = having[key]
        gone = _draw_rules(base, f"trial_rules_{task.name}_{key}")
        asked = st.button("Ask with and without them", key="ask_trial", **allowed(Step.ASK, ready and bool(gone)))
        st.caption("A trial is recorded word for word, but is not a version: it cannot be released.")
    if not asked:
        return ()
    try:
        return base, live_prompts.trial_of(base, gone)
    except PldError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return ()


def _draw_rules(base: AskedPrompt, key: str) -> list[str]:
    rules = [rule.rule_id for rule in base.prompt.rules]
    if len(rules) > LISTED_RULES:
        return st.multiselect(
            "Rules to switch off", [], key=key, accept_new_options=True, placeholder="Type the ids of rules, such as R1"
        )
    titles = session.app().store.rules.titles(rules)
    return st.multiselect(
        "Rules to switch off",
        rules,
        format_func=lambda rule_id: f"{rule_id} {titles.get(rule_id, '')}".strip(),
        key=key,
        placeholder="Choose rules",
    )
