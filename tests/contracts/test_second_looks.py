"""Rejections that are drawn, looked at again by somebody else, confirmed or reopened."""

from __future__ import annotations

from pathlib import Path

import pytest

from pld_core.desk import DeskFilter, Tab
from pld_core.errors import (
    IllegalTransition,
    MissingReason,
    MissingRole,
    NotFound,
    RevisionMovedOn,
    WorkspaceError,
)
from pld_core.models import SYSTEM, Actor, RejectCategory, RevisionState, Role, Verdict
from pld_core.policy import PLAIN, Policy
from pld_core.records import Page
from pld_core.second_look import LookOutcome
from storage import SqliteStore
from tests.factories import (
    ANNA,
    BERT,
    CLEO,
    READER,
    approved_rule,
    fill,
    make_examples,
    make_rule,
    make_text,
    rule_in_review,
    verdict_on,
)
from tests.packs import packed, unpack

S = RevisionState
ALL_DRAWN = Policy(second_look=100)
LOOKS = DeskFilter(Tab.SECOND_LOOK)


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    fill(sqlite_store, examples=make_examples(6), policy=ALL_DRAWN)
    return sqlite_store


def rejected(store: SqliteStore, actor: Actor = ANNA) -> str:
    rule = rule_in_review(store)
    store.rules.judge(verdict_on(store, rule, Verdict.REJECT, "Too broad."), actor)
    return rule


def head(store: SqliteStore, rule: str) -> str:
    return store.rules.summary(rule).head


def kinds(store: SqliteStore) -> list[str]:
    return [event.kind for event in store.events.page()]


def listed(store: SqliteStore, actor: Actor) -> list[str]:
    return [row.summary.id for row in store.desk.queue.rows("posts", LOOKS, Page(), actor)]


def test_a_drawn_rejection_waits_for_anybody_but_who_made_it(store: SqliteStore) -> None:
    rule = rejected(store)
    (look,) = store.desk.second_looks.of_rule(rule.lower())
    assert (look.rejection.reviewer, look.rejection.reason, look.outcome, look.by) == ("anna", "Too broad.", None, "")
    event = store.events.page()[0]
    assert (event.kind, event.actor, event.subject) == ("rule.second_look_drawn", "system", rule)
    assert event.payload == {"decision": look.rejection.id, "revision": head(store, rule), "percent": 100}
    assert (listed(store, ANNA), listed(store, BERT)) == ([], [rule])
    assert store.desk.queue.count("posts", LOOKS, BERT) == 1


def test_the_policy_says_how_many_are_drawn_and_other_verdicts_are_never(sqlite_store: SqliteStore) -> None:
    store = sqlite_store
    fill(store, examples=make_examples(6))
    rule = rejected(store)
    assert store.desk.second_looks.of_rule(rule) == ()
    store.policies.change("posts", PLAIN, ALL_DRAWN, "look again", ANNA)
    other = rule_in_review(store, make_rule(supports=store.tasks.examples("posts")[2:4], origin="o2"))
    store.rules.judge(verdict_on(store, other, Verdict.REQUEST_CHANGES, "Sharper."), ANNA)
    approved_rule(store, make_rule(supports=store.tasks.examples("posts")[4:6], origin="o3"))
    assert "rule.second_look_drawn" not in kinds(store)


def test_each_of_several_duplicates_that_are_rejected_together_has_its_lot(store: SqliteStore) -> None:
    kept = rule_in_review(store)
    other = rule_in_review(store, make_rule(supports=store.tasks.examples("posts")[2:4], origin="o2"))
    judgement = verdict_on(store, other, Verdict.REJECT, "The same.", RejectCategory.DUPLICATE)
    store.desk.queue.reject_duplicates([judgement], kept, ANNA)
    assert listed(store, BERT) == [other]


def test_a_dispute_that_ends_in_a_rejection_has_its_lot_and_a_first_no_has_none(sqlite_store: SqliteStore) -> None:
    store = sqlite_store
    fill(store, examples=make_examples(6), policy=Policy(four_eyes=True, second_look=100))
    rule = rule_in_review(store)
    store.rules.judge(verdict_on(store, rule), ANNA)
    store.rules.judge(verdict_on(store, rule, Verdict.REJECT, "No."), BERT)
    assert (store.rules.summary(rule).state, store.desk.second_looks.of_rule(rule)) == (S.DISPUTED, ())
    store.rules.judge(verdict_on(store, rule, Verdict.REJECT, "No, indeed."), CLEO)
    assert [look.rejection.reviewer for look in store.desk.second_looks.of_rule(rule)] == ["cleo"]


def test_a_rejection_that_is_confirmed_stands_and_is_done_with(store: SqliteStore) -> None:
    rule = rejected(store)
    look = store.desk.second_looks.confirm(rule, head(store, rule), " It is\ntoo broad. ", BERT)
    assert store.desk.second_looks.of_rule(rule) == (look,)
    assert (look.outcome, look.reason, look.by) == (LookOutcome.CONFIRM, "It is too broad.", "bert")
    assert store.rules.summary(rule).state is S.REJECTED
    event = store.events.page()[0]
    assert (event.kind, event.actor, event.payload["reason"]) == (
        "rule.rejection_confirmed",
        "bert",
        "It is too broad.",
    )
    assert event.payload["signed_as"] == {"kind": "attestation"}
    assert listed(store, BERT) == []
    with pytest.raises(IllegalTransition, match="bert has looked"):
        store.desk.second_looks.reopen(rule, head(store, rule), "No.", CLEO)


