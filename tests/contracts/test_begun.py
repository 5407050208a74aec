"""The desk's port for decisions that are begun, and the place of a rule in the queue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pld_core.begun import BegunDecision, BegunText
from pld_core.desk import DeskFilter, Tab
from pld_core.errors import MissingRole, NotFound
from pld_core.models import RejectCategory
from pld_core.records import Page
from pld_core.review import Action
from storage import SqliteStore
from tests.factories import ANNA, BERT, READER, fill, make_examples, make_rule, make_text, rule_in_review, verdict_on

TYPED = BegunText(" It decides\ntoo much ", RejectCategory.OVER_BROAD)


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    fill(sqlite_store, examples=make_examples(6))
    return sqlite_store


def a_rejection(store: SqliteStore, rule: str, text: BegunText = TYPED) -> BegunDecision:
    head = store.rules.summary(rule).head
    return BegunDecision(rule, head, Action.REJECT, text, "sha256:e", "2026-01-02T03:04:05Z")


def test_what_was_begun_is_kept_per_person_revision_and_step_and_is_nobody_elses(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    rejection, begun, events = a_rejection(store, rule), store.desk.begun, store.events.count()
    begun.keep(replace(rejection, text=BegunText("first")), ANNA)
    begun.keep(replace(rejection, rule_id=rule.lower()), ANNA)
    begun.keep(replace(rejection, action=Action.APPROVE, text=BegunText()), ANNA)
    found = {b.action: b for b in begun.of_rule(rule.lower(), ANNA)}
    assert all(b.at for b in found.values())
    assert replace(found[Action.REJECT], at="") == replace(rejection, base_number=1)
    assert found[Action.APPROVE].text.is_empty, "who goes to sign in may have typed nothing yet"
    assert store.desk.queue.row(rule, ANNA).has_draft
    assert begun.of_rule(rule, BERT) == ()
    assert not store.desk.queue.row(rule, BERT).has_draft
    begun.drop(rule, rejection.base, Action.REJECT, BERT)
    assert len(begun.of_rule(rule, ANNA)) == 2
    begun.drop(rule.lower(), rejection.base, Action.REJECT, ANNA)
    assert [b.action for b in begun.of_rule(rule, ANNA)] == [Action.APPROVE]
    assert store.events.count() == events, "what is not signed is no part of the record"


def test_what_was_begun_outlives_a_revision_that_came_meanwhile(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    before = store.rules.summary(rule)
    store.desk.begun.keep(a_rejection(store, rule), ANNA)
    store.rules.edit(rule, before.head, before.state, make_text("the post is kind"), "sharper", BERT)
    (begun,) = store.desk.begun.of_rule(rule, ANNA)
    assert (begun.base, begun.text) == (before.head, TYPED)


def test_signing_one_step_takes_all_that_the_signer_had_begun_on_the_rule_away(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    rejection = a_rejection(store, rule)
    for begun in (rejection, replace(rejection, action=Action.APPROVE)):
        store.desk.begun.keep(begun, ANNA)
    store.desk.begun.keep(rejection, BERT)
    store.rules.judge(verdict_on(store, rule), ANNA)
    assert store.desk.begun.of_rule(rule, ANNA) == ()
    assert len(store.desk.begun.of_rule(rule, BERT)) == 1


def test_withdrawing_takes_away_what_was_begun_of_it(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    store.rules.judge(verdict_on(store, rule), ANNA)
    now = store.rules.summary(rule)
    store.desk.begun.keep(replace(a_rejection(store, rule), action=Action.WITHDRAW, text=BegunText("too early")), ANNA)
    store.desk.queue.withdraw(rule, now.head, now.state, "too early", ANNA)
    assert store.desk.begun.of_rule(rule, ANNA) == ()


def test_only_who_may_decide_begins_a_decision_on_a_revision_that_is_there(store: SqliteStore) -> None:
    rejection = a_rejection(store, rule_in_review(store))
    with pytest.raises(MissingRole):
        store.desk.begun.keep(rejection, READER)
    with pytest.raises(NotFound):
        store.desk.begun.keep(replace(rejection, rule_id="R99"), ANNA)
    with pytest.raises(NotFound):
        store.desk.begun.keep(replace(rejection, base="sha256:none"), ANNA)


def test_a_rule_knows_its_place_in_the_queue(store: SqliteStore) -> None:
    examples = store.tasks.examples("posts")
    for number in range(5):
        text = make_text(f"the post is friendly ({number})")
        rule_in_review(store, make_rule(text, supports=examples[:2], origin=f"o{number}"))
    queue, where = store.desk.queue, DeskFilter()
    rows = queue.rows("posts", where, Page(0, 10), ANNA)
    assert [queue.position(row.summary.id, where, ANNA) for row in rows] == [0, 1, 2, 3, 4]
    decided = rows[1].summary.id
    store.rules.judge(verdict_on(store, decided), ANNA)
    assert queue.position(decided, where, ANNA) is None
    assert queue.position(decided, DeskFilter(Tab.DECIDED), ANNA) == 0
    assert queue.position(rows[4].summary.id.lower(), where, ANNA) == 3
