"""What was noted of a decision is kept with it, and the facts of a task are those that its records tell."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from pld_core.attention import Attention, Seen
from pld_core.audit_ports import OversightStore, RuleRecord
from pld_core.errors import NotFound, WorkspaceError
from pld_core.models import AuthorKind, EvidenceRole, RejectCategory, RevisionState, RuleText, Verdict
from pld_core.oversight import OversightFacts, RuleFacts
from pld_core.pack.dossiers import evidence_of
from pld_core.policy import Policy
from storage import SqliteStore
from tests.factories import (
    ANNA,
    BERT,
    CLEO,
    READER,
    TickingClock,
    approved_rule,
    fill,
    make_example,
    make_rule,
    make_task,
    make_text,
    rule_in_review,
    update_of,
    verdict_on,
)
from tests.packs import fill_for_audit

NOTED = Attention(41, Seen(3, 3, 2), Seen(1, 1, 1), 1)
EXAMPLES = tuple(make_example("x" * n, ("keep", "remove")[n % 2]) for n in (10, 101, 1000, 10_001))


@pytest.fixture
def oversight(sqlite_store: SqliteStore) -> OversightStore:
    return sqlite_store.oversight


def rule_length(text: RuleText) -> int:
    """Return the characters of a rule that a reviewer has before them."""
    return sum(map(len, (text.title, text.condition, text.rationale, *text.labels, *text.exceptions)))


def lengths_told_by_the_records(store: SqliteStore) -> list[int]:
    """Return the length of what each decision was made on, added up from the texts that the audit reads."""
    with store.audit.snapshot("posts", READER) as snapshot:
        found = {d.id: length_of(record, d.id) for record in snapshot.rules() for d in record.decisions}
    return [found[number] for number in sorted(found)]


def length_of(record: RuleRecord, decision_id: int) -> int:
    (decision,) = (d for d in record.decisions if d.id == decision_id)
    (revision,) = (r for r in record.revisions if r.revision.hash == decision.revision_hash)
    links = evidence_of(revision, revision.version_at(decision.decided_at))
    return rule_length(revision.revision.text) + sum(len(record.examples[link.example_hash].text) for link in links)


# --- what was noted ---------------------------------------------------------------------------------------------------


def test_what_was_noted_stands_in_the_event_in_the_facts_and_in_the_dossier(
    sqlite_store: SqliteStore, oversight: OversightStore
) -> None:
    fill(sqlite_store)
    one, other = (rule_in_review(sqlite_store, make_rule(origin=name, supports=EXAMPLES[:0])) for name in "ab")
    for rule_id, noted in ((one, NOTED), (other, None)):
        sqlite_store.rules.judge(replace(verdict_on(sqlite_store, rule_id, Verdict.REJECT), attention=noted), ANNA)
    told = [event.payload["attention"] for event in sqlite_store.events.page()[:2]]
    assert told == [None, NOTED.as_json()]
    assert [d.attention for d in oversight.facts("posts").decisions] == [NOTED, None]
    with sqlite_store.audit.snapshot("posts", READER) as snapshot:
        assert [dict(record.attention) for record in snapshot.rules()] == [{1: NOTED}, {}]


@pytest.mark.parametrize(
    "impossible",
    [
        replace(NOTED, active_seconds=-1),
        replace(NOTED, evidence=Seen(3, 4, 2)),
        replace(NOTED, evidence=Seen(3, 2, 3)),
        replace(NOTED, contradicting=Seen(1, 2, 0)),
        replace(NOTED, contradicting=Seen(4, 0, 0)),
        replace(NOTED, unfolded=3),
    ],
)
def test_what_cannot_be_is_refused_with_the_whole_decision(sqlite_store: SqliteStore, impossible: Attention) -> None:
    fill(sqlite_store)
    rule_id = rule_in_review(sqlite_store)
    with pytest.raises(WorkspaceError, match="Nothing was changed"):
        sqlite_store.rules.judge(replace(verdict_on(sqlite_store, rule_id), attention=impossible), ANNA)
    assert sqlite_store.rules.summary(rule_id).state is RevisionState.IN_REVIEW
    assert sqlite_store.oversight.facts("posts").decisions == ()


def test_what_was_noted_is_never_changed(sqlite_store: SqliteStore) -> None:
    fill(sqlite_store)
    rule_id = rule_in_review(sqlite_store)
    sqlite_store.rules.judge(replace(verdict_on(sqlite_store, rule_id), attention=NOTED), ANNA)
    with closing(sqlite3.connect(sqlite_store.database.path)) as conn:
        for sql in (
            "UPDATE decision_attention SET active_seconds = 1",
            "DELETE FROM decision_attention",
            "REPLACE INTO decision_attention SELECT * FROM decision_attention",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                conn.execute(sql)


# --- facts ------------------------------------------------------------------------------------------------------------


def test_a_task_without_decisions_has_its_rules_alone(sqlite_store: SqliteStore, oversight: OversightStore) -> None:
    fill(sqlite_store)
    rule_in_review(sqlite_store)
    assert oversight.facts("posts") == OversightFacts((), (RuleFacts(edited=False, decided=False),))
    with pytest.raises(NotFound, match="no task 'x'"):
        oversight.facts("x")


def test_the_facts_of_a_decision(sqlite_store: SqliteStore, oversight: OversightStore, clock: TickingClock) -> None:
    fill(sqlite_store, examples=EXAMPLES)
    text = replace(make_text(title="Ünï"), exceptions=("it is irony", 'it says "no"'))
    rule_id = rule_in_review(sqlite_store, make_rule(text, EXAMPLES[:2], EXAMPLES[2:3]))
    opened = clock.at.isoformat().replace("+00:00", "Z")
    clock.advance(90)
    judged = replace(verdict_on(sqlite_store, rule_id, Verdict.REJECT), opened_at=opened)
    decision = sqlite_store.rules.judge(judged, BERT)
    (found,) = oversight.facts("posts").decisions
    assert (found.revision_hash, found.evidence_hash) == (decision.revision_hash, decision.evidence_hash)
    assert (found.verdict, found.category) == (Verdict.REJECT, RejectCategory.OVER_BROAD)
    assert (found.author_kind, found.reviewer, found.withdrawn) == (AuthorKind.TEACHER, "bert", False)
    assert found.seconds is not None
    assert 90 <= found.seconds < 100
    assert found.text_length == rule_length(text) + 10 + 101 + 1000


def test_the_length_is_that_of_the_evidence_as_it_was(sqlite_store: SqliteStore, oversight: OversightStore) -> None:
    fill(sqlite_store, examples=EXAMPLES)
    rule_id = approved_rule(sqlite_store, make_rule(supports=EXAMPLES[:1]))
    update = update_of(sqlite_store, rule_id, EXAMPLES[:1], EXAMPLES[2:3], EXAMPLES[3:])
    sqlite_store.lineage.update("posts", [update], frozenset(e.hash for e in EXAMPLES), ANNA)
    sqlite_store.rules.judge(verdict_on(sqlite_store, rule_id), BERT)
    own = rule_length(make_text())
    found = oversight.facts("posts").decisions
    assert [d.text_length - own for d in found] == [10, 10 + 1000 + 10_001]
    assert len({d.evidence_hash for d in found}) == 2


def test_the_facts_agree_with_the_records_of_a_whole_task(sqlite_store: SqliteStore, oversight: OversightStore) -> None:
    fill_for_audit(sqlite_store)
    facts = oversight.facts("posts")
    assert [d.text_length for d in facts.decisions] == lengths_told_by_the_records(sqlite_store)
    assert [d.author_kind for d in facts.decisions] == [AuthorKind.TEACHER, AuthorKind.PERSON, AuthorKind.TEACHER]
    assert facts.rules == (RuleFacts(True, True), RuleFacts(False, True), RuleFacts(False, False))
    with sqlite_store.audit.snapshot("posts", READER) as snapshot:
        assert snapshot.oversight() == facts


def test_a_rule_is_edited_once_a_person_wrote_a_revision_of_it(sqlite_store: SqliteStore) -> None:
    examples = fill(sqlite_store)
    rule_id = rule_in_review(sqlite_store, make_rule(supports=examples[:2]))
    seen = sqlite_store.rules.summary(rule_id)
    sqlite_store.rules.edit(rule_id, seen.head, seen.state, RuleText("A", "b", ("keep",)), "Clearer.", ANNA)
    rule_in_review(sqlite_store, make_rule(supports=examples[2:], origin="other"))
    assert sqlite_store.oversight.facts("posts").rules == (RuleFacts(True, False), RuleFacts(False, False))


def test_what_was_taken_back_is_marked(sqlite_store: SqliteStore, oversight: OversightStore) -> None:
    fill(sqlite_store)
    rule_id = approved_rule(sqlite_store)
    seen = sqlite_store.rules.summary(rule_id)
    sqlite_store.desk.queue.withdraw(rule_id, seen.head, seen.state, "Too early.", ANNA)
    sqlite_store.rules.judge(verdict_on(sqlite_store, rule_id), BERT)
    assert [(d.reviewer, d.withdrawn) for d in oversight.facts("posts").decisions] == [("anna", True), ("bert", False)]


def test_a_second_opinion_is_answered_by_somebody_else(sqlite_store: SqliteStore, oversight: OversightStore) -> None:
    fill(sqlite_store, policy=Policy(four_eyes=True))
    rules = [rule_in_review(sqlite_store, make_rule(supports=EXAMPLES[:0], origin=name)) for name in "abc"]
    for rule_id in rules:
        head = sqlite_store.rules.summary(rule_id).head
        sqlite_store.desk.queue.ask_second_opinion(rule_id, head, "Look.", CLEO)
    for rule_id, actor in ((rules[0], BERT), (rules[1], CLEO)):
        sqlite_store.rules.judge(verdict_on(sqlite_store, rule_id, Verdict.REQUEST_CHANGES), actor)
    facts = oversight.facts("posts")
    assert (facts.asked, facts.answered) == (3, 1)


def test_another_task_stays_out_of_it(sqlite_store: SqliteStore, oversight: OversightStore) -> None:
    fill(sqlite_store)
    fill(sqlite_store, task=make_task("other"))
    approved_rule(sqlite_store)
    other = rule_in_review(sqlite_store, make_rule(supports=sqlite_store.tasks.examples("other")[:2]), "other")
    sqlite_store.desk.queue.ask_second_opinion(other, sqlite_store.rules.summary(other).head, "Look.", BERT)
    assert (len(oversight.facts("posts").decisions), oversight.facts("posts").asked) == (1, 0)
    assert (len(oversight.facts("other").decisions), oversight.facts("other").asked) == (0, 1)


def test_another_role_makes_another_evidence_set_of_the_same_length(
    sqlite_store: SqliteStore, oversight: OversightStore
) -> None:
    fill(sqlite_store, examples=EXAMPLES)
    rule_id = approved_rule(sqlite_store, make_rule(supports=EXAMPLES[:2]))
    update = update_of(sqlite_store, rule_id, EXAMPLES[:1], EXAMPLES[1:2])
    assert {e.role for e in update.evidence} == {EvidenceRole.SUPPORTS, EvidenceRole.CONTRADICTS}
    sqlite_store.lineage.update("posts", [update], frozenset(e.hash for e in EXAMPLES), ANNA)
    sqlite_store.rules.judge(verdict_on(sqlite_store, rule_id), BERT)
    assert len({d.text_length for d in oversight.facts("posts").decisions}) == 1
