"""An import in a real browser: from an empty workspace and a messy file to examples on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.conftest import Served, Visitor, visiting
from tests.pages.filling import MESSY

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def first_visitor(browser: Browser, served_empty: Served) -> Iterator[Visitor]:
    with visiting(browser, served_empty) as opened:
        yield opened


def test_a_messy_file_becomes_a_task_with_examples(first_visitor: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "complaints.csv"
    file.write_text(MESSY, encoding="utf-8")
    page = first_visitor.page
    first_visitor.go("data")
    page.locator("input[type=file]").set_input_files(file)
    name = page.locator(".st-key-import_name input")
    name.fill("complaints")
    name.press("Tab")
    page.locator(".st-key-check_file button:enabled").click()
    page.get_by_role("tab", name="Refused (4)").wait_for()
    first_visitor.settle()
    assert page.locator(".st-key-import_go button:enabled").count() == 0
    first_visitor.click("divide_anew")
    page.locator(".st-key-import_go button:enabled").wait_for()
    first_visitor.settle()
    first_visitor.click("accept_merges")
    page.get_by_role("tab", name="Refused (2)").wait_for()
    first_visitor.settle()
    page.get_by_role("button", name="Import 6 examples into complaints and leave 2 rows out").click()
    page.get_by_role("heading", name="Data: complaints").wait_for()
    page.get_by_text("4 examples. Choose a row to read it in full.").wait_for()
    page.get_by_text("1 text has more than one label").wait_for()
    page.get_by_text("From row 2 of complaints.csv").wait_for()
    first_visitor.settle()
    assert not first_visitor.outside
    assert not first_visitor.page_errors
    assert page.get_by_test_id("stException").count() == 0
