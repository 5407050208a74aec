"""The main job in a real browser: home, review by key, compile, live test, audit."""

from __future__ import annotations

import json

import pytest

from pld_core.models import SYSTEM, Decision, RevisionState
from pld_core.records import RuleFilter
from pld_core.rule_ports import RuleStore
from storage import open_store
from tests.e2e.conftest import Served, Visitor
from tests.factories import url_of

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

ADDRESSES = "Too vague: ask bob@example.com, see www.example.com or http://x.example/y"


def rules_of(served: Served) -> RuleStore:
    """The rules of the served workspace, read beside the running app: starting `pld` for each look takes seconds."""
    return open_store(url_of(served.workspace / "pld.db")).rules


def decisions(served: Served, rule: str) -> tuple[Decision, ...]:
    return rules_of(served).dossier(rule, SYSTEM).decisions


def state(served: Served, rule: str) -> str:
    return rules_of(served).summary(rule).state.value


@pytest.mark.student
@pytest.mark.usefixtures("embedded_student")
def test_from_home_to_a_verified_decision_with_the_real_embedded_student(served: Served, visitor: Visitor) -> None:
    page = visitor.page
    visitor.go("")
    page.get_by_role("link", name="Review 13 rules").click()
    page.locator(".st-key-rule_card").wait_for()
    visitor.settle()

    # Approve by key: A opens the panel, its button signs.
    approved = visitor.rule_in_address()
    visitor.press("a")
    visitor.panel_opens()
    page.get_by_label("Reason").fill("Read beside all its examples.")
    page.get_by_label("Reason").press("Tab")
    visitor.settle()
    visitor.click("sign")
    visitor.panel_closes()
    page.get_by_text(f"{approved} is approved").wait_for()
    assert decisions(served, approved)[0].reason == "Read beside all its examples."
    assert decisions(served, approved)[0].reviewer == "Ada Reviewer"

    # The next rule is there; edit it by key.
    edited = visitor.rule_in_address()
    assert edited != approved
    visitor.press("e")
    visitor.panel_opens()
    page.get_by_label("EXCEPT").fill("the clause names another party")
    page.get_by_label("Why this change").fill("An exception was missing.")
    page.get_by_label("Why this change").press("Tab")
    visitor.settle()
    visitor.click("sign")
    visitor.panel_closes()
    page.get_by_text(f"{edited} revision 2 is in review").wait_for()
    assert state(served, edited) == "in_review"

    # Reject another one by key.
    visitor.press("j")
    page.wait_for_function("id => new URL(location.href).searchParams.get('rule') !== id", arg=edited)
    visitor.settle()
    rejected = visitor.rule_in_address()
    visitor.press("x")
    visitor.panel_opens()
    page.get_by_role("dialog").get_by_role("combobox").click()
    page.get_by_role("option", name="over broad").click()
    visitor.settle()
    page.get_by_label("Reason").fill("It would decide everything.")
    page.get_by_label("Reason").press("Tab")
    visitor.settle()
    visitor.click("sign")
    visitor.panel_closes()
    page.get_by_text(f"{rejected} is rejected").wait_for()
    assert state(served, rejected) == "rejected"

    # Compile.
    visitor.go("prompt?task=nda")
    visitor.click("compile")
    page.get_by_text("Version 1: 1 rule").wait_for()
    page.get_by_text("You are a careful classifier").first.wait_for()

    # Live test: Ollama is not there, the page says what to run and falls back to the embedded student.
    visitor.go("live-test?task=nda")
    visitor.click("ask")
    page.locator(".st-key-result_0").wait_for()
    visitor.settle()
    result = page.locator(".st-key-result_0").inner_text()
    assert '"label"' in result
    assert "Context:" in result
    page.get_by_text("Asked of embedded about: ").wait_for()

    # The decision is in the audit log, and the chain verifies, on the page and by command.
    visitor.go("audit?kind=rule.approved")
    visitor.click("verify")
    page.get_by_text("Intact:").wait_for()
    verified = served.pld("audit", "verify", "--json")
    assert json.loads(verified.stdout)["intact"] is True
    assert visitor.outside == []
    assert visitor.page_errors == []


def test_a_first_visit_by_deep_link_shows_that_rule_with_its_frame(reader: Visitor) -> None:
    reader.go("review?rule=R3")
    reader.page.locator(".st-key-rule_card").get_by_text("R3", exact=True).wait_for()
    reader.page.get_by_text("You act as").wait_for()


