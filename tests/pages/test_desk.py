"""The desk around a decision: ticks, drafts, splitting, comments, the queue's tabs, leases, bulk steps, undo."""

from __future__ import annotations

from dataclasses import replace

from streamlit.testing.v1 import AppTest

from pld_app import wiring
from pld_app.wiring import App
from pld_core.desk import DraftText
from pld_core.models import SYSTEM, EvidenceRole, Example, RevisionState, Span, Verdict
from tests.factories import BERT, fill, make_example, make_rule, rule_in_review, verdict_on
from tests.pages.driving import NASTY, Visit, go, press, press_at_once, prose, raw, run

S = RevisionState


def roles(app: App, rule: str) -> dict[str, EvidenceRole]:
    return {e.example_hash: e.role for e in app.store.rules.dossier(rule, SYSTEM).evidence}


def tick_first(at: AppTest, role: EvidenceRole) -> None:
    """Choose a role on the first card."""
    ticks = [group for group in at.segmented_control if str(group.key).startswith("tick_")]
    ticks[0].set_value(role)
    run(at)


def field(at: AppTest, label: str) -> str:
    (found,) = [f for f in (*at.text_input, *at.text_area) if f.label == label]
    return str(found.value)


def type_into(at: AppTest, label: str, text: str) -> AppTest:
    (found,) = [f for f in (*at.text_input, *at.text_area) if f.label == label]
    found.set_value(text)
    return run(at)


def marked(at: AppTest) -> str:
    """Return the markup of texts with marked passages."""
    bodies = [str(element.proto.body) for element in at.get("html")]
    return "".join(body for body in bodies if "<mark" in body)


def edit_by_bert(app: App, rule: str) -> None:
    dossier = app.store.rules.dossier(rule, SYSTEM)
    text = replace(dossier.head.text, condition="the clause says so in as many words")
    app.store.rules.edit(rule, dossier.head.hash, dossier.summary.state, text, "It was too wide.", BERT)


# --- ticks and undo ---------------------------------------------------------------------------------------------------


def test_a_tick_is_recorded_at_once_and_u_takes_it_back(demo: App, visit: Visit) -> None:
    at = visit("review", rule="R7")
    before = roles(demo, "R7")
    assert at.button("bar_undo").disabled
    tick_first(at, EvidenceRole.IRRELEVANT)
    tick_first(at, EvidenceRole.IRRELEVANT)
    changed = {h for h, role in roles(demo, "R7").items() if role is not before[h]}
    assert len(changed) == 2
    assert "ticked by anna" in prose(at)
    press(at, "bar_undo")
    press(at, "bar_undo")
    assert roles(demo, "R7") == before
    assert at.button("bar_undo").disabled


def test_a_tick_on_an_old_screen_is_refused_in_words(demo: App, visit: Visit) -> None:
    at = visit("review", rule="R7")
    edit_by_bert(demo, "R7")
    before = roles(demo, "R7")
    tick_first(at, EvidenceRole.IRRELEVANT)
    assert "R7 revision 1 was on your screen" in raw(at, "error")[0].replace("\\", "")
    assert roles(demo, "R7") == before


def test_ticks_on_an_approved_rule_wait_behind_a_switch_and_make_it_stale(compiled: App, visit: Visit) -> None:
    at = visit("review", rule="R1", show="All")
    ticks = [group for group in at.segmented_control if str(group.key).startswith("tick_")]
    assert ticks
    assert all(group.disabled for group in ticks)
    (switch,) = [toggle for toggle in at.toggle if toggle.label == "Change ticks"]
    assert "leaves force" in switch.help
    switch.set_value(True)
    run(at)
    tick_first(at, EvidenceRole.IRRELEVANT)
    assert compiled.store.rules.summary("R1").state is S.STALE
    assert compiled.store.rules.in_force("nda") == ()


def test_a_long_text_is_folded_around_what_is_marked(empty: App, visit: Visit) -> None:
    text = "before " * 200 + "THE MARKED PASSAGE" + " after" * 200
    at_mark = text.index("THE")
    example = Example((("post", text),), "keep", make_example("x").split, spans=(Span("post", at_mark, at_mark + 18),))
    fill(empty.store, examples=[example])
    rule_in_review(empty.store, make_rule(supports=[example]))
    at = visit("review")
    shown = marked(at)
    assert "THE MARKED PASSAGE" in shown
    assert len(shown) < 700
    (unfold,) = [toggle for toggle in at.toggle if toggle.label.startswith("Show all (")]
    unfold.set_value(True)
    run(at)
    assert len(marked(at)) > len(text)


# --- drafts -----------------------------------------------------------------------------------------------------------


