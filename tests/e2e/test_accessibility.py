"""Every page and panel by axe in light and dark, the order of focus, and keys that rest while somebody types."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from pld_core.begun import BegunDecision, BegunText
from pld_core.models import SYSTEM, Actor, Role, Verdict, evidence_set_hash
from pld_core.policy import PLAIN, Policy
from pld_core.review import Action
from storage import open_store
from tests.e2e.axe import contrast_faults, faults
from tests.e2e.conftest import Served, Visitor, serve, visiting
from tests.factories import BERT, url_of, verdict_on

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PATHS = (
    *("", "data", "extract", "clusters", "review", "conflicts"),
    *("prompt", "live-test", "evaluate", "errors", "audit", "settings"),
)
VIEWS = {
    "label conflicts": ("data?task=nda&view=Label+conflicts", "No text has more than one label."),
    "guideline and labels": ("data?task=nda&view=Guideline+and+labels", "Nothing is changed yet."),
    "audit pack": ("audit?task=nda&audit_view=Audit+pack", "in one file, for an auditor"),
    "oversight": ("audit?task=nda&audit_view=Oversight", "How the deciding itself went"),
    "an approved rule": ("review?task=nda&rule=R1&show=All", "I have read this revision"),
    "a second look": ("review?task=nda&rule=R2&show=All", "Drawn by lot for a second look"),
    "a decision that is begun": ("review?task=nda&rule=R3&show=All", "You began to reject"),
}
"""What was decided, by address, with words that are on the screen."""
PANELS = {
    "approve": "bar_approve",
    "edit": "bar_edit",
    "reject": "bar_reject",
    "second opinion": "bar_second",
    "split": "rule_split",
    "help": "bar_help",
}


@pytest.fixture(scope="module")
def empty_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    place = tmp_path_factory.mktemp("empty")
    yield from serve(place / "workspace", place / "serve.log")


@pytest.fixture(scope="module")
def decided(demo_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo in which Bert has approved R1 and rejected R2, drawn for a second look; Ada has begun to reject R3."""
    place = tmp_path_factory.mktemp("decided")
    shutil.copytree(demo_workspace, place / "workspace")
    store, ada = open_store(url_of(place / "workspace/pld.db")), Actor("Ada Reviewer", frozenset(Role))
    store.policies.change("nda", PLAIN, Policy(second_look=100), "every rejection is looked at again", ada)
    store.rules.judge(verdict_on(store, "R1"), BERT)
    store.rules.judge(verdict_on(store, "R2", Verdict.REJECT, "It decides too much."), BERT)
    seen = store.rules.dossier("R3", ada)
    text, evidence = BegunText("It says more than its examples."), evidence_set_hash(seen.evidence)
    begun = BegunDecision("R3", seen.head.hash, Action.REJECT, text, evidence, "2026-01-02T03:04:05Z")
    store.desk.begun.keep(begun, ada)
    yield from serve(place / "workspace", place / "serve.log")


@pytest.fixture(scope="module")
def first_onlooker(browser: Browser, decided: Served) -> Iterator[Visitor]:
    with visiting(browser, decided) as opened:
        yield opened


@pytest.fixture
def onlooker(first_onlooker: Visitor) -> Visitor:
    """Somebody who looks at what was decided, in light again."""
    first_onlooker.page.emulate_media(color_scheme="light")
    return first_onlooker


@pytest.fixture(scope="module")
def first_reader(browser: Browser, served_for_reading: Served) -> Iterator[Visitor]:
    """One browser session for all tests of this file: each new one would load the whole front end again."""
    with visiting(browser, served_for_reading) as opened:
        yield opened


@pytest.fixture
def reader(first_reader: Visitor) -> Visitor:
    """The visitor, in light again."""
    first_reader.page.emulate_media(color_scheme="light")
    return first_reader


