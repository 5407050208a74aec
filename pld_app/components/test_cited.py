"""The rules that an answer names. That is what the student says; nobody checked that they decided it."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.remark import draw_remark
from pld_app.components.text import plain
from pld_app.live_testing import LiveTest
from pld_core.prompt_style import UNKNOWN_RULE, Style

HOW_TO_ASK = (
    "This prompt does not ask for rules. On the Prompt page, compile one with the answer “Label, then the rules”."
)


def draw_cited(task: str, test: LiveTest) -> None:
    """Draw the cited rules, each with a link to the Review page, or why there are none."""
    prompt = test.question.prompt.prompt
    if prompt.style is not Style.CITED:
        st.caption(HOW_TO_ASK if prompt.rules else "This prompt holds no rules that could be cited.")
        return
    if test.answer.label is None:
        return
    st.markdown("**Rules cited** (the student says)")
    if not test.answer.cited:
        st.caption("None: the student says that no rule decided.")
    app = session.app()
    for rule_id in test.answer.cited:
        if rule_id == UNKNOWN_RULE:
            draw_remark("orange", "One that this prompt does not hold: unknown. The raw answer shows it.")
            continue
        with st.container(gap="xsmall"):
            link = {"task": task, "rule": rule_id, "show": "All"}
            st.page_link("pages/review.py", label=rule_id, icon=":material/rule:", query_params=link)
            st.caption(plain(app.store.rules.summary(rule_id, app.actor).title))
