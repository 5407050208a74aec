"""The desk's port: drafts, ticks, comments, queue, withdrawals, splitting and merging."""

from __future__ import annotations

import pytest

from pld_core.compilation import compile_prompt
from pld_core.desk import LEASE_S, DeskFilter, DraftText, Half, SeenRule, Tab, Tick
from pld_core.errors import (
    EvidenceMovedOn,
    IllegalTransition,
    InvalidInput,
    MissingReason,
    MissingRole,
    NotFound,
    RevisionMovedOn,
)
from pld_core.lineage import EvidenceUpdate
from pld_core.models import (
    SYSTEM,
    Actor,
    Evidence,
    EvidenceRole,
    Judgement,
    RejectCategory,
    RevisionState,
    Role,
    Verdict,
)
from pld_core.models import evidence_set_hash as hash_of
from pld_core.policy import Policy
from pld_core.records import Page, RuleFilter
from storage import SqliteStore
from tests.factories import (
    ANNA,
    BERT,
    CLEO,
    READER,
    TickingClock,
    approved_rule,
    fill,
    hashes_of,
    make_examples,
    make_rule,
    make_task,
    make_text,
    rule_in_review,
    verdict_on,
)

S = RevisionState
REVIEWER = Actor("rolf", frozenset({Role.REVIEWER}))


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    fill(sqlite_store, examples=make_examples(6))
    return sqlite_store


def another(store: SqliteStore, origin: str) -> str:
    examples = store.tasks.examples("posts")
    text = make_text(f"the post is friendly ({origin})")
    return rule_in_review(store, make_rule(text, supports=examples[2:4], origin=origin))


def tick_of(store: SqliteStore, rule: str, role: EvidenceRole, which: int = 0) -> Tick:
    dossier = store.rules.dossier(rule, SYSTEM)
    link = sorted(dossier.evidence, key=lambda e: e.example_hash)[which]
    return Tick(rule, dossier.head.hash, hash_of(dossier.evidence), link.example_hash, role)


def seen(store: SqliteStore, rule: str) -> SeenRule:
    summary = store.rules.summary(rule)
    return SeenRule(rule, summary.head, summary.state)


def kinds(store: SqliteStore) -> list[str]:
    return [event.kind for event in store.events.page()][::-1]


# --- drafts -----------------------------------------------------------------------------------------------------------


