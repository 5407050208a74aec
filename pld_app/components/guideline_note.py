"""The guideline beside a rule: its version, its text, and what changed since the rule was decided on."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.text import day, moment, plain
from pld_app.components.text_diff import diff_texts, plain_lines
from pld_core.guideline import GuidelineVersion
from pld_core.models import RuleDossier


def draw_guideline(dossier: RuleDossier) -> None:
    """Draw the guideline in force; if the last decision on the rule was made under another, what differs."""
    history = session.app().store.guidelines.history(dossier.summary.task)
    now, before = history[0], decided_under(dossier, history)
    since = "set" if now.version == 1 else "changed"
    changed = " · **changed since the last decision**" if before else ""
    with st.expander(f"Guideline, version {now.version} ({since} {day(now.at)}){changed}", expanded=before is not None):
        if before is None:
            st.markdown(plain_lines(now.text) or "(none)")
            return
        st.caption(
            f"The last decision on this rule was made under version {before.version}. Version {now.version} is by "
            f"{plain(now.by)}, {moment(now.at)}. Why: {plain(now.reason)}"
        )
        st.markdown(diff_texts(before.text, now.text))


def decided_under(dossier: RuleDossier, history: tuple[GuidelineVersion, ...]) -> GuidelineVersion | None:
    """Return the version under which the rule was last decided on, if it is another one than the newest.

    Args:
        history: newest first.
    """
    last = dossier.decisions[-1].guideline_version if dossier.decisions else 0
    return next((version for version in history[1:] if version.version == last), None)