def test_reopening_brings_the_same_text_into_review_as_a_new_revision(store: SqliteStore) -> None:
    rule = rejected(store)
    before = store.rules.dossier(rule, SYSTEM)
    new = store.desk.second_looks.reopen(rule, before.head.hash, "The exception covers it.", BERT)
    after = store.rules.dossier(rule, SYSTEM)
    assert after.head == new
    assert (new.number, new.text, new.parent) == (2, before.head.text, before.head.hash)
    assert (new.author, new.author_kind, new.note) == (
        before.head.author,
        before.head.author_kind,
        "The exception covers it.",
    )
    assert after.states == {before.head.hash: S.REJECTED, new.hash: S.IN_REVIEW}
    assert after.evidence == before.evidence
    assert [look.outcome for look in store.desk.second_looks.of_rule(rule)] == [LookOutcome.REOPEN]
    event = store.events.page()[0]
    assert (event.kind, event.payload["revision"], event.payload["parent"]) == (
        "rule.reopened",
        new.hash,
        before.head.hash,
    )
    assert store.events.verify().intact
    store.rules.judge(verdict_on(store, rule), BERT)
    assert store.rules.summary(rule).state is S.APPROVED


def test_a_pack_with_a_reopened_and_a_confirmed_rejection_verifies(store: SqliteStore, tmp_path: Path) -> None:
    rule = rejected(store)
    store.desk.second_looks.reopen(rule, head(store, rule), "The exception covers it.", BERT)
    store.rules.judge(verdict_on(store, rule, Verdict.REJECT, "Still too broad."), ANNA)
    store.desk.second_looks.confirm(rule, head(store, rule), "Now I see.", BERT)
    pack = unpack(packed(store)[0], tmp_path / "pack")
    assert pack.verify().code == 0
    told = [event["kind"] for event in pack.events()]
    assert [kind for kind in told if kind in ("rule.reopened", "rule.rejection_confirmed")] == [
        "rule.reopened",
        "rule.rejection_confirmed",
    ]


def test_who_wrote_the_text_cannot_give_the_deciding_approval_of_the_reopened_one(sqlite_store: SqliteStore) -> None:
    store = sqlite_store
    fill(store, examples=make_examples(6), policy=Policy(four_eyes=True, second_look=100))
    rule = rule_in_review(store)
    seen = store.rules.summary(rule)
    store.rules.edit(rule, seen.head, seen.state, make_text("the post is kind"), "sharper", CLEO)
    store.rules.judge(verdict_on(store, rule, Verdict.REJECT, "No."), ANNA)
    store.desk.second_looks.reopen(rule, head(store, rule), "It is right.", BERT)
    store.rules.judge(verdict_on(store, rule), BERT)
    with pytest.raises(IllegalTransition, match="cleo wrote this revision"):
        store.rules.judge(verdict_on(store, rule), CLEO)


@pytest.mark.parametrize("answer", ["confirm", "reopen"])
def test_the_guard_asks_within_the_transaction(store: SqliteStore, answer: str) -> None:
    rule = rejected(store)
    other = rule_in_review(store, make_rule(supports=store.tasks.examples("posts")[2:4], origin="o2"))
    before = store.events.count()
    step = getattr(store.desk.second_looks, answer)
    with pytest.raises(IllegalTransition, match="anna rejected"):
        step(rule, head(store, rule), "Why not.", ANNA)
    with pytest.raises(MissingReason):
        step(rule, head(store, rule), " ", BERT)
    for role in (Role.ANALYST, Role.AUDITOR, Role.RELEASE_MANAGER, Role.ADMIN):
        with pytest.raises(MissingRole):
            step(rule, head(store, rule), "Why not.", Actor("olga", frozenset({role})))
    with pytest.raises(MissingRole):
        step(rule, head(store, rule), "Why not.", READER)
    with pytest.raises(NotFound, match="was drawn for a second look"):
        step(other, head(store, other), "Why not.", BERT)
    with pytest.raises(NotFound, match="was drawn for a second look"):
        step(other, head(store, rule), "Why not.", BERT)
    assert store.events.count() == before


def test_an_edit_of_the_rejected_rule_makes_the_second_look_lapse(store: SqliteStore) -> None:
    rule = rejected(store)
    seen = store.rules.summary(rule)
    store.rules.edit(rule, seen.head, seen.state, make_text("the post is kind"), "sharper", ANNA)
    assert listed(store, BERT) == []
    with pytest.raises(RevisionMovedOn):
        store.desk.second_looks.confirm(rule, seen.head, "Right.", BERT)


def test_what_was_drawn_and_what_came_of_it_cannot_be_changed(store: SqliteStore) -> None:
    rule = rejected(store)
    store.desk.second_looks.confirm(rule, head(store, rule), "Right.", BERT)
    for sql in (
        "UPDATE second_look SET at = ''",
        "DELETE FROM second_look",
        "UPDATE second_look_outcome SET outcome = 'reopen'",
        "DELETE FROM second_look_outcome",
        """INSERT OR REPLACE INTO second_look_outcome
            SELECT id, decision_id, 'reopen', reason, by, at FROM second_look_outcome""",
    ):
        with pytest.raises(WorkspaceError, match="append-only"), store.database.write() as write:
            write.conn.execute(sql)
