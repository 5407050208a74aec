"""Sign-in on the pages: nobody gets in without it, everybody acts as himself, and roles count at each step."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pld_app.wiring import App
from pld_core.models import SYSTEM, Actor, Role
from tests.cli.fake_ollama import FakeOllama
from tests.pages.driving import PAGES, Visit, go, press, prose, raw, run, unescaped
from tests.signing_in import ISSUER, signed_in, write_secrets

LOCAL = Actor("olga", frozenset(Role))
LEA = "lea@example.org"
RITA = "rita@example.org"


@pytest.fixture
def governed(demo: App, workspace_folder: Path) -> App:
    """The demo with sign-in: ada is admin, lea leads, rita only reads."""
    write_secrets(workspace_folder)
    for person, role in (("ada@example.org", Role.ADMIN), (LEA, Role.LEAD), (RITA, Role.ANALYST)):
        demo.store.roles.grant(person, role, "", LOCAL)
    return demo


def as_person(at: AppTest, page: str, claims: dict[str, object]) -> AppTest:
    """Sign in, as Streamlit does at the start of a session, and go to a page."""
    at.user = claims
    run(at)
    return at if page == "home" else go(at, page)


def nobody(visit: Visit, page: str = "home", **address: str) -> AppTest:
    at = visit("home", **address)
    at.user = {"is_logged_in": False}
    run(at)
    return at if page == "home" else go(at, page)


@pytest.mark.parametrize("page", PAGES)
def test_nobody_sees_a_page_before_signing_in(governed: App, visit: Visit, page: str) -> None:
    at = nobody(visit, page)
    assert [button.key for button in at.button] == ["sign_in_default"]
    assert [title.value for title in at.title] == ["pld-review"]
    assert not at.sidebar.caption
    assert "NDA" not in prose(at)


@pytest.mark.parametrize("page", PAGES)
def test_everybody_without_a_role_is_told_whom_to_ask(governed: App, visit: Visit, page: str) -> None:
    at = as_person(visit("home"), page, signed_in("eve@example.org", email_verified=False))
    assert f"{ISSUER}#sub-eve@example.org" in raw(at, "code")
    assert "Ask: **ada@example.org**" in prose(at)
    assert {button.key for button in at.button} == {"look_again", "sign_out"}
    assert "NDA" not in prose(at)


def test_without_an_admin_the_command_that_makes_one_is_shown(demo: App, visit: Visit, workspace_folder: Path) -> None:
    write_secrets(workspace_folder)
    at = as_person(visit("home"), "home", signed_in("eve@example.org"))
    assert "pld roles grant eve@example.org admin" in raw(at, "code")


@pytest.mark.parametrize(
    ("why", "words"), [("refused", "did not let you in"), ("failed", "could not be used"), ("unreachable", "reached")]
)
def test_a_sign_in_that_went_wrong_says_so(governed: App, visit: Visit, why: str, words: str) -> None:
    (error,) = nobody(visit, sign_in=why).error
    assert words in error.value


def test_an_address_cannot_put_words_on_the_sign_in_page(governed: App, visit: Visit) -> None:
    assert not nobody(visit, sign_in="Call 0900-EVIL").error


def test_an_old_sign_in_has_to_be_renewed(governed: App, visit: Visit) -> None:
    at = as_person(visit("home"), "home", signed_in(LEA, iat=int(time.time()) - 13 * 3600))
    assert "signed in too long ago" in prose(at)
    assert [button.key for button in at.button] == ["sign_in_default"]


@pytest.mark.parametrize("page", PAGES)
def test_the_frame_says_who_signed_in_with_which_roles(governed: App, visit: Visit, page: str) -> None:
    at = as_person(visit("home"), page, signed_in(LEA))
    beside = unescaped("\n".join(caption.value for caption in at.sidebar.caption))
    assert f"Signed in as **Lea ({LEA})**. Roles: lead." in beside
    assert "no sign-in" not in beside


def test_signing_out_leads_back_to_the_sign_in_page(governed: App, visit: Visit) -> None:
    at = press(as_person(visit("home"), "home", signed_in(LEA)), "sign_out")
    run(at)
    assert [button.key for button in at.button] == ["sign_in_default"]


def approve(at: AppTest) -> AppTest:
    press(at, "bar_approve")
    assert "What you sign" in prose(at)
    return press(at, "sign")


def test_a_decision_is_recorded_as_the_person_who_signed_in(governed: App, visit: Visit) -> None:
    approve(as_person(visit("home", rule="R1", task="nda"), "review", signed_in(LEA)))
    (decision,) = governed.store.rules.dossier("R1", SYSTEM).decisions
    assert decision.reviewer == LEA
    event = next(e for e in governed.store.events.page() if e.kind == "rule.approved")
    signed = event.payload["signed_as"]
    assert isinstance(signed, dict)
    assert (signed["kind"], signed["issuer"]) == ("signature of a signed-in person", ISSUER)
    assert (signed["subject"], isinstance(signed["auth_time"], int)) == (f"sub-{LEA}", True)


def test_a_role_that_is_revoked_in_mid_session_bites_at_once(governed: App, visit: Visit) -> None:
    governed.store.roles.grant(LEA, Role.ANALYST, "", LOCAL)
    at = as_person(visit("home", rule="R1", task="nda"), "review", signed_in(LEA))
    press(at, "bar_approve")
    governed.store.roles.revoke(LEA, Role.LEAD, "moved on", LOCAL)
    press(at, "sign")
    assert at.button("sign").disabled
    assert "That takes the role lead or reviewer. Nothing was signed." in prose(at)
    assert governed.store.rules.dossier("R1", SYSTEM).decisions == ()


@pytest.mark.parametrize(
    ("page", "button", "role"),
    [
        ("home", "build_moderation", "lead"),
        ("clusters", "synthesise", "lead"),
        ("clusters", "keep", "lead"),
        ("prompt", "compile", "lead or release manager"),
        ("evaluate", "start_run", "lead or release manager or reviewer"),
        ("live_test", "ask", "lead or release manager or reviewer"),
        ("review", "bar_approve", "lead or reviewer"),
        ("review", "bar_edit", "lead or reviewer"),
        ("review", "bar_second", "lead or reviewer"),
        ("review", "rule_split", "lead or reviewer"),
        ("review", "rule_tag_add", "lead or reviewer"),
        ("data", "resplit", "lead"),
        ("settings", "policy_save", "admin"),
    ],
)
def test_a_button_says_which_role_it_takes_to_whom_does_not_hold_it(
    compiled: App, visit: Visit, workspace_folder: Path, ollama: FakeOllama, page: str, button: str, role: str
) -> None:
    write_secrets(workspace_folder)
    compiled.store.roles.grant(RITA, Role.ANALYST, "", LOCAL)
    at = as_person(visit("home", task="nda", rule="R2"), page, signed_in(RITA))
    assert at.button(button).disabled
    assert at.button(button).help == f"That takes the role {role}."


def test_an_analyst_may_comment_but_not_bring_data_in(governed: App, visit: Visit) -> None:
    at = as_person(visit("home", task="nda", rule="R2"), "review", signed_in(RITA))
    assert not at.button("add_comment").disabled
    go(at, "data").segmented_control("view").set_value("Import")
    assert f"{RITA} may not import data" in prose(run(at))
    assert not at.get("file_uploader")


def test_a_lead_finds_every_button_of_the_review_page(governed: App, visit: Visit) -> None:
    at = as_person(visit("home", task="nda", rule="R2"), "review", signed_in(LEA))
    for key in ("approve", "edit", "request_changes", "reject", "second"):
        assert not at.button(f"bar_{key}").disabled
    assert not at.button("rule_split").disabled


def test_sign_in_that_only_streamlit_found_lets_nobody_in(demo: App, visit: Visit) -> None:
    at = as_person(visit("home"), "home", signed_in(LEA))
    assert "in other secrets than pld-review" in prose(at)
    assert not at.button
