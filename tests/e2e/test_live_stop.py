"""Stopping a live test in a real browser, where the next run of the page begins before the one that asks has ended."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from storage import open_store
from tests.cli.fake_ollama import FakeOllama, fake_ollama, use_student
from tests.e2e.conftest import Served, Visitor, serve, visiting
from tests.factories import BERT, url_of, verdict_on

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PATIENCE_S = 60.0


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with fake_ollama() as running:
        running.holds = True
        yield running


@pytest.fixture
def served_with_prompt(demo_workspace: Path, tmp_path: Path, ollama: FakeOllama) -> Iterator[Served]:
    """The demo with prompt version 1, and a student whose answers never end."""
    workspace = tmp_path / "workspace"
    shutil.copytree(demo_workspace, workspace)
    use_student(workspace, ollama.url)
    store = open_store(url_of(workspace / "pld.db"))
    store.rules.judge(verdict_on(store, "R1"), BERT)
    for served in serve(workspace, tmp_path / "serve.log", ollama.url):
        assert served.pld("compile", "--task", "nda").returncode == 0
        yield served


def asked_and_begun(visitor: Visitor) -> None:
    visitor.go("live-test?task=nda")
    visitor.click("ask")
    visitor.page.locator(".st-key-result_0").get_by_text('{"la').wait_for()


def test_stop_hangs_up_and_shows_what_came(browser: Browser, served_with_prompt: Served, ollama: FakeOllama) -> None:
    with visiting(browser, served_with_prompt) as visitor:
        asked_and_begun(visitor)
        assert not ollama.hung_up.is_set()
        visitor.click("stop")
        result = visitor.page.locator(".st-key-result_0")
        result.get_by_text("stopped: no label").wait_for()
        visitor.settle()
        assert '{"la' in result.inner_text()
        assert "Not asked" in visitor.page.locator(".st-key-result_1").inner_text()
        assert visitor.page.locator(".st-key-stop").count() == 0
    assert ollama.hung_up.wait(PATIENCE_S)
    assert len(ollama.asked) == 1


def test_going_to_another_page_stops_it_too(browser: Browser, served_with_prompt: Served, ollama: FakeOllama) -> None:
    with visiting(browser, served_with_prompt) as visitor:
        asked_and_begun(visitor)
        visitor.page.get_by_role("link", name="Prompt").click()
        assert ollama.hung_up.wait(PATIENCE_S)
        visitor.page.get_by_role("link", name="Live test").click()
        visitor.page.get_by_text("stopped: no label").wait_for()
    assert len(ollama.asked) == 1
