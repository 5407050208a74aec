"""Findings on screen: marked under the answer, waiting at the rule, listed where they are about none."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from pld_app.wiring import App
from pld_core.finding import AnswerPlace, Mark, Marking
from pld_core.models import Answer, AnswerStatus, EvidenceRole, RevisionState
from tests.cli.fake_ollama import STUDENT, FakeOllama
from tests.pages.driving import NASTY, Visit, press, press_at_once, prose, raw, run

SAID = Answer("Entailment", '{"label":"Entailment"}', AnswerStatus.OK, 120)


def rule_of(app: App) -> str:
    return app.store.prompts.get("nda", 1).prompt.rules[0].rule_id


def asked(app: App, text: str = "the text", rules: tuple[str, ...] = (), note: str = "The other way round.") -> None:
    """Record one live test, and mark its answer as wrong."""
    sent = {"fields": [["clause", text], ["hypothesis", "a claim"]], "digest": "sha256:w"}
    sha256 = app.store.prompts.get("nda", 1).prompt.sha256
    number = app.store.runs.record_live_test("nda", sha256, STUDENT, sent, SAID, app.actor)
    place = AnswerPlace(live_test=number)
    app.store.findings.mark(Marking("nda", place, Mark.WRONG, "Contradiction", note, rules), app.actor)


def findings_tab(visit: Visit) -> AppTest:
    at = visit("live_test")
    at.segmented_control("ask_how").set_value("Findings")
    return run(at)


def test_the_rule_shows_what_waits_and_taking_it_makes_it_stale(
    compiled: App, visit: Visit, ollama: FakeOllama
) -> None:
    rule = rule_of(compiled)
    asked(compiled, NASTY, (rule,), NASTY)
    at = visit("review", rule=rule, show="Findings")
    assert "1 finding waiting" in [expander.label for expander in at.expander]
    assert NASTY in prose(at)
    assert f"Finding 1 · live test 1, {STUDENT}, version 1" in prose(at)
    at.selectbox(f"finding_1_{rule}_role").select(EvidenceRole.NEAR_MISS)
    press_at_once(at, f"finding_1_{rule}_take")
    at.selectbox(f"finding_1_{rule}_role").select(EvidenceRole.CONTRADICTS)
    press_at_once(at, f"finding_1_{rule}_take")
    assert compiled.store.findings.get(1).is_open
    press(at, f"finding_1_{rule}_take")
    assert compiled.store.rules.summary(rule).state is RevisionState.STALE
    assert "1 finding settled" in [expander.label for expander in at.expander]


def test_dismissing_without_a_reason_says_so_and_keeps_it(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    rule = rule_of(compiled)
    asked(compiled, rules=(rule,))
    at = press(visit("review", rule=rule), f"finding_1_{rule}_dismiss")
    assert "Dismissing a finding needs a reason." in prose(at)
    at.text_input(f"finding_1_{rule}_reason").set_value("It is no clause.")
    press(at, f"finding_1_{rule}_dismiss")
    assert not compiled.store.findings.get(1).is_open
    assert compiled.store.rules.summary(rule).state is RevisionState.APPROVED


def test_a_rule_without_findings_shows_none(compiled: App, visit: Visit) -> None:
    at = visit("review", rule=rule_of(compiled), show="All")
    assert not any("finding" in expander.label for expander in at.expander)
    assert "No wrong answer of the student waits at a rule." in "\n".join(raw(visit("review", show="Findings"), "info"))


def test_one_about_no_rule_is_listed_and_given_one(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    assert "No answer was marked yet." in prose(findings_tab(visit))
    asked(compiled)
    at = findings_tab(visit)
    assert "about no rule yet" in prose(at)
    at.text_input("attach_1").set_value(rule_of(compiled).lower())
    press(at, "attach_1_send")
    assert compiled.store.findings.get(1).waits_at == (rule_of(compiled),)
    assert f"waits at {rule_of(compiled)}" in prose(at)


def test_one_about_no_rule_is_dismissed_with_a_reason(compiled: App, visit: Visit) -> None:
    asked(compiled)
    at = findings_tab(visit)
    at.text_input("all_dismiss_1").set_value("The input is no clause.")
    press(at, "all_dismiss_1_send")
    assert not compiled.store.findings.get(1).is_open
    assert "1 finding, 0 of them open." in prose(at)


def test_a_wrong_answer_of_a_run_is_marked_where_it_is_listed(
    compiled: App, visit: Visit, ollama: FakeOllama, worker: object
) -> None:
    press(visit("evaluate"), "start_run")
    assert callable(worker)
    worker()
    at = visit("evaluate")
    wrong = next(p for p in compiled.store.runs.predictions(1) if p.answer.label != p.gold)
    key = f"mark_0_1_{wrong.example_hash[-12:]}"
    at.text_area(f"{key}_note").set_value("The carve-out is for residuals.")
    press(at, f"{key}_send")
    (finding,) = compiled.store.findings.all("nda")
    assert (finding.marking.label, finding.marking.mark) == (wrong.gold, Mark.WRONG)
    assert "You marked it as wrong (finding 1)." in prose(at)
