"""Signing in with a real browser at a provider of the test's own: who gets in, as whom, and what is recorded."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from pld_core.models import SYSTEM, Actor, Role
from pld_core.policy import PLAIN, Policy
from storage import open_store
from tests.e2e.conftest import Served, Visitor, free_port, serve, visiting
from tests.e2e.people import sign_in, sign_out
from tests.factories import url_of
from tests.identity_provider import IdentityProvider, identity_provider
from tests.signing_in import write_secrets

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PEOPLE: dict[str, dict[str, object]] = {
    "Lea": {"sub": "1", "name": "Lea Lead", "email": "Lea@example.org", "email_verified": True},
    "Rita": {"sub": "2", "name": "Rita Reader", "email": "rita@example.org", "email_verified": True},
    "Eve": {"sub": "3", "name": "Lea Lead", "email": "lea@example.org", "email_verified": False},
}
LOCAL = Actor("olga", frozenset(Role))


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with identity_provider(PEOPLE) as running:
        yield running


@pytest.fixture
def governed(demo_workspace: Path, tmp_path: Path, provider: IdentityProvider) -> Iterator[Served]:
    """The demo with sign-in: ada is admin, Lea reviews, Rita reads."""
    workspace, port = tmp_path / "workspace", free_port()
    shutil.copytree(demo_workspace, workspace)
    roles = open_store(url_of(workspace / "pld.db")).roles
    for person, role in (("ada", Role.ADMIN), ("lea", Role.REVIEWER), ("rita", Role.ANALYST)):
        roles.grant(f"{person}@example.org", role, "", LOCAL)
    write_secrets(workspace, provider.url, f"http://127.0.0.1:{port}")
    yield from serve(workspace, tmp_path / "serve.log", port=port)


def approve(visitor: Visitor, rule: str) -> None:
    visitor.go(f"review?task=nda&rule={rule}")
    visitor.press("a")
    visitor.panel_opens()
    visitor.click("sign")


def test_people_act_as_themselves_with_their_roles(browser: Browser, governed: Served) -> None:
    with visiting(browser, governed) as visitor:
        visitor.go("review?task=nda")
        expect(visitor.page.locator(".st-key-sign_in_default button")).to_be_visible()
        assert visitor.page.get_by_text("NDA").count() == 0

        sign_in(visitor, "I am Lea")
        visitor.page.get_by_text("Signed in as").wait_for()
        approve(visitor, "R1")
        visitor.panel_closes()
        store = open_store(url_of(governed.workspace / "pld.db"))
        (decision,) = store.rules.dossier("R1", SYSTEM).decisions
        assert decision.reviewer == "lea@example.org"
        event = next(e for e in store.events.page() if e.kind == "rule.approved")
        signed = event.payload["signed_as"]
        assert isinstance(signed, dict)
        assert (signed["subject"], signed["kind"]) == ("1", "signature of a signed-in person")

        # What is taken away while she is signed in is gone at her next step.
        visitor.go("review?task=nda&rule=R2")
        visitor.press("a")
        visitor.panel_opens()
        store.roles.grant("lea@example.org", Role.ANALYST, "", LOCAL)
        store.roles.revoke("lea@example.org", Role.REVIEWER, "moved on", LOCAL)
        visitor.click("sign")
        visitor.page.get_by_text("That takes the role lead or reviewer. Nothing was signed.").wait_for()
        assert store.rules.dossier("R2", SYSTEM).decisions == ()
        visitor.page.keyboard.press("Escape")
        visitor.panel_closes()
        sign_out(visitor)
        assert visitor.page_errors == []


def test_an_old_sign_in_is_renewed_at_the_provider_and_what_was_written_is_still_there(
    browser: Browser, governed: Served, provider: IdentityProvider
) -> None:
    store = open_store(url_of(governed.workspace / "pld.db"))
    store.policies.change("nda", PLAIN, Policy(fresh_sign_in=15), "as the regulator asks", LOCAL)
    # Lea typed her password an hour ago; the provider knows her since and asks for none at an ordinary sign-in.
    provider.proved["Lea"] = int(time.time()) - 3600
    with visiting(browser, governed) as visitor:
        visitor.go("review?task=nda&rule=R3")
        sign_in(visitor, "I am Lea")
        visitor.page.get_by_text("Signed in as").wait_for()
        assert visitor.rule_in_address() == "R3"
        assert provider.asked[-1]["prompt"] == "select_account"

        go_on = f"begun_go_reject_{store.rules.summary('R3').head[-12:]}"
        visitor.press("x")
        visitor.panel_opens()
        visitor.page.get_by_role("dialog").get_by_role("textbox", name="Reason").fill("It says more than its examples.")
        visitor.page.keyboard.press("Control+Enter")
        visitor.settle()
        visitor.click("sign_again")
        visitor.page.get_by_role("link", name="Cancel").click()
        visitor.page.get_by_text("did not let you in").wait_for()
        visitor.page.get_by_text("It says more than its examples.").wait_for()
        assert store.rules.dossier("R3", SYSTEM).decisions == ()

        visitor.click(go_on)
        visitor.panel_opens()
        visitor.click("sign_again")
        visitor.page.get_by_role("link", name="I am Lea", exact=True).click()
        assert (provider.asked[-1]["prompt"], provider.asked[-1]["max_age"]) == ("login", "0")
        visitor.page.get_by_text("You began to reject").wait_for()
        assert visitor.rule_in_address() == "R3"
        visitor.click(go_on)
        visitor.panel_opens()
        visitor.page.get_by_label("What is wrong with it").click()
        visitor.page.get_by_role("option", name="over broad").click()
        visitor.click("sign")
        visitor.panel_closes()
        (decision,) = store.rules.dossier("R3", SYSTEM).decisions
        assert (decision.reviewer, decision.reason) == ("lea@example.org", "It says more than its examples.")
        event = next(e for e in store.events.page() if e.kind == "rule.rejected")
        signed = event.payload["signed_as"]
        assert isinstance(signed, dict)
        assert signed["auth_time"] == pytest.approx(time.time(), abs=600)
        assert visitor.page_errors == []


def test_who_is_not_let_in_is_told_why(browser: Browser, governed: Served, provider: IdentityProvider) -> None:
    with visiting(browser, governed) as visitor:
        visitor.go("")
        sign_in(visitor, "Cancel")
        visitor.page.get_by_text("did not let you in").wait_for()

        # The same name and address as Lea's, which the provider has not verified.
        sign_in(visitor, "I am Eve")
        visitor.page.get_by_text("You are signed in, but hold no role yet").wait_for()
        visitor.page.get_by_text(f"{provider.url}#3").wait_for()
        visitor.page.get_by_text("ada@example.org").wait_for()
        sign_out(visitor)

        provider.is_down = True
        visitor.page.locator(".st-key-sign_in_default button:enabled").click()
        visitor.page.get_by_text("cannot be reached").wait_for()
        provider.is_down = False
        sign_in(visitor, "I am Rita")
        visitor.page.get_by_text("Signed in as").wait_for()
        assert visitor.page_errors == []
