"""The app: page configuration and navigation, nothing else."""

import streamlit as st

from pld_app import session
from pld_app.components.frame import PAGES, draw_frame, run_page
from pld_app.components.sign_in import navigation_position

st.set_page_config(page_title="pld-review", page_icon="⚖️", layout="wide", initial_sidebar_state=220)
page = st.navigation(
    [st.Page(p.file, title=p.title, icon=p.icon, url_path=p.path, default=p.default, help=p.help) for p in PAGES],
    position=navigation_position(),
)
with session.reading():
    if draw_frame():
        run_page(page)