def assert_accessible(visitor: Visitor) -> None:
    """Look with axe at what is on the screen in light, then at its colours in dark."""
    assert faults(visitor.page) == []
    visitor.page.emulate_media(color_scheme="dark")
    visitor.page.wait_for_function("matchMedia('(prefers-color-scheme: dark)').matches")
    visitor.page.locator("[data-testid=stApp]").wait_for()
    visitor.page.wait_for_function(
        "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor === 'rgb(18, 23, 30)'"
    )
    assert contrast_faults(visitor.page) == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path or "home")
def test_a_page_of_the_demo(reader: Visitor, path: str) -> None:
    reader.go(f"{path}?task=nda")
    assert_accessible(reader)


@pytest.mark.parametrize(("path", "words"), VIEWS.values(), ids=VIEWS.keys())
def test_a_view_of_what_was_decided(onlooker: Visitor, path: str, words: str) -> None:
    onlooker.go(path)
    onlooker.page.get_by_text(words).first.wait_for(state="attached")
    assert_accessible(onlooker)


def test_every_tab_of_the_settings(onlooker: Visitor) -> None:
    onlooker.go("settings?task=nda")
    tabs = onlooker.page.get_by_role("tab")
    assert tabs.count() == 7
    for at in range(tabs.count()):
        onlooker.page.emulate_media(color_scheme="light")
        tabs.nth(at).click()
        onlooker.settle()
        assert_accessible(onlooker)


def test_measuring_the_effect_and_the_menu_of_the_sheet(reader: Visitor) -> None:
    reader.go("review?task=nda&rule=R7&show=All")
    reader.click("effect_open")
    reader.page.locator(".st-key-effect_close").wait_for()
    reader.settle()
    assert_accessible(reader)
    reader.page.emulate_media(color_scheme="light")
    reader.click("sheet_menu")
    reader.page.locator(".st-key-sheet_upload").wait_for()
    reader.settle()
    assert_accessible(reader)


def test_an_empty_workspace(browser: Browser, empty_place: Served) -> None:
    with visiting(browser, empty_place) as visitor:
        for path in ("", "data", "review", "audit"):
            visitor.page.emulate_media(color_scheme="light")
            visitor.go(path)
            assert_accessible(visitor)


@pytest.mark.parametrize("button", PANELS.values(), ids=PANELS.keys())
def test_an_open_panel(reader: Visitor, button: str) -> None:
    reader.go("review?task=nda&rule=R7&show=All")
    reader.click(button)
    reader.panel_opens()
    assert_accessible(reader)


def test_tab_goes_from_the_queue_over_evidence_and_rule_to_the_bar(reader: Visitor) -> None:
    reader.go("review?task=nda&rule=R7&show=All")
    reader.page.locator(".st-key-q input").focus()
    seen: list[str] = []
    while "bar" not in seen and len(seen) < 300:
        reader.page.keyboard.press("Tab")
        seen.append(
            reader.page.evaluate(
                """() => { const on = part => document.activeElement.closest(part) !== null;
                    return on('.st-key-queue') ? 'queue' : on('.st-key-evidence') ? 'evidence'
                        : on('.st-key-rule_steps') ? 'rule' : on('[class*=st-key-bar_]') ? 'bar' : '' }"""
            )
        )
    assert list(dict.fromkeys(part for part in seen if part)) == ["queue", "evidence", "rule", "bar"]


def test_keys_rest_while_somebody_types(reader: Visitor, served_for_reading: Served) -> None:
    reader.go("review?task=nda&rule=R7&show=All")
    search = reader.page.locator(".st-key-q input")
    search.focus()
    reader.page.keyboard.type("axesnjudh", delay=40)
    reader.settle()
    assert search.input_value() == "axesnjudh"
    assert reader.rule_in_address() == "R7"
    assert reader.page.get_by_role("dialog").count() == 0
    store = open_store(url_of(served_for_reading.workspace / "pld.db"))
    assert store.rules.dossier("R7", SYSTEM).decisions == ()
