"""Release labels in the store: who moves them, past which gates, and that nothing of it is lost."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest

from pld_core.errors import (
    GatesRed,
    IllegalTransition,
    MissingReason,
    MissingRole,
    NotFound,
    PldError,
    ReleaseMovedOn,
    StaleSignIn,
)
from pld_core.gate_facts import GateState, red_gates
from pld_core.gate_policy import AS_MADE, GatePolicy
from pld_core.models import Actor, Identity, Role, RuleText, Split
from pld_core.overlaps import Overlap
from pld_core.policy import PLAIN, Policy
from pld_core.records import ExampleFilter
from pld_core.releases import MEANINGS, BreakGlass, MoveKind, ReleaseOrder
from storage import SqliteStore as Store
from storage import open_store
from tests.factories import (
    ANNA,
    BERT,
    CLEO,
    TickingClock,
    approved_rule,
    hashes_of,
    make_example,
    make_rule,
    make_text,
    update_of,
    url_of,
    verdict_on,
)
from tests.releasing import (
    CANDIDATE,
    PRODUCTION,
    TASK,
    compare_rules,
    compiled,
    evaluated,
    next_version,
    one_version,
    order,
    released,
    seen,
)
from tests.seeding import fill_with_checks, open_check, put_in_force_by_hand

MANAGER = Actor("mara", frozenset({Role.RELEASE_MANAGER}))
GLASS = BreakGlass(" a court  order ", "2026-01-20")


def red(store: Store, version: int = 1) -> list[str]:
    return [gate.key for gate in red_gates(store.releases.gates(TASK, version))]


# --- moving a label ---------------------------------------------------------------------------------------------------


def test_a_version_whose_gates_let_it_through_is_released_with_all_that_was_known(sqlite_store: Store) -> None:
    version = one_version(sqlite_store)
    assert sqlite_store.releases.holder(TASK, PRODUCTION) is None
    assert sqlite_store.events.page()[0].kind != "release.moved", "building moved nothing"
    gates = sqlite_store.releases.gates(TASK, 1)
    assert not red_gates(gates)
    found = sqlite_store.releases.move(order(sqlite_store, 1, reason=" it is  better "), MANAGER)
    assert (found.version, found.sha256, found.by, found.kind) == (1, version.prompt.sha256, "mara", MoveKind.MOVE)
    assert (found.reason, found.gates, found.break_glass, found.run) == ("it is better", gates, None, 1)
    assert sqlite_store.releases.holder(TASK, PRODUCTION) == found
    assert sqlite_store.releases.holder(TASK, CANDIDATE) is None
    event = sqlite_store.events.page()[0]
    assert (event.kind, event.subject, event.actor) == ("release.moved", "posts production", "mara")
    assert event.payload["gates"] == [gate.as_json() for gate in gates]
    assert event.payload["meaning"] == MEANINGS[MoveKind.MOVE]
    assert event.payload["signed_as"] == {"kind": "attestation"}
    assert event.payload["gates_in_words"] == "gates 6 green, 2 not applicable"
    assert sqlite_store.events.verify().intact


def test_each_label_has_its_own_way(sqlite_store: Store) -> None:
    one_version(sqlite_store)
    first, second = released(sqlite_store, 1, CANDIDATE), released(sqlite_store, 1)
    next_version(sqlite_store)
    third = released(sqlite_store, 2, CANDIDATE)
    assert sqlite_store.releases.holder(TASK, PRODUCTION) == second
    assert sqlite_store.releases.holder(TASK, CANDIDATE) == third
    assert sqlite_store.releases.history(TASK) == (third, second, first)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.RELEASE_MANAGER])
def test_only_a_release_manager_moves_a_label(sqlite_store: Store, role: Role) -> None:
    one_version(sqlite_store)
    with pytest.raises(MissingRole, match="release manager"):
        sqlite_store.releases.move(order(sqlite_store, 1), Actor("rita", frozenset({role})))
    with pytest.raises(MissingRole, match="release manager"):
        sqlite_store.releases.roll_back(TASK, PRODUCTION, 0, "why", Actor("rita", frozenset({role})))


def test_with_four_eyes_who_built_it_cannot_release_it(sqlite_store: Store) -> None:
    one_version(sqlite_store, Policy(four_eyes=True))
    before = sqlite_store.events.count()
    with pytest.raises(IllegalTransition, match="anna built version 1"):
        sqlite_store.releases.move(order(sqlite_store, 1), ANNA)
    assert sqlite_store.events.count() == before
    assert released(sqlite_store, 1).by == "bert"


def test_a_signature_needs_the_fresh_sign_in_that_the_policy_asks_for(sqlite_store: Store, clock: TickingClock) -> None:
    one_version(sqlite_store)
    sqlite_store.policies.change(TASK, PLAIN, Policy(fresh_sign_in=15), "regulator", ANNA)
    moment = int(clock.at.timestamp())
    mara = Actor("mara", MANAGER.roles, Identity("https://login.example.org", "1", auth_time=moment - 3600))
    with pytest.raises(StaleSignIn):
        sqlite_store.releases.move(order(sqlite_store, 1), mara)
    fresh = replace(mara, identity=Identity("https://login.example.org", "1", auth_time=moment))
    assert sqlite_store.releases.move(order(sqlite_store, 1), fresh).by == "mara"


def test_what_is_not_there_is_not_released(sqlite_store: Store) -> None:
    one_version(sqlite_store)
    with pytest.raises(NotFound, match="no prompt version 9"):
        sqlite_store.releases.move(order(sqlite_store, 9), BERT)
    with pytest.raises(NotFound):
        sqlite_store.releases.gates("nowhere", 1)


def test_of_two_who_release_at_once_the_second_is_told(sqlite_store: Store) -> None:
    one_version(sqlite_store)
    next_version(sqlite_store)
    late = order(sqlite_store, 2)
    released(sqlite_store, 1)
    with pytest.raises(ReleaseMovedOn, match=r"is on version 1, moved by bert\. Nothing was changed"):
        sqlite_store.releases.move(late, CLEO)
    # The label came back to the version that was looked at: it still moved meanwhile.
    looked = order(sqlite_store, 2)
    released(sqlite_store, 2)
    sqlite_store.releases.roll_back(TASK, PRODUCTION, seen(sqlite_store), "no", BERT)
    with pytest.raises(ReleaseMovedOn):
        sqlite_store.releases.move(looked, CLEO)


def move(work: tuple[str, ReleaseOrder, Actor]) -> str:
    url, wanted, actor = work
    try:
        open_store(url).releases.move(wanted, actor)
    except PldError as error:
        return type(error).__name__
    return "moved"


def test_of_four_processes_that_release_at_once_one_does(sqlite_store: Store, workspace: Path) -> None:
    one_version(sqlite_store)
    wanted = order(sqlite_store, 1)
    work = [(url_of(workspace), wanted, Actor(who, MANAGER.roles)) for who in ("bert", "cleo", "dora", "emil")]
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        done = pool.map(move, work, chunksize=1)
    assert sorted(done) == ["ReleaseMovedOn"] * 3 + ["moved"]
    assert len(sqlite_store.releases.history(TASK)) == 1
    assert sqlite_store.events.verify().intact


# --- gates as the store sees them -------------------------------------------------------------------------------------


def test_a_rule_that_goes_stale_after_compiling_closes_the_gate(sqlite_store: Store) -> None:
    one_version(sqlite_store)
    examples = sqlite_store.tasks.examples(TASK)
    update = update_of(sqlite_store, "R1", examples[2:3])
    assert sqlite_store.lineage.update(TASK, [update], hashes_of(examples), ANNA).stale == 1
    assert red(sqlite_store) == ["approved"]
    with pytest.raises(GatesRed, match="Only approved rules, none of them stale"):
        released(sqlite_store, 1)
    assert sqlite_store.releases.history(TASK) == ()


def test_a_rule_that_was_replaced_closes_the_gate(sqlite_store: Store) -> None:
    one_version(sqlite_store)
    summary = sqlite_store.rules.summary("R1")
    text = RuleText("Kinder posts", "the post is kind", ("keep",))
    sqlite_store.rules.edit("R1", summary.head, summary.state, text, "sharper", BERT)
    assert red(sqlite_store) == [], "the approved revision is in force until the new one is approved"
    sqlite_store.rules.judge(verdict_on(sqlite_store, "R1"), ANNA)
    assert red(sqlite_store) == ["approved"]


def test_rules_that_clash_unseen_are_a_contradiction_until_one_is_approved_beside_the_other(
    sqlite_store: Store,
) -> None:
    one_version(sqlite_store)
    text = make_text("the post is friendly too", "remove", "Another")
    approved_rule(sqlite_store, make_rule(text, sqlite_store.tasks.examples(TASK)[:2], origin="origin-2"))
    compiled(sqlite_store)
    evaluated(sqlite_store, 2)
    assert red(sqlite_store, 2) == ["contradictions"], "the second rule was not compared yet"
    heads = [rule.head for rule in sqlite_store.rules.queue(TASK)]
    low, high = (sqlite_store.rules.summary(rule).head for rule in ("R1", "R2"))
    sqlite_store.lineage.note_overlaps(TASK, heads, [Overlap(low, high, 0.9)])
    found = {gate.key: gate for gate in sqlite_store.releases.gates(TASK, 2)}["contradictions"]
    assert found.state is GateState.RED
    assert "R1 and R2" in found.reason
    # The earlier of the two went stale by it; approved again beside the other, the pair is settled.
    stale = next(rule for rule in ("R1", "R2") if sqlite_store.rules.summary(rule).state.value == "stale")
    sqlite_store.rules.judge(verdict_on(sqlite_store, stale), ANNA)
    third = compiled(sqlite_store)
    evaluated(sqlite_store, third.number)
    assert red(sqlite_store, third.number) == []


def test_a_text_with_two_labels_is_a_contradiction(sqlite_store: Store) -> None:
    one_version(sqlite_store)
    example = make_example("train post number 3", "keep")
    sqlite_store.tasks.import_examples(TASK, [example], "more.csv", ANNA)
    assert sqlite_store.data.count_conflicts(TASK) == 1
    assert red(sqlite_store) == ["contradictions"]


def test_a_seeded_check_in_a_prompt_closes_the_gate(sqlite_store: Store) -> None:
    fill_with_checks(sqlite_store)
    check = open_check(sqlite_store)
    sqlite_store.rules.judge(verdict_on(sqlite_store, check.parent), ANNA)
    version = compiled(sqlite_store)
    put_in_force_by_hand(sqlite_store, check)
    with sqlite_store.database.raw() as tables:
        tables.conn.execute("DROP TRIGGER prompt_version_no_update")
        row = tables.conn.execute("SELECT manifest FROM prompt_version").fetchone()
        forged = (
            str(row[0])
            .replace(check.parent_revision, check.revision_hash)
            .replace(f'"{check.parent}"', f'"{check.rule_id}"')
        )
        tables.conn.execute("UPDATE prompt_version SET manifest = ?", (forged,))
    assert "seeded_checks" in red(sqlite_store, version.number)


def test_a_prompt_over_budget_closes_the_gate(sqlite_store: Store) -> None:
    one_version(sqlite_store)
    sqlite_store.gate_policies.change(TASK, AS_MADE, GatePolicy(token_budget=10), "a tiny student", ANNA)
    assert red(sqlite_store) == ["budget"]


def test_an_evaluation_counts_for_this_text_on_this_split_only(sqlite_store: Store) -> None:
    one_version(sqlite_store)
    next_version(sqlite_store)
    text = make_text("the post is of yet another kind", "remove", "Third")
    approved_rule(sqlite_store, make_rule(text, sqlite_store.tasks.examples(TASK)[:2], origin="origin-9"))
    compare_rules(sqlite_store)
    compiled(sqlite_store)
    assert red(sqlite_store, 3) == ["evaluated", "malformed"]
    sqlite_store.tasks.import_examples(TASK, [make_example("a new post", split=Split.TEST)], "more.csv", ANNA)
    assert red(sqlite_store, 1) == ["evaluated"], "the test split is no longer the one that was answered"


def test_an_older_whole_evaluation_counts_more_than_a_newer_half_one(sqlite_store: Store) -> None:
    one_version(sqlite_store)
    whole = sqlite_store.runs.get(1)
    half = sqlite_store.runs.start(whole, ANNA)
    sqlite_store.runs.add_predictions(half.id, sqlite_store.runs.predictions(1)[:3])
    assert red(sqlite_store) == []
    figures = {gate.key: gate.figure for gate in sqlite_store.releases.gates(TASK, 1)}
    assert figures["evaluated"].startswith("run 1:")
    assert "evaluations on test so far: 2" in figures["evaluated"], "each look is counted"


def test_the_validation_split_counts_only_where_the_limits_say_so(sqlite_store: Store) -> None:
    one_version(sqlite_store)
    next_version(sqlite_store)
    version = sqlite_store.prompts.get(TASK, 1)
    assert red(sqlite_store) == []
    sqlite_store.gate_policies.change(TASK, AS_MADE, GatePolicy(on_test=False), "few examples", ANNA)
    assert sqlite_store.tasks.count_examples(TASK, ExampleFilter(split=Split.VALIDATION)) == 0
    assert red(sqlite_store) == [], "where both splits were answered, test counts"
    assert version.number == 1


def test_a_version_that_breaks_more_than_it_fixes_is_held_up(sqlite_store: Store) -> None:
    one_version(sqlite_store)
    released(sqlite_store, 1)
    next_version(sqlite_store, wrong=[0, 2])
    assert red(sqlite_store, 2) == ["macro_f1", "labels"]
    with pytest.raises(GatesRed):
        released(sqlite_store, 2)
    assert seen(sqlite_store) == 1


def test_production_has_to_be_evaluated_with_the_same_weights(sqlite_store: Store) -> None:
    one_version(sqlite_store)
    released(sqlite_store, 1)
    next_version(sqlite_store)
    evaluated(sqlite_store, 2, digest="sha256:newer")
    assert red(sqlite_store, 2) == ["macro_f1", "labels"]
    evaluated(sqlite_store, 1, digest="sha256:newer")
    assert red(sqlite_store, 2) == []


# --- exceptions and the way back --------------------------------------------------------------------------------------


def test_an_exception_releases_in_spite_of_a_red_gate_and_is_kept_with_its_end(sqlite_store: Store) -> None:
    one_version(sqlite_store)
    sqlite_store.gate_policies.change(TASK, AS_MADE, GatePolicy(token_budget=10), "a tiny student", ANNA)
    found = sqlite_store.releases.move(order(sqlite_store, 1, glass=GLASS), BERT)
    assert found.break_glass == BreakGlass("a court order", "2026-01-20")
    assert [gate.key for gate in red_gates(found.gates)] == ["budget"]
    payload = sqlite_store.events.page()[0].payload
    assert payload["exception"] == {"reason": "a court order", "until": "2026-01-20"}
    assert str(payload["gates_in_words"]).endswith("exception until 2026-01-20")


def test_a_roll_back_goes_to_the_version_before_past_red_gates(sqlite_store: Store) -> None:
    one_version(sqlite_store)
    released(sqlite_store, 1)
    next_version(sqlite_store)
    released(sqlite_store, 2)
    sqlite_store.gate_policies.change(TASK, AS_MADE, GatePolicy(token_budget=10), "a tiny student", ANNA)
    found = sqlite_store.releases.roll_back(TASK, PRODUCTION, seen(sqlite_store), " it  misleads ", CLEO)
    assert (found.version, found.kind, found.reason) == (1, MoveKind.ROLLBACK, "it misleads")
    assert [gate.key for gate in red_gates(found.gates)] == ["budget"], "recorded as they are, and in nobody's way"
    assert sqlite_store.events.page()[0].payload["meaning"] == MEANINGS[MoveKind.ROLLBACK]
    with pytest.raises(IllegalTransition, match="no version before"):
        sqlite_store.releases.roll_back(TASK, PRODUCTION, seen(sqlite_store), "further", CLEO)


def test_an_exception_holds_on_after_a_roll_back_to_it(sqlite_store: Store) -> None:
    one_version(sqlite_store)
    tiny = GatePolicy(token_budget=10)
    sqlite_store.gate_policies.change(TASK, AS_MADE, tiny, "a tiny student", ANNA)
    first = sqlite_store.releases.move(order(sqlite_store, 1, glass=GLASS), BERT)
    sqlite_store.gate_policies.change(TASK, tiny, AS_MADE, "a larger one", ANNA)
    next_version(sqlite_store)
    released(sqlite_store, 2)
    found = sqlite_store.releases.roll_back(TASK, PRODUCTION, seen(sqlite_store), "it misleads", BERT)
    assert found.break_glass == first.break_glass


def test_a_roll_back_without_a_reason_or_past_somebody_else_changes_nothing(sqlite_store: Store) -> None:
    one_version(sqlite_store)
    released(sqlite_store, 1)
    next_version(sqlite_store)
    released(sqlite_store, 2)
    before = sqlite_store.events.count()
    with pytest.raises(MissingReason):
        sqlite_store.releases.roll_back(TASK, PRODUCTION, seen(sqlite_store), " ", BERT)
    with pytest.raises(ReleaseMovedOn):
        sqlite_store.releases.roll_back(TASK, PRODUCTION, 1, "too late", BERT)
    assert sqlite_store.events.count() == before


def test_green_gates_put_an_end_to_an_exception_measured_against_the_version_before(sqlite_store: Store) -> None:
    one_version(sqlite_store)
    released(sqlite_store, 1)
    next_version(sqlite_store, wrong=[0, 2])
    sqlite_store.releases.move(order(sqlite_store, 2, glass=GLASS), BERT)
    assert red(sqlite_store, 2) == ["macro_f1", "labels"], "being in production makes it no better"
    with pytest.raises(GatesRed):
        released(sqlite_store, 2)
    evaluated(sqlite_store, 2)
    assert red(sqlite_store, 2) == []
    assert released(sqlite_store, 2).break_glass is None
    with pytest.raises(IllegalTransition, match="production is on version 2 of posts already"):
        released(sqlite_store, 2)
    assert sqlite_store.releases.roll_back(TASK, PRODUCTION, seen(sqlite_store), "worse", BERT).version == 1
