"""Two short panels: asking somebody else for a look, and taking back one's own decision."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.begun import begun_in, decision_keys, fill_begun, keep_begun
from pld_app.components.permitted import allowed
from pld_app.components.signature_card import draw_sign_button, draw_signature
from pld_app.components.text import plain
from pld_app.session import Panel
from pld_core.models import RuleDossier
from pld_core.permissions import Step


def draw_second_opinion(dossier: RuleDossier, panel: Panel) -> None:
    """Draw the note to whoever looks next; asking decides nothing."""
    st.markdown("The rule goes to the tab **Second review** with your note, until somebody else decides on it.")
    key = f"second_note_{panel.revision_hash}"
    st.text_area("What should they look at", key=key, persist_state="session", max_chars=500)
    if st.button("Ask for a second opinion", type="primary", key="sign", **allowed(Step.ASK_OPINION)):
        app = session.app()

        def ask() -> str:
            app.store.desk.queue.ask_second_opinion(panel.rule_id, panel.revision_hash, session.widget(key), app.actor)
            return f"{dossier.summary.id} waits for a second opinion"

        if session.attempt(ask):
            st.rerun()


def draw_withdraw(dossier: RuleDossier, panel: Panel) -> None:
    """Draw what withdrawing means; the decision stays on record."""
    in_force = panel.revision_hash == dossier.summary.in_force
    st.markdown(
        "Your decision stays on record, marked as withdrawn, and the revision goes back to review."
        + (" It **leaves force** at once; prompts that are compiled already do not change." if in_force else "")
    )
    kept, key = fill_begun(panel), decision_keys(panel.kind, panel.revision_hash)[0]
    reason = st.text_area("Why, in your own words", key=key, persist_state="session", max_chars=2000, height=90)
    typed = keep_begun(panel, kept)
    draw_signature(dossier, panel)
    if draw_sign_button("Sign and withdraw my decision", Step.WITHDRAW, dossier, begun_in(panel, typed)):
        app = session.app()

        def withdraw() -> str:
            number = app.store.desk.queue.withdraw(panel.rule_id, panel.revision_hash, panel.state, reason, app.actor)
            session.forget(key)
            return f"Decision {number} is withdrawn; {panel.rule_id} is in review"

        session.attempt(withdraw)
        st.rerun()


def draw_second_opinions(dossier: RuleDossier) -> None:
    """Draw who asked for a look at the newest revision, and why."""
    app = session.app()
    for asked in app.store.desk.queue.second_opinions(dossier.summary.id, app.actor):
        st.info(f"{plain(asked.by)} asks for a second opinion: {plain(asked.note)}", icon=":material/group:")
