"""Sign-in on the pages: nobody gets in without it, everybody acts as himself, and roles count at each step."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pld_app.wiring import App
from pld_core.models import SYSTEM, Actor, Role
from tests.cli.fake_ollama import FakeOllama
from tests.factories import verdict_on
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
    assert "Recorded as" in prose(at)
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
    assert f"{LEA} may not decide on a rule: that takes the role lead or reviewer." in prose(at)
    assert governed.store.rules.dossier("R1", SYSTEM).decisions == ()


@pytest.mark.parametrize(
    ("page", "button", "words"),
    [
        ("home", "build_moderation", "may not import data"),
        ("clusters", "synthesise", "may not synthesise rules"),
        ("clusters", "keep", "may not keep a clustering"),
        ("prompt", "compile", "may not compile a prompt"),
        ("evaluate", "start_run", "may not evaluate a prompt"),
        ("live_test", "ask", "may not ask a student"),
        ("review", "sign", "may not decide on a rule"),
        ("data", "resplit", "may not divide examples anew"),
        ("data", "Import", "may not import data"),
    ],
)
def test_a_page_lets_nobody_do_what_his_role_does_not_allow(
    compiled: App, visit: Visit, workspace_folder: Path, ollama: FakeOllama, page: str, button: str, words: str
) -> None:
    write_secrets(workspace_folder)
    compiled.store.rules.judge(verdict_on(compiled.store, "R2"), compiled.actor)
    compiled.store.roles.grant(RITA, Role.ANALYST, "", LOCAL)
    before = compiled.store.events.count()
    at = as_person(visit("home", task="nda"), page, signed_in(RITA))
    if button == "keep":
        at.slider("eps_nda").set_value(0.4)
        run(at)
    if page == "review":
        press(at, "bar_approve")
    if button == "Import":
        at.segmented_control("view").set_value("Import")
        run(at)
        assert not at.get("file_uploader")
    else:
        press(at, button)
    assert words in prose(at)
    assert compiled.store.events.count() == before


def test_sign_in_that_only_streamlit_found_lets_nobody_in(demo: App, visit: Visit) -> None:
    at = as_person(visit("home"), "home", signed_in(LEA))
    assert "in other secrets than pld-review" in prose(at)
    assert not at.button
