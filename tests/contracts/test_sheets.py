"""Decisions that come in on a sheet: each is guarded for itself, all are recorded together, none twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pld_core.decision_check import RowJudgement, SheetOutcome, SheetReading
from pld_core.desk import Tick
from pld_core.errors import NotFound, StorageFull
from pld_core.models import (
    SYSTEM,
    Actor,
    EvidenceRole,
    Judgement,
    RejectCategory,
    RevisionState,
    RuleText,
    Verdict,
    evidence_set_hash,
)
from pld_core.policy import Policy
from storage import SqliteStore, create_store
from tests.cli.running import content_of
from tests.factories import (
    ANNA,
    BERT,
    TickingClock,
    fill,
    make_example,
    make_rule,
    make_task,
    make_text,
    rule_in_review,
    url_of,
)
from tests.seeding import fill_with_checks, open_check

THREE = ("R1", "R2", "R3")


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    """Three rules in review."""
    examples = fill(sqlite_store)
    for n in range(3):
        rule_in_review(sqlite_store, make_rule(make_text(f"condition {n}"), examples[:2], examples[2:3], f"origin-{n}"))
    return sqlite_store


def judged(store: SqliteStore, rule_id: str, verdict: Verdict = Verdict.APPROVE, reason: str = "Read.") -> Judgement:
    """Return what a row of a sheet that is exported now would decide."""
    seen = store.rules.dossier(rule_id, SYSTEM)
    category = RejectCategory.OTHER if verdict is Verdict.REJECT else None
    evidence = evidence_set_hash(seen.evidence)
    return Judgement(rule_id, seen.head.hash, seen.summary.state, verdict, reason, category, "", evidence)


def sheet(store: SqliteStore, judgements: Sequence[Judgement], task: str = "posts") -> SheetReading:
    origin = replace(store.sheets.origin("posts", "anna"), task=task)
    rows = tuple(RowJudgement(number, judgement) for number, judgement in enumerate(judgements, start=2))
    return SheetReading(origin, "rules.xlsx", "sha256:file", rows, (), 4)


def whole(store: SqliteStore, verdict: Verdict = Verdict.APPROVE) -> SheetReading:
    return sheet(store, [judged(store, rule_id, verdict) for rule_id in THREE])


def states(store: SqliteStore) -> list[RevisionState]:
    return [store.rules.summary(rule_id).state for rule_id in THREE]


def problem(outcome: SheetOutcome) -> str:
    (refused,) = outcome.refused
    return refused.words


def edit(store: SqliteStore, rule_id: str, actor: Actor) -> None:
    seen = store.rules.dossier(rule_id, SYSTEM)
    text: RuleText = replace(seen.head.text, condition="something else")
    store.rules.edit(rule_id, seen.head.hash, seen.summary.state, text, "clearer", actor)


def test_all_rows_are_recorded_in_one_transaction_with_one_event(store: SqliteStore) -> None:
    reading = whole(store)
    outcome = store.sheets.record(reading, BERT)
    assert [(row.number, row.rule_id, row.decision, row.state) for row in outcome.decided] == [
        (2, "R1", 1, RevisionState.APPROVED),
        (3, "R2", 2, RevisionState.APPROVED),
        (4, "R3", 3, RevisionState.APPROVED),
    ]
    event, *others = store.events.page()
    assert (event.kind, event.subject, event.actor) == ("review.imported", "posts", "bert")
    assert event.payload == {
        "file": "rules.xlsx",
        "sha256": "sha256:file",
        "exported_at": reading.origin.exported_at,
        "exported_by": "anna",
        "decided": 3,
        "refused": 0,
        "skipped": 4,
        "decisions": [{"row": n + 1, "rule": f"R{n}", "decision": n} for n in (1, 2, 3)],
        "refusals": [],
        "signed_as": {"kind": "attestation"},
    }
    assert [found.kind for found in others[:3]] == ["rule.approved"] * 3
    assert len({event.at, *(found.at for found in others[:3])}) == 1
    assert store.events.verify().intact


def test_a_decision_of_a_sheet_is_like_any_other(store: SqliteStore) -> None:
    store.sheets.record(sheet(store, [judged(store, "R2", Verdict.REJECT, "It takes too much.")]), BERT)
    (decision,) = store.rules.dossier("R2", SYSTEM).decisions
    assert (decision.verdict, decision.category, decision.reason, decision.reviewer, decision.opened_at) == (
        Verdict.REJECT,
        RejectCategory.OTHER,
        "It takes too much.",
        "bert",
        "",
    )


@pytest.mark.parametrize("verdict", Verdict)
def test_the_same_sheet_twice_decides_nothing_twice(store: SqliteStore, verdict: Verdict) -> None:
    reading = whole(store, verdict)
    first = store.sheets.record(reading, ANNA)
    events = store.events.count()
    again = store.sheets.record(reading, ANNA)
    assert (len(first.decided), len(again.decided), len(again.refused)) == (3, 0, 3)
    assert all("decided by you already since the sheet was exported" in refused.problem for refused in again.refused)
    assert store.events.count() == events


def test_a_decision_that_was_withdrawn_is_not_made_again_by_the_same_sheet(store: SqliteStore) -> None:
    reading = sheet(store, [judged(store, "R1")])
    store.sheets.record(reading, ANNA)
    seen = store.rules.summary("R1")
    store.desk.queue.withdraw("R1", seen.head, seen.state, "too early", ANNA)
    assert store.rules.summary("R1").state is RevisionState.IN_REVIEW
    assert "decided by you already" in problem(store.sheets.record(reading, ANNA))
    assert store.sheets.record(sheet(store, [judged(store, "R1")]), ANNA).decided


def test_a_rule_with_a_newer_revision_is_refused_and_the_others_are_recorded(store: SqliteStore) -> None:
    reading = whole(store)
    edit(store, "R2", BERT)
    outcome = store.sheets.record(reading, ANNA)
    assert [row.rule_id for row in outcome.decided] == ["R1", "R3"]
    told = "Row 3 (R2): the sheet holds revision 1; revision 2 by bert took its place and is in review."
    assert problem(outcome).startswith(f"{told} Changed: condition.")
    assert states(store) == [RevisionState.APPROVED, RevisionState.IN_REVIEW, RevisionState.APPROVED]
    refusals = store.events.page()[0].payload["refusals"]
    assert refusals == [{"row": 3, "rule": "R2", "reason": outcome.refused[0].problem}]


def test_a_rule_that_somebody_else_decided_is_refused(store: SqliteStore) -> None:
    reading = sheet(store, [judged(store, "R1")])
    store.rules.judge(judged(store, "R1", Verdict.REQUEST_CHANGES), BERT)
    assert "it was in review when the sheet was exported and is changes requested now, by bert" in problem(
        store.sheets.record(reading, ANNA)
    )


def test_a_rule_whose_evidence_changed_is_refused(store: SqliteStore) -> None:
    reading = sheet(store, [judged(store, "R1")])
    seen = store.rules.dossier("R1", SYSTEM)
    example = seen.evidence[0].example_hash
    store.desk.ticks.tick(
        Tick("R1", seen.head.hash, evidence_set_hash(seen.evidence), example, EvidenceRole.NEAR_MISS), BERT
    )
    assert "its evidence has changed since the sheet was exported" in problem(store.sheets.record(reading, ANNA))
    assert store.rules.dossier("R1", SYSTEM).decisions == ()


def test_what_the_guard_refuses_is_reported_and_leaves_no_trace(store: SqliteStore) -> None:
    bare = rule_in_review(store, make_rule(make_text("no evidence"), origin="bare"))
    speechless = judged(store, "R1", Verdict.REQUEST_CHANGES, reason=" ")
    outcome = store.sheets.record(sheet(store, [judged(store, bare), speechless, judged(store, "R2")]), ANNA)
    assert [row.rule_id for row in outcome.decided] == ["R2"]
    assert [refused.words.split(".")[0] for refused in outcome.refused] == [
        f"Row 2 ({bare}): This rule has no evidence, so nobody can judge it",
        "Row 3 (R1): Requesting changes needs a reason in your own words",
    ]
    assert store.rules.dossier(bare, SYSTEM).decisions == ()


def test_a_stale_rule_that_is_refused_is_not_left_half_reviewed(store: SqliteStore) -> None:
    """Deciding on a stale revision reviews it again first: that step goes with the decision that was refused."""
    seen = judged(store, "R1")
    store.rules.judge(seen, ANNA)
    evidence = store.rules.dossier("R1", SYSTEM).evidence
    for link in evidence:
        now = evidence_set_hash(store.rules.dossier("R1", SYSTEM).evidence)
        tick = Tick("R1", seen.seen_revision, now, link.example_hash, EvidenceRole.IRRELEVANT)
        store.desk.ticks.tick(tick, ANNA)
    assert store.rules.summary("R1").state is RevisionState.STALE
    outcome = store.sheets.record(sheet(store, [judged(store, "R1"), judged(store, "R2")]), BERT)
    assert "has no evidence" in problem(outcome)
    assert states(store)[:2] == [RevisionState.STALE, RevisionState.APPROVED]


def test_with_four_eyes_nobody_gives_both_approvals(sqlite_store: SqliteStore) -> None:
    fill(sqlite_store, policy=Policy(four_eyes=True))
    rule_in_review(sqlite_store)
    assert sqlite_store.sheets.record(sheet(sqlite_store, [judged(sqlite_store, "R1")]), ANNA).decided
    fresh = sheet(sqlite_store, [judged(sqlite_store, "R1")])
    assert "anna has already decided on this revision" in problem(sqlite_store.sheets.record(fresh, ANNA))
    (second,) = sqlite_store.sheets.record(fresh, BERT).decided
    assert second.state is RevisionState.APPROVED


def test_a_rule_of_another_task_is_refused(store: SqliteStore) -> None:
    store.tasks.create_with_examples(make_task("mail"), [make_example("a letter")], "mail.csv", ANNA)
    outcome = store.sheets.record(sheet(store, [judged(store, "R1")], task="mail"), ANNA)
    assert "Row 2 (R1): it is no rule of the task mail" in problem(outcome)


def test_a_rule_or_a_revision_that_there_is_not_is_refused(store: SqliteStore) -> None:
    seen = judged(store, "R1")
    outcome = store.sheets.record(
        sheet(store, [replace(seen, rule_id="R99"), replace(seen, seen_revision="sha256:none")]), ANNA
    )
    assert [refused.number for refused in outcome.refused] == [2, 3]
    assert outcome.decided == ()


def test_a_task_that_there_is_not_is_an_error(store: SqliteStore) -> None:
    with pytest.raises(NotFound, match="mail"):
        store.sheets.record(sheet(store, [judged(store, "R1")], task="mail"), ANNA)


def test_a_sheet_that_decides_nothing_leaves_no_event(store: SqliteStore) -> None:
    events = store.events.count()
    outcome = store.sheets.record(sheet(store, []), ANNA)
    assert (outcome.decided, outcome.refused, outcome.skipped) == ((), (), 4)
    assert store.events.count() == events


def test_a_rehearsal_tells_the_same_and_changes_no_byte(store: SqliteStore, workspace: Path) -> None:
    reading = whole(store)
    edit(store, "R3", BERT)
    before = content_of(workspace.parent)
    tried = store.sheets.rehearse(reading, ANNA)
    assert content_of(workspace.parent) == before
    assert store.sheets.record(reading, ANNA) == tried


def test_if_the_transaction_fails_no_row_is_recorded(store: SqliteStore) -> None:
    with store.database.raw() as tables:
        # The event of the sheet comes last.
        tables.conn.execute(
            """CREATE TRIGGER no_more BEFORE INSERT ON event WHEN NEW.kind = 'review.imported'
               BEGIN SELECT RAISE(ABORT, 'no more'); END"""
        )
    events = store.events.count()
    with pytest.raises(Exception, match="no more") as failed:
        store.sheets.record(whole(store), ANNA)
    assert not isinstance(failed.value, StorageFull)
    assert states(store) == [RevisionState.IN_REVIEW] * 3
    assert store.events.count() == events


def test_two_workspaces_are_told_apart_and_one_stays_the_same(
    store: SqliteStore, clock: TickingClock, tmp_path: Path
) -> None:
    mark = store.sheets.workspace()
    store.sheets.record(whole(store), ANNA)
    assert store.sheets.workspace() == mark
    other = create_store(url_of(tmp_path / "other.db"), clock)
    fill(other)
    assert other.sheets.workspace() != mark


@pytest.mark.parametrize("verdict", [Verdict.APPROVE, Verdict.REJECT, Verdict.REQUEST_CHANGES])
def test_a_rehearsal_does_not_give_a_seeded_check_away(sqlite_store: SqliteStore, verdict: Verdict) -> None:
    fill_with_checks(sqlite_store)
    check = open_check(sqlite_store)
    real = next(r.id for r in sqlite_store.rules.queue("posts") if r.id != check.rule_id)
    both = sheet(sqlite_store, [judged(sqlite_store, rule_id, verdict) for rule_id in (real, check.rule_id)])
    told = sqlite_store.sheets.rehearse(both, ANNA).decided
    assert len(told) == 2
    assert told[0].state is told[1].state
    assert sqlite_store.checks.closed(check.rule_id) is None
    sqlite_store.sheets.record(both, ANNA)
    closed = sqlite_store.checks.closed(check.rule_id)
    assert closed is not None
    assert sqlite_store.rules.summary(check.rule_id).state in (RevisionState.REJECTED, RevisionState.RETIRED)
