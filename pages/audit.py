"""Audit: whether the chain is whole, the event log, the pack for an auditor, and figures on the oversight."""

import streamlit as st

from pld_app import session
from pld_app.components.audit_pack import draw_pack
from pld_app.components.event_log import draw_chain, draw_events
from pld_app.components.frame import current_task
from pld_app.components.oversight_view import draw_oversight

LOG, PACK, OVERSIGHT = "Event log", "Audit pack", "Oversight"

st.title("Audit")
st.caption(
    "Every change is an event, written together with the change. Each event carries the hash of the one before it, so "
    "that a change to the past shows. This supports oversight duties."
)
session.app()
draw_chain()
view = st.segmented_control(
    "View",
    [LOG, PACK, OVERSIGHT],
    default=LOG,
    required=True,
    key="audit_view",
    bind="query-params",
    label_visibility="collapsed",
)
if view == LOG:
    draw_events()
elif (chosen := current_task()) is not None:
    if view == PACK:
        draw_pack(chosen)
    else:
        draw_oversight(chosen)
