"""Review: why a rule is stale, labels that its cluster holds too, rules that overlap, and priority."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pld_app import synthesis_work
from pld_app.wiring import App
from pld_core.lineage import EvidenceUpdate
from pld_core.models import SYSTEM, Evidence, EvidenceRole, Example, RevisionState, Split
from pld_core.nearness import ADMITTED
from pld_core.records import ExampleFilter
from tests.factories import (
    fill,
    hashes_of,
    make_example,
    make_examples,
    make_rule,
    make_text,
    rule_in_review,
    verdict_on,
)
from tests.pages.driving import NASTY, Visit, links, press, prose, raw, run, takes_literally
from tests.pages.test_review import bar, open_panel, shown_rule, state_of


def fresh(app: App, rule_id: str, number: int) -> list[Example]:
    """Return training examples that are not in the rule's evidence."""
    have = {e.example_hash for e in app.store.rules.dossier(rule_id, SYSTEM).evidence}
    examples = app.store.tasks.examples("nda", ExampleFilter(split=Split.TRAIN))
    return [e for e in examples if e.hash not in have][:number]


def add_support(app: App, rule_id: str, examples: list[Example]) -> None:
    rule = next(r for r in app.store.lineage.standing("nda") if r.id == rule_id)
    evidence = (*rule.evidence, *(Evidence(e.hash, EvidenceRole.SUPPORTS, 0.9) for e in examples))
    members = tuple(sorted({*rule.lineage.members, *hashes_of(examples)}))
    update = EvidenceUpdate(rule_id, rule.labels, evidence, replace(rule.lineage, members=members), "Clustering 2")
    active = hashes_of(app.store.tasks.examples("nda"))
    assert app.store.lineage.update("nda", [update], active, app.actor).changed == 1


def test_a_stale_rule_says_why_names_what_came_and_can_be_approved_again(demo: App, visit: Visit) -> None:
    demo.store.rules.judge(verdict_on(demo.store, "R4"), demo.actor)
    new = fresh(demo, "R4", 4)
    add_support(demo, "R4", new)
    at = visit("review", rule="R4")
    text = prose(at)
    assert "Stale: the evidence changed after it was approved" in text
    assert "Clustering 2: 4 examples were added to its evidence." in text
    assert text.count("Added: ") == 3
    assert "and 1 more" in text
    assert bar(at)["approve"]
    press(open_panel(at, "approve"), "sign")
    assert state_of(demo, "R4") is RevisionState.APPROVED
    after = visit("review", rule="R4", show="All")
    assert "the evidence changed" not in prose(after).lower()
    assert "rests on" in prose(after)


def test_a_decision_beside_evidence_that_changed_meanwhile_is_not_recorded(demo: App, visit: Visit) -> None:
    at = open_panel(visit("review", rule="R4"), "approve")
    add_support(demo, "R4", fresh(demo, "R4", 1))
    press(at, "sign")
    assert "The evidence of R4 revision 1 has changed since you opened it" in prose(at)
    assert demo.store.rules.dossier("R4", SYSTEM).decisions == ()
    press(open_panel(at, "approve"), "sign")
    assert state_of(demo, "R4") is RevisionState.APPROVED


def test_labels_that_the_cluster_holds_too_are_told_on_card_and_in_the_queue(empty: App, visit: Visit) -> None:
    given = fill(empty.store, examples=make_examples(4))
    rule = replace(make_rule(supports=[given[0]], contradicts=[given[1]]), uncovered=("remove",))
    rule_in_review(empty.store, rule)
    at = visit("review", task="posts")
    (warning,) = [text for text in raw(at, "warning") if "cluster" in text]
    assert "The cluster holds examples of remove too. This rule covers only keep" in warning
    assert "cluster also holds remove" in str(at.radio("queue_pick").proto)


def test_what_the_teacher_admits_is_told_beside_the_example(demo: App, visit: Visit) -> None:
    noted = next(r.id for r in demo.store.lineage.standing("nda") if any(e.note for e in r.evidence))
    assert ADMITTED in prose(visit("review", rule=noted))


def test_a_sample_that_the_teacher_was_shown_is_told(empty: App, visit: Visit) -> None:
    given = fill(empty.store, examples=[make_example(f"e{n}") for n in range(4)])
    rule_in_review(empty.store, replace(make_rule(supports=given), shown=(given[0].hash, given[1].hash)))
    text = prose(visit("review", task="posts"))
    assert "Merged from 4 examples of clustering 1, of whose cluster the teacher was shown a drawn sample of 2." in text


@pytest.fixture
def overlapping(empty: App) -> App:
    given = fill(empty.store, examples=make_examples(4))
    words = f"the post insults a person {NASTY}"
    rule_in_review(empty.store, make_rule(make_text(words), [given[0]], origin="a"))
    rule_in_review(empty.store, make_rule(make_text(words, "remove"), [given[1]], origin="b"))
    rule_in_review(empty.store, make_rule(make_text("the weather is quite fine"), [given[2]], origin="c"))
    return empty


def test_rules_that_overlap_are_shown_with_a_link_and_have_a_tab(overlapping: App, visit: Visit) -> None:
    at = visit("review", task="posts", show="Conflicts")
    assert "3 rules not compared with the others yet." in prose(at)
    press(at, "compare")
    assert "2 rules" in prose(at)
    assert shown_rule(at) in ("R1", "R2")
    other = "R2" if shown_rule(at) == "R1" else "R1"
    assert f"Open {other}" in links(at)
    assert f"{other} IF the post insults" in prose(at).replace("**", "")
    assert takes_literally(raw(at, "markdown"), f"person {NASTY} THEN"[:-5])


def test_a_conflict_that_an_edit_settles_is_gone(overlapping: App, visit: Visit) -> None:
    synthesis_work.compare(overlapping, "posts")
    at = open_panel(visit("review", task="posts", rule="R2"), "edit")
    (area,) = [area for area in at.text_area if area.label == "IF"]
    area.set_value("a threat is uttered")
    (why,) = [field for field in at.text_input if field.label == "Why this change"]
    why.set_value("narrower")
    press(at, "sign")
    assert overlapping.store.lineage.uncompared("posts") == ()
    at = visit("review", task="posts", show="Conflicts")
    assert "no two that were compared have close conditions" in prose(at)


def test_priority_is_edited_and_shown(demo: App, visit: Visit) -> None:
    at = open_panel(visit("review", rule="R4"), "edit")
    (box,) = [found for found in at.segmented_control if found.label == "Priority"]
    assert box.value == 2
    box.set_value(1)
    (why,) = [field for field in at.text_input if field.label == "Why this change"]
    why.set_value("It overrides the others.")
    press(at, "sign")
    assert demo.store.rules.dossier("R4", SYSTEM).head.text.priority == 1
    at = run(visit("review", rule="R4"))
    assert any("priority 1 first" in text for text in raw(at, "markdown"))