def test_a_draft_survives_a_lost_session_and_is_gone_on_with(demo: App, visit: Visit) -> None:
    at = press(visit("review", rule="R7"), "bar_edit")
    type_into(at, "IF", "the clause binds both sides")
    assert "Your draft is kept; only you see it." in prose(at)
    (kept,) = demo.store.desk.drafts.of_rule("R7", demo.actor)

    lost = visit("review", rule="R7")
    assert "You have a draft" in prose(lost)
    assert "based on revision 1" in prose(lost)
    press(lost, f"draft_go_{kept.base[-12:]}")
    assert field(lost, "IF") == "the clause binds both sides"
    type_into(lost, "Why this change", "Sharper.")
    press(lost, "sign")
    assert demo.store.rules.dossier("R7", SYSTEM).head.text.condition == "the clause binds both sides"
    assert demo.store.desk.drafts.of_rule("R7", demo.actor) == ()
    assert "You have a draft" not in prose(lost)


def test_a_draft_on_a_rule_that_moved_on_shows_both_texts_and_continues_on_the_newest(demo: App, visit: Visit) -> None:
    old = demo.store.rules.summary("R7").head
    demo.store.desk.drafts.save("R7", old, DraftText("t", f"mine {NASTY}", ("Entailment",), "", note="why"), demo.actor)
    edit_by_bert(demo, "R7")
    at = visit("review", rule="R7")
    text = prose(at)
    assert "The rule is at revision 2 by bert now." in text
    assert f"**IF** mine {NASTY}" in text
    assert "**IF** the clause says so in as many words" in text
    press(at, f"draft_go_{old[-12:]}")
    assert field(at, "IF") == f"mine {NASTY}"
    (draft,) = demo.store.desk.drafts.of_rule("R7", demo.actor)
    assert draft.base_number == 2


def test_a_discarded_draft_comes_back_with_u(demo: App, visit: Visit) -> None:
    head = demo.store.rules.summary("R7").head
    demo.store.desk.drafts.save("R7", head, DraftText("t", "mine", ("Entailment",), "", note="why"), demo.actor)
    at = press(visit("review", rule="R7"), f"draft_drop_{head[-12:]}")
    assert demo.store.desk.drafts.of_rule("R7", demo.actor) == ()
    press(at, "bar_undo")
    assert "You have a draft" in prose(at)


def test_the_edit_says_how_long_it_is_what_changes_and_what_is_copied(demo: App, visit: Visit) -> None:
    dossier = demo.store.rules.dossier("R7", SYSTEM)
    at = press(visit("review", rule="R7"), "bar_edit")
    assert "in the prompt; an estimate by length" in prose(at)
    words = " ".join(dossier.examples[dossier.evidence[0].example_hash].text.split()[:12])
    type_into(at, "IF", words)
    assert "shares 8 words in a row or more" in prose(at)
    assert ":green-background[" in prose(at)


# --- second opinions, withdrawal, splitting, merging ------------------------------------------------------------------


def test_a_second_opinion_leaves_ones_own_queue(demo: App, visit: Visit) -> None:
    at = press(visit("review", rule="R7"), "bar_second")
    press(at, "sign")
    assert "needs a note on what to look at" in prose(at)
    type_into(at, "What should they look at", f"Is it right? {NASTY}")
    press(at, "sign")
    assert "12 rules" in prose(at)
    assert f"anna asks for a second opinion: Is it right? {NASTY}" in prose(at)


def test_a_decision_is_withdrawn_and_stays_on_record(compiled: App, visit: Visit) -> None:
    at = press(visit("review", rule="R1", show="All"), "rule_withdraw")
    assert "leaves force" in prose(at)
    type_into(at, "Why, in your own words", "I misread it.")
    press(at, "sign")
    assert compiled.store.rules.summary("R1").state is S.IN_REVIEW
    text = prose(at)
    assert "**approve** of revision 1 by anna" in text
    assert "orange-badge[withdrawn] :small[by anna" in text
    assert "I misread it." in text


def test_a_rule_is_split_with_its_evidence(demo: App, visit: Visit) -> None:
    at = press(visit("review", rule="R7"), "rule_split")
    first = next(area for area in at.text_area if area.label == "IF")
    first.set_value("the clause binds both sides")
    type_into(at, "Why", "Two matters.")
    press(at, "sign")
    one, other = (kin.child for kin in demo.store.desk.parts.kin("R7"))
    assert demo.store.rules.dossier(one, SYSTEM).head.text.condition == "the clause binds both sides"
    assert demo.store.rules.summary(other).support == demo.store.rules.summary("R7").support
    assert f"Was split into {one} by anna: Two matters." in prose(at)


