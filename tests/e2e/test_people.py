"""Reviewer, second reviewer and lead, each signed in as themselves, on one task that takes four eyes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from pld_core.models import SYSTEM, Actor, RevisionState, Role, Verdict
from pld_core.policy import PLAIN, Policy
from storage import SqliteStore, open_store
from tests.e2e.conftest import Served, Visitor, free_port, serve, visiting
from tests.e2e.people import sign_in
from tests.factories import url_of, verdict_on
from tests.identity_provider import identity_provider
from tests.signing_in import write_secrets

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

S = RevisionState
ROLES = {"rolf": Role.REVIEWER, "rita": Role.REVIEWER, "lea": Role.LEAD}
LOCAL = Actor("olga", frozenset(Role))
ROLF, RITA = (Actor(f"{name}@example.org", frozenset({Role.REVIEWER})) for name in ("rolf", "rita"))


@pytest.fixture(scope="module")
def governed(demo_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo with sign-in and four eyes; Rolf has approved R8 first, and R9, which Rita rejected."""
    place, port = tmp_path_factory.mktemp("people"), free_port()
    workspace = place / "workspace"
    shutil.copytree(demo_workspace, workspace)
    store = open_store(url_of(workspace / "pld.db"))
    store.roles.grant("ada@example.org", Role.ADMIN, "", LOCAL)
    for person, role in ROLES.items():
        store.roles.grant(f"{person}@example.org", role, "", LOCAL)
    store.policies.change("nda", PLAIN, Policy(four_eyes=True), "two people for each contract rule", LOCAL)
    for rule in ("R8", "R9"):
        store.rules.judge(verdict_on(store, rule), ROLF)
    store.rules.judge(verdict_on(store, "R9", Verdict.REJECT, "It decides too much."), RITA)
    people: dict[str, dict[str, object]] = {
        name.title(): {"sub": name, "name": name.title(), "email": f"{name}@example.org", "email_verified": True}
        for name in ROLES
    }
    with identity_provider(people) as provider:
        write_secrets(workspace, provider.url, f"http://127.0.0.1:{port}")
        yield from serve(workspace, place / "serve.log", port=port)


@pytest.fixture
def store(governed: Served) -> SqliteStore:
    return open_store(url_of(governed.workspace / "pld.db"))


@pytest.fixture
def visitor(browser: Browser, governed: Served) -> Iterator[Visitor]:
    with visiting(browser, governed) as opened:
        yield opened
        assert opened.page_errors == []


def enter(visitor: Visitor, name: str) -> None:
    visitor.go("")
    sign_in(visitor, f"I am {name}")
    visitor.page.get_by_text("Signed in as").wait_for()
    visitor.settle()


def open_rule(visitor: Visitor, rule: str) -> None:
    visitor.go(f"review?task=nda&show=All&rule={rule}")
    visitor.page.locator(".st-key-rule_card").get_by_text(rule, exact=True).wait_for()
    visitor.settle()


def fill(visitor: Visitor, label: str, text: str) -> None:
    """Type into a field and leave it, which keeps what was typed."""
    field = visitor.page.get_by_role("textbox", name=label)
    field.fill(text)
    field.press("Tab")
    visitor.settle()


def decisions(store: SqliteStore, rule: str) -> list[tuple[str, str]]:
    found = store.rules.dossier(rule, SYSTEM).decisions
    return [(decision.reviewer.partition("@")[0], decision.verdict.value) for decision in found]


def test_a_reviewer_reads_ticks_comments_edits_and_approves_once(visitor: Visitor, store: SqliteStore) -> None:
    page = visitor.page
    enter(visitor, "Rolf")

    open_rule(visitor, "R7")
    page.locator(".st-key-evidence [class*=st-key-tick_]").first.get_by_text("irrelevant").click()
    page.get_by_text("Ticked as irrelevant").wait_for()
    page.locator(".st-key-comments summary").click()
    fill(visitor, "New comment", "@rita@example.org, is the exception right?")
    visitor.click("add_comment")
    page.get_by_text("It names rita@example.org").wait_for()
    visitor.press("e")
    visitor.panel_opens()
    fill(visitor, "EXCEPT", "the clause names another party")
    fill(visitor, "Why this change", "An exception was missing.")
    visitor.click("sign")
    visitor.panel_closes()
    page.get_by_text("R7 revision 2 is in review").wait_for()

    open_rule(visitor, "R2")
    visitor.press("a")
    visitor.panel_opens()
    visitor.click("sign")
    visitor.panel_closes()
    page.get_by_text("R2 is first approved").wait_for()
    # The same person again: a signature that does not count.
    open_rule(visitor, "R2")
    visitor.press("a")
    visitor.panel_opens()
    visitor.click("sign")
    page.get_by_text("has already decided on this revision").wait_for()
    assert decisions(store, "R2") == [("rolf", "approve")]
    assert store.rules.summary("R7").state is S.IN_REVIEW


def test_somebody_else_decides_second_and_finds_where_she_is_mentioned(visitor: Visitor, store: SqliteStore) -> None:
    comment = store.desk.comments.add("R5", "@rita@example.org, please see.", ROLF)
    page = visitor.page
    enter(visitor, "Rita")
    visitor.go("?task=nda")
    page.locator(".st-key-mentions_nda").get_by_role("link", name="R5").click()
    page.locator(f".st-key-thread_{comment.id}").get_by_text("please see").wait_for()
    visitor.settle()
    page.locator(f".st-key-thread_{comment.id}").get_by_role("button", name="Resolve").click()
    page.get_by_text(f"Comment {comment.id} is resolved").wait_for()
    visitor.settle()
    assert page.locator(".st-key-mentions_nda").get_by_role("link", name="R5").count() == 0

    open_rule(visitor, "R8")
    visitor.press("a")
    visitor.panel_opens()
    fill(visitor, "Reason", "I read all of it, too.")
    visitor.click("sign")
    visitor.panel_closes()
    page.get_by_text("R8 is approved").wait_for()
    assert decisions(store, "R8") == [("rolf", "approve"), ("rita", "approve")]


def test_a_lead_assigns_and_settles_a_dispute(visitor: Visitor, store: SqliteStore) -> None:
    page = visitor.page
    enter(visitor, "Lea")
    visitor.go("review?task=nda&show=All&q=R3")
    open_rule(visitor, "R3")
    page.get_by_text("Several").click()
    page.locator(".st-key-pick_R3").get_by_text("R3").click()
    visitor.settle()
    visitor.click("bulk_assign")
    page.get_by_role("combobox", name="To").click()
    page.get_by_role("option", name="rita@example.org").click()
    visitor.settle()
    visitor.click("do_assign")
    page.get_by_text("1 rule assigned to rita@example.org").wait_for()
    assert store.desk.queue.row("R3", SYSTEM).assignee == "rita@example.org"

    open_rule(visitor, "R9")
    page.locator(".st-key-rule_card").get_by_text("disputed").wait_for()
    visitor.press("a")
    visitor.panel_opens()
    fill(visitor, "Reason", "The exception answers the objection.")
    visitor.click("sign")
    visitor.panel_closes()
    page.get_by_text("R9 is approved").wait_for()
    assert decisions(store, "R9") == [("rolf", "approve"), ("rita", "reject"), ("lea", "approve")]
