"""Changing the guideline of a task: what goes stale is listed before it is saved; every version stays."""

from __future__ import annotations

from itertools import pairwise

import streamlit as st

from pld_app import session
from pld_app.components.text import count, moment, plain
from pld_app.components.text_diff import diff_texts
from pld_core.errors import PldError
from pld_core.guideline import LONGEST, GuidelineVersion, is_same
from pld_core.models import Task
from pld_core.permissions import PERMITTED, Step, permits, role_words
from pld_core.staleness import Effects


def draw_guideline_form(task: Task) -> None:
    """Draw the guideline in force, to read or to change, and its earlier versions."""
    history = session.app().store.guidelines.history(task.name)
    st.header("Guideline")
    st.caption(version_line(history[0]))
    st.caption("It stands in every prompt, for teacher and student alike. A change makes every approved rule stale.")
    if permits(session.app().actor, Step.CHANGE_GUIDELINE):
        _draw_fields(task, history)
    else:
        st.text(history[0].text or "(none)")
        st.caption(f"Changing it takes the role {role_words(PERMITTED[Step.CHANGE_GUIDELINE])}.")
    _draw_history(history)


def version_line(version: GuidelineVersion) -> str:
    """Return who set a version when and why, as escaped Markdown."""
    why = f". Why: {plain(version.reason)}" if version.reason else ""
    return f"Version {version.version}, by {plain(version.by)}, {moment(version.at)}{why}"


def draw_effects(effects: Effects) -> None:
    """Draw what saving would do, before it is saved."""
    words = f"Saving this {plain(effects.words)}."
    if effects.consequences:
        st.warning(
            f"{words} Stale rules are in no new prompt until they are approved again.", icon=":material/history:"
        )
    else:
        st.info(words)


def _draw_fields(task: Task, history: tuple[GuidelineVersion, ...]) -> None:
    now = history[0]
    text_key, reason_key, seen_key = (f"guideline_{part}_{task.name}" for part in ("text", "reason", "seen"))
    seen = next((v for v in history if v.version == session.number(seen_key)), now)
    if not session.holds(text_key) or is_same(session.widget(text_key), seen.text):
        # Nothing was typed yet: the fields follow what is in force.
        seen = now
        session.preset(seen_key, now.version)
        if not is_same(session.widget(text_key), now.text):
            session.preset(text_key, now.text)
    st.text_area("Text", key=text_key, height=200, max_chars=LONGEST, persist_state="session")
    typed = session.widget(text_key)
    if seen.version != now.version:
        st.warning(
            f"Meanwhile version {now.version} came into force, by {plain(now.by)}. What you wrote is kept. Below "
            f"stands how it differs from version {now.version}.",
            icon=":material/sync_problem:",
        )
    if is_same(typed, now.text):
        st.caption("Nothing is changed yet. What a change makes stale is listed here before you save it.")
        return
    draw_effects(session.app().store.guidelines.effects(task.name, typed))
    st.text_input("Why this change", key=reason_key, placeholder="Kept with the version", max_chars=500)
    with st.container(horizontal=True):
        st.button(
            "Save as a new version",
            type="primary",
            key="guideline_save",
            on_click=_save,
            args=(task.name, now.version, text_key, reason_key),
        )
        st.button("Discard what I wrote", key="guideline_discard", on_click=session.forget, args=(text_key, reason_key))
    with st.container(border=True):
        st.caption(f"What changes against version {now.version}")
        st.markdown(diff_texts(now.text, typed))


def _save(task: str, seen: int, text_key: str, reason_key: str) -> None:
    app = session.app()
    try:
        version, effects = app.store.guidelines.change(
            task, seen, session.widget(text_key), session.widget(reason_key), app.actor
        )
    except PldError as error:
        session.complain(error)
        return
    session.forget(text_key, reason_key)
    session.notify(f"Version {version.version} of the guideline is in force. That {effects.words}.")


def _draw_history(history: tuple[GuidelineVersion, ...]) -> None:
    if len(history) == 1:
        return
    with st.expander(f"Earlier versions ({count(len(history) - 1, 'change')})"):
        for newer, older in pairwise(history):
            st.markdown(f"**{version_line(newer)}**")
            st.markdown(diff_texts(older.text, newer.text))
        st.markdown(f"**{version_line(history[-1])}**")
        st.text(history[-1].text or "(none)")
