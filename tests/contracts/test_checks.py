"""Seeded checks in the store: drawn, disguised, closed by what is done first, and never in a prompt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pld_core.checks import CheckKind, Ending, SeededCheck
from pld_core.compilation import compile_prompt
from pld_core.desk import DeskFilter, Half, SeenRule, Tab, Tick
from pld_core.errors import IllegalTransition, InvalidInput, KnownBad, MissingReason, NotFound
from pld_core.models import (
    SYSTEM,
    AuthorKind,
    CompiledRule,
    EvidenceRole,
    Judgement,
    RejectCategory,
    RevisionState,
    Verdict,
    evidence_set_hash,
)
from pld_core.policy import PLAIN, Policy
from pld_core.records import EventFilter, Page
from storage import SqliteStore
from tests.factories import ANNA, BERT, CLEO, make_text, rule_in_review, verdict_on
from tests.seeding import KEPT, MIXED, all_checks, fill_with_checks, open_check, plain_rule, put_in_force_by_hand

S = RevisionState
EVERY = Page(0, 10_000)


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    fill_with_checks(sqlite_store)
    return sqlite_store


def seen(store: SqliteStore, rule_id: str) -> SeenRule:
    summary = store.rules.summary(rule_id)
    return SeenRule(rule_id, summary.head, summary.state)


def outcome(store: SqliteStore, check: SeededCheck) -> tuple[Ending, str] | None:
    found = next(c for c in all_checks(store) if c.rule_id == check.rule_id).outcome
    return (found.how, found.by) if found else None


def edit(store: SqliteStore, rule_id: str, condition: str = "the post thanks somebody for advice") -> None:
    rule = seen(store, rule_id)
    store.rules.edit(rule_id, rule.revision, rule.state, make_text(condition), "sharper", ANNA)


def split(store: SqliteStore, rule_id: str, reason: str = "two things") -> tuple[str, str]:
    supports = frozenset(e.example_hash for e in store.rules.dossier(rule_id, SYSTEM).evidence[:2])
    halves = Half(make_text("one half"), supports), Half(make_text("the other half"), supports)
    return store.desk.parts.split(seen(store, rule_id), halves, reason, ANNA)


# --- drawing ----------------------------------------------------------------------------------------------------------


def test_without_a_policy_nothing_is_mixed_in(sqlite_store: SqliteStore) -> None:
    fill_with_checks(sqlite_store, PLAIN)
    for number in range(20):
        rule_in_review(sqlite_store, plain_rule(number))
    assert all_checks(sqlite_store) == ()
    assert sqlite_store.rules.count("posts") == 20


def test_about_as_many_are_drawn_as_the_policy_says_and_each_kind_once_at_least(store: SqliteStore) -> None:
    for number in range(100):
        rule_in_review(store, plain_rule(number))
    checks = all_checks(store)
    assert 10 <= len(checks) <= 30
    assert {check.kind for check in checks} == set(CheckKind)
    assert store.rules.count("posts") == 100 + len(checks)
    assert len({check.parent for check in checks}) == len(checks), "a rule gets one at most, and a check gets none"


def test_rules_of_a_reply_draw_as_those_that_are_submitted_do(store: SqliteStore) -> None:
    entered = store.lineage.enter("posts", [plain_rule(number) for number in range(40)], ANNA)
    assert len(entered) == 40
    checks = all_checks(store)
    assert checks
    assert not {check.rule_id for check in checks} & set(entered)


def test_a_rule_that_a_person_wrote_gets_none_as_it_would_stand_under_that_name(store: SqliteStore) -> None:
    for number in range(60):
        rule_in_review(store, replace(plain_rule(number), author="anna", author_kind=AuthorKind.PERSON))
    assert all_checks(store) == ()


def test_the_number_of_the_policy_that_it_was_drawn_under_is_kept(store: SqliteStore) -> None:
    store.policies.change("posts", MIXED, Policy(known_bad=19), "a little less", ANNA)
    check = open_check(store)
    newest = store.policies.history("posts")[0]
    assert (check.policy, check.outcome) == (newest.number, None)
    assert newest.policy.known_bad == 19


# --- the disguise -----------------------------------------------------------------------------------------------------


def test_a_check_looks_like_any_rule_on_the_desk(store: SqliteStore) -> None:
    check = open_check(store, CheckKind.OVER_BROAD)
    rows = store.desk.queue.rows("posts", DeskFilter(Tab.MINE), EVERY, BERT)
    both = {r.summary.id: r.summary for r in rows if r.summary.id in (check.rule_id, check.parent)}
    variant, parent = both[check.rule_id], both[check.parent]
    assert (variant.state, variant.revision, variant.changed_by) == (parent.state, parent.revision, parent.changed_by)
    assert (variant.labels, variant.title) == (parent.labels, parent.title)
    dossiers = [store.rules.dossier(rule_id, BERT) for rule_id in (check.rule_id, check.parent)]
    assert [d.head.author for d in dossiers] == ["told", "told"]
    assert [[s.value for s in d.states.values()] for d in dossiers] == [["in_review"], ["in_review"]]
    assert {e.example_hash for e in dossiers[0].evidence} < {e.example_hash for e in dossiers[1].evidence}
    traces = [store.lineage.trace(d.summary.id).now for d in dossiers]
    assert (traces[0].clustering_id, traces[0].cluster) == (traces[1].clustering_id, traces[1].cluster)
    assert store.checks.closed(check.rule_id) is None


def test_the_event_log_tells_an_open_check_from_no_other_rule(store: SqliteStore) -> None:
    check = open_check(store)
    logs = [store.events.page(EventFilter(rule=rule_id))[::-1] for rule_id in (check.rule_id, check.parent)]
    assert [event.kind for event in logs[0]] == [event.kind for event in logs[1]] == ["rule.proposed", "rule.submitted"]
    assert [event.actor for event in logs[0]] == [event.actor for event in logs[1]]
    assert [sorted(event.payload) for event in logs[0]] == [sorted(event.payload) for event in logs[1]]
    assert logs[0][0].payload["evidence"] != logs[1][0].payload["evidence"], "equal hashes would name the pair"
    everything = str([event.payload for event in store.events.page()])
    assert "check" not in everything
    assert "seeded" not in everything
    assert check.parent_revision not in str([event.payload for event in logs[0]])


def test_figures_beside_the_queue_do_not_show_an_open_check_by_leaving_it_out(store: SqliteStore) -> None:
    check = open_check(store)
    total = store.rules.count("posts")
    assert store.tasks.counts("posts").rules == {S.IN_REVIEW: total}
    store.rules.judge(verdict_on(store, check.rule_id, Verdict.REJECT), ANNA)
    assert store.tasks.counts("posts").rules == {S.IN_REVIEW: total - 1}, "a closed one is no rule of the task"


def test_what_is_about_the_rules_themselves_leaves_checks_out(store: SqliteStore) -> None:
    check = open_check(store)
    standing = {rule.id for rule in store.lineage.standing("posts")}
    assert check.parent in standing
    assert check.rule_id not in standing
    assert set(store.lineage.uncompared("posts")) == standing | {check.rule_id}
    store.lineage.note_overlaps("posts", [rule.head for rule in store.lineage.standing("posts")], ())
    assert store.lineage.uncompared("posts") == (), "it waits for comparing as long as the others, not longer"
    assert store.data.rules_of("posts", KEPT[0].hash), "the example's page lists it as it lists any rule"


def test_assigning_tagging_commenting_ticking_and_asking_leave_it_open(store: SqliteStore) -> None:
    check = open_check(store)
    rule_id = check.rule_id
    store.desk.queue.assign([rule_id], "anna", ANNA)
    store.desk.queue.tag([rule_id], "odd", ANNA)
    store.desk.comments.add(rule_id, "Is that so?", ANNA)
    store.desk.queue.ask_second_opinion(rule_id, check.revision_hash, "look at it", ANNA)
    evidence = store.rules.dossier(rule_id, ANNA).evidence
    tick = Tick(rule_id, check.revision_hash, evidence_set_hash(evidence), KEPT[0].hash, EvidenceRole.CONTRADICTS)
    if KEPT[0].hash not in {e.example_hash for e in evidence}:
        tick = replace(tick, example_hash=KEPT[1].hash)
    store.desk.ticks.tick(tick, ANNA)
    row = store.desk.queue.row(rule_id, BERT)
    assert (row.assignee, row.tags, row.open_comments, row.second_opinion) == ("anna", ("odd",), 1, True)
    assert outcome(store, check) is None
    assert row.summary.state is S.IN_REVIEW


# --- closing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "how", "state"),
    [
        (Verdict.APPROVE, Ending.APPROVED, S.RETIRED),
        (Verdict.REJECT, Ending.REJECTED, S.REJECTED),
        (Verdict.REQUEST_CHANGES, Ending.CHANGES_REQUESTED, S.RETIRED),
    ],
)
@pytest.mark.parametrize("four_eyes", [False, True])
def test_the_first_decision_closes_it_and_is_kept(
    sqlite_store: SqliteStore, verdict: Verdict, how: Ending, state: RevisionState, four_eyes: bool
) -> None:
    store = sqlite_store
    fill_with_checks(store, Policy(four_eyes=four_eyes, known_bad=20))
    check = open_check(store)
    decision = store.rules.judge(verdict_on(store, check.rule_id, verdict), ANNA)
    summary = store.rules.summary(check.rule_id)
    assert (summary.state, summary.in_force) == (state, "")
    assert outcome(store, check) == (how, "anna")
    assert store.rules.dossier(check.rule_id, BERT).decisions == (decision,)
    event = store.events.page()[0]
    assert (event.kind, event.subject, event.actor) == ("check.closed", check.rule_id, "system")
    assert (event.payload["outcome"], event.payload["how"]) == ("caught" if how.is_caught else "missed", how.value)
    assert (event.payload["kind"], event.payload["made_of"]) == (check.kind.value, check.parent)
    assert store.events.verify().intact


def test_a_closed_check_takes_no_second_decision_no_withdrawal_and_no_edit(store: SqliteStore) -> None:
    check = open_check(store)
    store.rules.judge(verdict_on(store, check.rule_id), ANNA)
    rule = seen(store, check.rule_id)
    events = store.events.count()
    instead = f"Decide on its original, {check.parent}, or edit that"
    with pytest.raises(KnownBad, match=instead):
        store.rules.judge(verdict_on(store, check.rule_id, Verdict.REJECT), BERT)
    with pytest.raises(IllegalTransition):
        store.desk.queue.withdraw(check.rule_id, rule.revision, rule.state, "sorry", ANNA)
    with pytest.raises(KnownBad, match=instead):
        edit(store, check.rule_id)
    with pytest.raises(InvalidInput, match="nothing is made of it"):
        split(store, check.rule_id)
    assert store.events.count() == events


def test_an_edit_catches_it_and_the_new_revision_is_kept_but_is_no_rule(store: SqliteStore) -> None:
    check = open_check(store)
    edit(store, check.rule_id)
    dossier = store.rules.dossier(check.rule_id, ANNA)
    assert (dossier.summary.state, dossier.head.number) == (S.RETIRED, 2)
    assert outcome(store, check) == (Ending.EDITED, "anna")
    assert check.rule_id not in {rule.id for rule in store.lineage.standing("posts")}


def test_a_split_closes_it_and_makes_nothing(store: SqliteStore) -> None:
    check = open_check(store)
    rules = store.rules.count("posts")
    with pytest.raises(KnownBad, match=r"You caught it.*Nothing was split"):
        split(store, check.rule_id)
    assert outcome(store, check) == (Ending.SPLIT, "anna")
    assert store.rules.count("posts") == rules
    assert store.rules.summary(check.rule_id).state is S.RETIRED
    assert store.desk.parts.kin(check.rule_id) == ()
    assert store.events.page()[0].kind == "check.closed"
    assert store.events.page()[1].kind in ("rule.submitted", "rule.proposed")


def test_merging_it_with_its_original_closes_it_and_leaves_the_original_alone(store: SqliteStore) -> None:
    check = open_check(store)
    before = store.rules.dossier(check.parent, ANNA)
    pair = seen(store, check.parent), seen(store, check.rule_id)
    with pytest.raises(KnownBad, match="Nothing was merged"):
        store.desk.parts.merge(pair, make_text("both"), "the same", ANNA)
    assert store.rules.dossier(check.parent, ANNA) == before
    assert outcome(store, check) == (Ending.MERGED, "anna")


def test_a_step_that_is_refused_is_refused_alike_and_tells_nobody_of_a_check(store: SqliteStore) -> None:
    check = open_check(store)
    events = store.events.count()
    said = []
    for rule_id in (check.rule_id, check.parent):
        halves = Half(make_text("one"), frozenset()), Half(make_text("two"), frozenset())
        with pytest.raises(InvalidInput) as refused:
            store.desk.parts.split(seen(store, rule_id), halves, "why", ANNA)
        said.append(str(refused.value))
        with pytest.raises(MissingReason):
            split(store, rule_id, " ")
    assert said[0] == said[1]
    assert (store.events.count(), outcome(store, check)) == (events, None)


def test_rejecting_it_as_a_duplicate_of_its_original_catches_it(store: SqliteStore) -> None:
    check = open_check(store)
    given = verdict_on(store, check.rule_id, Verdict.REJECT, "The same.", RejectCategory.DUPLICATE)
    (decision,) = store.desk.queue.reject_duplicates([given], check.parent, ANNA)
    assert decision.category is RejectCategory.DUPLICATE
    assert outcome(store, check) == (Ending.REJECTED, "anna")


def test_nothing_is_rejected_as_a_duplicate_of_a_check(store: SqliteStore) -> None:
    check = open_check(store)
    given = verdict_on(store, check.parent, Verdict.REJECT, "The same.", RejectCategory.DUPLICATE)
    with pytest.raises(KnownBad, match=r"You took it as the rule that others repeat.*Nothing was rejected"):
        store.desk.queue.reject_duplicates([given], check.rule_id, ANNA)
    assert store.rules.summary(check.parent).state is S.IN_REVIEW
    assert store.rules.dossier(check.parent, ANNA).decisions == ()
    assert outcome(store, check) == (Ending.KEPT, "anna")


# --- never in a prompt ------------------------------------------------------------------------------------------------


def test_the_first_guard_holds_although_somebody_put_a_check_in_force_by_hand(store: SqliteStore) -> None:
    check = open_check(store)
    store.rules.judge(verdict_on(store, check.parent), ANNA)
    put_in_force_by_hand(store, check)
    assert store.rules.summary(check.rule_id).in_force
    assert [line.rule_id for _, line, _ in store.rules.in_force("posts")] == [check.parent]


@pytest.mark.parametrize("under", ["its own name", "its original's name"])
def test_the_second_guard_holds_although_a_check_was_compiled(store: SqliteStore, under: str) -> None:
    check = open_check(store)
    revision = store.rules.dossier(check.rule_id, ANNA).head
    named = check.rule_id if under == "its own name" else check.parent
    prompt = compile_prompt(store.tasks.get("posts"), ((revision, CompiledRule(0, named, revision.hash, 1), 4),))
    assert revision.text.condition in prompt.text
    with pytest.raises(KnownBad, match=f"holds {check.rule_id}, a known-bad variant of {check.parent}"):
        store.prompts.save(prompt, ANNA)
    assert store.prompts.all("posts") == ()


def test_a_check_that_was_missed_by_everybody_is_in_no_prompt(store: SqliteStore) -> None:
    check = open_check(store)
    for rule_id in [row.summary.id for row in store.desk.queue.rows("posts", DeskFilter(Tab.ALL), EVERY, ANNA)]:
        store.rules.judge(verdict_on(store, rule_id), ANNA)
    prompt = compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts"))
    version = store.prompts.save(prompt, ANNA)
    assert check.parent in {line.rule_id for line in version.prompt.rules}
    assert not {line.rule_id for line in version.prompt.rules} & {c.rule_id for c in all_checks(store)}
    assert f"[{check.rule_id}]" not in version.prompt.text


# --- figures ----------------------------------------------------------------------------------------------------------


def test_a_task_has_its_catch_rate_and_everybody_only_their_own(store: SqliteStore) -> None:
    caught, missed = open_check(store), open_check(store)
    store.rules.judge(verdict_on(store, caught.rule_id, Verdict.REJECT), ANNA)
    store.rules.judge(verdict_on(store, missed.rule_id), BERT)
    left = open_check(store)
    rate = store.checks.figures("posts")
    assert (rate.caught, rate.missed, rate.open) == (1, 1, 1)
    assert [(r.caught, r.missed, r.open) for r in (store.checks.mine("posts", who) for who in (ANNA, BERT, CLEO))] == [
        (1, 0, 0),
        (0, 1, 0),
        (0, 0, 0),
    ]
    assert store.checks.closed(left.rule_id) is None
    closed = store.checks.closed(caught.rule_id.lower())
    assert closed is not None
    assert (closed.kind, closed.parent) == (caught.kind, caught.parent)
    assert store.checks.closed("R99999") is None
    with pytest.raises(NotFound):
        store.checks.figures("nowhere")


def test_the_tables_of_checks_are_never_changed(store: SqliteStore) -> None:
    check = open_check(store)
    store.rules.judge(verdict_on(store, check.rule_id), ANNA)
    with store.database.raw() as tables:
        for table, column in (("seeded_check", "kind"), ("check_outcome", "how")):
            for sql in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}"):  # noqa: S608 - literals
                with pytest.raises(Exception, match="append-only"):
                    tables.conn.execute(sql)


def test_a_decision_that_is_refused_closes_nothing(store: SqliteStore) -> None:
    check = open_check(store)
    with pytest.raises(MissingReason):
        store.rules.judge(Judgement(check.rule_id, check.revision_hash, S.IN_REVIEW, Verdict.REJECT), ANNA)
    assert outcome(store, check) is None
