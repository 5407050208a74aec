"""Conflicts: what contradicts what, and repairs that were tried before anybody reads them."""

import streamlit as st

from pld_app import session
from pld_app.components.conflict_sources import draw_sources
from pld_app.components.frame import current_task
from pld_app.components.job_progress import draw_jobs
from pld_app.components.loop_form import KIND, draw_loop_form
from pld_app.components.loop_going_on import draw_going_on
from pld_app.components.loop_rounds import draw_loop_choice, draw_rounds
from pld_app.components.proposal_list import draw_proposals
from pld_app.components.text import plain
from pld_app.edited_trials import KIND as EDITED
from pld_app.greedy_orders import KIND as GREEDY
from pld_core.models import Task


def draw(task: Task) -> None:
    st.title(f"Conflicts: {plain(task.title)}")
    st.info(
        "A loop lets a teacher propose repairs of rules, and tries each on validation examples. **Nothing of it is in "
        "any prompt:** what somebody accepts goes to review, and holds once reviewers have approved it. Only a rule "
        "that is retired is out of force at once; the button says so.",
        icon=":material/gavel:",
    )
    store = session.app().store
    loops = store.resolutions.all(task.name)
    left, right = st.columns([5, 6], gap="medium")
    with left:
        st.header("Where conflicts are")
        sources = st.container()
    with right:
        st.header("Loops")
        draw_loop_form(task)
        draw_jobs(task.name, KIND, limit=2, none="")
        loop = draw_loop_choice(task.name, loops) if loops else None
    rounds = store.resolutions.rounds(loop.id) if loop else ()
    with sources:
        draw_sources(task, rounds)
    if loop is None:
        st.info("No loop yet. Its rounds and proposals appear here.")
        return
    score = store.resolutions.score(loop.id)
    draw_going_on(task, loop, score)
    draw_rounds(loop, rounds, score)
    for kind in (EDITED, GREEDY):
        draw_jobs(task.name, kind, limit=2, none="")
    draw_proposals(task, loop, rounds)


if (chosen := current_task()) is not None:
    draw(chosen)
