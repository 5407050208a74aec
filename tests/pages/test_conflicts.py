"""Conflicts: where they are, how a loop went, its proposals with figures and examples, and what people make of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from pld_app import proposal_view
from pld_app.edited_trials import EditOrder
from pld_app.proposal_view import ShownProposal, Standing
from pld_app.resolution_work import ResolveOrder
from pld_app.wiring import App
from pld_core.conflicts.records import Fate
from pld_core.model_ports import ChatRequest
from pld_core.models import JobState, RevisionState, Role
from pld_core.synthesising import compare_rules
from storage import SqliteStore
from tests.cli.fake_ollama import STUDENT, FakeOllama
from tests.conflict_models import action, block, text
from tests.core.conflict_parts import rule_text
from tests.factories import ANNA, FirstWordEmbedder, ToldChat, make_rule, rule_in_review
from tests.overlapping import close_rules, judge, pair_reply
from tests.pages.driving import NASTY, Visit, Worker, press, press_at_once, prose, raw, run, takes_literally
from tests.pages.test_sign_in import RITA, as_person
from tests.resolving import RuleSpec, conflicted, limited, scripted
from tests.signing_in import signed_in, write_secrets

KINDS = [("insult plain", "remove"), ("praise plain", "keep"), ("insult joke", "keep"), ("spam offer", "remove")]
RULES = [RuleSpec("insult is said", "remove", "insult"), RuleSpec("praise is said", "keep", "praise")]
EXCEPTED = text("insult is said", "remove", ["joke is said"])
HARMFUL = text("insult and joke is said", "remove")


def store_of(app: App) -> SqliteStore:
    assert isinstance(app.store, SqliteStore)
    return app.store


def proposed(request: ChatRequest) -> Sequence[dict[str, Any]]:
    """Return one proposal that passes, one that breaks more than it fixes, one that is refused, and one to retire."""
    rules = block(request, "RULES")
    if "EXCEPT" in rules or "[R1]" not in rules:
        return []
    return [
        {**action("add_exception", ["R1"], request, EXCEPTED), "reason": f"Jokes are no insults {NASTY}"},
        action("narrow", ["R1"], request, HARMFUL),
        action("retire", ["R77"], request),
        action("retire", ["R1"], request),
    ]


@pytest.fixture
def looped(empty: App) -> App:
    """A task with a loop that has ended after round 1."""
    store = store_of(empty)
    conflicted(store, KINDS, RULES)
    scripted(store, ("joke", proposed)).run(limited(rounds=1))
    return empty


def shown(app: App) -> dict[Standing, list[ShownProposal]]:
    (loop,) = app.store.resolutions.all("posts")
    rounds = app.store.resolutions.rounds(loop.id)
    found: dict[Standing, list[ShownProposal]] = {}
    for one in proposal_view.shown_round(app, loop, rounds, 1):
        found.setdefault(one.standing, []).append(one)
    return found


def passing(app: App) -> ShownProposal:
    return shown(app)[Standing.PASSES][0]


def held(app: App, action_name: str) -> ShownProposal:
    return next(one for one in shown(app)[Standing.HELD] if one.said.action == action_name)


def give_reason(at: AppTest, one: ShownProposal, reason: str) -> None:
    at.text_input(f"why_{one.key}").set_value(reason)


def keys(at: AppTest) -> set[str]:
    return {button.key for button in at.button if button.key}


# --- before a loop ----------------------------------------------------------------------------------------------------


def test_before_a_loop_the_page_says_what_it_does_and_where_conflicts_are(demo: App, visit: Visit) -> None:
    at = visit("conflicts")
    assert "Nothing of it is in any prompt:" in prose(at)
    assert "No loop yet. Its rounds and proposals appear here." in prose(at)
    assert "0 rules on which two people disagree" in prose(at)
    pairs = demo.store.lineage.overlaps("nda")
    assert bool(pairs) == any("rules with close conditions" in expander.label for expander in at.expander)
    assert demo.store.jobs.recent("nda") == ()


def test_what_people_and_data_contradict_is_counted(empty: App, visit: Visit) -> None:
    conflicted(store_of(empty), KINDS, RULES)
    at = visit("conflicts")
    assert "0 open findings of wrong answers that people marked" in prose(at)
    assert "0 texts of the data with more than one label" in prose(at)


def test_each_kind_of_conflict_leads_to_the_rules_that_it_counts(empty: App, visit: Visit) -> None:
    store = store_of(empty)
    (overlapping,) = close_rules(store)
    posts = store.tasks.examples("posts")
    backing = next(e for e in posts if e.label == "remove")
    against = next(e for e in posts if e.label == "keep")
    torn = rule_in_review(store, make_rule(rule_text("it is torn"), [backing], [against], origin="torn"))
    asyncio.run(compare_rules(store, FirstWordEmbedder(), "posts"))
    at = visit("conflicts", task="posts")
    assert "2 rules with an overlap" in prose(at)
    assert "1 rule with contradicting examples" in prose(at)
    queries = [parse_qs(link.proto.query_string) for link in at.get("page_link")]
    kinds = [query["conflict"][0] for query in queries if "conflict" in query]

    def queued(**kind: str) -> set[str]:
        options = visit("review", task="posts", show="Conflicts", **kind).radio("queue_pick").options
        return {option.split("**")[1] for option in options}

    assert [queued(conflict=kind) for kind in kinds] == [set(overlapping), {torn}]
    assert queued() == {*overlapping, torn}


def test_a_repair_that_was_said_already_or_changes_no_word_says_so_on_its_card(empty: App, visit: Visit) -> None:
    store = store_of(empty)
    conflicted(store, [*KINDS[:3], ("spam offer", "remove"), ("insult spam", "keep")], RULES)

    def twice(request: ChatRequest) -> Sequence[dict[str, Any]]:
        retitled = {**text("insult is said", "remove"), "title": "Another title"}
        again = [action("widen", ["R1"], request, retitled)] if "[R1]" in block(request, "RULES") else []
        return [action("new_rule", [], request, text("spam is said", "keep", priority=1)), *again]

    scripted(store, ("spam", twice)).run(limited(rounds=1))
    (said_already,) = shown(empty)[Standing.SAID_ALREADY]
    at = visit("conflicts")
    assert "Another proposal of this round says the same." in prose(at)
    assert "It changes nothing in the prompt, so there was nothing to try." in prose(at)
    assert f"accept_{said_already.key}" not in keys(at)
    assert f"dismiss_{said_already.key}" in keys(at)


def test_a_loop_is_ordered_after_its_most_is_told(
    compiled: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    at = press(visit("conflicts"), "loop_open")
    assert "questions to the student" in prose(at)
    assert "8 calls to the teacher" not in prose(at)
    assert "24 calls to the teacher" in prose(at)
    assert ollama.asked == []
    at.number_input("loop_rounds").set_value(1)
    at.number_input("loop_cap").set_value(5000)
    at.number_input("loop_seed").set_value(7)
    run(at)
    assert "8 calls to the teacher" in prose(at)
    press(at, "loop_start")
    (job,) = compiled.store.jobs.recent("nda")
    assert (job.kind, job.params["seed"], job.params["student"]) == ("resolve", 7, STUDENT)
    assert "at most 1 rounds and 5,000 questions, seed 7" in prose(at)
    assert worker().state is JobState.DONE
    run(at)
    (loop,) = compiled.store.resolutions.all("nda")
    assert loop.order.limits.student_calls == 5000
    assert loop.basis.student.name == STUDENT
    # This student says the same whatever is proposed; where no rule comes near, the demo's teacher has no reply.
    assert "No proposal brought a gain; the best round stands." in prose(at)
    assert any("could not be used" in expander.label for expander in at.expander)


def test_a_loop_starts_with_the_rounds_that_its_price_was_told_for(
    compiled: App, visit: Visit, ollama: FakeOllama
) -> None:
    at = press(visit("conflicts"), "loop_open")
    at.number_input("loop_rounds").set_value(1)
    press_at_once(at, "loop_start")
    assert compiled.store.jobs.recent("nda") == ()
    assert "8 calls to the teacher" in prose(at)
    press(at, "loop_start")
    (job,) = compiled.store.jobs.recent("nda")
    assert ResolveOrder.from_json("nda", job.params).limits.rounds == 1


def test_after_another_look_at_the_student_one_press_starts_the_loop(
    compiled: App, visit: Visit, ollama: FakeOllama
) -> None:
    there = list(ollama.models)
    ollama.models.clear()
    at = press(visit("conflicts"), "loop_open")
    assert at.button("loop_start").disabled
    ollama.models.extend(there)
    press(at, "again_loop_student")
    press(at, "loop_start")
    assert [job.kind for job in compiled.store.jobs.recent("nda")] == ["resolve"]


def test_without_an_approved_rule_no_loop_can_start(demo: App, visit: Visit, ollama: FakeOllama) -> None:
    at = press(visit("conflicts"), "loop_open")
    assert "No rule of nda is in force, so there is nothing to repair." in prose(at)
    assert at.button("loop_start").disabled


def test_overlapping_pairs_are_judged_after_the_estimate_and_the_word_stands_beside_them(
    empty: App, visit: Visit
) -> None:
    store = store_of(empty)
    (rules,) = close_rules(store)
    at = visit("conflicts")
    assert "2 rules with an overlap" in prose(at)
    assert "0 rules with contradicting examples" in prose(at)
    press(at, "pairs_open")
    assert at.button("pairs_start").label == "Let the teacher judge 1 pair"
    judge(store, ToldChat(lambda _: pair_reply("duplicate"), "teacher"))
    run(at)
    assert "Its reason: Both fit insults." in prose(at).replace("*", "")
    assert "pairs_start" not in keys(at)
    assert [store.rules.summary(rule_id).state for rule_id in rules] == [RevisionState.IN_REVIEW] * 2


# --- a loop that has ended --------------------------------------------------------------------------------------------


def test_the_rounds_say_which_is_best_and_why_it_ended(looped: App, visit: Visit) -> None:
    at = visit("conflicts")
    (record,) = (one for one in looped.store.resolutions.rounds(1) if one.number == 1)
    assert "Round 1 is the best" in prose(at)
    assert "The limit of rounds is reached." in prose(at)
    table = at.dataframe[0].value
    assert list(table["round"]) == ["0 (rules as they were)", "1 ★ best"]
    assert record.validation is not None
    assert table["validation"][1].startswith(f"{record.validation.macro_f1:.3f} (")
    assert table["test"][0] != "–"
    assert list(table["prompt tokens"]) == [one.tokens for one in looped.store.resolutions.rounds(1)]


def test_a_card_tells_what_the_trial_fixed_and_shows_both_answers(looped: App, visit: Visit) -> None:
    at, one = visit("conflicts"), passing(looped)
    assert one.alone is not None
    words = one.alone.words
    assert f"F{words[1:]}" in prose(at)
    assert words.startswith("fixes 8, breaks 0")
    assert "Label keep: " in prose(at).replace("*", "")
    box = at.segmented_control(f"cases_{one.key}")
    assert box.value == "Fixed (8)"
    assert "before: :red[✗ remove]" in prose(at)
    assert "with it: :green[✓ keep]" in prose(at)
    box.set_value("Wrong in training (6)")
    run(at)
    assert "the student said :red[**remove**]" in prose(at)


def test_texts_of_the_teacher_are_plain(looped: App, visit: Visit) -> None:
    at = visit("conflicts")
    assert any(NASTY in element.value for element in at.text)
    assert not [
        word for word in raw(at, "markdown", "caption") if "evil" in word and not takes_literally([word], NASTY)
    ]


def test_what_does_not_pass_is_kept_with_the_reason(looped: App, visit: Visit) -> None:
    at = visit("conflicts")
    found = shown(looped)
    assert "The call was not about R77." in prose(at)
    assert held(looped, "narrow").why in prose(at)
    refused = found[Standing.REFUSED][0]
    assert f"accept_{refused.key}" not in keys(at)
    assert f"edit_{refused.key}" not in keys(at)
    assert "5 proposals: 1 passes, 2 do not pass, 2 refused" in prose(at)


# --- what people make of it -------------------------------------------------------------------------------------------


def test_accepting_sends_to_review_and_changes_no_rule_in_force(looped: App, visit: Visit) -> None:
    at, one = visit("conflicts"), passing(looped)
    before = looped.store.rules.summary("R1").in_force
    press(at, f"accept_{one.key}")
    summary = looped.store.rules.summary("R1")
    assert (summary.state, summary.in_force) == (RevisionState.IN_REVIEW, before)
    at.segmented_control("proposal_show_1").set_value("Decided")
    run(at)
    assert "Accepted for review by anna" in prose(at).replace("*", "")
    assert f"accept_{one.key}" not in keys(at)


def test_what_does_not_pass_goes_to_review_with_a_reason_only(looped: App, visit: Visit) -> None:
    at, one = visit("conflicts"), held(looped, "narrow")
    assert at.button(f"accept_{one.key}").label == "Send to review all the same"
    press(at, f"accept_{one.key}")
    assert "It can go to review all the same, with a reason." in prose(at)
    assert looped.store.proposals.outcomes(1) == ()
    give_reason(at, one, "The examples are wrong.")
    press(at, f"accept_{one.key}")
    (outcome,) = looped.store.proposals.outcomes(1)
    assert (outcome.fate, outcome.reason) == (Fate.ACCEPTED, "The examples are wrong.")


def test_retiring_says_that_it_holds_at_once(looped: App, visit: Visit) -> None:
    at, one = visit("conflicts"), held(looped, "retire")
    assert at.button(f"accept_{one.key}").label == "Retire R1 now"
    assert "A rule that is retired is out of force at once" in prose(at)


def test_dismissing_takes_a_reason_and_all_dismissed_is_said(looped: App, visit: Visit) -> None:
    at, found = visit("conflicts"), [one for part in shown(looped).values() for one in part]
    press(at, f"dismiss_{found[0].key}")
    assert "Dismissing a proposal needs a reason." in prose(at)
    for one in found:
        give_reason(at, one, "Not needed.")
        press(at, f"dismiss_{one.key}")
    assert "Every proposal of this round is decided." in prose(at)
    assert {outcome.fate for outcome in looped.store.proposals.outcomes(1)} == {Fate.DISMISSED}


def test_a_locked_rule_is_shown_and_its_proposals_rest(looped: App, visit: Visit) -> None:
    looped.store.locks.lock("R1", "It was agreed on.", ANNA)
    at, one = visit("conflicts"), passing(looped)
    assert one.locked == ("R1",)
    assert at.button(f"accept_{one.key}").disabled
    assert not at.button(f"dismiss_{one.key}").disabled
    assert [badge for badge in raw(at, "markdown") if "R1 is locked" in badge]


def test_somebody_who_may_not_decide_sees_greyed_buttons(looped: App, visit: Visit, workspace_folder: Path) -> None:
    write_secrets(workspace_folder)
    looped.store.roles.grant(RITA, Role.ANALYST, "", looped.actor)
    at, one = as_person(visit("home", task="posts"), "conflicts", signed_in(RITA)), passing(looped)
    for name in ("accept", "edit", "dismiss"):
        assert at.button(f"{name}_{one.key}").disabled
    assert at.button("loop_open").disabled


# --- edited and tried again -------------------------------------------------------------------------------------------


def test_an_edited_text_is_ordered_as_a_job(looped: App, visit: Visit) -> None:
    at, one = visit("conflicts"), held(looped, "narrow")
    press(at, f"edit_{one.key}")
    at.text_area(f"retry_if_0_{one.key}").set_value("insult and plain is said")
    press(at, f"try_{one.key}")
    (job,) = looped.store.jobs.recent("posts")
    order, (edited,) = EditOrder.from_json("posts", job.params), looped.store.proposals.edits(1)
    assert (job.kind, order.proposal, order.texts) == ("try_edited", one.hash, edited.hash)
    assert edited.texts[0].condition == "insult and plain is said"
    assert "Its trial has not ended." in prose(at)


def test_a_text_that_is_no_rule_is_refused_before_anything_is_asked(looped: App, visit: Visit) -> None:
    at, one = visit("conflicts"), held(looped, "narrow")
    press(at, f"edit_{one.key}")
    at.text_area(f"retry_if_0_{one.key}").set_value("  ")
    press(at, f"try_{one.key}")
    assert len(at.error) == 1
    assert looped.store.jobs.recent("posts") == ()


def test_a_tried_text_shows_its_own_figures_and_goes_to_review_as_it_was_tried(looped: App, visit: Visit) -> None:
    one, store = held(looped, "narrow"), store_of(looped)
    scripted(store).retry(one.hash, replace(one.said.texts[0].text, condition="insult and plain is said"))
    at = visit("conflicts")
    assert "Edited by anna" in prose(at)
    assert "It passes." in prose(at)
    press(at, f"accept_edited_{one.key}")
    (outcome,) = store.proposals.outcomes(1)
    assert outcome.fate is Fate.EDITED
    assert store.rules.dossier(outcome.rules[0], ANNA).head.text.condition == "insult and plain is said"


def test_a_trial_for_a_loop_that_is_not_there_ends_with_the_reason(
    compiled: App, ollama: FakeOllama, worker: Worker
) -> None:
    job = compiled.store.jobs.enqueue(
        "try_edited", "nda", EditOrder("nda", 1, "sha256:none", "sha256:no").as_json(), ANNA
    )
    ended = worker()
    assert (ended.id, ended.state) == (job.id, JobState.FAILED)
    assert "There is no loop 1" in ended.message
    assert ollama.asked == []


# --- many -------------------------------------------------------------------------------------------------------------


def test_two_hundred_proposals_come_a_page_at_a_time(empty: App, visit: Visit) -> None:
    store = store_of(empty)
    conflicted(store, KINDS, RULES)

    def many(request: ChatRequest) -> Sequence[dict[str, Any]]:
        if "EXCEPT" in block(request, "RULES"):
            return []
        return [
            {**action("retire", ["R77"], request), "reason": f"Argument {number} {json.dumps('x')}"}
            for number in range(200)
        ]

    scripted(store, ("joke", many)).run(limited(rounds=1))
    at = visit("conflicts")
    assert len([key for key in keys(at) if key.startswith("dismiss_")]) == 5
    made = len(store.resolutions.rounds(1)[1].proposals)
    assert made >= 200
    assert f"To decide ({made})" in str(at.segmented_control("proposal_show_1").options)


# --- locks at the rule ------------------------------------------------------------------------------------------------


def test_a_rule_is_locked_and_unlocked_on_its_page(demo: App, visit: Visit) -> None:
    at = visit("review", rule="R1", show="All")
    press(at, "rule_lock_set")
    assert "Locking and unlocking a rule need a reason." in prose(at)
    at.text_input("lock_reason_R1").set_value("It was agreed on.")
    press(at, "rule_lock_set")
    assert demo.store.locks.locked("nda") == {"R1"}
    assert at.button("rule_lock_set").label == "Unlock the rule"
    assert "Locked by anna" in prose(at)
