"""What stands around every page: navigation, the task, who acts, and what is wrong with the workspace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pld_app import session
from pld_app.components.sign_in import draw_person, let_in
from pld_app.components.text import plain
from pld_core.errors import PldError
from pld_core.models import Task

LOOKS = Path(__file__).with_name("looks.css")
"""What the theme in .streamlit/config.toml cannot say."""


@dataclass(frozen=True)
class PageInfo:
    """A page of the navigation."""

    file: str
    title: str
    icon: str
    path: str
    help: str
    default: bool = False


PAGES = (
    PageInfo("pages/home.py", "Home", ":material/home:", "home", "Tasks, their progress, and what to do next.", True),
    PageInfo(
        "pages/data.py", "Data", ":material/table_rows:", "data", "Examples: counts, search, one in full, import."
    ),
    PageInfo(
        "pages/extract.py", "Extract", ":material/auto_awesome:", "extract", "Let the teacher write instructions."
    ),
    PageInfo(
        "pages/clusters.py", "Clusters", ":material/bubble_chart:", "clusters", "Which instructions say the same."
    ),
    PageInfo("pages/review.py", "Review", ":material/rule:", "review", "Decide on rules, beside their evidence."),
    PageInfo(
        "pages/conflicts.py", "Conflicts", ":material/call_split:", "conflicts", "Repairs of rules, tried and proposed."
    ),
    PageInfo("pages/prompt.py", "Prompt", ":material/description:", "prompt", "Compile approved rules into a prompt."),
    PageInfo("pages/live_test.py", "Live test", ":material/play_circle:", "live-test", "Ask a student with a prompt."),
    PageInfo("pages/evaluate.py", "Evaluate", ":material/query_stats:", "evaluate", "Run a prompt over a split."),
    PageInfo("pages/errors.py", "Errors", ":material/troubleshoot:", "errors", "Find the rule behind a wrong answer."),
    PageInfo(
        "pages/audit.py", "Audit", ":material/verified_user:", "audit", "Who did what, and whether the log is whole."
    ),
    PageInfo("pages/settings.py", "Settings", ":material/settings:", "settings", "Models, connections, prices, roles."),
)


def draw_frame() -> bool:
    """Draw the sidebar; return False, with the reason on screen, if the workspace cannot be used."""
    session.note_step()
    st.html(LOOKS)
    try:
        app = session.app()
        if not let_in():
            return False
        tasks = app.store.tasks.all()
    except PldError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return False
    with st.sidebar:
        _choose_task(tasks)
        draw_person()
        folder = app.settings.workspace.resolve()
        st.caption(f"Workspace: {plain(folder.name)}", help=plain(str(folder)))
    if notice := session.take_notice():
        st.toast(plain(notice), icon=":material/check_circle:")
    if complaint := session.take_complaint():
        st.error(plain(complaint), icon=":material/error:")
    return True


def run_page(page: StreamlitPage) -> None:
    """Draw the page; what it could not read is one sentence below what it had drawn."""
    try:
        page.run()
    except PldError as error:
        st.error(plain(str(error)), icon=":material/error:")


def _choose_task(tasks: tuple[Task, ...]) -> None:
    if not tasks:
        st.caption("No task yet.")
        return
    titles = {task.name: task.title for task in tasks}
    if session.widget("task") not in titles:
        session.preset("task", _task_of_address(titles))
    elif (linked := session.task_linked_to()) in titles:
        session.preset("task", linked)
    st.selectbox(
        "Task",
        list(titles),
        format_func=lambda name: titles.get(name, name),
        key="task",
        persist_state="session",
    )
    session.note_task_in_address(session.widget("task"))


def _task_of_address(titles: dict[str, str]) -> str:
    """Return the task that the address names, by itself or by its rule; else the first."""
    named = session.address("task")
    if named in titles:
        return named
    if rule := session.address("rule"):
        try:
            return session.app().store.rules.summary(rule.upper()).task
        except PldError:
            # The review page says that there is no such rule.
            return next(iter(titles))
    return next(iter(titles))


def current_task() -> Task | None:
    """Return the chosen task, or draw what to do and return None where there is none."""
    name = session.widget("task")
    if not name:
        st.info("This workspace has no task yet. Build the demo tasks or import data on the Home page.")
        st.page_link("pages/home.py", label="Go to Home", icon=":material/home:")
        return None
    return session.app().store.tasks.get(name)
