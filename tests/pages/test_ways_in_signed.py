"""Where people sign in, no way in gets past the roles, nor past a policy that asks for a fresh sign-in."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pld_app import sheets, wiring
from pld_app.acting import signed_in_actor
from pld_app.cli import main
from pld_app.components.sheet_menu import XLSX
from pld_app.wiring import App
from pld_core.decision_book import write_book
from pld_core.errors import MissingRole
from pld_core.models import SYSTEM, Actor, Role
from pld_core.policy import PLAIN, Policy
from tests.factories import ALL_ROLES
from tests.pages.driving import Visit, go, press, prose, run
from tests.sheets import APPROVED, fill_in
from tests.signing_in import signed_in, write_secrets

OLGA = Actor("olga", ALL_ROLES)
LEA = "lea@example.org"
FIFTEEN = "asks for a sign-in of the last 15 minutes"


@dataclass(frozen=True)
class Case:
    """A role that is granted, and what all ways in say then."""

    role: Role
    said: str


READS_ONLY = Case(Role.AUDITOR, "role lead or reviewer")
SIGNED_IN_LONG_AGO = Case(Role.REVIEWER, FIFTEEN)
CASES = pytest.mark.parametrize("case", [READS_ONLY, SIGNED_IN_LONG_AGO], ids=["missing role", "stale sign-in"])


@pytest.fixture
def strict(demo: App, workspace_folder: Path) -> App:
    """The demo with sign-in and a policy that asks for a fresh one."""
    write_secrets(workspace_folder)
    demo.store.policies.change("nda", PLAIN, Policy(fresh_sign_in=15), "as the regulator asks", OLGA)
    return wiring.open_app(workspace_folder)


def claims() -> dict[str, object]:
    """Return what the provider says of Lea, whom it saw an hour ago."""
    return signed_in(LEA, auth_time=int(time.time()) - 3600)


def recorded(app: App) -> tuple[int, int]:
    return len(app.store.rules.dossier("R1", SYSTEM).decisions), app.store.events.count(actor=SYSTEM)


def on_review(visit: Visit) -> AppTest:
    at = visit("home", task="nda", rule="R1")
    at.user = claims()
    return go(run(at), "review")


@CASES
@pytest.mark.parametrize("kind", ["approve", "reject", "request_changes"])
def test_the_page_does_not_even_offer_it(strict: App, visit: Visit, case: Case, kind: str) -> None:
    strict.store.roles.grant(LEA, case.role, "", OLGA)
    at, before = on_review(visit), recorded(strict)
    button = at.button(f"bar_{kind}")
    said = button.help or ""
    if not button.disabled:
        said = prose(press(at, f"bar_{kind}"))
        assert "sign_again" in [button.key for button in at.button], "there is a way to sign in anew"
    assert case.said in said
    assert "sign" not in [button.key for button in at.button]
    assert recorded(strict) == before


@CASES
@pytest.mark.parametrize("verdict", ["approve", "reject", "request-changes"])
def test_the_command_line_refuses_it(
    strict: App, workspace_folder: Path, case: Case, verdict: str, capsys: pytest.CaptureFixture[str]
) -> None:
    strict.store.roles.grant(strict.actor.name, case.role, "", OLGA)
    before = recorded(strict)
    words = ["rules", verdict, "R1", "--workspace", str(workspace_folder), "--reason", "I read it."]
    assert main([*words, *(["--category", "unclear"] if verdict == "reject" else [])]) == 1
    said = capsys.readouterr().err
    assert case.said in said
    assert "An admin grants roles" in said or "Sign in to the app and decide there" in said
    assert recorded(strict) == before


def filled(app: App) -> bytes:
    return fill_in(write_book(sheets.make_sheet(replace(app, actor=OLGA), "nda")), {"R1": APPROVED})


def test_a_sheet_of_somebody_without_the_role_is_refused_as_a_whole(strict: App, visit: Visit) -> None:
    strict.store.roles.grant(LEA, READS_ONLY.role, "", OLGA)
    content, before = filled(strict), recorded(strict)
    lea = signed_in_actor(strict.settings, strict.store.roles, claims(), datetime.now(UTC))
    with pytest.raises(MissingRole, match=f"{READS_ONLY.said}.*An admin grants roles"):
        sheets.record_sheet(replace(strict, actor=lea), "rules.xlsx", content)
    assert "sheet_upload" not in [field.key for field in on_review(visit).file_uploader]
    assert recorded(strict) == before


def test_a_row_that_is_signed_by_an_old_sign_in_is_refused(strict: App, visit: Visit) -> None:
    strict.store.roles.grant(LEA, SIGNED_IN_LONG_AGO.role, "", OLGA)
    content, before = filled(strict), recorded(strict)
    at = on_review(visit)
    at.file_uploader("sheet_upload").set_value(("rules.xlsx", content, XLSX))
    said = prose(run(at))
    assert FIFTEEN in said
    assert "Sign in again" in said
    assert "sheet_record" not in [button.key for button in at.button]
    lea = signed_in_actor(strict.settings, strict.store.roles, claims(), datetime.now(UTC))
    (refusal,) = sheets.record_sheet(replace(strict, actor=lea), "rules.xlsx", content).refused
    assert FIFTEEN in refusal.problem
    assert recorded(strict) == before
