"""One suite over every implementation of the store's lineage: versions of evidence, overlaps, decisions that stay."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pld_core.errors import EvidenceMovedOn, IllegalTransition, NotFound
from pld_core.lineage import Lineage, UpdateCount, origin_of
from pld_core.models import SYSTEM, EvidenceRole, RevisionState, Verdict, evidence_set_hash
from pld_core.overlaps import Overlap, OverlapPair
from pld_core.policy import Policy
from pld_core.ports import Store
from pld_core.records import RuleFilter
from storage import SqliteStore
from tests.contracts.test_store import kinds, store
from tests.factories import (
    ANNA,
    BERT,
    CLEO,
    approved_rule,
    fill,
    hashes_of,
    make_examples,
    make_rule,
    make_task,
    make_text,
    rule_in_review,
    update_of,
    verdict_on,
)

__all__ = ["store"]
S = RevisionState
GIVEN = make_examples(6)
EVERY = hashes_of(GIVEN)


def update(store: Store, rule_id: str, at: slice, contradicts: slice = slice(0), near: slice = slice(0)) -> UpdateCount:
    found = update_of(store, rule_id, GIVEN[at], GIVEN[contradicts], GIVEN[near])
    return store.lineage.update("posts", [found], EVERY, BERT)


def test_the_rules_of_one_reply_come_into_review_together_or_not_at_all(store: Store) -> None:
    fill(store, examples=GIVEN)
    good = make_rule(supports=GIVEN[:2], origin="a")
    bad = make_rule(make_text(label="burn"), GIVEN[2:4], origin="b")
    with pytest.raises(Exception, match="burn"):
        store.lineage.enter("posts", [good, bad], ANNA)
    assert store.rules.count("posts") == 0
    shown = replace(good, shown=(GIVEN[0].hash,), uncovered=("remove",), ignored=("deadbeef",))
    other = make_rule(make_text(label="remove"), GIVEN[2:4], origin="b")
    assert store.lineage.enter("posts", [shown, other], ANNA) == ("R1", "R2")
    assert {store.rules.summary(r).state for r in ("R1", "R2")} == {S.IN_REVIEW}
    assert kinds(store)[-4:] == ["rule.proposed", "rule.submitted"] * 2
    assert store.lineage.enter("posts", [shown], ANNA) == ()
    trace = store.lineage.trace("R1")
    assert trace.first == trace.now == Lineage(1, 0, good.members, ("remove",), (GIVEN[0].hash,), ("deadbeef",))
    assert [s.uncovered for s in store.rules.queue("posts", RuleFilter(search="R1"))] == [("remove",)]


def test_standing_rules_tell_what_they_rest_on(store: Store) -> None:
    fill(store, examples=GIVEN)
    rule_in_review(store, make_rule(supports=GIVEN[:2], contradicts=GIVEN[2:3]))
    (found,) = store.lineage.standing("posts")
    assert (found.id, found.number, found.labels, found.state) == ("R1", 1, ("keep",), S.IN_REVIEW)
    assert (found.members, found.supports) == (hashes_of(GIVEN[:2]), hashes_of(GIVEN[:2]))
    assert set(found.evidence) == set(store.rules.dossier("R1", SYSTEM).evidence)
    with pytest.raises(NotFound):
        store.lineage.standing("nope")


def test_new_evidence_is_a_new_version_and_the_old_one_stays(store: Store) -> None:
    fill(store, examples=GIVEN)
    rule_id = rule_in_review(store, make_rule(supports=GIVEN[:2]))
    before = store.rules.dossier(rule_id, SYSTEM)
    assert update(store, rule_id, slice(1, 4), near=slice(5, 6)) == UpdateCount(1, 0)
    after = store.rules.dossier(rule_id, SYSTEM)
    assert {e.example_hash for e in after.evidence} == hashes_of([*GIVEN[1:4], GIVEN[5]])
    assert (after.summary.support, after.summary.state, after.head) == (3, S.IN_REVIEW, before.head)
    assert after.examples.keys() == hashes_of([*GIVEN[:4], GIVEN[5]]), "what was taken out can still be shown"
    (change,) = store.lineage.trace(rule_id).changes
    assert (change.number, frozenset(change.added)) == (2, hashes_of([*GIVEN[2:4], GIVEN[5]]))
    assert change.removed == (GIVEN[0].hash,)
    assert change.evidence_hash == evidence_set_hash(after.evidence)
    assert store.lineage.trace(rule_id).now.members == tuple(sorted(hashes_of(GIVEN[1:4])))
    assert store.rules.origins("posts") == {origin_of(hashes_of(GIVEN[1:4]))}
    assert kinds(store)[-2:] == ["rule.lineage_changed", "rule.evidence_changed"]
    events = store.events.count()
    assert update(store, rule_id, slice(1, 4), near=slice(5, 6)) == UpdateCount()
    assert store.events.count() == events
    assert store.data.rules_of("posts", GIVEN[0].hash) == ()
    assert store.data.rules_of("posts", GIVEN[2].hash) == (rule_id,)


def test_rules_may_change_places(store: Store) -> None:
    fill(store, examples=GIVEN)
    one = rule_in_review(store, make_rule(supports=GIVEN[:2], origin=origin_of(hashes_of(GIVEN[:2]))))
    two = rule_in_review(store, make_rule(supports=GIVEN[2:4], origin=origin_of(hashes_of(GIVEN[2:4]))))
    updates = [update_of(store, one, GIVEN[2:4]), update_of(store, two, GIVEN[:2])]
    assert store.lineage.update("posts", updates, EVERY, ANNA).changed == 2
    assert store.rules.origins("posts") == {origin_of(hashes_of(GIVEN[:2])), origin_of(hashes_of(GIVEN[2:4]))}


def test_an_approved_rule_goes_stale_and_is_compiled_no_more_until_it_is_approved_again(store: Store) -> None:
    fill(store, examples=GIVEN)
    rule_id = approved_rule(store, make_rule(supports=GIVEN[:2]))
    assert update(store, rule_id, slice(2), near=slice(4, 6)) == UpdateCount(), "near misses do not bear on it"
    assert update(store, rule_id, slice(3)) == UpdateCount(1, 1)
    stale = store.rules.dossier(rule_id, SYSTEM)
    assert (stale.summary.state, stale.summary.in_force, store.rules.in_force("posts")) == (S.STALE, "", ())
    assert stale.decisions[0].evidence_hash == evidence_set_hash(make_rule(supports=GIVEN[:2]).evidence)
    decision = store.rules.judge(verdict_on(store, rule_id), BERT)
    assert decision.evidence_hash == evidence_set_hash(stale.evidence)
    assert store.rules.summary(rule_id).in_force == stale.head.hash
    assert [s.value for s in (S.STALE, S.APPROVED)] == [
        store.events.page()[0].payload["from"],
        store.events.page()[0].payload["to"],
    ]


def test_a_stale_rule_can_be_rejected_or_edited_and_what_replaces_it_supersedes_it(store: Store) -> None:
    fill(store, examples=GIVEN)
    rule_id = approved_rule(store, make_rule(supports=GIVEN[:2]))
    update(store, rule_id, slice(3))
    seen = store.rules.summary(rule_id)
    edited = store.rules.edit(rule_id, seen.head, seen.state, make_text("it is quite friendly"), "clearer", ANNA)
    store.rules.judge(verdict_on(store, rule_id), ANNA)
    after = store.rules.dossier(rule_id, SYSTEM)
    assert after.states == {seen.head: S.SUPERSEDED, edited.hash: S.APPROVED}
    update(store, rule_id, slice(4))
    store.rules.judge(verdict_on(store, rule_id, Verdict.REJECT), ANNA)
    assert store.rules.summary(rule_id).state is S.REJECTED
    assert update(store, rule_id, slice(5)) == UpdateCount()


def test_the_revision_in_force_goes_stale_too_while_its_replacement_is_in_review(store: Store) -> None:
    fill(store, examples=GIVEN)
    rule_id = approved_rule(store, make_rule(supports=GIVEN[:2]))
    seen = store.rules.summary(rule_id)
    store.rules.edit(rule_id, seen.head, seen.state, make_text("it is quite friendly"), "clearer", ANNA)
    assert update(store, rule_id, slice(3)) == UpdateCount(1, 1)
    after = store.rules.dossier(rule_id, SYSTEM)
    assert after.states[seen.head] is S.STALE
    assert (after.summary.state, after.summary.in_force) == (S.IN_REVIEW, "")
    assert store.rules.in_force("posts") == ()


def test_half_a_decision_on_other_evidence_is_none(store: Store) -> None:
    fill(store, make_task(), GIVEN, Policy(four_eyes=True))
    rule_id = rule_in_review(store, make_rule(supports=GIVEN[:2]))
    store.rules.judge(verdict_on(store, rule_id), ANNA)
    update(store, rule_id, slice(3))
    assert store.rules.summary(rule_id).state is S.IN_REVIEW
    store.rules.judge(verdict_on(store, rule_id), ANNA)
    assert store.rules.summary(rule_id).state is S.FIRST_APPROVED
    with pytest.raises(IllegalTransition, match="already decided"):
        store.rules.judge(verdict_on(store, rule_id), ANNA)
    store.rules.judge(verdict_on(store, rule_id, Verdict.REJECT), BERT)
    update(store, rule_id, slice(4))
    assert store.rules.summary(rule_id).state is S.IN_REVIEW
    store.rules.judge(verdict_on(store, rule_id), CLEO)
    store.rules.judge(verdict_on(store, rule_id), BERT)
    assert store.rules.summary(rule_id).state is S.APPROVED


def test_a_decision_beside_evidence_that_moved_on_is_refused(store: Store) -> None:
    fill(store, examples=GIVEN)
    rule_id = rule_in_review(store, make_rule(supports=GIVEN[:2]))
    seen = evidence_set_hash(store.rules.dossier(rule_id, SYSTEM).evidence)
    given = replace(verdict_on(store, rule_id), seen_evidence=seen)
    update(store, rule_id, slice(3))
    with pytest.raises(EvidenceMovedOn, match=r"evidence of R1 revision 1 has changed .* not recorded"):
        store.rules.judge(given, ANNA)
    assert store.rules.dossier(rule_id, SYSTEM).decisions == ()
    now = evidence_set_hash(store.rules.dossier(rule_id, SYSTEM).evidence)
    store.rules.judge(replace(given, seen_evidence=now), ANNA)


def test_a_rule_whose_labels_changed_meanwhile_is_left_alone(store: Store) -> None:
    fill(store, examples=GIVEN)
    rule_id = rule_in_review(store, make_rule(supports=GIVEN[:2]))
    found = update_of(store, rule_id, GIVEN[:3])
    seen = store.rules.summary(rule_id)
    store.rules.edit(rule_id, seen.head, seen.state, make_text(label="remove"), "other way round", ANNA)
    assert store.lineage.update("posts", [found], EVERY, ANNA) == UpdateCount()


def test_an_edit_of_the_label_turns_the_evidence_round(store: Store) -> None:
    fill(store, examples=GIVEN)
    rule_id = rule_in_review(store, make_rule(supports=[GIVEN[0], GIVEN[2]], contradicts=[GIVEN[1]]))
    seen = store.rules.summary(rule_id)
    store.rules.edit(rule_id, seen.head, seen.state, make_text(label="remove"), "other way round", ANNA)
    roles = {e.example_hash: e.role for e in store.rules.dossier(rule_id, SYSTEM).evidence}
    against = EvidenceRole.CONTRADICTS
    assert roles == {GIVEN[0].hash: against, GIVEN[2].hash: against, GIVEN[1].hash: EvidenceRole.SUPPORTS}
    assert store.rules.summary(rule_id).support == 1


def test_priority_comes_back_is_signed_and_an_edit_of_it_alone_is_an_edit(store: Store) -> None:
    fill(store, examples=GIVEN)
    rule_id = rule_in_review(store, make_rule(replace(make_text(), priority=1), GIVEN[:2]))
    first = store.rules.dossier(rule_id, SYSTEM)
    assert (first.head.text.priority, first.summary.priority) == (1, 1)
    edited = store.rules.edit(rule_id, first.head.hash, S.IN_REVIEW, make_text(), "ordinary", ANNA)
    assert (edited.text.priority, store.rules.summary(rule_id).priority) == (2, 2)
    assert replace(edited, text=first.head.text).hash != edited.hash
    assert {r.hash for r in store.rules.dossier(rule_id, SYSTEM).revisions} == set(
        store.rules.dossier(rule_id, SYSTEM).states
    )


def test_archiving_takes_examples_out_of_evidence_and_deleting_is_refused(store: Store) -> None:
    fill(store, examples=GIVEN)
    rule_id = approved_rule(store, make_rule(supports=GIVEN[:2]))
    (dataset,) = store.data.all("posts")
    store.data.archive(dataset.id, "withdrawn by its source", ANNA)
    after = store.rules.dossier(rule_id, SYSTEM)
    assert (after.summary.state, after.evidence, after.summary.support) == (S.STALE, (), 0)
    assert "was archived" in store.lineage.trace(rule_id).changes[0].reason
    with pytest.raises(Exception, match="no evidence"):
        store.rules.judge(verdict_on(store, rule_id), ANNA)
    assert store.data.resting(dataset.id) == (rule_id,)
    store.data.restore(dataset.id, ANNA)
    assert update(store, rule_id, slice(2)) == UpdateCount(1, 0)
    assert store.events.verify().intact


def overlapping(store: Store) -> tuple[str, str]:
    fill(store, examples=GIVEN)
    one = rule_in_review(store, make_rule(supports=GIVEN[:2], origin="a"))
    two = rule_in_review(store, make_rule(make_text(label="remove"), GIVEN[2:4], origin="b"))
    heads = [store.rules.summary(r).head for r in (one, two)]
    store.lineage.note_overlaps("posts", heads, [Overlap(heads[0], heads[1], 0.7)])
    return one, two


def test_overlaps_are_of_live_heads_only_and_filter_the_queue(store: Store) -> None:
    one, two = overlapping(store)
    pair = OverlapPair(one, two, 0.7)
    assert store.lineage.overlaps("posts") == store.lineage.overlaps("posts", two) == (pair,)
    assert store.rules.count("posts", RuleFilter(overlapping=True)) == 2
    assert {s.id for s in store.rules.queue("posts", RuleFilter(label="keep", overlapping=True))} == {one}
    assert store.lineage.uncompared("posts") == ()
    seen = store.rules.summary(two)
    store.rules.edit(two, seen.head, seen.state, make_text("quite another", "remove"), "narrower", ANNA)
    assert store.lineage.overlaps("posts") == ()
    assert store.rules.count("posts", RuleFilter(overlapping=True)) == 0
    assert store.lineage.uncompared("posts") == (two,)


def test_a_rejected_rule_overlaps_nothing(store: Store) -> None:
    one, _ = overlapping(store)
    store.rules.judge(verdict_on(store, one, Verdict.REJECT), ANNA)
    assert store.lineage.overlaps("posts") == ()
    assert store.rules.queue("posts", RuleFilter(overlapping=True)) == ()


@pytest.mark.parametrize("verdict", list(Verdict))
def test_withdrawn_data_take_a_revision_out_of_force_whatever_became_of_its_replacement(
    store: Store, verdict: Verdict
) -> None:
    fill(store)
    rule_id = approved_rule(store)
    seen = store.rules.summary(rule_id)
    store.rules.edit(rule_id, seen.head, seen.state, make_text("the post is kind"), "clearer", BERT)
    store.rules.judge(verdict_on(store, rule_id, verdict), BERT)
    store.data.archive(1, "its authors asked for it", ANNA)
    assert store.rules.in_force("posts") == ()
    states = store.rules.dossier(rule_id, SYSTEM).states
    assert states[seen.head] is (S.SUPERSEDED if verdict is Verdict.APPROVE else S.STALE)


def test_the_evidence_of_every_version_stays_in_the_file(sqlite_store: SqliteStore, workspace: Path) -> None:
    fill(sqlite_store, examples=GIVEN)
    rule_id = rule_in_review(sqlite_store, make_rule(supports=GIVEN[:2]))
    for end in (3, 4, 5):
        update(sqlite_store, rule_id, slice(end))
    with closing(sqlite3.connect(workspace)) as conn:
        found = conn.execute("SELECT version, count(*) FROM evidence GROUP BY version ORDER BY version").fetchall()
    assert found == [(1, 2), (2, 3), (3, 4), (4, 5)]
