"""What a reviewer sees on a small laptop's screen without scrolling: the rule, the first evidence, the action bar."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from pld_core.models import ClusterParams, Example
from storage import open_store
from tests.e2e.conftest import Visitor, serve, visiting
from tests.factories import ANNA, make_example, make_rule, make_task, rule_in_review, url_of

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

CONTRACT = "The receiving party keeps in confidence what the disclosing party hands over. " * 256
CARD_SHOWN_PX = 200
"""Of a card that is higher: who labelled it how, what it says of the rule, and the first lines of its text."""
GEOMETRY = """() => {
    const box = element => { const r = element.getBoundingClientRect(); return [r.top, r.bottom, r.left, r.right] };
    const drawn = element => element.getClientRects().length > 0;
    const all = part => [...document.querySelectorAll(part)].filter(drawn).map(box);
    return {
        rule: all('.st-key-rule_card [data-testid=stMarkdown] p'),
        card: all('.st-key-evidence [class*=st-key-card_]')[0],
        bar: all('[class*=st-key-bar_] [data-testid=stBaseButton-secondary]'),
    } }"""


@pytest.fixture(scope="module")
def visitor(browser: Browser, demo_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """The demo with one more task: a rule whose evidence is a contract of 20,000 characters."""
    place = tmp_path_factory.mktemp("layout")
    shutil.copytree(demo_workspace, place / "workspace")
    store = open_store(url_of(place / "workspace" / "pld.db"))
    contract: Example = make_example(CONTRACT)
    store.tasks.create_with_examples(make_task(), [contract], "test.csv", ANNA)
    clustering = store.logic.add_clustering("posts", ClusterParams(), [], ANNA)
    rule_in_review(store, make_rule(supports=[contract], clustering_id=clustering.id))
    for served in serve(place / "workspace", place / "serve.log"):
        with visiting(browser, served) as opened:
            yield opened


def assert_all_in_sight(visitor: Visitor) -> None:
    visitor.page.locator(".st-key-bar_help button:enabled").wait_for()
    found = visitor.page.evaluate(GEOMETRY)
    bar_top = min(top for top, *_ in found["bar"])
    for top, bottom, left, right in found["bar"]:
        assert top > 0 and bottom <= 768 and left >= 0 and right <= 1366  # noqa: PT018 - one rectangle
    rule = visitor.rule_in_address()
    # The text of the rule stands before what is said of it, in small letters.
    sentences = visitor.page.locator(".st-key-rule_card p:has(strong)").count()
    assert sentences >= 2
    assert max(bottom for _, bottom, *_ in found["rule"][:sentences]) <= bar_top, rule
    top, bottom, *_ = found["card"]
    assert top > 0 and min(bottom, bar_top) - top >= min(bottom - top, CARD_SHOWN_PX), rule  # noqa: PT018
    assert visitor.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0


@pytest.mark.parametrize("task", ["nda", "moderation"])
def test_the_rules_of_the_demo(visitor: Visitor, task: str) -> None:
    visitor.go(f"review?task={task}&show=All")
    seen: set[str] = set()
    while True:
        visitor.page.locator(".st-key-rule_card").get_by_text(visitor.rule_in_address(), exact=True).wait_for()
        visitor.settle()
        seen.add(visitor.rule_in_address())
        assert_all_in_sight(visitor)
        if visitor.page.locator(".st-key-bar_next button:enabled").count() == 0:
            break
        before = visitor.rule_in_address()
        visitor.press("j")
        visitor.page.wait_for_function("id => new URL(location.href).searchParams.get('rule') !== id", arg=before)
    assert len(seen) >= 13


def test_a_rule_beside_a_contract_of_20_000_characters(visitor: Visitor) -> None:
    assert len(CONTRACT) > 19_500
    visitor.go("review?task=posts")
    visitor.page.locator(".st-key-rule_card").wait_for()
    visitor.settle()
    assert_all_in_sight(visitor)
    visitor.page.get_by_text("Show all (").click()
    visitor.page.get_by_text("Show all (").wait_for()
    visitor.settle()
    assert_all_in_sight(visitor)
