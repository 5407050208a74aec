"""Audit: the event log, and whether the chain is whole."""

import streamlit as st

from pld_app import session
from pld_app.components.event_log import draw_chain, draw_events

st.title("Audit")
st.caption(
    "Every change is an event, written together with the change. Each event carries the hash of the one before it, so "
    "that a change to the past shows. This supports oversight duties."
)
session.app()
draw_chain()
draw_events()