def test_a_link_to_another_task_changes_the_task(reader: Visitor) -> None:
    page = reader.page
    reader.go("?task=moderation")
    page.get_by_role("link", name="Review 13 rules").click()
    page.locator(".st-key-rule_card").wait_for()
    reader.settle()
    assert "task=nda" in page.url
    assert page.get_by_role("combobox", name="Task").input_value() == "NDA review"


def test_fast_keys_never_decide_twice(served: Served, visitor: Visitor) -> None:
    visitor.go("review?task=nda")
    rule = visitor.rule_in_address()
    visitor.press("a")
    for _ in range(6):
        visitor.page.keyboard.press("a", delay=0)
        visitor.page.wait_for_timeout(40)
    visitor.panel_opens()
    sign = visitor.page.locator(".st-key-sign button")
    sign.dblclick(delay=10)
    visitor.panel_closes()
    visitor.settle()
    approved = rules_of(served).queue("nda", RuleFilter(states=(RevisionState.APPROVED,)))
    assert [entry.id for entry in approved] == [rule]
    assert len(decisions(served, rule)) == 1


def test_a_burst_of_mixed_keys_decides_nothing(served: Served, visitor: Visitor) -> None:
    for burst in ("naxsnjaxuds", "jkjkjkaxe", "xxsuajd"):
        # Anew each time: a panel that a burst opened would hold the next one back.
        visitor.go("review?task=nda")
        visitor.press("n")
        for key in burst:
            visitor.page.keyboard.press(key, delay=0)
            visitor.page.wait_for_timeout(40)
        visitor.settle()
    store = rules_of(served)
    assert [rule.id for rule in store.queue("nda") if store.dossier(rule.id, SYSTEM).decisions] == []
    assert all(rule.state is RevisionState.IN_REVIEW for rule in store.queue("nda"))
    assert visitor.page_errors == []


def test_a_draft_survives_a_lost_session_in_the_browser(served: Served, visitor: Visitor) -> None:
    page = visitor.page
    visitor.go("review?task=nda")
    visitor.press("e")
    visitor.panel_opens()
    page.get_by_role("textbox", name="IF").fill("the clause binds both sides")
    page.get_by_role("textbox", name="IF").press("Tab")
    page.get_by_text("Your draft is kept; only you see it.").wait_for()
    page.reload()
    page.get_by_text("You have a draft").wait_for()
    page.get_by_role("button", name="Continue").click()
    visitor.panel_opens()
    assert page.get_by_role("textbox", name="IF").input_value() == "the clause binds both sides"


def test_the_address_survives_reload(reader: Visitor) -> None:
    reader.go("review?task=nda")
    first = reader.rule_in_address()
    reader.press("j")
    reader.page.wait_for_function("id => new URL(location.href).searchParams.get('rule') !== id", arg=first)
    reader.settle()
    second = reader.rule_in_address()
    reader.page.reload()
    reader.settle()
    assert reader.rule_in_address() == second
    reader.page.locator(".st-key-rule_card").get_by_text(second, exact=True).wait_for()


def test_a_decision_made_elsewhere_meanwhile_is_not_overwritten(served: Served, visitor: Visitor) -> None:
    visitor.go("review?task=nda")
    rule = visitor.rule_in_address()
    visitor.press("a")
    visitor.panel_opens()
    other = served.pld("rules", "reject", rule, "--category", "unclear", "--reason", ADDRESSES)
    assert other.returncode == 0, other.stderr
    visitor.click("sign")
    visitor.panel_closes()
    visitor.page.get_by_text("was on your screen").wait_for()
    visitor.page.get_by_text("Now there: revision 1, rejected").wait_for()
    assert [d.verdict.value for d in decisions(served, rule)] == ["reject"]
    visitor.go(f"review?task=nda&rule={rule}&show=All")
    visitor.page.get_by_text(ADDRESSES).first.wait_for()
    leading_away = visitor.page.locator("a[href*=example]")
    assert leading_away.count() == 0, "what somebody wrote stays plain text"


@pytest.mark.parametrize(
    "path",
    ["", "data", "extract", "clusters", "review", "prompt", "live-test", "evaluate", "audit", "settings"],
    ids=lambda p: p or "home",
)
def test_no_page_asks_anything_from_outside_in_light_or_dark(reader: Visitor, path: str) -> None:
    for scheme in ("light", "dark"):
        reader.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        reader.go(f"{path}?task=moderation")
    assert reader.outside == []
    assert reader.page_errors == []
    assert reader.page.get_by_test_id("stException").count() == 0
