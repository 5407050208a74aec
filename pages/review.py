"""Review: the queue, the evidence, the rule, and the decision."""

import streamlit as st

from pld_app import session
from pld_app.components.decision_panel import draw_open_panel
from pld_app.components.evidence_card import draw_evidence
from pld_app.components.frame import current_task
from pld_app.components.queue import draw_queue, queue_filter
from pld_app.components.review_bar import draw_bar
from pld_app.components.rule_card import draw_moved_on, draw_rule
from pld_app.components.rule_notes import added_since
from pld_app.components.text import plain
from pld_core.errors import NotFound
from pld_core.models import Task


def draw(task: Task) -> None:
    store = session.app().store
    left, centre, right = st.columns([21, 44, 35], gap="small")
    with left:
        rule_id = draw_queue(task)
    if rule_id is None:
        return
    try:
        dossier = store.rules.dossier(rule_id)
    except NotFound as error:
        centre.warning(plain(str(error)))
        return
    trace = store.lineage.trace(dossier.summary.id)
    before, after = store.rules.neighbours(dossier.summary.id, queue_filter())
    session.first_seen(dossier)
    with centre:
        if (refused := session.moved_on()) is not None and refused.seen.rule_id == dossier.summary.id:
            draw_moved_on(refused)
            st.button("Understood, show me the rule as it is now", on_click=session.dismiss_moved_on)
        with st.container(height=600, border=False, key="evidence"):
            draw_evidence(dossier, added_since(dossier, trace))
    with right:
        draw_rule(dossier, trace)
    draw_bar(dossier, before, after)
    draw_open_panel(task, dossier, after)


if (chosen := current_task()) is not None:
    draw(chosen)
