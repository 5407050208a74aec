"""Decisions that are begun, mentions, the linked comment, and the page of the queue that the rule is on."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pld_app.components.queue import PAGE_SIZE
from pld_app.wiring import App
from pld_core.begun import BegunText
from pld_core.models import SYSTEM, RejectCategory
from tests.factories import BERT, fill, make_examples, make_rule, make_text, rule_in_review, verdict_on
from tests.pages.driving import NASTY, Visit, go, press, prose, raw, run, takes_literally


def begun(app: App, rule: str = "R7") -> dict[str, BegunText]:
    return {b.action.value: b.text for b in app.store.desk.begun.of_rule(rule, app.actor)}


def reason(at: AppTest) -> str:
    (field,) = [f for f in at.text_area if f.label.startswith("Reason")]
    return str(field.value)


def type_reason(at: AppTest, text: str) -> AppTest:
    (field,) = [f for f in at.text_area if f.label.startswith("Reason")]
    field.set_value(text)
    return run(at)


def choose_category(at: AppTest, category: RejectCategory) -> AppTest:
    (box,) = [box for box in at.selectbox if box.label == "What is wrong with it"]
    box.set_value(category)
    return run(at)


def notice_key(app: App, verdict: str, step: str) -> str:
    return f"begun_{step}_{verdict}_{app.store.rules.summary('R7').head[-12:]}"


@pytest.mark.parametrize("verdict", ["approve", "reject", "request_changes"])
def test_a_reason_survives_a_lost_session(demo: App, visit: Visit, verdict: str) -> None:
    at = press(visit("review", rule="R7"), f"bar_{verdict}")
    assert begun(demo) == {}
    type_reason(at, "It decides everything.")
    assert "What you typed is kept; only you see it" in prose(at)
    assert begun(demo) == {verdict: BegunText("It decides everything.")}

    lost = visit("review", rule="R7")
    assert "You began to" in prose(lost)
    press(lost, notice_key(demo, verdict, "go"))
    assert reason(lost) == "It decides everything."
    assert demo.store.rules.dossier("R7", SYSTEM).decisions == ()


def test_a_cleared_reason_is_kept_no_longer(demo: App, visit: Visit) -> None:
    at = type_reason(press(visit("review", rule="R7"), "bar_approve"), "It decides everything.")
    type_reason(at, "")
    assert begun(demo) == {}


def test_why_somebody_withdraws_survives_a_lost_session(demo: App, visit: Visit) -> None:
    demo.store.rules.judge(verdict_on(demo.store, "R7"), demo.actor)
    at = press(visit("review", rule="R7", show="All"), "rule_withdraw")
    (field,) = [f for f in at.text_area if f.label.startswith("Why")]
    field.set_value("Read too fast.")
    run(at)
    lost = visit("review", rule="R7", show="All")
    assert "You began to withdraw your decision on" in prose(lost)
    press(lost, notice_key(demo, "withdraw", "go"))
    (field,) = [f for f in lost.text_area if f.label.startswith("Why")]
    assert field.value == "Read too fast."
    press(lost, "sign")
    assert begun(demo) == {}
    assert "You began to" not in prose(lost)


def test_a_rejection_is_gone_on_with_after_a_look_at_another_page_and_signing_drops_it(demo: App, visit: Visit) -> None:
    at = press(visit("review", rule="R7"), "bar_reject")
    choose_category(at, RejectCategory.OVER_BROAD)
    type_reason(at, "It decides everything.")
    go(at, "audit")
    lost = visit("review", rule="R7")
    press(lost, "bar_reject")
    assert reason(lost) == "It decides everything."
    press(lost, "sign")
    (decision,) = demo.store.rules.dossier("R7", SYSTEM).decisions
    assert (decision.reason, decision.category) == ("It decides everything.", RejectCategory.OVER_BROAD)
    assert begun(demo) == {}


def test_what_was_begun_is_discarded_and_brought_back(demo: App, visit: Visit) -> None:
    type_reason(press(visit("review", rule="R7"), "bar_approve"), NASTY)
    at = visit("review", rule="R7")
    assert takes_literally(raw(at, "caption"), NASTY)
    press(at, notice_key(demo, "approve", "drop"))
    assert begun(demo) == {}
    assert "You began to" not in prose(at)
    press(at, "bar_undo")
    assert begun(demo) == {"approve": BegunText(NASTY)}


def test_what_was_begun_goes_over_to_a_newer_revision(demo: App, visit: Visit) -> None:
    type_reason(press(visit("review", rule="R7"), "bar_approve"), "I read it.")
    old = notice_key(demo, "approve", "go")
    before = demo.store.rules.summary("R7")
    demo.store.rules.edit("R7", before.head, before.state, make_text("it is so", "Entailment"), "Sharper.", BERT)
    at = visit("review", rule="R7", show="All")
    assert "revision 1" in prose(at)
    press(at, old)
    assert reason(at) == "I read it."
    (kept,) = demo.store.desk.begun.of_rule("R7", demo.actor)
    assert kept.base_number == 2


def test_after_a_reload_undo_says_what_to_do_instead(demo: App, visit: Visit) -> None:
    undo = visit("review", rule="R7").button("bar_undo")
    assert undo.disabled
    assert "change an earlier tick on its card" in undo.help


def test_whoever_is_mentioned_finds_the_comment_on_home_and_review(demo: App, visit: Visit) -> None:
    app_person = demo.actor.name
    demo.store.desk.comments.add("R2", "I am here.", demo.actor)
    comment = demo.store.desk.comments.add("R4", f"@{app_person}, is it one?", BERT)
    for page in ("home", "review"):
        at = visit(page)
        assert "1 comment mentions you:" in prose(at)
        (link,) = [found for found in at.get("page_link") if found.proto.label == "R4"]
        assert f"comment={comment.id}" in link.proto.query_string
    linked = visit("review", rule="R4", show="All", comment=str(comment.id))
    assert "is it one?" in "\n".join(raw(linked, "text"))
    assert linked.main.expander[0].label == "Comments (1 open)", "what the link is about stands first"
    demo.store.desk.comments.resolve(comment.id, BERT)
    assert "mentions you" not in prose(visit("review"))


def test_the_queue_turns_to_the_page_of_the_rule(empty: App, visit: Visit) -> None:
    fill(empty.store, examples=make_examples(4))
    examples = empty.store.tasks.examples("posts")
    for number in range(PAGE_SIZE + 3):
        text = make_text(f"the post is friendly ({number})")
        rule_in_review(empty.store, make_rule(text, supports=examples[:2], origin=f"o{number}"))
    at = visit("review")
    for _ in range(PAGE_SIZE):
        press(at, "bar_next")
    shown = at.radio("queue_pick")
    assert len(shown.options) == 3
    assert shown.value == "".join(at.query_params["rule"])
    press(at, "bar_previous")
    assert len(at.radio("queue_pick").options) == PAGE_SIZE
    at.text_input("q").set_value("(0)")
    run(at)
    assert f"{''.join(at.query_params['rule'])} is not among them." in prose(at)
