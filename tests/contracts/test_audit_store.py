"""What an auditor reads: one state of the database, everything of a task, and the log by its filters."""

from __future__ import annotations

import pytest

from pld_core.audit_ports import AuditStore
from pld_core.errors import MissingRole, NotFound
from pld_core.models import SYSTEM, Actor, AnswerStatus, EvidenceRole, ExampleState, RevisionState, Role, Split
from pld_core.records import EventFilter, Page
from storage import SqliteStore
from tests.factories import ANNA, BERT, READER, make_rule, make_task, make_text, rule_in_review, verdict_on
from tests.packs import fill_for_audit

NOBODY = Actor("rob", frozenset({Role.REVIEWER, Role.ANALYST}))


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    fill_for_audit(sqlite_store)
    return sqlite_store


@pytest.fixture
def audit(store: SqliteStore) -> AuditStore:
    return store.audit


def test_a_snapshot_does_not_see_what_is_written_meanwhile(store: SqliteStore, audit: AuditStore) -> None:
    with audit.snapshot("posts", READER) as snapshot:
        events = snapshot.count_events()
        store.rules.judge(verdict_on(store, "R3"), BERT)
        rule_in_review(store, make_rule(make_text("late"), store.tasks.examples("posts")[:1], (), "late"))
        assert snapshot.count_events() == events == len(list(snapshot.events()))
        assert [record.summary.id for record in snapshot.rules()] == ["R1", "R2", "R3"]
        assert [len(record.decisions) for record in snapshot.rules()] == [2, 1, 0]
        assert snapshot.count_rules() == 3
    with audit.snapshot("posts", READER) as snapshot:
        assert snapshot.count_rules() == 4


def test_reading_and_recording_take_the_role(audit: AuditStore) -> None:
    with pytest.raises(MissingRole, match="rob may not export"), audit.snapshot("posts", NOBODY):
        pass
    with pytest.raises(MissingRole, match="rob may not export"):
        audit.record_export("posts", {}, NOBODY)
    with pytest.raises(NotFound, match="no task 'x'"), audit.snapshot("x", READER):
        pass
    with pytest.raises(NotFound, match="no task 'x'"):
        audit.record_export("x", {}, READER)


def test_a_rule_comes_with_its_whole_past(store: SqliteStore, audit: AuditStore) -> None:
    with audit.snapshot("posts", READER) as snapshot:
        first, second, _ = snapshot.rules()
        assert [d.id for d in snapshot.decisions()] == [1, 2, 3]
    dossier = store.rules.dossier("R1", SYSTEM)
    assert tuple(r.revision for r in first.revisions) == dossier.revisions
    assert [[m.state for m in r.moves][-1] for r in first.revisions] == [
        RevisionState.CHANGES_REQUESTED,
        RevisionState.APPROVED,
    ]
    assert first.decisions == dossier.decisions
    assert {link.example_hash: link.role for link in first.revisions[1].links} == {
        e.example_hash: e.role for e in dossier.evidence
    }
    assert first.examples == dossier.examples
    assert {link.role for link in second.revisions[0].links} == {EvidenceRole.SUPPORTS, EvidenceRole.CONTRADICTS}


def test_what_the_rules_were_made_of(store: SqliteStore, audit: AuditStore) -> None:
    with audit.snapshot("posts", READER) as snapshot:
        assert snapshot.task == store.tasks.get("posts")
        assert [g.text for g in snapshot.guidelines()] == [snapshot.task.guideline]
        assert snapshot.datasets() == store.data.all("posts")
        assert sum(snapshot.example_counts().values()) == snapshot.count_examples() == 5
        assert snapshot.example_counts()[(Split.VALIDATION, "keep", ExampleState.ACTIVE)] == 1
        lines = list(snapshot.example_lines())
        examples = store.tasks.examples("posts")
        assert [(x.hash, x.label, x.personal) for x in lines] == [(e.hash, e.label, e.personal) for e in examples]
        assert [(x.file, x.number) for x in lines] == [(e.origin.file, e.origin.number) for e in examples if e.origin]
        assert snapshot.prompts() == store.prompts.all("posts")
        assert snapshot.runs() == store.runs.all("posts")
        (answers,) = snapshot.answers(1)
        assert (answers.gold, answers.label, answers.status, answers.count) == ("keep", None, AnswerStatus.FAILED, 1)
        assert [c.id for c in snapshot.clusterings()] == [1]
        assert snapshot.calls() == ()


def test_another_task_stays_out_of_it(store: SqliteStore, audit: AuditStore) -> None:
    store.tasks.add(make_task("other"), ANNA)
    with audit.snapshot("other", READER) as snapshot:
        assert (snapshot.count_rules(), snapshot.count_examples(), list(snapshot.decisions())) == (0, 0, [])
        assert (snapshot.prompts(), snapshot.runs(), snapshot.datasets()) == ((), (), ())
        # The chain is one: without the others' events it could not be verified.
        assert snapshot.count_events() == store.events.count()


def test_the_log_by_rule_and_time(store: SqliteStore, audit: AuditStore) -> None:
    everything = list(audit.log(EventFilter()))
    assert everything == list(store.events.page()[::-1])
    assert {e.subject for e in audit.log(EventFilter(rule="r2"))} == {"R2"}
    third, fifth = everything[2], everything[4]
    between = EventFilter(since=third.at, until=fifth.at)
    assert list(audit.log(between)) == everything[2:4]
    assert store.events.page(between) == tuple(everything[2:4][::-1])
    assert store.events.count(between) == 2
    assert store.events.page(between, Page(1, 1)) == (third,)
    both = EventFilter(actor="bert", kind="rule.approved", rule="R1", search="sha256")
    assert [e.kind for e in audit.log(both)] == ["rule.approved"]
    assert list(audit.log(EventFilter(rule="R1%"))) == []
