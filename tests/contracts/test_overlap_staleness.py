"""Approved rules that go stale by a rule that overlaps them, and that this comes to an end."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pld_core.desk import Half, SeenRule
from pld_core.models import RevisionState, Verdict
from pld_core.overlaps import Overlap
from pld_core.policy import Policy
from pld_core.records import EventFilter
from pld_core.review import FINAL_STATES
from storage import SqliteStore, create_store
from tests.factories import (
    ANNA,
    BERT,
    TickingClock,
    fill,
    make_examples,
    make_rule,
    make_text,
    rule_in_review,
    url_of,
    verdict_on,
)

S = RevisionState


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    fill(sqlite_store, examples=make_examples(6))
    return sqlite_store


def in_review(store: SqliteStore, number: int) -> str:
    """Bring a rule into review; those of odd numbers conclude `remove`, the others `keep`."""
    text = make_text(f"the post is of kind {number}", ("keep", "remove")[number % 2])
    return rule_in_review(store, make_rule(text, store.tasks.examples("posts")[:2], origin=f"origin {number}"))


def compare(store: SqliteStore, *rules: str) -> None:
    """Note that all of these that conclude different labels overlap, as they stand now, and no others."""
    summaries = [store.rules.summary(r) for r in rules]
    live = [s for s in summaries if s.state not in FINAL_STATES]
    pairs = [
        Overlap(low.head, high.head, 0.8)
        for at, low in enumerate(live)
        for high in live[at + 1 :]
        if low.labels != high.labels
    ]
    store.lineage.note_overlaps("posts", [s.head for s in live], pairs)


def approve(store: SqliteStore, rule_id: str) -> None:
    store.rules.judge(verdict_on(store, rule_id), ANNA)


def edited(store: SqliteStore, rule_id: str, condition: str) -> None:
    seen = store.rules.summary(rule_id)
    store.rules.edit(rule_id, seen.head, seen.state, make_text(condition, seen.labels[0]), "narrower", BERT)


def halves_of(store: SqliteStore, rule_id: str, label: str) -> tuple[Half, Half]:
    """Return halves that conclude this label, each with all supporting examples."""
    supports = frozenset(e.example_hash for e in store.rules.dossier(rule_id, ANNA).evidence)
    one, other = (make_text(f"the post is of {which} kind", label) for which in ("one", "another"))
    return Half(one, supports), Half(other, supports)


def state(store: SqliteStore, rule_id: str) -> RevisionState:
    return store.rules.summary(rule_id).state


def why(store: SqliteStore, rule_id: str) -> str:
    return store.lineage.trace(rule_id).setbacks[-1].reason


def test_overlaps_that_stood_beside_the_decisions_make_nothing_stale(store: SqliteStore) -> None:
    one, two = in_review(store, 1), in_review(store, 2)
    compare(store, one, two)
    approve(store, one)
    approve(store, two)
    assert (state(store, one), state(store, two)) == (S.APPROVED, S.APPROVED)
    (decision,) = store.rules.dossier(one, ANNA).decisions
    assert decision.overlaps == (store.rules.summary(two).head,)
    event = store.events.page(EventFilter(kind="rule.approved", rule=one))[0]
    assert event.payload["overlaps"] == list(decision.overlaps)


def test_an_overlapping_rule_that_reads_differently_makes_it_stale_once(store: SqliteStore) -> None:
    one, two = in_review(store, 1), in_review(store, 2)
    compare(store, one, two)
    approve(store, one)
    approve(store, two)
    edited(store, two, "the post is of another kind")
    compare(store, one, two)
    assert state(store, one) is S.APPROVED, "the edit is not in force yet"
    approve(store, two)
    assert (state(store, one), state(store, two)) == (S.STALE, S.APPROVED)
    assert why(store, one) == "R2, which overlaps it, now reads differently"
    assert [entry.rule_id for _, entry, _ in store.rules.in_force("posts")] == [two]
    approve(store, one)
    assert (state(store, one), state(store, two)) == (S.APPROVED, S.APPROVED)
    compare(store, one, two)
    assert (state(store, one), state(store, two)) == (S.APPROVED, S.APPROVED)
    assert store.events.verify().intact


def test_an_edit_that_overlaps_no_more_makes_nothing_stale(store: SqliteStore) -> None:
    one, two = in_review(store, 1), in_review(store, 2)
    compare(store, one, two)
    approve(store, one)
    approve(store, two)
    edited(store, two, "the post is about something else")
    compare(store, one)
    approve(store, two)
    assert state(store, one) is S.APPROVED


def test_of_two_that_are_found_to_overlap_later_the_one_approved_first_goes_stale(store: SqliteStore) -> None:
    one, two = in_review(store, 1), in_review(store, 2)
    approve(store, two)
    approve(store, one)
    compare(store, one, two)
    assert (state(store, one), state(store, two)) == (S.APPROVED, S.STALE)
    assert why(store, two) == "R1, which overlaps it, came into force"
    approve(store, two)
    compare(store, one, two)
    assert (state(store, one), state(store, two)) == (S.APPROVED, S.APPROVED)


def test_a_rule_that_is_new_to_an_approved_one_makes_it_stale_when_it_comes_into_force(store: SqliteStore) -> None:
    one = in_review(store, 1)
    approve(store, one)
    two = in_review(store, 2)
    compare(store, one, two)
    assert state(store, one) is S.APPROVED
    approve(store, two)
    assert why(store, one) == "R2, which overlaps it, came into force"


def test_an_overlapping_rule_that_leaves_force_makes_it_stale(store: SqliteStore) -> None:
    one, two = in_review(store, 1), in_review(store, 2)
    compare(store, one, two)
    approve(store, two)
    approve(store, one)
    seen = store.rules.summary(two)
    store.desk.queue.withdraw(two, seen.head, seen.state, "too early", ANNA)
    assert (state(store, one), state(store, two)) == (S.STALE, S.IN_REVIEW)
    assert why(store, one) == "R2, which overlaps it, is no longer in force"
    approve(store, one)
    approve(store, two)
    assert (state(store, one), state(store, two)) == (S.APPROVED, S.APPROVED), "the decision knew it"


def test_a_rule_that_only_went_stale_is_still_known(store: SqliteStore) -> None:
    one, two = in_review(store, 1), in_review(store, 2)
    compare(store, one, two)
    approve(store, one)
    approve(store, two)
    store.guidelines.change("posts", 1, "Another.", "why", ANNA)
    approve(store, one)
    assert (state(store, one), state(store, two)) == (S.APPROVED, S.STALE)
    store.rules.judge(verdict_on(store, two, Verdict.REJECT), ANNA)
    assert why(store, one) == "R2, which overlaps it, is no longer in force"


def test_two_people_who_review_again_leave_the_others_alone_meanwhile(store: SqliteStore) -> None:
    store.policies.change("posts", store.policies.of("posts"), Policy(four_eyes=True), "two people", ANNA)
    one, two = in_review(store, 1), in_review(store, 2)
    compare(store, one, two)
    for rule_id in (one, two):
        for person in (ANNA, BERT):
            store.rules.judge(verdict_on(store, rule_id), person)
    store.guidelines.change("posts", 1, "Another.", "why", ANNA)
    for person in (ANNA, BERT):
        store.rules.judge(verdict_on(store, one), person)
    store.rules.judge(verdict_on(store, two), ANNA)
    compare(store)
    compare(store, one, two)
    assert (state(store, one), state(store, two)) == (S.APPROVED, S.FIRST_APPROVED)


def test_a_rule_and_what_it_was_split_into_do_not_upset_each_other(store: SqliteStore) -> None:
    parent = in_review(store, 2)
    approve(store, parent)
    seen = store.rules.summary(parent)
    halves = halves_of(store, parent, "remove")
    first, second = store.desk.parts.split(SeenRule(parent, seen.head, seen.state), halves, "two kinds", ANNA)
    compare(store, parent, first, second)
    approve(store, first)
    assert state(store, parent) is S.APPROVED, "it stays in force until both halves are decided"
    approve(store, second)
    assert {r: state(store, r) for r in (parent, first, second)} == {
        parent: S.SUPERSEDED,
        first: S.APPROVED,
        second: S.APPROVED,
    }


def test_a_bystander_of_a_split_learns_that_the_rule_is_gone(store: SqliteStore) -> None:
    parent, other = in_review(store, 2), in_review(store, 1)
    compare(store, parent, other)
    approve(store, parent)
    approve(store, other)
    seen = store.rules.summary(parent)
    halves = halves_of(store, parent, "keep")
    made = store.desk.parts.split(SeenRule(parent, seen.head, seen.state), halves, "two kinds", ANNA)
    for rule_id in made:
        approve(store, rule_id)
    assert (state(store, parent), state(store, other)) == (S.SUPERSEDED, S.STALE)
    assert why(store, other) == f"{parent}, which overlaps it, is no longer in force"


class OverlapHistory(RuleBasedStateMachine):
    """People approve, edit, reject and withdraw rules that all overlap; comparing happens now and then."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store = create_store(url_of(Path(self.folder.name) / "pld.db"), TickingClock())
        fill(self.store, examples=make_examples(6))
        self.ids = [in_review(self.store, number) for number in range(4)]
        self.edits = 0

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    @rule(pick=st.integers(0, 3), compared=st.booleans())
    def approves(self, pick: int, compared: bool) -> None:
        if compared:
            compare(self.store, *self.ids)
        if state(self.store, self.ids[pick]) in (S.IN_REVIEW, S.STALE):
            approve(self.store, self.ids[pick])

    @rule(pick=st.integers(0, 3))
    def edits_one(self, pick: int) -> None:
        self.edits += 1
        edited(self.store, self.ids[pick], f"the post is of sort {self.edits}")

    @rule(pick=st.integers(0, 3), verdict=st.sampled_from([Verdict.REJECT, Verdict.REQUEST_CHANGES]))
    def refuses(self, pick: int, verdict: Verdict) -> None:
        if state(self.store, self.ids[pick]) in (S.IN_REVIEW, S.STALE):
            self.store.rules.judge(verdict_on(self.store, self.ids[pick], verdict), ANNA)

    @rule(pick=st.integers(0, 3))
    def withdraws(self, pick: int) -> None:
        seen = self.store.rules.summary(self.ids[pick])
        if seen.state is S.APPROVED:
            self.store.desk.queue.withdraw(seen.id, seen.head, seen.state, "too early", ANNA)

    @rule(order=st.permutations(range(4)))
    def everybody_reviews_what_is_stale_once(self, order: list[int]) -> None:
        """After one round nothing is stale: no approval of a text that was known starts another round."""
        compare(self.store, *self.ids)
        for pick in order:
            if state(self.store, self.ids[pick]) is S.STALE:
                approve(self.store, self.ids[pick])
        compare(self.store, *self.ids)
        assert S.STALE not in {state(self.store, rule_id) for rule_id in self.ids}

    @invariant()
    def the_audit_chain_verifies(self) -> None:
        if hasattr(self, "store"):
            assert self.store.events.verify().intact


TestOverlapHistory = OverlapHistory.TestCase
TestOverlapHistory.settings = settings(
    max_examples=10, stateful_step_count=16, deadline=None, derandomize=True, database=None
)
