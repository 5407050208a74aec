"""What stands around every page, and what every page does where there is nothing, or something is wrong."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pld_app.wiring import App
from tests.cli.fake_ollama import FakeOllama
from tests.factories import fill, make_task, verdict_on
from tests.pages.driving import PAGES, ROOT, Visit, go, links, press, prose, raw, run, unescaped

ATTESTATION = "You act as **anna**, with all roles"


def test_every_page_file_is_tested() -> None:
    assert {file.stem for file in (ROOT / "pages").glob("*.py")} == set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_the_frame_says_who_acts_and_where(demo: App, visit: Visit, page: str, workspace_folder: Path) -> None:
    at = visit(page)
    beside = "\n".join(caption.value for caption in at.sidebar.caption)
    assert ATTESTATION in beside
    assert "no sign-in is configured" in beside
    (place,) = [caption for caption in at.sidebar.caption if caption.value.startswith("Workspace")]
    assert unescaped(place.value) == f"Workspace: {workspace_folder.name}"
    assert unescaped(place.help) == str(workspace_folder.resolve())
    assert at.sidebar.selectbox("task").value == "nda"


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ("home", "data", "audit", "settings")])
def test_a_page_about_a_task_says_where_tasks_come_from_if_there_is_none(empty: App, visit: Visit, page: str) -> None:
    at = visit(page)
    assert raw(at, "info") == ["This workspace has no task yet. Build the demo tasks or import data on the Home page."]
    assert "Go to Home" in links(at)
    assert not at.button


@pytest.mark.parametrize("page", PAGES)
def test_a_file_that_is_no_workspace_is_one_sentence(workspace_folder: Path, visit: Visit, page: str) -> None:
    workspace_folder.mkdir()
    (workspace_folder / "pld.db").write_bytes(b"this is a holiday photo")
    at = visit(page)
    assert len(at.error) == 1
    assert f"{workspace_folder / 'pld.db'}" in prose(at)
    assert len(prose(at).splitlines()) == 1
    assert not at.title
    assert not at.button


def test_a_workspace_that_is_not_there_names_the_commands_that_make_one(visit: Visit, workspace_folder: Path) -> None:
    at = visit("home")
    assert f"There is no workspace at {workspace_folder}." in prose(at)
    assert "pld demo" in prose(at)
    assert not workspace_folder.exists()


@pytest.mark.parametrize("page", [page for page in PAGES if page != "home"])
def test_a_workspace_that_is_damaged_while_the_app_runs_is_one_sentence(
    demo: App, visit: Visit, page: str, workspace_folder: Path
) -> None:
    at = visit("home")
    (workspace_folder / "pld.db").write_bytes(b"not a database any more")
    go(at, page)
    assert len(at.error) == 1
    assert "pld.db" in prose(at)


def test_a_setting_of_the_wrong_kind_is_named(empty: App, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLD_NUM_CTX", "many")
    assert "The setting num_ctx reads 'many'" in prose(visit("home"))


# --- the chosen task --------------------------------------------------------------------------------------------------


@pytest.fixture
def two_tasks(demo: App) -> App:
    """The demo, and a small task `posts`."""
    fill(demo.store)
    return demo


def test_choosing_a_task_changes_every_page_and_the_address(two_tasks: App, visit: Visit) -> None:
    at = visit("data")
    assert at.title[0].value == "Data: NDA review"
    at.sidebar.selectbox("task").select("posts")
    run(at)
    assert at.title[0].value == "Data: Posts"
    assert at.query_params["task"] == "posts"
    assert go(at, "prompt").title[0].value == "Prompt: Posts"


def test_a_link_to_a_task_opens_it(two_tasks: App, visit: Visit) -> None:
    assert visit("data", task="posts").title[0].value == "Data: Posts"


def test_a_link_to_a_rule_opens_its_task(two_tasks: App, visit: Visit) -> None:
    assert visit("home", rule="r3").sidebar.selectbox("task").value == "nda"


def test_a_link_to_a_task_that_is_not_there_opens_the_first(two_tasks: App, visit: Visit) -> None:
    at = visit("data", task="gone")
    assert at.title[0].value == "Data: NDA review"


# --- what goes wrong while somebody works -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "button"),
    [
        ("home", "build_moderation"),
        ("extract", "start_extract"),
        ("clusters", "synthesise"),
        ("clusters", "keep"),
        ("prompt", "compile"),
        ("live_test", "ask"),
        ("evaluate", "start_run"),
        ("settings", "save_students"),
    ],
)
def test_a_write_that_goes_wrong_is_one_sentence(
    compiled: App, visit: Visit, ollama: FakeOllama, page: str, button: str
) -> None:
    compiled.store.rules.judge(verdict_on(compiled.store, "R2"), compiled.actor)
    if page == "extract":
        # In the demo nothing is left to extract.
        fill(compiled.store, replace(make_task("fresh"), teacher="scripted:nda"))
    at = visit(page, task="fresh" if page == "extract" else "nda")
    if page == "settings":
        at.text_input("set_students_0_num_ctx").set_value("4096")
    if button == "keep":
        # A clustering that is kept already cannot be kept again.
        at.slider("eps_nda").set_value(0.4)
        run(at)
    head_file = compiled.store.database.head_path
    head_file.unlink()
    head_file.mkdir()
    press(at, button)
    assert len(at.error) == 1
    assert "The change was saved, but the head file pld.db.head" in prose(at)


@pytest.mark.parametrize(
    ("page", "table"),
    [
        ("home", "job"),
        ("data", "example"),
        ("extract", "teacher_call"),
        ("clusters", "micro_instruction"),
        ("review", "rule"),
        ("prompt", "prompt_version"),
        ("live_test", "prompt_version"),
        ("evaluate", "run"),
        ("settings", "role_change"),
        ("audit", "event"),
    ],
)
def test_a_table_that_cannot_be_read_is_one_sentence(
    compiled: App, visit: Visit, workspace_folder: Path, page: str, table: str
) -> None:
    at = visit("audit" if page == "home" else "home")
    with closing(sqlite3.connect(workspace_folder / "pld.db")) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO hidden")
    go(at, page)
    assert len(at.error) == 1
    assert f"no such table: {table}." in prose(at)