def test_two_rules_are_merged(demo: App, visit: Visit) -> None:
    at = press(visit("review", rule="R7"), "rule_merge")
    type_into(at, "Merge with rule", "r99")
    assert "There is no rule 'R99'" in prose(at)
    type_into(at, "Merge with rule", "r2")
    type_into(at, "Why", "They say the same.")
    press(at, "sign")
    (kin,) = demo.store.desk.parts.kin("R7")
    assert [k.parent for k in demo.store.desk.parts.kin(kin.child)] == ["R7", "R2"]


# --- comments ---------------------------------------------------------------------------------------------------------


def test_a_comment_is_added_answered_resolved_and_linked_to(demo: App, visit: Visit) -> None:
    at = visit("review", rule="R7")
    type_into(at, "New comment", f"@anna look {NASTY}")
    press(at, "add_comment")
    (comment,) = demo.store.desk.comments.of_rule("R7")
    assert comment.mentions == ("anna",)
    assert f"@anna look {NASTY}" in [element.value for element in at.text]
    assert any("1 open comment" in caption for caption in at.radio("queue_pick").proto.captions)
    at = press(visit("review", rule="R7", comment=str(comment.id)), f"resolve_{comment.id}")
    assert "linked" in prose(at)
    assert demo.store.desk.comments.get(comment.id).resolved
    press(at, f"reopen_{comment.id}")
    assert not demo.store.desk.comments.get(comment.id).resolved


def test_an_empty_comment_is_refused_in_words(demo: App, visit: Visit) -> None:
    at = press(visit("review", rule="R7"), "add_comment")
    assert raw(at, "error") == ["A comment needs a text\\. Nothing was added\\."]


# --- the queue --------------------------------------------------------------------------------------------------------


def test_a_rule_that_is_open_elsewhere_says_so_and_can_be_decided(demo: App, visit: Visit) -> None:
    demo.store.desk.queue.open("R7", BERT)
    at = visit("review")
    assert at.query_params["rule"] != ["R7"]
    at = visit("review", rule="R7")
    assert "Open at bert since" in prose(at)
    assert not at.button("bar_approve").disabled


def test_the_tabs_say_what_they_are_empty_of(demo: App, visit: Visit) -> None:
    assert raw(visit("review", show="Stale"), "info")[0].startswith("Nothing is stale")
    assert raw(visit("review", show="Second review"), "info") == ["Nothing waits for a second person."]
    for rule in demo.store.rules.queue("nda"):
        demo.store.desk.queue.tag([rule.id], "x", BERT)
        demo.store.desk.queue.assign([rule.id], "bert", BERT)
    assert raw(visit("review"), "info")[0].startswith("Nothing is left for you")


def test_several_rules_are_assigned_tagged_and_rejected_as_duplicates(demo: App, visit: Visit) -> None:
    at = visit("review")
    at.toggle("several").set_value(True)
    run(at)
    for rule in ("R2", "R3"):
        at.checkbox(f"pick_{rule}").check()
    run(at)
    at.text_input("bulk_tag").set_value("GDPR")
    press(at, "do_tag")
    assert [demo.store.desk.queue.row(r, demo.actor).tags for r in ("R2", "R3")] == [("gdpr",), ("gdpr",)]
    press(at, "bar_undo")
    assert demo.store.desk.queue.tags("nda") == ()
    at.selectbox("bulk_person").select("anna")
    press(at, "do_assign")
    assert demo.store.desk.queue.row("R2", demo.actor).assignee == "anna"
    at.text_input("bulk_kept").set_value("r7")
    press(at, "do_reject")
    assert "needs a reason" in raw(at, "error")[0]
    at.text_area("bulk_reason").set_value("I read both.")
    at.checkbox("pick_R4").check()
    press_at_once(at, "do_reject")
    at.checkbox("pick_R4").uncheck()
    press_at_once(at, "do_reject")
    press(at, "do_reject")
    assert {demo.store.rules.summary(r).state for r in ("R2", "R3")} == {S.REJECTED}


def test_the_newest_revision_is_shown_as_what_it_changed(demo: App, visit: Visit) -> None:
    edit_by_bert(demo, "R7")
    at = visit("review", rule="R7")
    marks = prose(at).count(":red-background[")
    press(at, "rule_diff")
    assert prose(at).count(":red-background[") > marks
    assert go(at, "review").button("rule_diff").label == "Hide diff"


def test_a_page_of_the_queue_that_emptied_meanwhile_shows_the_first(demo: App, visit: Visit) -> None:
    at = visit("review")
    for rule in demo.store.rules.queue("nda")[:3]:
        demo.store.rules.judge(verdict_on(demo.store, rule.id, Verdict.REJECT), BERT)
    run(at)
    assert "10 rules" in prose(at)
    assert wiring.open_app(demo.settings.workspace).store.events.verify().intact
