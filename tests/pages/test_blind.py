"""Blind review, disputes and second looks on screen; anna sits at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pld_app import wiring
from pld_app.wiring import App
from pld_app.worker import run_one
from pld_core.models import RevisionState, Role, Verdict
from pld_core.policy import PLAIN, Policy
from tests.factories import BERT, CLEO, verdict_on
from tests.pages.driving import NASTY, Visit, go, press, prose, raw, run
from tests.signing_in import signed_in, write_secrets

BLIND = Policy(four_eyes=True, blind=True, second_look=100)
SAID = f"I know it {NASTY}"


@pytest.fixture
def waiting(demo: App) -> App:
    """The demo under a blind policy: cleo commented on R1, ticked, and approved it first."""
    demo.store.policies.change("nda", PLAIN, BLIND, "as the test needs it", demo.actor)
    demo.store.desk.comments.add("R1", SAID, CLEO)
    demo.store.desk.queue.tag(["R1"], "cleo was here", CLEO)
    demo.store.rules.judge(verdict_on(demo.store, "R1", reason=SAID), CLEO)
    return demo


@pytest.fixture
def rejected(waiting: App) -> App:
    waiting.store.rules.judge(verdict_on(waiting.store, "R2", Verdict.REJECT, SAID), CLEO)
    return waiting


def test_the_second_reviewer_sees_that_there_is_a_first_decision_and_no_more(waiting: App, visit: Visit) -> None:
    at = visit("review", rule="R1", show="Second review")
    shown = prose(at)
    assert "Somebody has approved this revision first" in shown
    assert "cleo" not in shown
    assert "I know it" not in shown
    assert "cleo was here" not in "\n".join(button.label for button in at.button)
    assert "cleo was here" not in "\n".join(str(c) for radio in at.radio for c in radio.proto.captions)


def test_the_own_approval_opens_the_first_one_and_the_rule_stays(waiting: App, visit: Visit) -> None:
    at = visit("review", rule="R1", show="Second review")
    press(at, "bar_approve")
    press(at, "sign")
    assert waiting.store.rules.summary("R1").state is RevisionState.APPROVED
    assert at.query_params["rule"] == "R1"
    assert "cleo approved this too" in prose(at)
    assert SAID in prose(at)
    assert not [text for text in raw(at, "info", "toast", "markdown") if NASTY in text], "it is shown as plain text"


def test_a_disagreement_tells_both_sides_and_who_may_settle_it(waiting: App, visit: Visit) -> None:
    waiting.store.rules.judge(verdict_on(waiting.store, "R1", Verdict.REJECT, "Not so."), BERT)
    at = visit("review", rule="R1", show="Second review")
    assert "Disputed: cleo approved it, bert rejected it." in prose(at)
    assert "settles it. You can." in prose(at)
    press(at, "bar_approve")
    press(at, "sign")
    assert waiting.store.rules.summary("R1").state is RevisionState.APPROVED


def test_the_log_and_the_pack_keep_it_too(waiting: App, visit: Visit) -> None:
    at = visit("audit", event_rule="R1")
    told = "\n".join(at.dataframe[0].value["what happened"])
    assert "A first decision on R1 was made; it is shown after yours." in told
    assert "cleo" not in told
    assert "cleo" not in prose(at)
    waiting.store.jobs.enqueue("audit_pack", "nda", {"mask_personal": False}, waiting.actor)
    run_one(wiring.open_app(waiting.settings.workspace), "worker")
    at.segmented_control("audit_view").set_value("Audit pack")
    run(at)
    assert "you may still decide on R1" in prose(at)
    assert not [button for button in at.button if button.key == "make_pack"]
    assert not at.get("download_button")
    waiting.store.rules.judge(verdict_on(waiting.store, "R1"), waiting.actor)
    run(at)
    assert len(at.get("download_button")) == 1


def test_a_drawn_rejection_shows_its_reason_and_two_equal_answers(rejected: App, visit: Visit) -> None:
    at = visit("review", show="Second look")
    assert at.query_params["rule"] == "R2"
    assert SAID in prose(at)
    press(at, "look_confirm")
    assert "needs a reason" in prose(at)
    (reason,) = [area for area in at.text_area if str(area.key).startswith("look_reason_")]
    reason.set_value("It takes in silence.")
    press(at, "look_confirm")
    (look,) = rejected.store.desk.second_looks.of_rule("R2")
    assert (look.by, look.reason) == ("anna", "It takes in silence.")
    assert "anna found it right" in prose(at)
    assert not [button for button in at.button if str(button.key).startswith("look_")]


def test_reopening_puts_the_same_text_into_review(rejected: App, visit: Visit) -> None:
    at = visit("review", rule="R2", show="Second look")
    (reason,) = [area for area in at.text_area if str(area.key).startswith("look_reason_")]
    reason.set_value("The exception covers it.")
    press(at, "look_reopen")
    summary = rejected.store.rules.summary("R2")
    assert (summary.state, summary.revision) == (RevisionState.IN_REVIEW, 2)
    assert "R2 is in review again, as revision 2" in prose(at)
    assert "Revision 2, reopened after a second look, written by scripted teacher" in prose(at)


def test_signed_in_a_reviewer_is_blind_and_an_auditor_reads_all(
    rejected: App, visit: Visit, workspace_folder: Path
) -> None:
    write_secrets(workspace_folder)
    for person, role in (("ada", Role.ADMIN), ("rolf", Role.REVIEWER), ("rita", Role.AUDITOR)):
        rejected.store.roles.grant(f"{person}@example.org", role, "", rejected.actor)
    told = {}
    for person in ("rolf", "rita"):
        at = visit("home", rule="R1", show="All")
        at.user = signed_in(f"{person}@example.org")
        told[person] = prose(go(run(at), "review"))
        at.query_params["rule"] = "R2"
        buttons = {str(button.key) for button in run(at).button}
        assert ("look_confirm" in buttons, "look_reopen" in buttons) == (person == "rolf", person == "rolf")
        assert "Drawn by lot for a second look" in prose(at)
    assert "I know it" not in told["rolf"]
    assert "I know it" in told["rita"]


def test_who_rejected_is_told_that_somebody_else_looks(rejected: App, visit: Visit) -> None:
    rejected.store.rules.judge(verdict_on(rejected.store, "R3", Verdict.REJECT, "Mine."), rejected.actor)
    at = visit("review", rule="R3", show="All")
    assert "You rejected it, so somebody else looks." in prose(at)
    assert not [button for button in at.button if str(button.key).startswith("look_")]
    at = visit("review", show="Second look", rule="R2")
    assert [button.key for button in at.button if str(button.key).startswith("look_")] == [
        "look_confirm",
        "look_reopen",
    ]
