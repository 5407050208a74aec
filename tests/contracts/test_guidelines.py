"""Guidelines and label sets in the store: every version stays, and what was decided under another goes stale."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pld_core.compilation import compile_prompt
from pld_core.errors import (
    DataInUse,
    GuidelineMovedOn,
    InvalidInput,
    LabelsMovedOn,
    MissingReason,
    NotFound,
    RevisionMovedOn,
)
from pld_core.models import SYSTEM, Judgement, Label, RejectCategory, RevisionState, Verdict
from pld_core.policy import Policy
from pld_core.records import EventFilter
from storage import SqliteStore, open_store
from tests.factories import (
    ANNA,
    BERT,
    CLEO,
    approved_rule,
    fill,
    make_example,
    make_examples,
    make_rule,
    make_text,
    rule_in_review,
    url_of,
    verdict_on,
)

S = RevisionState
NEW = "Remove what harms anybody."
KEEP, REMOVE = Label("keep", "The post stays."), Label("remove", "The post goes.")
ASK = Label("ask", "Ask somebody.")


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    fill(sqlite_store, examples=make_examples(6))
    return sqlite_store


def states(store: SqliteStore) -> dict[str, RevisionState]:
    return {rule.id: rule.state for rule in store.rules.queue("posts")}


def two_approved(store: SqliteStore) -> tuple[str, str]:
    given = store.tasks.examples("posts")
    keep = approved_rule(store, make_rule(supports=given[:1], origin="a"))
    return keep, approved_rule(store, make_rule(make_text(label="remove"), given[1:2], origin="b"))


def half_decided(store: SqliteStore) -> tuple[str, str]:
    """Return a first-approved and a disputed rule."""
    store.policies.change("posts", store.policies.of("posts"), Policy(four_eyes=True), "two people", ANNA)
    one = rule_in_review(store, make_rule(origin="c", supports=store.tasks.examples("posts")[:2]))
    two = rule_in_review(store, make_rule(make_text(label="remove"), store.tasks.examples("posts")[1:2], origin="d"))
    for rule_id in (one, two):
        store.rules.judge(verdict_on(store, rule_id), ANNA)
    store.rules.judge(verdict_on(store, two, Verdict.REJECT, "no", RejectCategory.OTHER), BERT)
    assert (states(store)[one], states(store)[two]) == (S.FIRST_APPROVED, S.DISPUTED)
    return one, two


# --- guideline --------------------------------------------------------------------------------------------------------


def test_a_task_starts_with_version_one(store: SqliteStore) -> None:
    (first,) = store.guidelines.history("posts")
    assert first == store.guidelines.current("posts")
    assert (first.version, first.text, first.reason, first.by) == (1, "Keep what harms nobody.", "", "anna")
    with pytest.raises(NotFound):
        store.guidelines.history("nope")


def test_a_change_is_kept_told_and_makes_what_was_decided_stale_in_one_transaction(store: SqliteStore) -> None:
    keep, remove = two_approved(store)
    waiting = rule_in_review(store, make_rule(origin="w", supports=store.tasks.examples("posts")[2:3]))
    half = half_decided(store)
    foreseen = store.guidelines.effects("posts", NEW)
    assert (foreseen.stale, foreseen.begun_again) == ((keep, remove), half)
    version, effects = store.guidelines.change("posts", 1, f"{NEW}  \n", " the law\nchanged ", BERT)
    assert effects == foreseen
    assert (version.version, version.text, version.reason, version.by) == (2, NEW, "the law changed", "bert")
    assert [v.version for v in store.guidelines.history("posts")] == [2, 1]
    task = store.tasks.get("posts")
    assert (task.guideline, task.guideline_version) == (NEW, 2)
    assert states(store) == {
        keep: S.STALE,
        remove: S.STALE,
        half[0]: S.IN_REVIEW,
        half[1]: S.IN_REVIEW,
        waiting: S.IN_REVIEW,
    }
    assert store.rules.in_force("posts") == ()
    reason = "The guideline changed: version 2 took the place of version 1. the law changed"
    for rule_id, state in ((keep, S.STALE), (half[0], S.IN_REVIEW)):
        (setback,) = store.lineage.trace(rule_id).setbacks
        assert (setback.revision, setback.state, setback.reason) == (1, state, reason)
    assert store.lineage.trace(waiting).setbacks == ()
    changed = store.events.page(EventFilter(kind="guideline.changed"))[0]
    assert (changed.subject, changed.actor) == ("posts", "bert")
    assert changed.payload["stale"] == [keep, remove]
    assert changed.payload["begun_again"] == list(half)
    assert changed.payload["reason"] == "the law changed"
    assert changed.payload["signed_as"] == {"kind": "attestation"}
    assert store.events.count(EventFilter(kind="rule.marked_stale")) == 2
    assert store.events.count(EventFilter(kind="rule.begun_again")) == 2
    assert store.events.verify().intact


def test_a_stale_rule_is_in_no_prompt_until_it_is_approved_under_the_new_guideline(store: SqliteStore) -> None:
    keep, _ = two_approved(store)
    store.guidelines.change("posts", 1, NEW, "why", ANNA)
    with pytest.raises(InvalidInput, match="nothing to compile"):
        compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts"))
    decision = store.rules.judge(verdict_on(store, keep), BERT)
    assert decision.guideline_version == 2
    prompt = compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts"))
    assert (prompt.guideline_version, [r.rule_id for r in prompt.rules]) == (2, [keep])


def test_half_a_decision_under_the_old_guideline_counts_for_nothing(store: SqliteStore) -> None:
    first, _ = half_decided(store)
    store.guidelines.change("posts", 1, NEW, "why", CLEO)
    store.rules.judge(verdict_on(store, first), BERT)
    assert states(store)[first] is S.FIRST_APPROVED
    store.rules.judge(verdict_on(store, first), ANNA)
    assert states(store)[first] is S.APPROVED


def test_the_revision_in_force_goes_stale_while_its_replacement_is_in_review(store: SqliteStore) -> None:
    keep, _ = two_approved(store)
    seen = store.rules.summary(keep)
    store.rules.edit(keep, seen.head, seen.state, make_text("the post is very friendly"), "narrower", ANNA)
    store.guidelines.change("posts", 1, NEW, "why", ANNA)
    summary = store.rules.summary(keep)
    assert (summary.state, summary.in_force) == (S.IN_REVIEW, "")
    assert [(s.revision, s.state) for s in store.lineage.trace(keep).setbacks] == [(1, S.STALE)]


def test_final_rules_and_other_tasks_are_left_alone(store: SqliteStore) -> None:
    fill(store, replace(store.tasks.get("posts"), name="other"), make_examples(2))
    other = rule_in_review(
        store, make_rule(origin="o", supports=store.tasks.examples("other"), clustering_id=2), "other"
    )
    store.rules.judge(verdict_on(store, other), ANNA)
    refused = rule_in_review(store)
    store.rules.judge(verdict_on(store, refused, Verdict.REJECT), ANNA)
    _, effects = store.guidelines.change("posts", 1, NEW, "why", ANNA)
    assert effects.consequences == ()
    assert store.rules.summary(other).state is S.APPROVED


def test_a_refused_change_leaves_everything_as_it_was(store: SqliteStore) -> None:
    keep, _ = two_approved(store)
    store.guidelines.change("posts", 1, NEW, "why", ANNA)
    store.rules.judge(verdict_on(store, keep), ANNA)
    before = store.events.count()
    with pytest.raises(GuidelineMovedOn, match="version 2 is in force, not 1"):
        store.guidelines.change("posts", 1, "Another.", "why", BERT)
    with pytest.raises(InvalidInput, match="in force"):
        store.guidelines.change("posts", 2, f"{NEW} ", "why", BERT)
    with pytest.raises(MissingReason):
        store.guidelines.change("posts", 2, "Another.", " ", BERT)
    assert store.guidelines.effects("posts", f"{NEW}\n").consequences == ()
    assert (store.events.count(), store.guidelines.current("posts").version) == (before, 2)
    assert store.rules.summary(keep).state is S.APPROVED


def test_a_decision_beside_the_old_guideline_is_refused(store: SqliteStore) -> None:
    rule_id = rule_in_review(store)
    seen = store.rules.dossier(rule_id, ANNA)
    assert seen.guideline_version == 1
    store.guidelines.change("posts", 1, NEW, "why", BERT)
    given = Judgement(rule_id, seen.head.hash, seen.summary.state, Verdict.APPROVE, seen_guideline=1)
    with pytest.raises(GuidelineMovedOn, match=r"version 2 is in force, you read version 1.*not recorded"):
        store.rules.judge(given, ANNA)
    assert store.rules.dossier(rule_id, SYSTEM).decisions == ()
    assert store.rules.judge(replace(given, seen_guideline=2), ANNA).guideline_version == 2


def test_an_approval_that_was_on_the_screen_when_the_guideline_changed_is_noticed(store: SqliteStore) -> None:
    keep, _ = two_approved(store)
    seen = verdict_on(store, keep, Verdict.REQUEST_CHANGES)
    store.guidelines.change("posts", 1, NEW, "why", BERT)
    with pytest.raises(RevisionMovedOn):
        store.rules.judge(seen, ANNA)


def test_guidelines_stay_in_the_file(store: SqliteStore, workspace: Path) -> None:
    store.guidelines.change("posts", 1, NEW, "why", ANNA)
    with closing(sqlite3.connect(workspace)) as conn:
        for sql in ("UPDATE guideline SET text = 'x'", "DELETE FROM guideline"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                conn.execute(sql)
    assert open_store(url_of(workspace)).tasks.get("posts").guideline == NEW


# --- labels -----------------------------------------------------------------------------------------------------------


def test_another_description_concerns_the_rules_that_conclude_the_label(store: SqliteStore) -> None:
    keep, remove = two_approved(store)
    wanted = (KEEP, Label("remove", "It goes at once."))
    assert store.labels.effects("posts", wanted).stale == (remove,)
    assert store.labels.change("posts", (KEEP, REMOVE), wanted, "too vague", BERT).stale == (remove,)
    assert store.tasks.get("posts").labels == wanted
    assert states(store) == {remove: S.STALE, keep: S.APPROVED}
    assert store.lineage.trace(remove).setbacks[0].reason == (
        "The labels changed: remove is described otherwise. too vague"
    )
    event = store.events.page(EventFilter(kind="labels.described"))[0]
    assert event.payload["descriptions"] == {"remove": "It goes at once."}
    assert event.payload["before"] == {"remove": "The post goes."}
    assert (event.payload["stale"], event.payload["reason"]) == ([remove], "too vague")


def test_a_label_more_or_less_concerns_every_rule(store: SqliteStore) -> None:
    keep, remove = two_approved(store)
    effects = store.labels.change("posts", (KEEP, REMOVE), (ASK, REMOVE, KEEP), "some need advice", ANNA)
    assert effects.stale == (keep, remove)
    assert store.tasks.get("posts").labels == (KEEP, REMOVE, ASK)
    for rule_id in (keep, remove):
        store.rules.judge(verdict_on(store, rule_id), ANNA)
    assert store.labels.change("posts", (KEEP, REMOVE, ASK), (KEEP, REMOVE), "nobody asks", ANNA).stale == effects.stale
    kinds = [event.kind for event in store.events.page() if event.subject == "posts"]
    assert kinds[:2] == ["labels.changed", "labels.changed"]
    assert store.events.verify().intact


def test_a_label_that_something_rests_on_is_not_removed(store: SqliteStore) -> None:
    store.labels.change("posts", (KEEP, REMOVE), (KEEP, REMOVE, ASK), "some need advice", ANNA)
    now = store.tasks.get("posts").labels
    for lacking in (store.labels.effects, lambda task, labels: store.labels.change(task, now, labels, "why", ANNA)):
        with pytest.raises(DataInUse, match=r"remove cannot be removed: it is used by 3 examples.*Nothing"):
            lacking("posts", (KEEP, ASK))
    rule_in_review(store, make_rule(make_text(label="ask"), store.tasks.examples("posts")[:2]))
    with pytest.raises(DataInUse, match="ask cannot be removed: it is used by rule R1"):
        store.labels.effects("posts", (KEEP, REMOVE))
    store.rules.judge(verdict_on(store, "R1", Verdict.REJECT), ANNA)
    store.labels.change("posts", now, (KEEP, REMOVE), "nobody asks", ANNA)
    assert store.tasks.get("posts").labels == (KEEP, REMOVE)


def test_an_archived_example_may_come_back_so_its_label_stays(store: SqliteStore) -> None:
    store.labels.change("posts", (KEEP, REMOVE), (KEEP, REMOVE, ASK), "some need advice", ANNA)
    store.tasks.import_examples("posts", [make_example("what now?", "ask")], "more.csv", ANNA)
    newest = store.data.all("posts")[0].id
    store.data.archive(newest, "old", ANNA)
    with pytest.raises(DataInUse, match="1 example"):
        store.labels.effects("posts", (KEEP, REMOVE))
    store.data.delete(newest, "old", ANNA)
    assert store.labels.effects("posts", (KEEP, REMOVE)).consequences == ()


def test_refused_label_changes_leave_everything_as_it_was(store: SqliteStore) -> None:
    two_approved(store)
    before = (store.events.count(), states(store))
    better = (KEEP, Label("remove", "It goes."))
    with pytest.raises(LabelsMovedOn, match="Nothing was changed"):
        store.labels.change("posts", (KEEP,), better, "why", ANNA)
    with pytest.raises(InvalidInput, match="labels in force"):
        store.labels.change("posts", (KEEP, REMOVE), (REMOVE, Label("keep", " The post  stays.")), "why", ANNA)
    with pytest.raises(MissingReason):
        store.labels.change("posts", (KEEP, REMOVE), better, "", ANNA)
    with pytest.raises(InvalidInput, match="at least 2"):
        store.labels.change("posts", (KEEP, REMOVE), (KEEP,), "why", ANNA)
    assert (store.events.count(), states(store)) == before