def test_a_draft_is_kept_per_person_and_base_and_is_nobody_elses(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    head = store.rules.summary(rule).head
    events = store.events.count()
    store.desk.drafts.save(rule, head, DraftText("t", "first"), ANNA)
    typed = DraftText("t", " the post\n is kind", ("keep",), "a\n\nb ", 1, "why")
    store.desk.drafts.save(rule.lower(), head, typed, ANNA)
    (draft,) = store.desk.drafts.of_rule(rule, ANNA)
    assert (draft.rule_id, draft.base, draft.base_number, draft.text) == (rule, head, 1, typed)
    assert store.desk.drafts.mine("posts", ANNA) == (draft,)
    assert store.desk.drafts.of_rule(rule, BERT) == store.desk.drafts.mine("posts", BERT) == ()
    assert store.desk.drafts.discard(rule, head, BERT) is None
    assert store.desk.drafts.discard(rule, head, ANNA) == typed
    assert store.desk.drafts.of_rule(rule, ANNA) == ()
    assert store.events.count() == events, "what is not saved is no part of the record"


def test_a_draft_outlives_a_revision_that_came_meanwhile(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    before = store.rules.summary(rule)
    store.desk.drafts.save(rule, before.head, DraftText("t", "mine"), ANNA)
    store.rules.edit(rule, before.head, before.state, make_text("the post is kind"), "sharper", BERT)
    (draft,) = store.desk.drafts.of_rule(rule, ANNA)
    assert (draft.base, draft.base_number, draft.text.condition) == (before.head, 1, "mine")


def test_a_draft_needs_a_rule_a_revision_and_a_role(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    with pytest.raises(NotFound):
        store.desk.drafts.save("R99", "sha256:x", DraftText(), ANNA)
    with pytest.raises(NotFound):
        store.desk.drafts.save(rule, "sha256:x", DraftText(), ANNA)
    with pytest.raises(MissingRole):
        store.desk.drafts.save(rule, store.rules.summary(rule).head, DraftText(), READER)


# --- ticks ------------------------------------------------------------------------------------------------------------


def test_a_tick_changes_the_evidence_set_and_keeps_what_was_there(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    before = store.rules.dossier(rule, SYSTEM)
    tick = tick_of(store, rule, EvidenceRole.CONTRADICTS)
    done = store.desk.ticks.tick(tick, BERT)
    after = store.rules.dossier(rule, SYSTEM)
    assert (done.before, done.state) == (EvidenceRole.SUPPORTS, S.IN_REVIEW)
    assert done.evidence_hash == hash_of(after.evidence) != hash_of(before.evidence)
    assert (after.summary.support, after.summary.contradictions, after.summary.changed_by) == (1, 1, "bert")
    assert {e.example_hash: e.closeness for e in after.evidence} == {
        e.example_hash: e.closeness for e in before.evidence
    }
    assert [(e.example_hash, e.ticked_by) for e in after.evidence if e.ticked_by] == [(tick.example_hash, "bert")]
    (change,) = store.lineage.trace(rule).changes
    assert (change.number, change.evidence_hash, change.ticked) == (2, done.evidence_hash, tick.example_hash)
    assert change.reason == "bert ticked an example as contradicts"
    event = store.events.page()[0]
    assert (event.kind, event.actor, event.payload["before"], event.payload["role"]) == (
        "rule.evidence_ticked",
        "bert",
        "supports",
        "contradicts",
    )
    with store.database.read() as conn:
        assert conn.execute("SELECT count(*) FROM evidence").fetchone()[0] == 4


def test_a_tick_on_an_old_screen_is_refused_and_one_without_a_change_records_nothing(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    same = tick_of(store, rule, EvidenceRole.SUPPORTS)
    events = store.events.count()
    assert store.desk.ticks.tick(same, ANNA).evidence_hash == same.seen_evidence
    assert store.events.count() == events
    old = tick_of(store, rule, EvidenceRole.IRRELEVANT)
    store.desk.ticks.tick(tick_of(store, rule, EvidenceRole.NEAR_MISS, 1), BERT)
    with pytest.raises(EvidenceMovedOn, match="was not recorded"):
        store.desk.ticks.tick(old, ANNA)
    head = store.rules.summary(rule)
    store.rules.edit(rule, head.head, head.state, make_text("the post is kind"), "sharper", BERT)
    with pytest.raises(RevisionMovedOn):
        store.desk.ticks.tick(old, ANNA)


def test_a_tick_on_what_was_decided_undoes_the_decision_by_the_guard(store: SqliteStore) -> None:
    rule = approved_rule(store)
    assert store.desk.ticks.tick(tick_of(store, rule, EvidenceRole.CONTRADICTS), BERT).state is S.STALE
    summary = store.rules.summary(rule)
    assert (summary.state, summary.in_force) == (S.STALE, "")
    assert store.rules.in_force("posts") == ()
    rejected = another(store, "o2")
    store.rules.judge(verdict_on(store, rejected, Verdict.REJECT), ANNA)
    with pytest.raises(IllegalTransition, match="final"):
        store.desk.ticks.tick(tick_of(store, rejected, EvidenceRole.CONTRADICTS), BERT)


def test_with_four_eyes_a_tick_begins_the_review_anew(sqlite_store: SqliteStore) -> None:
    store = sqlite_store
    fill(store, make_task(), make_examples(4), Policy(four_eyes=True))
    rule = rule_in_review(store)
    store.rules.judge(verdict_on(store, rule), ANNA)
    assert store.desk.ticks.tick(tick_of(store, rule, EvidenceRole.NEAR_MISS), BERT).state is S.IN_REVIEW
    store.rules.judge(verdict_on(store, rule), BERT)
    assert store.rules.summary(rule).state is S.FIRST_APPROVED
    store.rules.judge(verdict_on(store, rule), ANNA)
    assert store.rules.summary(rule).state is S.APPROVED


def test_a_tick_outlasts_new_evidence_and_an_edit_until_its_example_is_gone(store: SqliteStore) -> None:
    rule = approved_rule(store)
    tick = tick_of(store, rule, EvidenceRole.CONTRADICTS)
    store.desk.ticks.tick(tick, BERT)
    examples = store.tasks.examples("posts")
    by_code = tuple(Evidence(e.hash, EvidenceRole.SUPPORTS, 0.5) for e in examples[:3])
    active = hashes_of(examples)

    def update(evidence: tuple[Evidence, ...], cause: str) -> dict[str, tuple[EvidenceRole, str]]:
        standing = next(r for r in store.lineage.standing("posts") if r.id == rule)
        change = EvidenceUpdate(rule, standing.labels, evidence, standing.lineage, cause)
        store.lineage.update("posts", [change], active, ANNA)
        return {e.example_hash: (e.role, e.ticked_by) for e in store.rules.dossier(rule, SYSTEM).evidence}

    now = update(by_code, "Clustering 2")
    assert len(now) == 3
    assert now[tick.example_hash] == (EvidenceRole.CONTRADICTS, "bert")
    seen_now = store.rules.summary(rule)
    store.rules.edit(rule, seen_now.head, seen_now.state, make_text("the post is kind"), "sharper", ANNA)
    more = (*by_code, Evidence(examples[3].hash, EvidenceRole.NEAR_MISS, 0.1))
    assert update(more, "Clustering 3")[tick.example_hash] == (EvidenceRole.CONTRADICTS, "bert")

    left = tuple(e for e in more if e.example_hash != tick.example_hash)
    assert tick.example_hash not in update(left, "Clustering 4")
    event = store.events.page()[0]
    assert event.kind == "rule.evidence_changed"
    assert event.payload["lost_ticks"] == [{"example": tick.example_hash, "role": "contradicts", "by": "bert"}]
    assert str(event.payload["reason"]).endswith("1 example was taken out of its evidence, and 1 tick with it")
    assert update(more, "Clustering 5")[tick.example_hash] == (EvidenceRole.SUPPORTS, "")


def test_a_tick_that_is_taken_back_leaves_the_role_to_code(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    store.desk.ticks.tick(tick_of(store, rule, EvidenceRole.CONTRADICTS), BERT)
    store.desk.ticks.tick(tick_of(store, rule, EvidenceRole.SUPPORTS), BERT)
    assert [e.ticked_by for e in store.rules.dossier(rule, SYSTEM).evidence] == ["", ""]


def test_a_decision_is_bound_to_the_evidence_as_it_was_ticked(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    done = store.desk.ticks.tick(tick_of(store, rule, EvidenceRole.CONTRADICTS), BERT)
    decision = store.rules.judge(verdict_on(store, rule), ANNA)
    assert decision.evidence_hash == done.evidence_hash
    store.desk.ticks.tick(tick_of(store, rule, EvidenceRole.IRRELEVANT), BERT)
    hashes = [change.evidence_hash for change in store.lineage.trace(rule).changes]
    assert hashes[0] == decision.evidence_hash
    assert store.rules.judge(verdict_on(store, rule), ANNA).evidence_hash == hashes[1] != hashes[0]


def test_a_tick_needs_evidence_and_a_role(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    tick = tick_of(store, rule, EvidenceRole.CONTRADICTS)
    stranger = Tick(rule, tick.seen_revision, tick.seen_evidence, "sha256:none", EvidenceRole.SUPPORTS)
    with pytest.raises(NotFound, match="no evidence"):
        store.desk.ticks.tick(stranger, ANNA)
    with pytest.raises(MissingRole):
        store.desk.ticks.tick(tick, READER)


# --- withdrawal -------------------------------------------------------------------------------------------------------


def test_a_withdrawn_approval_leaves_force_and_stays_on_record(store: SqliteStore) -> None:
    rule = approved_rule(store)
    was = store.rules.summary(rule)
    with pytest.raises(MissingReason):
        store.desk.queue.withdraw(rule, was.head, was.state, " ", ANNA)
    with pytest.raises(IllegalTransition, match="bert has made no decision"):
        store.desk.queue.withdraw(rule, was.head, was.state, "why", BERT)
    number = store.desk.queue.withdraw(rule, was.head, was.state, "I misread it.", ANNA)
    summary = store.rules.summary(rule)
    assert (summary.state, summary.in_force) == (S.IN_REVIEW, "")
    (decision,) = store.rules.dossier(rule, SYSTEM).decisions
    assert decision.id == number
    assert store.desk.queue.withdrawn(rule)[number][::2] == ("anna", "I misread it.")
    with pytest.raises(InvalidInput, match="No rule of posts is approved yet"):
        compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts"))
    with pytest.raises(RevisionMovedOn):
        store.desk.queue.withdraw(rule, was.head, was.state, "again", ANNA)
    store.rules.judge(verdict_on(store, rule), ANNA)
    ((_, entry, _),) = store.rules.in_force("posts")
    assert entry.decision_id > number
    assert store.events.verify().intact


# --- the queue --------------------------------------------------------------------------------------------------------


def tab(store: SqliteStore, which: Tab, who: Actor = ANNA, tag: str = "", search: str = "") -> list[str]:
    wanted = DeskFilter(which, RuleFilter(search=search), tag)
    rows = store.desk.queue.rows("posts", wanted, Page(0, 50), who)
    assert store.desk.queue.count("posts", wanted, who) == len(rows)
    return [row.summary.id for row in rows]


def test_the_queue_has_the_order_of_the_rules(store: SqliteStore) -> None:
    for n in range(6):
        another(store, f"o{n}")
    store.desk.ticks.tick(tick_of(store, "R4", EvidenceRole.CONTRADICTS), ANNA)
    store.rules.judge(verdict_on(store, "R2"), ANNA)
    expected = [summary.id for summary in store.rules.queue("posts")]
    assert tab(store, Tab.ALL) == expected
    assert tab(store, Tab.MINE) == [rule for rule in expected if rule != "R2"]
    assert tab(store, Tab.DECIDED) == ["R2"]
    assert tab(store, Tab.CONFLICTS) == ["R4"]
    assert tab(store, Tab.ALL, search="(o3)") == ["R4"]
    everything = DeskFilter(Tab.ALL)
    paged = [store.desk.queue.rows("posts", everything, Page(at, 2), ANNA)[0].summary.id for at in (0, 2, 4)]
    assert paged == expected[::2]
    for at, rule in enumerate(expected):
        around = (expected[at - 1] if at else None, expected[at + 1] if at + 1 < len(expected) else None)
        assert store.desk.queue.neighbours(rule, everything, ANNA) == around
    mine = tab(store, Tab.MINE)
    assert store.desk.queue.neighbours("R2", DeskFilter(Tab.MINE), ANNA) == (None, mine[0])


def test_the_order_is_read_from_its_index(store: SqliteStore) -> None:
    rule_in_review(store)
    with store.database.read() as conn:
        from_index = conn.execute(
            """EXPLAIN QUERY PLAN SELECT number FROM rule WHERE task = 'posts' ORDER BY
               CASE state WHEN 'stale' THEN 0 WHEN 'disputed' THEN 1 WHEN 'first_approved' THEN 2
               WHEN 'in_review' THEN 3 WHEN 'proposed' THEN 4 ELSE 99 END, contradictions = 0, support, head LIMIT 20"""
        ).fetchall()
    assert ["rule_in_queue" in row["detail"] for row in from_index] == [True]


def test_a_rule_open_elsewhere_is_told_and_passed_over_but_can_be_decided(
    store: SqliteStore, clock: TickingClock
) -> None:
    for n in range(3):
        another(store, f"o{n}")
    first, second, third = tab(store, Tab.MINE)
    lease = store.desk.queue.open(second, BERT)
    assert lease.holder == "bert"
    assert store.desk.queue.open(second, ANNA) == lease
    assert store.desk.queue.row(second, ANNA).opened_by == "bert"
    assert store.desk.queue.row(second, BERT).opened_by == ""
    mine = DeskFilter(Tab.MINE)
    assert store.desk.queue.neighbours(first, mine, ANNA) == (None, third)
    assert store.desk.queue.neighbours(first, mine, BERT) == (None, second)
    store.desk.queue.open(third, BERT)
    assert store.desk.queue.neighbours(first, mine, ANNA) == (None, second), "rather a shared rule than none"
    store.rules.judge(verdict_on(store, second), ANNA)
    clock.advance(LEASE_S * 0.6)
    renewed = store.desk.queue.open(third, BERT)
    clock.advance(LEASE_S * 0.6)
    assert store.desk.queue.open(third, ANNA).holder == "bert", "activity renews a lease"
    clock.advance(LEASE_S)
    taken = store.desk.queue.open(third, ANNA)
    assert taken.holder == "anna"
    assert taken.since > renewed.until


def test_rules_are_assigned_by_a_lead_and_taken_by_a_reviewer(store: SqliteStore) -> None:
    first, second = another(store, "o1"), another(store, "o2")
    store.desk.queue.tag([first], "x", BERT)
    with pytest.raises(InvalidInput, match=r"Nobody called 'nobody' .* anna, bert"):
        store.desk.queue.assign([first], "nobody", ANNA)
    store.desk.queue.assign([first, second, first], "bert", ANNA)
    assert (sorted(tab(store, Tab.MINE)), sorted(tab(store, Tab.MINE, BERT))) == ([], sorted([first, second]))
    with pytest.raises(MissingRole, match="may not assign rules to others"):
        store.desk.queue.assign([first], "rolf", REVIEWER)
    with pytest.raises(MissingRole, match="assign rules to others"):
        store.desk.queue.assign([first], "anna", REVIEWER)
    store.desk.queue.assign([first], "", ANNA)
    store.desk.queue.assign([first], "rolf", REVIEWER)
    assert store.desk.queue.row(first, ANNA).assignee == "rolf"
    assert kinds(store).count("rule.assigned") == 4


def test_tags_are_cleaned_listed_filtered_and_taken_off(store: SqliteStore) -> None:
    first, second = another(store, "o1"), another(store, "o2")
    assert store.desk.queue.tag([first, second], " GDPR  check", ANNA) == (first, second)
    assert store.desk.queue.tag([first], "gdpr check", BERT) == ()
    assert store.desk.queue.tags("posts") == ("gdpr check",)
    store.desk.queue.untag([second], "gdpr check", ANNA)
    assert tab(store, Tab.ALL, tag="gdpr check") == [first]
    assert store.desk.queue.row(first, ANNA).tags == ("gdpr check",)
    for bad in ("", "x" * 41, "<b>", "a\nb;"):
        with pytest.raises(InvalidInput, match="Nothing was tagged"):
            store.desk.queue.tag([first], bad, ANNA)
    with pytest.raises(MissingRole):
        store.desk.queue.tag([first], "x", READER)


def test_a_second_opinion_is_asked_of_somebody_else(store: SqliteStore) -> None:
    rule = another(store, "o1")
    head = store.rules.summary(rule).head
    with pytest.raises(MissingReason):
        store.desk.queue.ask_second_opinion(rule, head, " ", ANNA)
    store.desk.queue.ask_second_opinion(rule, head, "Is the exception\nreal?", ANNA)
    assert (tab(store, Tab.MINE), tab(store, Tab.MINE, BERT), tab(store, Tab.SECOND, BERT)) == ([], [rule], [rule])
    assert [(o.note, o.by) for o in store.desk.queue.second_opinions(rule)] == [("Is the exception real?", "anna")]
    assert store.desk.queue.row(rule, BERT).second_opinion
    store.rules.judge(verdict_on(store, rule, Verdict.REQUEST_CHANGES), BERT)
    assert tab(store, Tab.SECOND) == []
    with pytest.raises(InvalidInput, match="waits for no decision"):
        store.desk.queue.ask_second_opinion(rule, head, "again", ANNA)


def test_with_four_eyes_the_first_approver_has_done_his_part(sqlite_store: SqliteStore) -> None:
    store = sqlite_store
    fill(store, make_task(), make_examples(4), Policy(four_eyes=True))
    rule = rule_in_review(store)
    store.rules.judge(verdict_on(store, rule), ANNA)
    assert (tab(store, Tab.MINE), tab(store, Tab.MINE, BERT), tab(store, Tab.SECOND)) == ([], [rule], [rule])


def duplicate_of(store: SqliteStore, rule: str) -> Judgement:
    return verdict_on(store, rule, Verdict.REJECT, "As R1.", RejectCategory.DUPLICATE)


def test_duplicates_are_rejected_together_each_with_its_decision(store: SqliteStore) -> None:
    kept, second, third = (another(store, f"o{n}") for n in range(3))
    made = store.desk.queue.reject_duplicates([duplicate_of(store, second), duplicate_of(store, third)], kept, ANNA)
    assert [(d.rule_id, d.verdict, d.category) for d in made] == [
        (second, Verdict.REJECT, RejectCategory.DUPLICATE),
        (third, Verdict.REJECT, RejectCategory.DUPLICATE),
    ]
    assert [store.rules.summary(r).state for r in (kept, second, third)] == [S.IN_REVIEW, S.REJECTED, S.REJECTED]


def test_one_duplicate_that_is_refused_refuses_all(store: SqliteStore) -> None:
    kept, second, third = (another(store, f"o{n}") for n in range(3))
    stale = duplicate_of(store, third)
    store.rules.judge(verdict_on(store, third), BERT)
    with pytest.raises(RevisionMovedOn):
        store.desk.queue.reject_duplicates([duplicate_of(store, second), stale], kept, ANNA)
    assert store.rules.summary(second).state is S.IN_REVIEW
    assert store.rules.dossier(second, SYSTEM).decisions == ()
    with pytest.raises(InvalidInput, match="duplicate of itself"):
        store.desk.queue.reject_duplicates([duplicate_of(store, kept)], kept, ANNA)
    with pytest.raises(InvalidInput, match="Only rejections"):
        store.desk.queue.reject_duplicates([verdict_on(store, second)], kept, ANNA)
    store.rules.judge(verdict_on(store, kept, Verdict.REJECT), ANNA)
    with pytest.raises(InvalidInput, match="nothing would be left"):
        store.desk.queue.reject_duplicates([duplicate_of(store, second)], kept, ANNA)


# --- comments ---------------------------------------------------------------------------------------------------------


def test_comments_make_threads_that_are_resolved_and_reopened(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    example = store.rules.dossier(rule, SYSTEM).evidence[0].example_hash
    store.desk.queue.tag([rule], "x", BERT)
    first = store.desk.comments.add(rule, "  @bert, is this a <b>clause</b>? ", ANNA, example)
    second = store.desk.comments.add(rule, "Another matter", ANNA)
    answer = store.desk.comments.add(rule, "Yes.", BERT, parent=first.id)
    deeper = store.desk.comments.add(rule, "Sure?", ANNA, parent=answer.id)
    assert (first.text, first.mentions, first.revision) == ("@bert, is this a <b>clause</b>?", ("bert",), 1)
    assert (answer.parent, answer.example_hash, deeper.parent) == (first.id, example, first.id)
    assert [c.id for c in store.desk.comments.of_rule(rule)] == [first.id, answer.id, deeper.id, second.id]
    assert store.desk.queue.row(rule, ANNA).open_comments == 2
    settled = store.desk.comments.resolve(deeper.id, BERT)
    assert (settled.id, settled.resolved, settled.resolved_by) == (first.id, True, "bert")
    store.desk.comments.resolve(first.id, ANNA)
    assert store.desk.queue.row(rule, ANNA).open_comments == 1
    assert [c.resolved for c in store.desk.comments.of_rule(rule)] == [True, True, True, False]
    assert not store.desk.comments.reopen(first.id, ANNA).resolved
    assert kinds(store)[-2:] == ["comment.resolved", "comment.reopened"]


def test_whoever_is_named_finds_the_comment_until_it_is_answered_or_resolved(store: SqliteStore) -> None:
    rule, other = rule_in_review(store), another(store, "o2")
    comments = store.desk.comments
    store.roles.grant("dora@example.org", Role.REVIEWER, "", ANNA)
    comments.add(other, "First for @bert", BERT)
    asked = comments.add(rule, "Is it one, @bert and @dora@example.org?", ANNA)
    again = comments.add(rule, "And this, @bert?", ANNA, parent=asked.id)
    elsewhere = comments.add(other, "@bert, see here", ANNA)
    assert [c.id for c in comments.mentioning(BERT)] == [elsewhere.id, again.id, asked.id]
    assert [c.id for c in comments.mentioning(BERT, "posts")] == [elsewhere.id, again.id, asked.id]
    assert comments.mentioning(BERT, "no such task") == comments.mentioning(ANNA) == ()
    assert [c.id for c in comments.mentioning(Actor("dora@example.org", frozenset()))] == [asked.id]
    comments.add(rule, "It is.", BERT, parent=asked.id)
    comments.resolve(elsewhere.id, ANNA)
    assert comments.mentioning(BERT) == ()
    comments.reopen(elsewhere.id, ANNA)
    assert [c.id for c in comments.mentioning(BERT)] == [elsewhere.id]


def test_a_comment_needs_a_text_a_place_and_a_person_with_a_role(store: SqliteStore) -> None:
    rule, other = rule_in_review(store), another(store, "o2")
    first = store.desk.comments.add(rule, "x", READER)
    for text in ("", " \n", "x" * 4001):
        with pytest.raises(InvalidInput, match="Nothing was added"):
            store.desk.comments.add(rule, text, ANNA)
    with pytest.raises(NotFound, match="no evidence"):
        store.desk.comments.add(rule, "x", ANNA, "sha256:none")
    with pytest.raises(NotFound, match=f"is not on {other}"):
        store.desk.comments.add(other, "x", ANNA, parent=first.id)
    for ask in (store.desk.comments.get, lambda n: store.desk.comments.resolve(n, ANNA)):
        with pytest.raises(NotFound, match="no comment 99"):
            ask(99)
    with pytest.raises(MissingRole):
        store.desk.comments.add(rule, "x", Actor("ada", frozenset({Role.ADMIN})))


# --- splitting and merging --------------------------------------------------------------------------------------------


def halves(store: SqliteStore, rule: str) -> tuple[Half, Half]:
    supports = [e.example_hash for e in store.rules.dossier(rule, SYSTEM).evidence if e.role is EvidenceRole.SUPPORTS]
    return (
        Half(make_text("the post is kind"), frozenset(supports[:1])),
        Half(make_text("the post is funny"), frozenset(supports)),
    )


def test_a_split_carries_evidence_and_lineage_and_the_old_rule_stays_in_force_until_both_are_decided(
    store: SqliteStore,
) -> None:
    examples = store.tasks.examples("posts")
    rule = approved_rule(store, make_rule(supports=examples[:2], contradicts=examples[2:3]))
    was = store.rules.summary(rule)
    first, second = store.desk.parts.split(seen(store, rule), halves(store, rule), "Two matters.", BERT)
    assert store.rules.summary(rule) == was
    for child, supports in ((first, 1), (second, 2)):
        dossier = store.rules.dossier(child, SYSTEM)
        assert (dossier.summary.state, dossier.summary.support, dossier.summary.contradictions) == (
            S.IN_REVIEW,
            supports,
            1,
        )
        assert dossier.head.author == "bert"
        (kin,) = store.desk.parts.kin(child)
        assert (kin.kind, kin.parent, kin.parent_number, kin.child, kin.reason) == (
            "split",
            rule,
            1,
            child,
            "Two matters.",
        )
    assert [kin.child for kin in store.desk.parts.kin(rule)] == [first, second]
    store.rules.judge(verdict_on(store, first), ANNA)
    assert store.rules.summary(rule).state is S.APPROVED
    store.rules.judge(verdict_on(store, second, Verdict.REJECT), ANNA)
    assert (store.rules.summary(rule).state, store.rules.summary(rule).in_force) == (S.SUPERSEDED, "")
    assert [entry.rule_id for _, entry, _ in store.rules.in_force("posts")] == [first]
    assert store.events.verify().intact


def test_a_split_whose_halves_are_both_refused_leaves_the_old_rule_in_force(store: SqliteStore) -> None:
    rule = approved_rule(store)
    for half in store.desk.parts.split(seen(store, rule), halves(store, rule), "Two matters.", BERT):
        store.rules.judge(verdict_on(store, half, Verdict.REJECT), ANNA)
    assert store.rules.summary(rule).state is S.APPROVED


def test_a_split_that_cannot_be_is_refused_whole(store: SqliteStore) -> None:
    rule = rule_in_review(store)
    good = halves(store, rule)
    tries = [
        (good, " ", MissingReason),
        ((good[0], Half(good[1].text, frozenset())), "why", InvalidInput),
        ((good[0], Half(good[1].text, frozenset({"sha256:none"}))), "why", InvalidInput),
        ((good[0], Half(good[0].text, good[1].supports)), "why", InvalidInput),
        ((good[0], Half(make_text(""), good[1].supports)), "why", InvalidInput),
    ]
    for pair, reason, error in tries:
        with pytest.raises(error, match="Nothing was"):
            store.desk.parts.split(seen(store, rule), pair, reason, ANNA)
    assert [summary.id for summary in store.rules.queue("posts")] == [rule]
    old = seen(store, rule)
    store.desk.parts.split(old, good, "Two matters.", ANNA)
    assert store.rules.summary(rule).state is S.CHANGES_REQUESTED
    with pytest.raises(RevisionMovedOn):
        store.desk.parts.split(old, good, "Again.", ANNA)
    with pytest.raises(InvalidInput, match="made by this step already"):
        store.desk.parts.split(seen(store, rule), good, "Again.", ANNA)


def test_a_merge_rests_on_the_evidence_of_both(store: SqliteStore) -> None:
    examples = store.tasks.examples("posts")
    one = approved_rule(store, make_rule(supports=examples[:3], origin="one"))
    other = approved_rule(store, make_rule(supports=examples[3:5], contradicts=examples[:1], origin="other"))
    pair = (seen(store, one), seen(store, other))
    made = store.desk.parts.merge(pair, make_text("the post is kind"), "They say the same.", CLEO)
    summary = store.rules.summary(made)
    assert (summary.support, summary.contradictions) == (4, 1), "what speaks against one speaks against both"
    assert [(kin.kind, kin.parent) for kin in store.desk.parts.kin(made)] == [("merge", one), ("merge", other)]
    assert len(store.rules.in_force("posts")) == 2
    store.rules.judge(verdict_on(store, made), ANNA)
    assert [entry.rule_id for _, entry, _ in store.rules.in_force("posts")] == [made]
    assert {store.rules.summary(parent).state for parent in (one, other)} == {S.SUPERSEDED}
    with pytest.raises(InvalidInput, match="superseded: nothing is made of it"):
        store.desk.parts.merge((seen(store, one), seen(store, made)), make_text(), "why", ANNA)
    with pytest.raises(InvalidInput, match="two different rules"):
        store.desk.parts.merge((seen(store, made), seen(store, made)), make_text(), "why", ANNA)
    with pytest.raises(MissingRole):
        store.desk.parts.merge((seen(store, made), seen(store, made)), make_text(), "why", READER)
