"""Releasing on the Prompt page: gates and the way to their fix, signature, exception, the way back; and on Home."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pld_app import wiring
from pld_app.wiring import App
from pld_core.gate_policy import AS_MADE, GatePolicy
from pld_core.models import Answer, AnswerStatus, Prediction, Run, Split
from pld_core.policy import PLAIN, Policy
from pld_core.records import ExampleFilter
from pld_core.releases import BreakGlass, ReleaseLabel, ReleaseOrder
from tests.cli.fake_ollama import STUDENT, FakeOllama
from tests.factories import BERT, verdict_on
from tests.pages.driving import NASTY, Visit, Worker, go, links, press, press_at_once, prose, raw, run, takes_literally
from tests.releasing import LOOK

PRODUCTION = ReleaseLabel.PRODUCTION
TINY = GatePolicy(token_budget=10)
REASON = "release_reason_nda_1"


def evaluate(app: App, number: int) -> None:
    """Let a student answer every test example rightly."""
    version = app.store.prompts.get("nda", number)
    examples = app.store.tasks.examples("nda", ExampleFilter(split=Split.TEST))
    wanted = Run(
        0, "nda", number, version.prompt.sha256, "told", "sha256:w", Split.TEST, "", "", len(examples), None, LOOK
    )
    run_id = app.store.runs.start(wanted, BERT).id
    answers = [Prediction(e.hash, e.label, Answer(e.label, e.label, AnswerStatus.OK, 5)) for e in examples]
    app.store.runs.add_predictions(run_id, answers)


def move(app: App, number: int, glass: BreakGlass | None = None) -> None:
    held = app.store.releases.holder("nda", PRODUCTION)
    order = ReleaseOrder("nda", PRODUCTION, number, held.number if held else 0, "it is better", glass)
    app.store.releases.move(order, BERT)


@pytest.fixture
def ready(compiled: App) -> App:
    """The demo with version 1, evaluated on the test split; no gate is red."""
    evaluate(compiled, 1)
    return compiled


@pytest.fixture
def second(ready: App) -> App:
    """Version 1 in production, version 2 with another rule, evaluated too."""
    move(ready, 1)
    ready.store.rules.judge(verdict_on(ready.store, "R2"), BERT)
    wiring.compile_task(ready, "nda")
    evaluate(ready, 2)
    return ready


def holder(app: App) -> int:
    held = app.store.releases.holder("nda", PRODUCTION)
    return held.version if held else 0


def test_a_version_that_was_not_evaluated_says_so_and_leads_there(compiled: App, visit: Visit) -> None:
    at = visit("prompt")
    assert ":red[**2 gates red**]" in "\n".join(raw(at, "markdown"))
    assert "This prompt was not evaluated there. Evaluate version 1 on the test split." in prose(at)
    assert links(at).count("Put it right on Evaluate") == 2
    assert at.button("release").disabled
    assert "2 gates red. Put them right, or make an exception." in prose(at)
    assert "Production: on no version" in prose(at).replace("**", "")


def test_the_test_split_is_evaluated_from_here_and_the_look_is_counted(
    ollama: FakeOllama, compiled: App, visit: Visit, worker: Worker
) -> None:
    at = press(visit("prompt"), "run_on_test")
    assert worker().kind == "evaluate"
    run(at)
    assert "evaluations on test so far: 1" in prose(at)
    assert "**No gate is red**" in prose(at)
    assert compiled.store.runs.get(1).student == STUDENT


def test_the_version_that_is_chosen_with_the_press_is_shown_before_it_is_evaluated_or_signed(
    ollama: FakeOllama, second: App, visit: Visit
) -> None:
    at = visit("prompt")
    at.selectbox("version_nda").select(1)
    press_at_once(at, "release")
    at.selectbox("version_nda").select(2)
    press_at_once(at, "run_on_test")
    assert holder(second) == 1
    assert second.store.jobs.recent("nda") == ()


def test_a_release_is_signed_with_its_reason(ready: App, visit: Visit) -> None:
    at = visit("prompt")
    assert "No version is in production yet, so all of it is new." in prose(at)
    at.segmented_control("release_label").set_value(ReleaseLabel.CANDIDATE)
    press_at_once(at, "release")
    at.segmented_control("release_label").set_value(ReleaseLabel.PRODUCTION)
    press_at_once(at, "release")
    assert ready.store.releases.history("nda") == ()
    at.text_area(REASON).set_value(NASTY)
    press(at, "release")
    held = ready.store.releases.holder("nda", PRODUCTION)
    assert held is not None
    assert (held.version, held.by, held.reason) == (1, "anna", NASTY)
    assert takes_literally(raw(at, "caption"), NASTY)
    assert at.text_area(REASON).value == ""
    assert at.button("release").disabled
    assert "Production is on this version already." in prose(at)
    at.segmented_control("release_label").set_value(ReleaseLabel.CANDIDATE)
    run(at)
    assert not at.button("release").disabled


def test_without_a_reason_nothing_moves_and_what_was_chosen_stays(ready: App, visit: Visit) -> None:
    at = press(visit("prompt"), "release")
    assert "Moving a release label needs a reason" in prose(at)
    assert holder(ready) == 0


def test_of_two_who_release_at_once_the_second_keeps_the_words(second: App, visit: Visit) -> None:
    at = visit("prompt")
    at.text_area("release_reason_nda_2").set_value("it reads better")
    move(second, 2)
    press(at, "release")
    assert "is not where it was when you looked" in prose(at)
    assert at.text_area("release_reason_nda_2").value == "it reads better"
    assert len(second.store.releases.history("nda")) == 2


def test_who_built_it_does_not_sign_under_four_eyes(ready: App, visit: Visit) -> None:
    ready.store.policies.change("nda", PLAIN, Policy(four_eyes=True), "two of us", BERT)
    at = visit("prompt")
    assert at.button("release").disabled
    assert "another release manager has to sign" in prose(at)


def test_an_exception_is_asked_for_with_reason_and_day_only_where_a_gate_is_red(ready: App, visit: Visit) -> None:
    assert [toggle.key for toggle in visit("prompt").toggle] == []
    ready.store.gate_policies.change("nda", AS_MADE, TINY, "a tiny student", BERT)
    at = visit("prompt")
    at.text_area(REASON).set_value("it has to go out")
    at.toggle("release_exception_nda_1").set_value(True)
    run(at)
    at.text_area("release_exception_reason_nda_1").set_value("a court order")
    press(at, "release")
    held = ready.store.releases.holder("nda", PRODUCTION)
    assert held is not None
    week = (datetime.now(UTC).date() + timedelta(days=7)).isoformat()
    assert held.break_glass == BreakGlass("a court order", week)
    assert f"Exception until {week}" in prose(at)
    assert f"exception until {week}: released with red gates" in prose(go(at, "home")).lower()


def test_what_comes_and_goes_stands_there_before_the_signature(second: App, visit: Visit) -> None:
    at = visit("prompt")
    shown = prose(at)
    changes = shown.partition("**2. What changes against production**")[2].partition("**3. Sign**")[0]
    assert "From version 1 to version 2" in shown
    assert second.store.rules.dossier("R2", BERT).head.text.condition.split()[0] in changes
    assert "**R2**" in changes
    assert "**No gate is red**" in shown
    at.selectbox("version_nda").select(1)
    run(at)
    assert "This version is in production." in prose(at)


def test_a_label_goes_back_with_a_reason(second: App, visit: Visit) -> None:
    move(second, 2)
    at = visit("prompt")
    press(at, "roll_back_production")
    assert "needs a reason" in prose(at)
    at.text_input("rollback_reason_production").set_value("it misleads")
    press(at, "roll_back_production")
    assert holder(second) == 1
    assert next(table.value["how"].tolist() for table in at.dataframe if "how" in table.value) == [
        "rollback",
        "move",
        "move",
    ]
    assert not [button for button in at.button if button.key == "roll_back_production"]


def test_home_shows_what_is_in_production_with_its_score(ready: App, visit: Visit) -> None:
    assert "No version is in production." in prose(visit("home"))
    move(ready, 1)
    shown = prose(visit("home"))
    n = ready.store.tasks.count_examples("nda", ExampleFilter(split=Split.TEST))
    assert "**In production: version 1**" in shown
    assert f"told on test: {n} of {n}" in shown


def test_limits_are_changed_with_a_reason_and_a_change_meanwhile_is_told(ready: App, visit: Visit) -> None:
    at = visit("settings")
    assert at.button("limits_save").disabled
    at.number_input("limit_token_budget_nda").set_value(10)
    at.text_area("limit_reason_nda").set_value(NASTY)
    run(at)
    assert "Prompt, tokens at most: 4,096 → 10" in prose(at)
    ready.store.gate_policies.change("nda", AS_MADE, GatePolicy(malformed=0.1), "meanwhile", BERT)
    press(at, "limits_save")
    assert "Somebody changed the limits of the gates of nda" in prose(at)
    assert at.number_input("limit_token_budget_nda").value == 10
    assert "Answers without a label, at most: 0.1 → 0.01" in prose(at), "what it would undo stands there"
    at.number_input("limit_malformed_nda").set_value(0.1)
    press_at_once(at, "limits_save")
    press(at, "limits_save")
    assert ready.store.gate_policies.of("nda") == GatePolicy(malformed=0.1, token_budget=10)
    assert ready.store.gate_policies.history("nda")[0].reason == NASTY
    assert "budget" in {gate.key for gate in ready.store.releases.gates("nda", 1) if gate.reason and gate.fix}
