"""Jobs in a real browser: an empty workspace gets its demo, progress survives page switches and F5."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.e2e.conftest import Served, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def first_visitor(browser: Browser, served_empty: Served) -> Iterator[Visitor]:
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    yield Visitor(context.new_page(), served_empty)
    context.close()


def test_an_empty_workspace_builds_a_demo_task_by_one_click(first_visitor: Visitor) -> None:
    page = first_visitor.page
    first_visitor.go("")
    first_visitor.click("build_nda")
    page.get_by_role("link", name="Review 13 rules").wait_for()
    first_visitor.go("review?task=nda")
    page.locator(".st-key-rule_card").wait_for()


@pytest.mark.student
def test_a_run_shows_progress_survives_reload_and_can_be_cancelled_and_continued(
    served: Served, visitor: Visitor
) -> None:
    for rule in ("R1", "R4"):
        assert served.pld("rules", "approve", rule).returncode == 0
    assert served.pld("compile", "--task", "nda").returncode == 0
    page = visitor.page
    visitor.go("evaluate?task=nda")
    visitor.click("start_run")
    page.get_by_text("examples answered").first.wait_for()
    visitor.go("?task=nda")
    page.get_by_text("examples answered").first.wait_for()
    page.reload()
    visitor.go("evaluate?task=nda")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("is complete").first.wait_for(timeout=180_000)
    visitor.settle()
    page.get_by_text("33 of 33").wait_for()
    assert page.get_by_text("is complete").count() == 1
