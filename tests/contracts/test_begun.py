"""The desk's port for decisions that are begun, and the place of a rule in the queue."""

from __future__ import annotations

import pytest

from pld_core.begun import BegunText
from pld_core.desk import DeskFilter, Tab
from pld_core.errors import MissingRole, NotFound
from pld_core.models import RejectCategory, Verdict
from pld_core.records import Page
from storage import SqliteStore
from tests.factories import ANNA, BERT, READER, fill, make_examples, make_rule, make_text, rule_in_review, verdict_on

TYPED = BegunText(" It decides\ntoo much ", RejectCategory.OVER_BROAD)


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    fill(sqlite_store, examples=make_examples(6))
    return sqlite_store


def test_what_was_begun_is_kept_per_person_revision_and_verdict_and_is_nobody_elses(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    head, begun, events = store.rules.summary(rule).head, store.desk.begun, store.events.count()
    begun.keep(rule, head, Verdict.REJECT, BegunText("first"), ANNA)
    begun.keep(rule.lower(), head, Verdict.REJECT, TYPED, ANNA)
    begun.keep(rule, head, Verdict.APPROVE, BegunText("or not?"), ANNA)
    found = {b.verdict: b for b in begun.of_rule(rule, ANNA)}
    assert found[Verdict.REJECT].text == TYPED
    assert (found[Verdict.APPROVE].base, found[Verdict.APPROVE].base_number) == (head, 1)
    assert store.desk.queue.row(rule, ANNA).has_draft
    assert begun.of_rule(rule, BERT) == ()
    assert not store.desk.queue.row(rule, BERT).has_draft
    assert begun.drop(rule, head, Verdict.REJECT, BERT) is None
    assert begun.drop(rule, head, Verdict.REJECT, ANNA) == TYPED
    begun.keep(rule, head, Verdict.APPROVE, BegunText(), ANNA)
    assert begun.of_rule(rule, ANNA) == (), "fields without anything in them keep nothing"
    assert store.events.count() == events, "what is not signed is no part of the record"


def test_what_was_begun_outlives_a_revision_that_came_meanwhile(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    before = store.rules.summary(rule)
    store.desk.begun.keep(rule, before.head, Verdict.REJECT, TYPED, ANNA)
    store.rules.edit(rule, before.head, before.state, make_text("the post is kind"), "sharper", BERT)
    (begun,) = store.desk.begun.of_rule(rule, ANNA)
    assert (begun.base, begun.text) == (before.head, TYPED)


def test_only_who_may_decide_begins_a_decision_on_a_revision_that_is_there(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    head = store.rules.summary(rule).head
    with pytest.raises(MissingRole):
        store.desk.begun.keep(rule, head, Verdict.REJECT, TYPED, READER)
    with pytest.raises(NotFound):
        store.desk.begun.keep("R99", head, Verdict.REJECT, TYPED, ANNA)
    with pytest.raises(NotFound):
        store.desk.begun.keep(rule, "sha256:none", Verdict.REJECT, TYPED, ANNA)


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
