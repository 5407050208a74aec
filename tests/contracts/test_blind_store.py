"""Blind second review beneath pages and commands: no reading of the store tells of the first decision."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pld_core.blind import SOMEBODY
from pld_core.decision_book import read_book, write_book
from pld_core.decision_check import read_decisions
from pld_core.decision_sheet import DecisionSheet, sheet_row
from pld_core.desk import DeskFilter, SeenRule, Tab, Tick
from pld_core.errors import EvidenceMovedOn, IllegalTransition, RevisionMovedOn, StillBlind
from pld_core.models import SYSTEM, Actor, EvidenceRole, Judgement, RevisionState, Role, Verdict, evidence_set_hash
from pld_core.policy import Policy
from pld_core.records import EventFilter, Page
from storage import SqliteStore
from tests.factories import ANNA, BERT, fill, make_examples, make_rule, make_text, rule_in_review, verdict_on
from tests.sheets import Typed, fill_in

S = RevisionState
BLIND = Policy(four_eyes=True, blind=True)
FIRST = Actor("felix", frozenset({Role.REVIEWER}))
SECOND = Actor("olga", frozenset({Role.REVIEWER}))
BOTH = Actor("vera", frozenset({Role.LEAD, Role.AUDITOR}))
AUDITOR = Actor("rita", frozenset({Role.ANALYST, Role.AUDITOR}))
ADMIN = Actor("ada", frozenset({Role.ADMIN}))
SAID = "secret reasoning"
PAGE = Page()


def read_and_decide(store: SqliteStore, rule: str, actor: Actor = FIRST) -> None:
    """Let somebody leave every trace that a reading can leave, then approve first."""
    seen = store.rules.dossier(rule, SYSTEM)
    first = sorted(seen.evidence, key=lambda e: e.example_hash)[0]
    tick = Tick(rule, seen.head.hash, evidence_set_hash(seen.evidence), first.example_hash, EvidenceRole.CONTRADICTS)
    store.desk.ticks.tick(tick, actor)
    store.desk.comments.add(rule, f"{SAID} in a comment", actor)
    store.desk.queue.tag([rule], "felix likes it", actor)
    store.desk.queue.ask_second_opinion(rule, seen.head.hash, f"{SAID} in a note", actor)
    store.desk.queue.assign([rule], actor.name, actor)
    store.rules.judge(verdict_on(store, rule, reason=f"{SAID} in a reason"), actor)


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    fill(sqlite_store, examples=make_examples(6), policy=BLIND)
    return sqlite_store


@pytest.fixture
def rule(store: SqliteStore) -> str:
    rule = rule_in_review(store)
    read_and_decide(store, rule)
    return rule


def everything(store: SqliteStore, rule: str, actor: Actor) -> str:
    """Return all that a person can read of a rule, as text."""
    return repr(
        [
            store.rules.dossier(rule, actor),
            store.rules.summary(rule, actor),
            store.rules.queue("posts", actor=actor),
            store.lineage.trace(rule, actor),
            store.desk.comments.of_rule(rule, actor),
            store.desk.queue.second_opinions(rule, actor),
            store.desk.queue.row(rule, actor),
            store.desk.queue.rows("posts", DeskFilter(Tab.ALL), PAGE, actor),
            store.events.page(EventFilter(), None, actor),
            list(store.audit.log(EventFilter(), actor)),
            store.desk.queue.withdrawn(rule),
        ]
    )


def decided_at(store: SqliteStore, rule: str) -> str:
    return store.rules.dossier(rule, SYSTEM).decisions[0].decided_at


@pytest.mark.parametrize("actor", [SECOND, BOTH, BERT, Actor("nora", frozenset())])
def test_nothing_that_whoever_may_still_decide_can_read_tells_who_when_or_why(
    store: SqliteStore, rule: str, actor: Actor
) -> None:
    told = everything(store, rule, actor)
    for secret in ("felix", SAID, decided_at(store, rule), "Decision("):
        assert secret not in told
    assert store.rules.dossier(rule, actor).withheld
    assert store.rules.summary(rule, actor).state is S.FIRST_APPROVED, "that there is one is no secret"


@pytest.mark.parametrize("actor", [FIRST, AUDITOR, ADMIN, SYSTEM])
def test_who_decided_first_and_who_cannot_decide_sees_all(store: SqliteStore, rule: str, actor: Actor) -> None:
    told = everything(store, rule, actor)
    for known in ("felix", f"{SAID} in a reason", f"{SAID} in a comment", decided_at(store, rule)):
        assert known in told
    assert not store.rules.dossier(rule, actor).withheld


def test_somebody_who_is_not_named_is_taken_for_one_who_may_still_decide(store: SqliteStore, rule: str) -> None:
    told = repr([store.rules.summary(rule), store.lineage.trace(rule), store.desk.comments.of_rule(rule)])
    told += repr([store.events.page(), list(store.audit.log(EventFilter())), store.desk.queue.second_opinions(rule)])
    assert "felix" not in told
    assert SAID not in told


@pytest.mark.parametrize("verdict", list(Verdict))
def test_after_the_own_decision_everything_shows(store: SqliteStore, rule: str, verdict: Verdict) -> None:
    store.rules.judge(verdict_on(store, rule, verdict), SECOND)
    for actor in (SECOND, BOTH):
        told = everything(store, rule, actor)
        assert "felix" in told
        assert f"{SAID} in a reason" in told
    assert store.rules.summary(rule).state is (S.APPROVED if verdict is Verdict.APPROVE else S.DISPUTED)


def test_without_a_blind_policy_nothing_is_kept(sqlite_store: SqliteStore) -> None:
    fill(sqlite_store, examples=make_examples(6), policy=Policy(four_eyes=True))
    rule = rule_in_review(sqlite_store)
    read_and_decide(sqlite_store, rule)
    assert f"{SAID} in a reason" in everything(sqlite_store, rule, SECOND)
    assert sqlite_store.audit.kept_from(SECOND) == ()


def test_the_policy_of_the_moment_counts(store: SqliteStore, rule: str) -> None:
    store.policies.change("posts", BLIND, Policy(four_eyes=True), "openly again", ADMIN)
    assert "felix" in everything(store, rule, SECOND)
    store.policies.change("posts", Policy(four_eyes=True), BLIND, "blind again", ADMIN)
    assert "felix" not in everything(store, rule, SECOND)


def test_the_author_of_a_revision_is_blind_to_its_first_approval_too(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    seen = store.rules.summary(rule)
    store.rules.edit(rule, seen.head, seen.state, make_text("the post is kind"), "sharper", SECOND)
    read_and_decide(store, rule)
    dossier = store.rules.dossier(rule, SECOND)
    assert (dossier.withheld, dossier.decisions) == (True, ())
    with pytest.raises(IllegalTransition, match="cannot give its deciding approval"):
        store.rules.judge(verdict_on(store, rule), SECOND)


def test_an_edit_by_the_decider_stays_known_as_the_revision_names_its_author(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    seen = store.rules.summary(rule)
    store.rules.edit(rule, seen.head, seen.state, make_text("the post is kind"), "sharper", FIRST)
    store.rules.judge(verdict_on(store, rule, reason=SAID), FIRST)
    kinds = [event.kind for event in store.events.page(EventFilter(rule=rule), None, SECOND)]
    assert kinds[:2] == ["kept.first_decision", "rule.edited"]
    assert SAID not in everything(store, rule, SECOND)


def test_a_refused_decision_on_an_old_screen_tells_no_name(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    old = store.rules.dossier(rule, SECOND)
    read_and_decide(store, rule)
    late = Judgement(rule, old.head.hash, S.IN_REVIEW, Verdict.APPROVE)
    with pytest.raises(RevisionMovedOn) as caught:
        store.rules.judge(late, SECOND)
    assert "is now first approved (by somebody)" in str(caught.value)
    assert caught.value.by == SOMEBODY
    evidence = evidence_set_hash(old.evidence)
    stale = Judgement(rule, old.head.hash, S.FIRST_APPROVED, Verdict.APPROVE, seen_evidence=evidence)
    with pytest.raises(EvidenceMovedOn) as moved:
        store.rules.judge(stale, SECOND)
    assert moved.value.by == SOMEBODY
    tick = Tick(rule, old.head.hash, evidence, old.evidence[0].example_hash, EvidenceRole.IRRELEVANT)
    with pytest.raises(EvidenceMovedOn) as ticked:
        store.desk.ticks.tick(tick, SECOND)
    assert ticked.value.by == SOMEBODY
    text = make_text("one"), make_text("other")
    with pytest.raises(RevisionMovedOn) as edited:
        store.rules.edit(rule, old.head.hash, S.IN_REVIEW, text[0], "why", SECOND)
    assert edited.value.by == SOMEBODY
    seen = SeenRule(rule, old.head.hash, S.IN_REVIEW)
    with pytest.raises(RevisionMovedOn) as merged:
        store.desk.parts.merge((seen, seen), text[0], "why", SECOND)
    assert merged.value.by == SOMEBODY
    with pytest.raises(RevisionMovedOn) as withdrawn:
        store.desk.queue.withdraw(rule, old.head.hash, S.IN_REVIEW, "why", SECOND)
    assert withdrawn.value.by == SOMEBODY


def test_a_kept_comment_cannot_be_fetched_answered_or_settled(store: SqliteStore, rule: str) -> None:
    (kept,) = store.desk.comments.of_rule(rule, FIRST)
    before = store.events.count()
    fetches: tuple[Callable[[], object], ...] = (
        lambda: store.desk.comments.get(kept.id, SECOND),
        lambda: store.desk.comments.resolve(kept.id, SECOND),
        lambda: store.desk.comments.reopen(kept.id, SECOND),
        lambda: store.desk.comments.add(rule, "What?", SECOND, parent=kept.id),
    )
    for fetch in fetches:
        with pytest.raises(StillBlind, match="olga sees this comment on R1 after deciding"):
            fetch()
    assert store.events.count() == before
    assert store.desk.comments.get(kept.id, FIRST) == kept
    mine = store.desk.comments.add(rule, "My own.", SECOND)
    assert store.desk.comments.of_rule(rule, SECOND) == (mine,)


def test_no_filter_finds_what_is_kept(store: SqliteStore, rule: str) -> None:
    at = decided_at(store, rule)
    for where in (
        EventFilter(actor="felix"),
        EventFilter(kind="rule.approved"),
        EventFilter(search=SAID),
        EventFilter(since=at, until=f"{at}~"),
        EventFilter(rule=rule, kind="rule.tagged"),
    ):
        assert store.events.page(where, None, FIRST)
        assert store.events.page(where, None, SECOND) == ()
        assert store.events.count(where, SECOND) == 0
        assert list(store.audit.log(where, SECOND)) == []
    assert len(store.events.page(EventFilter(rule=rule), None, SECOND)) == store.events.count(EventFilter(rule=rule))
    tagged = DeskFilter(Tab.ALL, tag="felix likes it")
    assert [store.desk.queue.count("posts", tagged, actor) for actor in (FIRST, SECOND)] == [1, 0]
    assert store.desk.queue.rows("posts", tagged, PAGE, SECOND) == ()


def test_a_sheet_does_not_tell_whose_first_decisions_were_on_it(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    rejected = rule_in_review(store, make_rule(supports=make_examples(2), origin="another"))
    rows = tuple(sheet_row(store.rules.dossier(rule_id, FIRST)) for rule_id in (rule, rejected))
    content = write_book(DecisionSheet(store.sheets.origin("posts", FIRST.name), rows))
    typed: dict[str, Typed] = {rule: ("approve", "", SAID), rejected: ("reject", "over broad", "Too much.")}
    reading = read_decisions(read_book(fill_in(content, typed), "rules.xlsx"))
    store.sheets.record(reading, FIRST)
    where = (EventFilter(kind="review.imported"), EventFilter(search="rules.xlsx"))
    assert [store.events.count(w, FIRST) for w in where] == [1, 1]
    assert [store.events.count(w, SECOND) for w in where] == [0, 0]
    told = [e for e in store.events.page(EventFilter(), None, SECOND) if e.actor == "felix"]
    assert {e.subject for e in told} == {rejected}
    store.rules.judge(verdict_on(store, rule), SECOND)
    assert [store.events.count(w, SECOND) for w in where] == [1, 1]


def test_the_queue_row_shows_what_others_left_and_the_own(store: SqliteStore, rule: str) -> None:
    store.desk.queue.tag([rule], "urgent", ANNA)
    store.desk.comments.add(rule, "Mind the exception.", ANNA)
    row = store.desk.queue.row(rule, SECOND)
    assert (row.tags, row.open_comments, row.assignee, row.second_opinion) == (("urgent",), 1, "", False)
    full = store.desk.queue.row(rule, FIRST)
    assert (set(full.tags), full.open_comments, full.assignee) == ({"urgent", "felix likes it"}, 2, "felix")
    assert full.second_opinion


def test_a_whole_record_is_for_those_from_whom_nothing_is_kept(store: SqliteStore, rule: str) -> None:
    assert store.audit.kept_from(BOTH) == (rule,)
    with (
        pytest.raises(StillBlind, match=r"vera does not see before deciding: on R1\."),
        store.audit.snapshot("posts", BOTH),
    ):
        pass
    for actor in (AUDITOR, ADMIN, SYSTEM):
        with store.audit.snapshot("posts", actor) as snapshot:
            assert [d.reviewer for d in snapshot.decisions()] == ["felix"]
            assert all(event.kind[:5] != "kept." for event in snapshot.events())
    store.rules.judge(verdict_on(store, rule), BOTH)
    with store.audit.snapshot("posts", BOTH) as snapshot:
        assert len(list(snapshot.decisions())) == 2


def test_the_chain_is_verified_whole_whoever_asks(store: SqliteStore, rule: str) -> None:
    assert store.events.verify().intact
    assert store.events.verify().events == store.events.count()


def test_a_review_that_begins_anew_opens_what_was_and_hides_what_comes(store: SqliteStore, rule: str) -> None:
    seen = store.rules.summary(rule)
    store.desk.queue.withdraw(rule, seen.head, seen.state, "Misread.", FIRST)
    assert f"{SAID} in a reason" in everything(store, rule, SECOND), "it counts for nothing any more"
    store.rules.judge(verdict_on(store, rule, reason="a better reason"), FIRST)
    dossier = store.rules.dossier(rule, SECOND)
    assert [d.reason for d in dossier.decisions] == [f"{SAID} in a reason"]
    assert "a better reason" not in everything(store, rule, SECOND)


def test_a_stale_revision_that_is_approved_first_again_is_kept_too(store: SqliteStore, rule: str) -> None:
    store.rules.judge(verdict_on(store, rule), SECOND)
    seen = store.rules.dossier(rule, SYSTEM)
    link = sorted(seen.evidence, key=lambda e: e.example_hash)[1]
    tick = Tick(rule, seen.head.hash, evidence_set_hash(seen.evidence), link.example_hash, EvidenceRole.IRRELEVANT)
    assert store.desk.ticks.tick(tick, ANNA).state is S.STALE
    store.rules.judge(verdict_on(store, rule, reason="still fine, I find"), FIRST)
    assert store.rules.summary(rule).state is S.FIRST_APPROVED
    assert "still fine, I find" not in everything(store, rule, SECOND)
    assert len(store.rules.dossier(rule, SECOND).decisions) == 2


def test_a_rejection_and_other_rules_are_as_ever(store: SqliteStore, rule: str) -> None:
    other = rule_in_review(store, make_rule(supports=store.tasks.examples("posts")[2:4], origin="origin-2"))
    store.rules.judge(verdict_on(store, other, Verdict.REJECT, "an open reason"), FIRST)
    assert "an open reason" in everything(store, other, SECOND)
