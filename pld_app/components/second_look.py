"""A rejection that was drawn for a second look: its reason, and two equal answers."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pld_app import session
from pld_app.components.text import moment, plain, words
from pld_core.models import RuleDossier
from pld_core.permissions import Step, permits
from pld_core.second_look import LookOutcome, SecondLook


def draw_second_look(dossier: RuleDossier) -> None:
    """Draw the second look at the newest revision's rejection, if it was drawn."""
    app = session.app()
    looks = app.store.desk.second_looks.of_rule(dossier.summary.id)
    look = next((look for look in looks if look.rejection.revision_hash == dossier.head.hash), None)
    if look is None:
        return
    with st.container(border=True, key="second_look", gap="small"):
        st.markdown(":violet[:material/find_in_page:] **Drawn by lot for a second look**")
        st.markdown(_rejection(look))
        if look.outcome is not None:
            verb = "found it right" if look.outcome is LookOutcome.CONFIRM else "reopened it"
            st.markdown(f"{plain(look.by)} {verb}, {moment(look.at)}: {plain(look.reason)}")
        elif look.rejection.reviewer == app.actor.name:
            st.caption("You rejected it, so somebody else looks.")
        elif permits(app.actor, Step.SECOND_LOOK):
            _draw_answers(dossier)


def _rejection(look: SecondLook) -> str:
    made = look.rejection
    category = f" ({words(made.category.value)})" if made.category else ""
    return f"{plain(made.reviewer)} rejected it{category}, {moment(made.decided_at)}: {plain(made.reason)}"


def _draw_answers(dossier: RuleDossier) -> None:
    key = f"look_reason_{dossier.head.hash}"
    st.markdown("Was that right? Read the evidence first, as if nobody had decided.")
    st.text_area("Reason, in your own words", key=key, persist_state="session", max_chars=2000, height=70)
    columns = st.columns(2, gap="xsmall")
    for column, label, name, help_, answer in (
        (columns[0], "The rejection stands", "look_confirm", "It stays rejected; your reason is kept.", _confirm),
        (columns[1], "Reopen it", "look_reopen", "The same text goes into review again, as a new revision.", _reopen),
    ):
        column.button(label, key=name, width="stretch", help=help_, on_click=answer, args=(dossier, key))


def _confirm(dossier: RuleDossier, key: str) -> None:
    app = session.app()

    def confirm() -> str:
        app.store.desk.second_looks.confirm(dossier.summary.id, dossier.head.hash, session.widget(key), app.actor)
        return f"The rejection of {dossier.summary.id} stands"

    _answer(confirm, key)


def _reopen(dossier: RuleDossier, key: str) -> None:
    app = session.app()

    def reopen() -> str:
        new = app.store.desk.second_looks.reopen(dossier.summary.id, dossier.head.hash, session.widget(key), app.actor)
        return f"{new.rule_id} is in review again, as revision {new.number}"

    _answer(reopen, key)


def _answer(step: Callable[[], str], key: str) -> None:
    def answered() -> str:
        told = step()
        session.forget(key)
        return told

    session.step(answered)
