"""Settings: which models are asked and what they cost, where the app listens, what reviews follow, who may do what."""

import streamlit as st

from pld_app import session
from pld_app.components.connection_tests import draw_embedder_test, draw_student_tests, draw_teacher_tests
from pld_app.components.gate_policy_form import draw_gate_policy
from pld_app.components.policy_form import draw_policy
from pld_app.components.roles_panel import draw_roles
from pld_app.components.settings_conflict import draw_conflict
from pld_app.components.settings_draft import current_view
from pld_app.components.settings_form import draw_prices, draw_reading_only, draw_section
from pld_app.components.text import plain
from pld_app.setting_fields import EMBEDDER, START, STUDENTS, TEACHER
from pld_app.settings import settings_path

st.title("Settings")
app = session.app()
now = current_view()
draft = session.settings_draft(now)
st.caption(
    f"Kept in {plain(str(settings_path(app.settings.workspace)))}. A change is in force at once, for this app and its "
    "worker; jobs that run keep what they started with. Each change is on the Audit page."
)
draw_reading_only()
draw_conflict(draft, now)
students, teacher, embedder, prices, start, policy, roles = st.tabs(
    [STUDENTS.title, TEACHER.title, EMBEDDER.title, "Prices", START.title, "Policy", "Roles"]
)
for tab, section, draw_tests in (
    (students, STUDENTS, draw_student_tests),
    (teacher, TEACHER, draw_teacher_tests),
    (embedder, EMBEDDER, draw_embedder_test),
):
    with tab:
        st.caption(section.intro)
        fields, tests = st.columns([62, 38], gap="medium")
        with fields:
            draw_section(draft, section)
        with tests:
            draw_tests(app.settings)
with prices:
    draw_prices(draft)
with start:
    st.caption(START.intro)
    draw_section(draft, START)
with policy:
    st.caption(
        "What the reviews of a task have to follow. Kept in the workspace's database, with every change, who made it "
        "and why; each change is on the Audit page."
    )
    draw_policy()
    draw_gate_policy()
with roles:
    st.caption(
        "Who may do what. Every grant and revocation is kept, with who made it and why. Sign-in itself is configured "
        "in files, as docs/sign-in.md shows."
    )
    draw_roles()
