"""Jobs in a real browser: an empty workspace gets its demo, progress survives page switches and F5."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.cli.fake_ollama import FakeOllama, fake_ollama, use_student
from tests.e2e.conftest import Served, Visitor, serve, visiting

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PATIENCE_S = 60.0
BEFORE_THE_GATE = 5


@pytest.fixture
def first_visitor(browser: Browser, served_empty: Served) -> Iterator[Visitor]:
    with visiting(browser, served_empty) as opened:
        yield opened


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with fake_ollama() as running:
        yield running


@pytest.fixture
def served_with_ollama(demo_workspace: Path, tmp_path: Path, ollama: FakeOllama) -> Iterator[Served]:
    workspace = tmp_path / "workspace"
    shutil.copytree(demo_workspace, workspace)
    use_student(workspace, ollama.url)
    yield from serve(workspace, tmp_path / "serve.log", ollama.url)


def test_an_empty_workspace_builds_a_demo_task_by_one_click(first_visitor: Visitor) -> None:
    page = first_visitor.page
    first_visitor.go("")
    first_visitor.click("build_nda")
    page.get_by_role("link", name="Review 13 rules").wait_for()
    first_visitor.go("review?task=nda")
    page.locator(".st-key-rule_card").wait_for()


def test_a_run_shows_progress_survives_reload_and_can_be_cancelled_and_continued(
    browser: Browser, served_with_ollama: Served, ollama: FakeOllama
) -> None:
    gate = threading.Event()

    def hold(number: int) -> None:
        if number > BEFORE_THE_GATE:
            gate.wait(PATIENCE_S)

    ollama.before = hold
    for rule in ("R1", "R4"):
        assert served_with_ollama.pld("rules", "approve", rule).returncode == 0
    assert served_with_ollama.pld("compile", "--task", "nda").returncode == 0
    with visiting(browser, served_with_ollama) as visitor:
        page = visitor.page
        visitor.go("evaluate?task=nda")
        visitor.click("start_run")
        page.get_by_text("5 of 33 answered").first.wait_for()
        visitor.go("?task=nda")
        page.get_by_text("5 of 33 answered").first.wait_for()
        page.reload()
        visitor.go("evaluate?task=nda")
        page.get_by_role("button", name="Cancel").click()
        gate.set()
        page.get_by_role("button", name="Continue").wait_for()
        # As a person who sees it does: a press in the moment in which the page is drawn anew can still be lost.
        visitor.settle()
        page.get_by_role("button", name="Continue").click()
        page.get_by_text("Run 1 is complete").wait_for()
        # Not "33 of 33 answered", which stands at the job for as long as the run goes on.
        page.get_by_text("33 of 33", exact=True).wait_for()
        visitor.settle()
        assert page.get_by_text("is complete").count() == 1
    # Nothing is asked twice, but for those that were under way when the run was cancelled.
    assert 33 <= len(ollama.asked) <= 33 + BEFORE_THE_GATE
