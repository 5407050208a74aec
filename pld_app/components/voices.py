"""What others decided on the revision on screen: kept back, told after the own decision, or disputed."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.text import plain
from pld_app.deciding import voices_words
from pld_core.models import RuleDossier


def draw_voices(dossier: RuleDossier) -> None:
    """Draw it in one sentence, if there is something to know."""
    if said := voices_words(dossier, session.app().actor):
        icon = ":material/visibility_off:" if dossier.withheld else ":material/group:"
        st.info(plain(said), icon=icon)
