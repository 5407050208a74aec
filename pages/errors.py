"""Errors: which rule is behind the wrong answers of a run, in charts that lead to the examples and to the rule."""

import streamlit as st

from pld_app.components.errors_choice import drop_choice_of_another_task
from pld_app.components.errors_examples import draw_chosen
from pld_app.components.errors_ground import draw_ground
from pld_app.components.errors_left_out import draw_left_out
from pld_app.components.errors_views import draw_views
from pld_app.components.frame import current_task
from pld_app.components.text import plain
from pld_core.attribution import Method
from pld_core.models import Task


def draw(task: Task) -> None:
    st.title(f"Errors: {plain(task.title)}")
    drop_choice_of_another_task(task)
    ground = draw_ground(task)
    if ground is None:
        return
    if ground.method is Method.ABLATION:
        draw_left_out(task, ground)
        return
    left, right = st.columns([63, 37], gap="medium")
    with left:
        shown = draw_views(task, ground)
    with right:
        draw_chosen(task, ground, shown)


if (chosen := current_task()) is not None:
    draw(chosen)
