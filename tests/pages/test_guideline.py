"""The guideline beside a rule and on the Data page, the labels, and why a rule is stale."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pld_app.wiring import App
from pld_core.models import Actor, Label, RevisionState, Role
from pld_core.overlaps import Overlap
from tests.factories import (
    approved_rule,
    fill,
    make_examples,
    make_rule,
    make_task,
    make_text,
    rule_in_review,
    verdict_on,
)
from tests.pages.driving import NASTY, Visit, press, press_at_once, prose, raw, run, takes_literally
from tests.pages.test_review import open_panel, state_of
from tests.pages.test_sign_in import RITA, as_person
from tests.signing_in import signed_in, write_secrets

NEW = "Read the clause slowly."
EVE = Actor("eve", frozenset(Role))


@pytest.fixture
def posts(empty: App) -> App:
    """Two approved rules, R1 for `keep` and R2 for `remove`, and R3 in review."""
    given = fill(empty.store, make_task(guideline="Keep what harms nobody."), make_examples(6))
    approved_rule(empty.store, make_rule(supports=given[:1], origin="a"))
    approved_rule(empty.store, make_rule(make_text(label="remove"), given[1:2], origin="b"))
    rule_in_review(empty.store, make_rule(make_text("it is late"), given[2:3], origin="c"))
    return empty


def form(visit: Visit) -> AppTest:
    return visit("data", task="posts", view="Guideline and labels")


def written(at: AppTest, text: str) -> AppTest:
    at.text_area("guideline_text_posts").set_value(text)
    return run(at)


def field(at: AppTest, label: str) -> str:
    """Return the key of the text input with this label."""
    (found,) = [box for box in at.text_input if box.label == label]
    return str(found.key)


# --- changing the guideline -------------------------------------------------------------------------------------------


def test_what_goes_stale_is_listed_before_it_is_saved(posts: App, visit: Visit) -> None:
    at = form(visit)
    assert "Nothing is changed yet" in prose(at)
    written(at, NEW)
    assert "Saving this makes 2 approved rules stale: R1, R2." in prose(at)
    assert posts.store.guidelines.current("posts").version == 1
    at.text_input("guideline_reason_posts").set_value("clearer")
    press(run(at), "guideline_save")
    assert "Version 2 of the guideline is in force. That makes 2 approved rules stale: R1, R2." in prose(at)
    assert (posts.store.tasks.get("posts").guideline, state_of(posts, "R1")) == (NEW, RevisionState.STALE)
    text = prose(at)
    assert "Version 2, by anna" in text
    assert "Why: clearer" in text
    assert at.text_area("guideline_text_posts").value == NEW


def test_without_a_reason_nothing_is_saved_and_the_text_stays(posts: App, visit: Visit) -> None:
    at = press(written(form(visit), NEW), "guideline_save")
    assert "needs a reason" in prose(at)
    assert posts.store.guidelines.current("posts").version == 1
    assert at.text_area("guideline_text_posts").value == NEW


def test_white_space_at_line_ends_is_no_change(posts: App, visit: Visit) -> None:
    at = written(form(visit), "Keep what harms nobody.  \n\n")
    assert "Nothing is changed yet" in prose(at)


def test_what_was_written_is_kept_when_somebody_else_was_faster(posts: App, visit: Visit) -> None:
    at = written(form(visit), NEW)
    posts.store.guidelines.change("posts", 1, "Eve's text.", "mine", EVE)
    run(at)
    assert "Meanwhile version 2 came into force, by eve. What you wrote is kept." in prose(at)
    assert at.text_area("guideline_text_posts").value == NEW
    press(at, "guideline_discard")
    assert at.text_area("guideline_text_posts").value == "Eve's text."


def test_fields_that_nobody_touched_follow_what_is_in_force(posts: App, visit: Visit) -> None:
    at = form(visit)
    posts.store.guidelines.change("posts", 1, "Eve's text.", "mine", EVE)
    assert run(at).text_area("guideline_text_posts").value == "Eve's text."
    assert "Meanwhile" not in prose(at)


def test_the_history_and_what_people_wrote_are_shown_letter_by_letter(posts: App, visit: Visit) -> None:
    posts.store.guidelines.change("posts", 1, NASTY, NASTY, EVE)
    at = form(visit)
    assert "Earlier versions (1 change)" in [box.label for box in at.expander]
    assert takes_literally(raw(at, "markdown"), NASTY)
    assert "Keep what harms nobody." in raw(at, "text")


# --- labels -----------------------------------------------------------------------------------------------------------


def test_a_description_is_changed_with_what_goes_stale_listed_before(posts: App, visit: Visit) -> None:
    at = form(visit)
    at.text_input(field(at, "remove")).set_value("It goes at once.")
    assert "Saving this makes 1 approved rule stale: R2." in prose(run(at))
    reason = next(str(box.key) for box in at.text_input if str(box.key).startswith("label_reason"))
    at.text_input(field(at, "remove")).set_value("It goes.")
    press_at_once(at, "labels_save")
    at.text_input(field(at, "remove")).set_value("It goes at once.")
    press_at_once(at, "labels_save")
    at.text_input(reason).set_value("too vague")
    press(at, "labels_save")
    assert "The labels are saved. That makes 1 approved rule stale: R2." in prose(at)
    assert posts.store.tasks.get("posts").labels[1] == Label("remove", "It goes at once.")
    assert (state_of(posts, "R1"), state_of(posts, "R2")) == (RevisionState.APPROVED, RevisionState.STALE)


def test_a_new_label_concerns_every_rule_and_one_in_use_cannot_go(posts: App, visit: Visit) -> None:
    at = form(visit)
    at.text_input(field(at, "New label")).set_value("ask")
    assert "Saving this makes 2 approved rules stale: R1, R2." in prose(run(at))
    box = next(found for found in at.checkbox if found.label == "Remove")
    box.check()
    assert "The label keep cannot be removed: it is used by rules R1, R3 and by 3 examples." in prose(run(at))
    assert "labels_save" not in [str(button.key) for button in at.button]


# --- beside a rule ----------------------------------------------------------------------------------------------------


def test_a_stale_rule_says_that_the_guideline_changed_and_shows_how(posts: App, visit: Visit) -> None:
    posts.store.guidelines.change("posts", 1, "Keep what harms no one.", "the law changed.", EVE)
    at = visit("review", task="posts", rule="R1", show="All")
    text = prose(at)
    assert "Stale: it has to be reviewed again" in text
    assert "The guideline changed: version 2 took the place of version 1. the law changed." in text
    (note,) = [box for box in at.expander if box.label.startswith("Guideline, version 2 (changed ")]
    assert "changed since the last decision" in note.label
    assert any(":green-background[**no one\\.**]" in shown for shown in raw(at, "markdown"))
    press(open_panel(at, "approve"), "sign")
    assert state_of(posts, "R1") is RevisionState.APPROVED
    again = visit("review", task="posts", rule="R1", show="All")
    assert "has to be reviewed again" not in prose(again)
    assert "under guideline version 2" in prose(again)


def test_the_guideline_stands_beside_every_rule(posts: App, visit: Visit) -> None:
    at = visit("review", task="posts", rule="R3", show="All")
    assert any(box.label.startswith("Guideline, version 1 (set ") for box in at.expander)
    assert "Keep what harms nobody." in prose(at)


def test_a_decision_beside_a_guideline_that_changed_meanwhile_is_not_recorded(posts: App, visit: Visit) -> None:
    at = open_panel(visit("review", task="posts", rule="R3", show="All"), "approve")
    posts.store.guidelines.change("posts", 1, NEW, "clearer", EVE)
    press(at, "sign")
    assert "The guideline of posts has changed since you opened R3" in prose(at)
    assert state_of(posts, "R3") is RevisionState.IN_REVIEW


def test_a_rule_that_an_overlapping_one_made_stale_says_so(posts: App, visit: Visit) -> None:
    heads = [posts.store.rules.summary(rule).head for rule in ("R1", "R2")]
    posts.store.lineage.note_overlaps("posts", heads, [Overlap(heads[0], heads[1], 0.8)])
    text = prose(visit("review", task="posts", rule="R1", show="All"))
    assert "R2, which overlaps it, came into force." in text


def test_the_prompt_page_says_what_is_stale_and_leads_there(posts: App, visit: Visit) -> None:
    posts.store.guidelines.change("posts", 1, NEW, "clearer", EVE)
    posts.store.rules.judge(verdict_on(posts.store, "R2"), posts.actor)
    at = visit("prompt", task="posts")
    assert "1 rule is stale and left out until reviewed again." in prose(at)
    assert "Review what is stale" in prose(at)


def test_half_decided_rules_tell_that_their_review_began_anew(posts: App, visit: Visit) -> None:
    policy = posts.store.policies.of("posts")
    posts.store.policies.change("posts", policy, replace(policy, four_eyes=True), "two people", posts.actor)
    posts.store.rules.judge(verdict_on(posts.store, "R3"), EVE)
    posts.store.guidelines.change("posts", 1, NEW, "clearer", EVE)
    assert "The review began anew" in prose(visit("review", task="posts", rule="R3", show="All"))


def test_whoever_may_not_change_it_reads_it(posts: App, visit: Visit, workspace_folder: Path) -> None:
    write_secrets(workspace_folder)
    posts.store.roles.grant(RITA, Role.ANALYST, "", posts.actor)
    at = as_person(visit("home", task="posts", view="Guideline and labels"), "data", signed_in(RITA))
    assert "Keep what harms nobody." in raw(at, "text")
    text = prose(at)
    assert "Changing it takes the role lead." in text
    assert "Changing them takes the role lead." in text
    assert not at.text_area
