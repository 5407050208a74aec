"""Review: queue and filters, evidence, and decisions that only the button in a panel signs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from streamlit.testing.v1 import AppTest

from pld_app.components.text import plain, short_hash
from pld_app.wiring import App
from pld_core.models import SYSTEM, Decision, EvidenceRole, RejectCategory, RevisionState, RuleText, Verdict
from tests.factories import ANNA, BERT, fill, make_example, make_examples, make_rule, rule_in_review, verdict_on
from tests.pages.driving import NASTY, Visit, go, links, press, prose, raw, run, takes_literally

BAR = ("approve", "edit", "request_changes", "reject", "second", "skip", "previous", "next", "help")


def bar(at: AppTest) -> dict[str, bool]:
    """Return the buttons of the action bar, and whether they can be pressed."""
    return {name: not at.button(f"bar_{name}").disabled for name in BAR}


def open_panel(at: AppTest, step: str) -> AppTest:
    press(at, f"bar_{step}")
    assert panel_is_open(at)
    return at


def panel_is_open(at: AppTest) -> bool:
    return "sign" in [button.key for button in at.button]


def type_reason(at: AppTest, text: str) -> None:
    (area,) = [area for area in at.text_area if area.label.startswith("Reason")]
    area.set_value(text)


def reason(at: AppTest) -> str:
    (area,) = [area for area in at.text_area if area.label.startswith("Reason")]
    return str(area.value)


def choose_category(at: AppTest, category: RejectCategory) -> None:
    (box,) = [box for box in at.selectbox if box.label == "What is wrong with it"]
    box.select(category)


def in_panel(at: AppTest, label: str) -> str:
    """Return what a text field of the edit panel holds."""
    (field,) = [field for field in (*at.text_input, *at.text_area) if field.label == label]
    return str(field.value)


def type_into(at: AppTest, label: str, text: str) -> None:
    (field,) = [field for field in (*at.text_input, *at.text_area) if field.label == label]
    field.set_value(text)


def shown_rule(at: AppTest) -> str:
    return str(at.query_params["rule"])


def only_decision(app: App, rule_id: str) -> Decision:
    (decision,) = app.store.rules.dossier(rule_id, SYSTEM).decisions
    return decision


def state_of(app: App, rule_id: str) -> RevisionState:
    return app.store.rules.summary(rule_id).state


def edit_by_bert(app: App, rule_id: str, condition: str) -> None:
    dossier = app.store.rules.dossier(rule_id, SYSTEM)
    text = replace(dossier.head.text, condition=condition)
    app.store.rules.edit(rule_id, dossier.head.hash, dossier.summary.state, text, "It was too wide.", BERT)


# --- the queue --------------------------------------------------------------------------------------------------------


def test_the_queue_begins_with_the_rules_that_have_counter_examples(demo: App, visit: Visit) -> None:
    at = visit("review")
    expected = [row.id for row in demo.store.rules.queue("nda")]
    options = at.radio("queue_pick").options
    assert [option.split("**")[1] for option in options] == expected
    assert shown_rule(at) == expected[0]
    assert "13 rules" in prose(at)
    assert demo.store.rules.summary(expected[0]).contradictions > 0


def test_picking_a_rule_shows_it_and_puts_it_into_the_address(demo: App, visit: Visit) -> None:
    at = visit("review")
    at.radio("queue_pick").set_value("R5")
    run(at)
    assert shown_rule(at) == "R5"
    assert f"## {demo.store.rules.summary('R5').title}" in prose(at)


def test_a_link_opens_its_rule(demo: App, visit: Visit) -> None:
    at = visit("review", rule="r4", show="All")
    assert f"## {demo.store.rules.summary('R4').title}" in prose(at)
    assert at.radio("queue_pick").value == "R4"


def test_a_link_to_a_rule_that_is_not_there_says_so(demo: App, visit: Visit) -> None:
    at = visit("review", rule="R99")
    assert len(at.warning) == 1
    assert "R99" in prose(at)
    assert not [button for button in at.button if str(button.key).startswith("bar_")]


@pytest.mark.parametrize(("field", "value"), [("q", "no rule says this"), ("q", "%")])
def test_a_filter_that_matches_nothing_says_what_to_do(demo: App, visit: Visit, field: str, value: str) -> None:
    at = visit("review", **{field: value})
    assert raw(at, "info") == ["No rule matches this filter. Clear the search or choose another label."]
    at.text_input("q").set_value("")
    run(at)
    assert "13 rules" in prose(at)


def test_search_and_label_narrow_the_queue(demo: App, visit: Visit) -> None:
    at = visit("review")
    at.selectbox("label").select("Contradiction")
    run(at)
    expected = [row.id for row in demo.store.rules.queue("nda") if "Contradiction" in row.labels]
    assert [option.split("**")[1] for option in at.radio("queue_pick").options] == expected
    at.text_input("q").set_value("copying")
    run(at)
    assert [option.split("**")[1] for option in at.radio("queue_pick").options] == ["R6"]


def test_nothing_decided_yet(demo: App, visit: Visit) -> None:
    assert raw(visit("review", show="Decided"), "info") == ["Nothing is decided yet. Switch to “Mine”."]


def test_everything_decided(demo: App, visit: Visit) -> None:
    for rule in demo.store.rules.queue("nda"):
        demo.store.rules.judge(verdict_on(demo.store, rule.id), ANNA)
    at = visit("review")
    assert raw(at, "success") == ["All rules are decided. Compile them on the Prompt page."]
    assert links(at) == ["Go to Prompt"]


def test_a_task_without_rules_says_where_they_come_from(empty: App, visit: Visit) -> None:
    fill(empty.store)
    assert raw(visit("review"), "info") == [
        "No rule yet. Rules come from clusters of instructions: see the Clusters page."
    ]


def test_skip_next_and_previous_walk_through_the_queue(demo: App, visit: Visit) -> None:
    _, second, third, *_ = [row.id for row in demo.store.rules.queue("nda")]
    at = visit("review")
    assert not bar(at)["previous"]
    assert shown_rule(press(at, "bar_next")) == second
    assert shown_rule(press(at, "bar_skip")) == third
    assert shown_rule(press(at, "bar_previous")) == second
    last = demo.store.rules.queue("nda")[-1].id
    at = visit("review", rule=last)
    assert (bar(at)["next"], bar(at)["skip"], bar(at)["previous"]) == (False, False, True)


# --- the evidence and the rule ----------------------------------------------------------------------------------------


def test_contradicting_evidence_comes_first_then_near_misses_then_supporting(demo: App, visit: Visit) -> None:
    at = visit("review")
    text = prose(at)
    headings = [text.index(f"**{name}** (") for name in ("Contradicting", "Near misses", "Supporting")]
    assert headings == sorted(headings)
    dossier = demo.store.rules.dossier(shown_rule(at), SYSTEM)
    against = [e for e in dossier.evidence if e.role is EvidenceRole.CONTRADICTS]
    assert f"**Contradicting** ({len(against)})" in text
    shown = [element.value for element in at.text]
    for evidence in dossier.evidence:
        example = dossier.examples[evidence.example_hash]
        assert [value for _, value in example.fields if value not in shown] == []


def test_the_rule_reads_as_if_then_except_and_says_who_wrote_it(demo: App, visit: Visit) -> None:
    at = visit("review", rule="R7")
    text, dossier = prose(at), demo.store.rules.dossier("R7", SYSTEM)
    assert f"**IF** {dossier.head.text.condition.rstrip(' .')}" in text
    assert f"**THEN** {dossier.head.text.labels[0]}" in text
    assert text.count("**EXCEPT** ") == len(dossier.head.text.exceptions) == 2
    assert "Revision 1, proposed by scripted teacher: replies written for this demo" in text
    assert dossier.head.hash.removeprefix("sha256:")[:12] in text


def test_each_evidence_card_says_which_row_of_which_file_it_is_and_what_read_it(demo: App, visit: Visit) -> None:
    at = visit("review", rule="R1")
    dossier = demo.store.rules.dossier("R1", SYSTEM)
    origins = [e.origin for e in dossier.examples.values() if e.origin is not None]
    assert len(origins) == len(dossier.examples)
    helps = [str(caption.help) for caption in at.caption if caption.help]
    for origin in origins:
        mine = [text for text in helps if plain(origin.words) in text]
        assert mine
        assert f"file {short_hash(origin.sha256)}, read by {plain(origin.importer)}" in mine[0]


def test_a_rule_without_evidence_can_be_rejected_but_not_approved(empty: App, visit: Visit) -> None:
    fill(empty.store)
    rule_in_review(empty.store, make_rule())
    at = visit("review")
    assert raw(at, "warning") == [
        "This rule has no evidence, so nobody can judge it. It can be rejected, but not approved."
    ]
    assert (bar(at)["approve"], bar(at)["reject"]) == (False, True)
    assert at.button("bar_approve").help == "No evidence to judge it by."


def test_a_long_list_of_evidence_says_what_is_left_out(empty: App, visit: Visit) -> None:
    examples = fill(empty.store, examples=make_examples(45))
    rule_in_review(empty.store, make_rule(supports=examples))
    at = visit("review")
    assert "The closest 40 of 45 examples are shown; `pld rules show R1` lists all." in prose(at)
    assert len(at.text) == 40


def test_untrusted_text_is_shown_letter_by_letter(empty: App, visit: Visit) -> None:
    example = make_example(NASTY, source=NASTY)
    fill(empty.store, examples=[example])
    text = RuleText(NASTY, f"it says {NASTY}", ("keep",), (f"unless {NASTY}",), f"because {NASTY}")
    rule_in_review(empty.store, make_rule(text, supports=[example]))
    at = visit("review")
    assert [element.value for element in at.text] == [NASTY]
    sent = raw(at, "markdown", "caption")
    for part in (f"it says {NASTY}", f"unless {NASTY}", f"because {NASTY}"):
        assert takes_literally(sent, part), part
    assert takes_literally([text for text in sent if text.startswith("## ")], NASTY)
    assert takes_literally([text for text in sent if text.startswith("train")], "item 1 of test.csv")
    assert takes_literally(at.radio("queue_pick").options, NASTY)


# --- decisions --------------------------------------------------------------------------------------------------------


def test_a_bar_button_opens_a_panel_and_records_nothing(demo: App, visit: Visit) -> None:
    at = open_panel(visit("review"), "approve")
    rule_id = shown_rule(at)
    assert at.button("sign").label == "Sign and approve"
    assert "I have read this revision beside its evidence, find it right" in prose(at)
    assert not any(bar(at).values()), "keys must not fire behind the panel"
    assert state_of(demo, rule_id) is RevisionState.IN_REVIEW
    assert demo.store.rules.dossier(rule_id, SYSTEM).decisions == ()


def test_approving_stores_the_decision_and_goes_on_to_the_next_rule(demo: App, visit: Visit) -> None:
    at = visit("review")
    rule_id = shown_rule(at)
    following = demo.store.rules.neighbours(rule_id)[1]
    open_panel(at, "approve")
    type_reason(at, "Read beside all its examples.")
    press(at, "sign")
    decision = only_decision(demo, rule_id)
    assert (decision.verdict, decision.reviewer) == (Verdict.APPROVE, "anna")
    assert decision.reason == "Read beside all its examples."
    assert decision.revision_hash == demo.store.rules.dossier(rule_id, SYSTEM).head.hash
    assert datetime.fromisoformat(decision.opened_at) <= datetime.fromisoformat(decision.decided_at)
    assert raw(at, "toast") == [f"{rule_id} is approved \\(decision {decision.id}\\)"]
    assert shown_rule(at) == following
    assert not panel_is_open(at)
    assert "12 rules" in prose(at)


def test_a_decided_rule_shows_its_decision_and_can_only_be_edited(compiled: App, visit: Visit) -> None:
    at = visit("review", rule="R1", show="All")
    assert "**approve** of revision 1 by anna" in prose(at)
    assert "I read the evidence." in prose(at)
    allowed = bar(at)
    assert (allowed["approve"], allowed["request_changes"], allowed["reject"]) == (False, False, False)
    assert allowed["edit"]
    assert at.button("bar_reject").help == "This revision is approved. Edit it to make a new one."


def test_rejecting_needs_a_reason_and_a_category_and_keeps_what_was_typed(demo: App, visit: Visit) -> None:
    at = open_panel(visit("review"), "reject")
    rule_id = shown_rule(at)
    press(at, "sign")
    assert "Rejecting needs a reason in your own words." in prose(at)

    type_reason(at, "It concludes too much.")
    press(at, "sign")
    assert "Rejecting needs a category." in prose(at)
    assert panel_is_open(at)
    assert reason(at) == "It concludes too much."
    assert state_of(demo, rule_id) is RevisionState.IN_REVIEW

    choose_category(at, RejectCategory.OVER_BROAD)
    press(at, "sign")
    decision = only_decision(demo, rule_id)
    assert (decision.verdict, decision.category) == (Verdict.REJECT, RejectCategory.OVER_BROAD)
    assert decision.reason == "It concludes too much."
    assert state_of(demo, rule_id) is RevisionState.REJECTED
    assert not at.error
    assert not panel_is_open(at)


def test_requesting_changes_needs_a_reason(demo: App, visit: Visit) -> None:
    at = open_panel(visit("review"), "request_changes")
    rule_id = shown_rule(at)
    press(at, "sign")
    assert "Requesting changes needs a reason" in prose(at)
    type_reason(at, "Name the notice period.")
    press(at, "sign")
    assert state_of(demo, rule_id) is RevisionState.CHANGES_REQUESTED
    assert only_decision(demo, rule_id).reason == "Name the notice period."


def test_an_edit_is_a_new_revision_that_goes_back_to_review(compiled: App, visit: Visit) -> None:
    at = open_panel(visit("review", rule="R1", show="All"), "edit")
    before = compiled.store.rules.dossier("R1", SYSTEM).head
    assert in_panel(at, "IF") == before.text.condition
    assert in_panel(at, "Title") == before.text.title
    press(at, "sign")
    assert "Nothing was changed: the text equals the revision you started from." in prose(at)

    type_into(at, "EXCEPT (one exception a line)", "the clause names another party\n\nthe clause is void")
    press(at, "sign")
    assert "An edit needs a reason" in prose(at)
    assert in_panel(at, "EXCEPT (one exception a line)").startswith("the clause names another party")

    type_into(at, "Why this change", "An exception was missing.")
    press(at, "sign")
    dossier = compiled.store.rules.dossier("R1", SYSTEM)
    assert (dossier.head.number, dossier.head.author, dossier.head.note) == (2, "anna", "An exception was missing.")
    assert dossier.head.text.exceptions == ("the clause names another party", "the clause is void")
    assert dossier.head.text.condition == before.text.condition
    assert dossier.summary.state is RevisionState.IN_REVIEW
    assert dossier.summary.in_force == before.hash
    text = prose(at)
    assert "R1 revision 2 is in review" in text
    assert "earlier revision in force" in text
    assert "Revision 2 (in review) against 1" in text
    assert ":green-background[**" in text


def test_an_edit_without_a_label_is_refused(demo: App, visit: Visit) -> None:
    at = open_panel(visit("review"), "edit")
    at.multiselect[0].set_value([])
    type_into(at, "Why this change", "Because.")
    press(at, "sign")
    assert "A rule needs at least one label after THEN." in prose(at)
    assert demo.store.rules.dossier(shown_rule(at), SYSTEM).head.number == 1


def test_help_lists_the_keys(demo: App, visit: Visit) -> None:
    at = press(visit("review"), "bar_help")
    assert "**X** reject" in prose(at)
    assert not panel_is_open(at)


def test_a_panel_does_not_follow_to_another_rule(demo: App, visit: Visit) -> None:
    at = open_panel(visit("review"), "reject")
    at.query_params["rule"] = "R5"
    run(at)
    assert shown_rule(at) == "R5"
    assert not panel_is_open(at)


def test_a_draft_survives_a_look_at_another_page(demo: App, visit: Visit) -> None:
    at = open_panel(visit("review"), "reject")
    type_reason(at, "It concludes too much.")
    run(at)
    go(at, "home")
    go(at, "review")
    assert panel_is_open(at)
    assert reason(at) == "It concludes too much."


def test_a_write_that_fails_keeps_the_panel_and_the_text(demo: App, visit: Visit) -> None:
    at = open_panel(visit("review"), "approve")
    type_reason(at, "Read beside all its examples.")
    run(at)
    head_file = demo.store.database.head_path
    head_file.unlink()
    head_file.mkdir()
    press(at, "sign")
    assert len(at.error) == 1
    assert "head file pld.db.head" in prose(at)


# --- decided elsewhere meanwhile --------------------------------------------------------------------------------------


def test_a_rule_decided_meanwhile_shows_both_and_records_nothing(demo: App, visit: Visit) -> None:
    at = open_panel(visit("review"), "approve")
    rule_id = shown_rule(at)
    type_reason(at, "Looks right to me.")
    demo.store.rules.judge(verdict_on(demo.store, rule_id, Verdict.REJECT), BERT)
    at.button("sign").click()
    run(at)
    assert only_decision(demo, rule_id).reviewer == "bert"
    text = prose(at)
    assert f"{rule_id} revision 1 was on your screen, but the rule is now rejected (by bert)." in text
    assert "On your screen: revision 1 by scripted teacher" in text
    assert "Now there: revision 1, rejected, last changed by bert" in text
    assert shown_rule(at) == rule_id, "the rule stays on screen, so that both can be compared"
    assert not panel_is_open(at)


def test_a_rule_edited_meanwhile_shows_both_texts_and_keeps_the_reason(demo: App, visit: Visit) -> None:
    at = open_panel(visit("review"), "approve")
    rule_id = shown_rule(at)
    old = demo.store.rules.dossier(rule_id, SYSTEM).head.text.condition
    type_reason(at, "Looks right to me.")
    edit_by_bert(demo, rule_id, "the clause says so in as many words")
    at.button("sign").click()
    run(at)
    assert demo.store.rules.dossier(rule_id, SYSTEM).decisions == ()
    assert [text for text in raw(at, "warning") if "newer revision 2 by bert" in text]
    compared = prose(at)
    assert f"**IF** {old.rstrip(' .')}" in compared
    assert compared.count("**IF** the clause says so in as many words") == 2, "in the comparison and in the rule"

    (understood,) = [button for button in at.button if button.label.startswith("Understood")]
    understood.click()
    run(at)
    (warning,) = raw(at, "warning")
    assert "changed since. Read it as it is now" in warning, "what is left says that the approval is not signed"
    open_panel(at, "approve")
    assert reason(at) == "Looks right to me."
    press(at, "sign")
    assert "You began to" not in prose(at)
    decision = only_decision(demo, rule_id)
    assert decision.revision_hash == demo.store.rules.dossier(rule_id, SYSTEM).head.hash
    assert decision.reason == "Looks right to me."


def test_an_edit_of_a_rule_edited_meanwhile_keeps_the_draft(demo: App, visit: Visit) -> None:
    at = open_panel(visit("review"), "edit")
    rule_id = shown_rule(at)
    type_into(at, "IF", "the clause binds both sides")
    type_into(at, "Why this change", "Sharper.")
    edit_by_bert(demo, rule_id, "the clause says so in as many words")
    at.button("sign").click()
    run(at)
    assert demo.store.rules.dossier(rule_id, SYSTEM).head.author == "bert"
    open_panel(at, "edit")
    assert in_panel(at, "IF") == "the clause binds both sides"
    assert in_panel(at, "Why this change") == "Sharper."
    press(at, "sign")
    head = demo.store.rules.dossier(rule_id, SYSTEM).head
    assert (head.number, head.author, head.text.condition) == (3, "anna", "the clause binds both sides")


def test_deciding_again_after_a_refusal_ends_the_comparison_and_goes_on(demo: App, visit: Visit) -> None:
    at = open_panel(visit("review"), "approve")
    rule_id = shown_rule(at)
    edit_by_bert(demo, rule_id, "the clause says so in as many words")
    at.button("sign").click()
    run(at)
    open_panel(at, "approve")
    following = demo.store.rules.neighbours(rule_id)[1]
    press(at, "sign")
    assert state_of(demo, rule_id) is RevisionState.APPROVED
    assert not at.warning
    assert shown_rule(at) == following


def test_the_comparison_stays_with_its_rule(demo: App, visit: Visit) -> None:
    at = open_panel(visit("review"), "approve")
    rule_id = shown_rule(at)
    edit_by_bert(demo, rule_id, "the clause says so in as many words")
    at.button("sign").click()
    run(at)
    at.query_params["rule"] = "R5"
    run(at)
    assert not at.warning
    at.query_params["rule"] = rule_id
    run(at)
    assert len(at.warning) == 1
