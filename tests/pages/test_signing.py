"""Signing on the Review page: what is signed stands there before the click, and an old sign-in has to be renewed."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextArea

from pld_app.wiring import App
from pld_core.begun import BegunDecision, BegunText
from pld_core.desk import Tick
from pld_core.models import SYSTEM, Actor, EvidenceRole, RejectCategory, Role, Verdict, evidence_set_hash
from pld_core.policy import PLAIN, Policy
from pld_core.review import Action
from pld_core.signing import MEANINGS
from tests.factories import verdict_on
from tests.pages.driving import NASTY, Visit, go, press, prose, raw, run
from tests.signing_in import ISSUER, signed_in, write_secrets

LOCAL = Actor("olga", frozenset(Role))
LEA = Actor("lea@example.org", frozenset({Role.LEAD}))


@pytest.fixture
def fresh(demo: App, workspace_folder: Path) -> App:
    """The demo with sign-in, lea as lead, and a policy that asks for a sign-in of the last 15 minutes."""
    write_secrets(workspace_folder)
    demo.store.roles.grant(LEA.name, Role.LEAD, "", LOCAL)
    demo.store.policies.change("nda", PLAIN, Policy(fresh_sign_in=15), "as the regulator asks", LOCAL)
    return demo


def as_lea(visit: Visit, minutes_ago: float | None, **address: str) -> AppTest:
    """Open the review page as Lea, whom the provider saw so many minutes ago; None: it does not tell."""
    at = visit("home", task="nda", rule="R1", **address)
    at.user = signed_in(LEA.name, auth_time=None if minutes_ago is None else int(time.time() - minutes_ago * 60))
    return go(run(at), "review")


def waiting(app: App, reason: str = "it is too broad") -> BegunDecision:
    seen = app.store.rules.dossier("R1", SYSTEM)
    text = BegunText(reason, RejectCategory.OVER_BROAD)
    evidence = evidence_set_hash(seen.evidence)
    return BegunDecision("R1", seen.head.hash, Action.REJECT, text, evidence, "2026-01-02T03:04:05Z")


def notice_key(app: App, step: str) -> str:
    """Return the key of a button of the notice; to be asked before anything changes the rule."""
    return f"begun_{step}_reject_{app.store.rules.summary('R1').head[-12:]}"


def keys(at: AppTest) -> set[str]:
    return {str(button.key) for button in at.button}


def reason_field(at: AppTest) -> TextArea:
    (field,) = [area for area in at.text_area if str(area.key).startswith("reason_")]
    return field


@pytest.mark.parametrize("kind", ["approve", "reject", "request_changes"])
def test_what_is_signed_stands_there_before_the_click(demo: App, visit: Visit, kind: str) -> None:
    at = press(visit("review", rule="R1"), f"bar_{kind}")
    dossier = demo.store.rules.dossier("R1", SYSTEM)
    shown = prose(at)
    assert MEANINGS[Action(kind)] in shown
    assert "anna" in shown
    assert "UTC, or the minute in which you click" in shown
    assert dossier.head.hash.removeprefix("sha256:")[:12] in shown
    assert evidence_set_hash(dossier.evidence).removeprefix("sha256:")[:12] in shown
    assert "guideline version 1" in shown
    assert "An attestation: nobody signs in here" in shown
    (bound,) = [element for element in at.markdown if "Bound to" in element.value]
    assert dossier.head.hash in bound.help
    assert evidence_set_hash(dossier.evidence) in bound.help


def test_a_signed_in_person_sees_who_vouches_for_the_signature(fresh: App, visit: Visit) -> None:
    at = press(as_lea(visit, 1), "bar_approve")
    assert "Lea, lea@example.org" in prose(at)
    assert f"Signature of a signed-in person: proved to {ISSUER}" in prose(at)
    press(at, "sign")
    (decision,) = fresh.store.rules.dossier("R1", SYSTEM).decisions
    assert fresh.store.rules.signatures([decision])[decision.id].kind == "signature of a signed-in person"


def test_an_old_sign_in_finds_the_way_to_a_fresh_one_in_place_of_the_button(fresh: App, visit: Visit) -> None:
    at = press(as_lea(visit, 16), "bar_reject")
    assert "asks for a sign-in of the last 15 minutes, and yours is older" in prose(at)
    assert "sign_again" in keys(at)
    assert "sign" not in keys(at)


def test_a_sign_in_that_grows_old_while_the_panel_is_open_signs_nothing_and_keeps_the_text(
    fresh: App, visit: Visit
) -> None:
    at = press(as_lea(visit, 1), "bar_approve")
    reason_field(at).set_value("I read all of it.")
    at.user = signed_in(LEA.name, auth_time=int(time.time()) - 3600)
    press(at, "sign")
    assert fresh.store.rules.dossier("R1", SYSTEM).decisions == ()
    assert "sign_again" in keys(at)
    assert reason_field(at).value == "I read all of it."


def test_where_the_provider_does_not_tell_the_page_calls_it_an_attestation(fresh: App, visit: Visit) -> None:
    at = press(as_lea(visit, None), "bar_approve")
    assert "An attestation: the identity provider says who you are, but not when" in prose(at)
    press(at, "sign")
    assert len(fresh.store.rules.dossier("R1", SYSTEM).decisions) == 1


def test_without_sign_in_the_policy_asks_for_nothing(demo: App, visit: Visit) -> None:
    demo.store.policies.change("nda", PLAIN, Policy(fresh_sign_in=15), "why", LOCAL)
    press(press(visit("review", rule="R1"), "bar_approve"), "sign")
    assert len(demo.store.rules.dossier("R1", SYSTEM).decisions) == 1


def test_what_waits_for_its_signature_is_gone_on_with(fresh: App, visit: Visit) -> None:
    fresh.store.desk.begun.keep(waiting(fresh, NASTY), LEA)
    at = as_lea(visit, 1, sign_in="refused")
    assert "You began to reject" in prose(at)
    assert "did not let you in" in prose(at)
    assert NASTY in prose(at)
    assert NASTY not in "\n".join(raw(at, "caption"))
    press(at, notice_key(fresh, "go"))
    assert reason_field(at).value == NASTY
    press(at, "sign")
    (decision,) = fresh.store.rules.dossier("R1", SYSTEM).decisions
    assert (decision.verdict, decision.category, decision.opened_at) == (
        Verdict.REJECT,
        RejectCategory.OVER_BROAD,
        "2026-01-02T03:04:05Z",
    )
    assert fresh.store.desk.begun.of_rule("R1", LEA) == ()


@pytest.mark.parametrize(("minutes_ago", "label"), [(-1, "Go on to sign"), (1, "Continue")])
def test_whoever_signed_in_anew_goes_on_to_sign(fresh: App, visit: Visit, minutes_ago: float, label: str) -> None:
    fresh.store.desk.begun.keep(waiting(fresh), LEA)
    at = as_lea(visit, minutes_ago)
    assert at.button(notice_key(fresh, "go")).label == label


def test_what_waits_can_be_dropped(fresh: App, visit: Visit) -> None:
    fresh.store.desk.begun.keep(waiting(fresh), LEA)
    at = press(as_lea(visit, 1), notice_key(fresh, "drop"))
    assert notice_key(fresh, "go") not in keys(at)
    assert fresh.store.desk.begun.of_rule("R1", LEA) == ()
    assert fresh.store.rules.dossier("R1", SYSTEM).decisions == ()


def test_a_rule_that_changed_meanwhile_is_to_be_read_again(fresh: App, visit: Visit) -> None:
    fresh.store.desk.begun.keep(waiting(fresh), LEA)
    go_on = notice_key(fresh, "go")
    seen = fresh.store.rules.dossier("R1", SYSTEM)
    text = replace(seen.head.text, title="Another title")
    fresh.store.rules.edit("R1", seen.head.hash, seen.summary.state, text, "clearer", LOCAL)
    at = as_lea(visit, 1)
    assert "has changed since. Read it as it is now" in prose(at)
    press(at, go_on)
    assert reason_field(at).value == "it is too broad"
    press(at, "sign")
    (decision,) = fresh.store.rules.dossier("R1", SYSTEM).decisions
    assert decision.revision_hash != seen.head.hash
    assert decision.opened_at != "2026-01-02T03:04:05Z"


def test_others_do_not_see_what_waits(fresh: App, visit: Visit) -> None:
    fresh.store.desk.begun.keep(waiting(fresh), LOCAL)
    assert notice_key(fresh, "go") not in keys(as_lea(visit, 1))


def test_the_history_shows_what_was_signed(demo: App, visit: Visit) -> None:
    demo.store.rules.judge(verdict_on(demo.store, "R1"), demo.actor)
    at = visit("review", rule="R1")
    assert f"“{MEANINGS[Action.APPROVE]}” Attestation." in prose(at)


def test_withdrawing_is_offered_only_while_there_is_a_decision_to_withdraw(demo: App, visit: Visit) -> None:
    demo.store.rules.judge(verdict_on(demo.store, "R1", Verdict.REQUEST_CHANGES), demo.actor)
    assert "rule_withdraw" in keys(visit("review", rule="R1"))
    seen = demo.store.rules.dossier("R1", SYSTEM)
    example = seen.evidence[0]
    role = EvidenceRole.IRRELEVANT if example.role is not EvidenceRole.IRRELEVANT else EvidenceRole.SUPPORTS
    tick = Tick("R1", seen.head.hash, evidence_set_hash(seen.evidence), example.example_hash, role)
    demo.store.desk.ticks.tick(tick, demo.actor)
    assert "rule_withdraw" not in keys(visit("review", rule="R1"))
