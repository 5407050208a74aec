"""Editing the texts of a proposal and trying them again; what that came to."""

from __future__ import annotations

import streamlit as st

from pld_app import edited_trials, session
from pld_app.components.edit_panel import draw_priority
from pld_app.components.permitted import allowed
from pld_app.components.proposal_trial import draw_cases_of, draw_tried
from pld_app.components.rule_card import word_diff
from pld_app.components.text import count, plain
from pld_app.edited_trials import EditedTrial
from pld_app.proposal_view import ShownProposal
from pld_core.desk import DraftText
from pld_core.models import ORDINARY, RuleText, Split, Task
from pld_core.permissions import Step

FIELDS = ("title", "if", "then", "except", "priority")


def edit_flag(one: ShownProposal) -> str:
    """Return the switch of the form."""
    return f"retry_open_{one.key}"


def draw_edit_form(task: Task, one: ShownProposal) -> None:
    """Draw the fields of each text, and the button that orders the trial."""
    started = one.edited.edited.texts if one.edited else tuple(proposed.text for proposed in one.said.texts)
    with st.container(border=True, gap="small"):
        for place, text in enumerate(started):
            _draw_fields(task, one, place, text)
        questions = len(one.loop.basis.examples[Split.VALIDATION])
        st.caption(
            f"Trying takes at most {count(questions, 'question')} to the student and none to the teacher. The worker "
            "does it; the rule stays as it is."
        )
        st.button(
            "Try this text",
            key=f"try_{one.key}",
            type="primary",
            **allowed(Step.ACCEPT_PROPOSAL),
            on_click=_order,
            args=(one, started),
        )


def _keys(one: ShownProposal, place: int) -> dict[str, str]:
    return {name: f"retry_{name}_{place}_{one.key}" for name in FIELDS}


def _draw_fields(task: Task, one: ShownProposal, place: int, text: RuleText) -> None:
    keys, draft = _keys(one, place), DraftText.of(text)
    values = (draft.title, draft.condition, list(draft.labels), draft.exceptions, draft.priority)
    for name, value in zip(FIELDS, values, strict=True):
        session.preset_once(keys[name], value)
    st.text_input("Title", key=keys["title"], max_chars=120)
    st.text_area("IF", key=keys["if"], max_chars=1200, height=90)
    st.multiselect("THEN", task.label_names, key=keys["then"])
    st.text_area("EXCEPT (one exception a line)", key=keys["except"], height=80)
    draw_priority(keys["priority"])


def _typed(keys: dict[str, str], rationale: str) -> RuleText:
    typed = DraftText(
        session.widget(keys["title"]),
        session.widget(keys["if"]),
        session.chosen(keys["then"]),
        session.widget(keys["except"]),
        int(session.number(keys["priority"], ORDINARY)),
    )
    return typed.rule_text(rationale)


def _order(one: ShownProposal, started: tuple[RuleText, ...]) -> None:
    def ordered() -> str:
        texts = tuple(_typed(_keys(one, place), text.rationale) for place, text in enumerate(started))
        edited_trials.order(session.app(), one.loop.id, one.hash, texts)
        session.flip(edit_flag(one))
        return "The trial is ordered; its job stands above the proposals"

    session.step(ordered)


def draw_edited(task: Task, one: ShownProposal, edited: EditedTrial) -> None:
    """Draw the edited texts against the proposed ones, and their trial."""
    with st.container(border=True, gap="small"):
        st.markdown(f"**Edited by {plain(edited.edited.by)}**")
        for proposed, text in zip(one.said.texts, edited.edited.texts, strict=True):
            st.markdown(word_diff(proposed.text, text))
        if edited.tried is None:
            st.caption("Its trial has not ended.")
            return
        draw_tried(edited.tried)
        verdict = "passes" if edited.tried.result.passes else "does not pass"
        st.caption(f"It {verdict}. {plain(edited.tried.result.reason)}")
        with st.expander("What the edited text fixes and breaks"):
            draw_cases_of(task, one, edited.tried)
