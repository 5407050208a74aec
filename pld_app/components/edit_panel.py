"""Editing a rule: what is typed is kept as a draft at every pause, beside its length, what it changes and copies."""

from __future__ import annotations

import streamlit as st

from pld_app import session, synthesis_work
from pld_app.checking import told_after_check
from pld_app.components.permitted import allowed
from pld_app.components.rule_card import priority_words, word_diff
from pld_app.components.text import count, plain
from pld_app.session import Panel
from pld_core.desk import Draft, DraftText
from pld_core.errors import PldError
from pld_core.models import ORDINARY, PRIORITIES, RuleDossier, RuleText, Task
from pld_core.permissions import Step
from pld_core.rule_check import leaks, likely_tokens

NAMES = ("title", "if", "then", "except", "priority", "note")


def edit_keys(revision_hash: str) -> dict[str, str]:
    """Return the keys of the fields; they hold the revision, so that a draft belongs to what it changes."""
    return {name: f"edit_{name}_{revision_hash}" for name in NAMES}


def fill_fields(revision_hash: str, text: DraftText) -> None:
    """Put a text into the fields, in place of what is there."""
    keys = edit_keys(revision_hash)
    values = (text.title, text.condition, list(text.labels), text.exceptions, text.priority, text.note)
    for name, value in zip(NAMES, values, strict=True):
        session.preset(keys[name], value)


def _typed(keys: dict[str, str]) -> DraftText:
    return DraftText(
        session.widget(keys["title"]),
        session.widget(keys["if"]),
        session.chosen(keys["then"]),
        session.widget(keys["except"]),
        int(session.number(keys["priority"], ORDINARY)),
        session.widget(keys["note"]),
    )


def draw_edit(task: Task, dossier: RuleDossier, panel: Panel) -> None:
    """Draw the fields and what follows from them; the button saves."""
    app, keys, text = session.app(), edit_keys(panel.revision_hash), dossier.head.text
    kept = next(
        (d for d in app.store.desk.drafts.of_rule(panel.rule_id, app.actor) if d.base == panel.revision_hash), None
    )
    if not session.holds(*keys.values()):
        fill_fields(panel.revision_hash, kept.text if kept else DraftText.of(text))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _draw_fields(task, keys)
    typed = _typed(keys)
    with right:
        _draw_consequences(task, dossier, typed.rule_text(text.rationale))
        _keep(panel, typed, DraftText.of(text), kept)
    st.caption(
        "Saving makes a new revision, which goes back to review. An approved revision stays in force until then."
    )
    if st.button("Save as a new revision", type="primary", key="sign", **allowed(Step.EDIT)) and session.attempt(
        lambda: _save(panel, typed.rule_text(text.rationale), typed.note)
    ):
        if session.moved_on() is None:
            session.forget(*keys.values())
        else:
            session.carry_draft(*keys.values())
        st.rerun()


def _draw_fields(task: Task, keys: dict[str, str]) -> None:
    st.text_input("Title", key=keys["title"], persist_state="session", max_chars=120)
    st.text_area("IF", key=keys["if"], persist_state="session", max_chars=1200, height=110)
    st.multiselect("THEN", task.label_names, key=keys["then"], persist_state="session")
    st.text_area("EXCEPT (one exception a line)", key=keys["except"], persist_state="session", height=90)
    draw_priority(keys["priority"])
    st.text_input("Why this change", key=keys["note"], persist_state="session", max_chars=500)


def draw_priority(key: str) -> None:
    """Draw the choice of a rule's priority."""
    st.segmented_control(
        "Priority",
        list(PRIORITIES),
        format_func=priority_words,
        key=key,
        required=True,
        persist_state="session",
        help="Rules of a lower number stand earlier in the prompt. A first one overrides others; a fallback is for "
        "inputs that no other rule fits.",
    )


def _draw_consequences(task: Task, dossier: RuleDossier, text: RuleText) -> None:
    before, now = likely_tokens(dossier.head.text), likely_tokens(text)
    difference = f" ({now - before:+,})" if now != before else ""
    st.markdown(f"**About {count(now, 'token')}**{difference} :gray[in the prompt; an estimate by length]")
    st.markdown("**What changes**")
    with st.container(border=True):
        if text == dossier.head.text:
            st.caption("Nothing yet.")
        else:
            st.markdown(word_diff(dossier.head.text, text))
    found = leaks(text, dossier.examples.values(), task)
    if found:
        st.markdown(f"**Copied from {count(len(found), 'example')}** :gray[a rule should hold beyond its examples]")
        for leak in found[:4]:
            place = plain(dossier.examples[leak.example_hash].place)
            st.warning(f"{place}: {plain(leak.words)}", icon=":material/content_copy:")
        if len(found) > 4:
            st.caption(f"And {len(found) - 4} more.")
    else:
        st.caption("Nothing is copied word for word from its examples, as far as a simple check sees.")


def _keep(panel: Panel, typed: DraftText, parent: DraftText, kept: Draft | None) -> None:
    """Keep what was typed, if it says something new; a failure is told and the text stays in the fields."""
    app = session.app()
    if (kept is not None and kept.text == typed) or (kept is None and typed == parent):
        st.caption("Your draft is kept." if kept else "What you type is kept as a draft at every pause.")
        return
    try:
        app.store.desk.drafts.save(panel.rule_id, panel.revision_hash, typed, app.actor)
    except PldError as error:
        st.error(plain(f"The draft could not be kept on the server; it is still in the fields. {error}"))
        return
    st.caption("Your draft is kept; only you see it. It survives a reload and a restart.")


def _save(panel: Panel, text: RuleText, note: str) -> str:
    app = session.app()
    made, problem = synthesis_work.edit(app, panel.rule_id, panel.revision_hash, panel.state, text, note)
    app.store.desk.drafts.discard(panel.rule_id, panel.revision_hash, app.actor)
    told = told_after_check(app, made.rule_id)
    return told or f"{made.rule_id} revision {made.number} is in review. {problem}".strip()
