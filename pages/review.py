"""Review: the queue, the evidence, the rule, and the decision."""

import streamlit as st

from pld_app import session
from pld_app.components.begun_notice import draw_begun
from pld_app.components.check_figures import draw_closed_check
from pld_app.components.comment_list import draw_comments, holds_linked
from pld_app.components.decision_panel import draw_open_panel
from pld_app.components.desk_panels import draw_second_opinions
from pld_app.components.draft_notice import draw_drafts
from pld_app.components.effect_panel import draw_effect
from pld_app.components.evidence_card import draw_evidence
from pld_app.components.finding_list import draw_findings
from pld_app.components.frame import current_task
from pld_app.components.guideline_note import draw_guideline
from pld_app.components.mentions import draw_mentions
from pld_app.components.queue import desk_filter, draw_queue, draw_tabs
from pld_app.components.review_bar import draw_bar
from pld_app.components.rule_card import draw_history, draw_moved_on, draw_rule
from pld_app.components.rule_desk import SHOW_DIFF, draw_kin, draw_people, draw_steps
from pld_app.components.rule_notes import added_since, draw_evidence_change, draw_overlaps, draw_setbacks
from pld_app.components.second_look import draw_second_look
from pld_app.components.sheet_menu import draw_sheet_menu
from pld_app.components.text import plain
from pld_app.components.voices import draw_voices
from pld_core.errors import NotFound
from pld_core.models import Task


def draw(task: Task) -> None:
    app = session.app()
    desk = app.store.desk
    with st.container(horizontal=True, vertical_alignment="center"):
        draw_tabs()
        draw_mentions(task)
    left, centre, right = st.columns([21, 44, 35], gap="small")
    with left:
        rule_id = draw_queue(task)
        draw_sheet_menu(task)
    if rule_id is None:
        return
    try:
        dossier = app.store.rules.dossier(rule_id, app.actor)
    except NotFound as error:
        centre.warning(plain(str(error)))
        return
    rule = dossier.summary.id
    lease, row = desk.queue.open(rule, app.actor), desk.queue.row(rule, app.actor)
    trace, comments = app.store.lineage.trace(rule, app.actor), desk.comments.of_rule(rule, app.actor)
    before, after = desk.queue.neighbours(rule, desk_filter(), app.actor)
    session.first_seen(dossier)
    session.note_step(dossier.head.hash)
    with centre:
        if (refused := session.moved_on()) is not None and refused.seen.rule_id == rule:
            draw_moved_on(refused)
            st.button("Understood, show me the rule as it is now", on_click=session.dismiss_moved_on)
        with st.container(height=540, border=False, key="evidence"):
            draw_evidence(dossier, comments, added_since(dossier, trace))
    with right:
        if holds_linked(comments):
            draw_comments(dossier, comments)
        draw_people(row, lease)
        draw_closed_check(rule)
        draw_drafts(dossier)
        draw_voices(dossier)
        draw_second_look(dossier)
        draw_begun(dossier)
        draw_second_opinions(dossier)
        draw_findings(dossier)
        draw_setbacks(dossier, trace)
        draw_evidence_change(dossier, trace)
        draw_rule(dossier, trace, session.flag(SHOW_DIFF))
        draw_effect(task, dossier)
        draw_guideline(dossier)
        draw_steps(dossier, row)
        draw_overlaps(dossier)
        draw_kin(dossier)
        if not holds_linked(comments):
            draw_comments(dossier, comments)
        draw_history(dossier, desk.queue.withdrawn(rule), app.store.rules.signatures(dossier.decisions))
    draw_bar(dossier, before, after)
    draw_open_panel(task, dossier, after)


if (chosen := current_task()) is not None:
    draw(chosen)
