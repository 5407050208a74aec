"""From clusters to rules: paid for once, never doubled, and no decision lost when data come and go."""

from __future__ import annotations

import asyncio
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pld_core.calls import Limits
from pld_core.errors import BackendUnreachable, CallsStopped, Failure, JobCancelled, NotAllowed
from pld_core.extraction import request_hash
from pld_core.lineage import DECIDED_STATES, origin_of
from pld_core.model_ports import ChatRequest
from pld_core.models import (
    NOISE,
    SYSTEM,
    ClusterParams,
    ClusterPoint,
    Decision,
    EvidenceRole,
    Example,
    RevisionState,
    Verdict,
)
from pld_core.pipeline import save_clustering
from pld_core.ports import Progress
from pld_core.records import TeacherCall
from pld_core.synthesis import short_id
from pld_core.synthesising import Synthesised, compare_rules, coverage, plan_synthesis, synthesise
from pld_core.teaching import Teaching
from storage import SqliteStore, create_store
from tests.core.test_pipeline import stop_at
from tests.factories import (
    ANNA,
    BERT,
    FirstWordEmbedder,
    TickingClock,
    ToldChat,
    fill,
    make_example,
    make_examples,
    make_instruction,
    make_rule,
    make_task,
    make_text,
    no_report,
    rule_in_review,
    rule_json,
    synthesis_json,
    url_of,
    verdict_on,
)

S = RevisionState
EMBEDDER = FirstWordEmbedder()
PARAMS = ClusterParams(0.05, 2)
TRAIN = make_examples(6)


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    fill(sqlite_store, examples=TRAIN)
    return sqlite_store


def instruct(store: SqliteStore, *examples: Example) -> None:
    for example in examples:
        store.logic.add_instruction("posts", make_instruction(example, f"{example.label} the post is of that kind"))


@pytest.fixture
def clustering(store: SqliteStore) -> int:
    instruct(store, *TRAIN)
    return asyncio.run(save_clustering(store, EMBEDDER, "posts", PARAMS, ANNA)).id


def cluster_as(store: SqliteStore, **clusters: list[Example]) -> int:
    """Keep a clustering with these clusters, whatever an embedder would say."""
    points = [
        ClusterPoint(e.hash, e.label, number, 0.0, 0.0)
        for number, examples in enumerate(clusters.values())
        for e in examples
    ]
    return store.logic.add_clustering("posts", PARAMS, points, ANNA).id


def labels_in(request: ChatRequest) -> list[str]:
    inside = request.user.split("CLUSTER>>>")[0]
    return [label for label in ("keep", "remove") if f" THEN {label}" in inside]


def merge(request: ChatRequest) -> str:
    return json.dumps({"rules": [rule_json(label) for label in labels_in(request)]})


def first_only(request: ChatRequest) -> str:
    return synthesis_json(labels_in(request)[0])


def run(
    store: SqliteStore, teacher: ToldChat, clustering: int, report: Progress = no_report, **more: object
) -> Synthesised:
    return asyncio.run(synthesise(store, teacher, EMBEDDER, clustering, ANNA, report, **more))  # type: ignore[arg-type]


def quiet(store: SqliteStore, clustering: int) -> Synthesised:
    """Run with a teacher that must not be asked."""
    silent = ToldChat(merge)
    outcome = run(store, silent, clustering)
    assert silent.asked == []
    return outcome


def supports(store: SqliteStore, rule_id: str) -> set[str]:
    return {e.example_hash for e in store.rules.dossier(rule_id, SYSTEM).evidence if e.role is EvidenceRole.SUPPORTS}


def withdraw(store: SqliteStore, example: Example) -> None:
    """Take an example out of use for good."""
    other = "remove" if example.label == "keep" else "keep"
    store.tasks.import_examples("posts", [replace(example, label=other)], "b.csv", ANNA)
    store.data.settle("posts", example.text_hash, "", "neither is right", ANNA)


# --- making rules -----------------------------------------------------------------------------------------------------


def test_each_cluster_becomes_one_rule_in_review_with_its_evidence(store: SqliteStore, clustering: int) -> None:
    teacher = ToldChat(lambda r: synthesis_json(labels_in(r)[0], [short_id(r.nearby[0])]))
    assert run(store, teacher, clustering) == Synthesised(2, 0, 0)
    for number, label in ((1, "keep"), (2, "remove")):
        dossier = store.rules.dossier(f"R{number}", SYSTEM)
        assert dossier.summary.state is S.IN_REVIEW
        assert supports(store, f"R{number}") == {e.hash for e in TRAIN if e.label == label}
        others = {e.example_hash: e for e in dossier.evidence if e.role is not EvidenceRole.SUPPORTS}
        assert set(others) == {e.hash for e in TRAIN if e.label != label}
        assert [h for h, e in others.items() if e.note] == [teacher.asked[number - 1].nearby[0]]
        trace = store.lineage.trace(f"R{number}")
        assert trace.first.members == trace.first.shown == tuple(sorted(supports(store, f"R{number}")))
        assert trace.changes == ()


def test_an_example_without_an_instruction_is_found_by_its_input(store: SqliteStore, clustering: int) -> None:
    other = make_example("train post that nobody read", "remove")
    store.tasks.import_examples("posts", [other], "b.csv", ANNA)
    run(store, ToldChat(merge), clustering)
    assert other.hash in {e.example_hash for e in store.rules.dossier("R1", SYSTEM).evidence}


def test_an_example_that_takes_no_part_is_no_evidence(store: SqliteStore, clustering: int) -> None:
    withdraw(store, TRAIN[0])
    assert run(store, ToldChat(merge), clustering).made == 2
    found = {e.example_hash for n in (1, 2) for e in store.rules.dossier(f"R{n}", SYSTEM).evidence}
    assert found == {e.hash for e in TRAIN[1:]}


def test_the_same_clusters_again_ask_nothing_and_change_nothing(store: SqliteStore, clustering: int) -> None:
    run(store, ToldChat(merge), clustering)
    before = store.events.count()
    second = asyncio.run(save_clustering(store, EMBEDDER, "posts", replace(PARAMS, eps=0.06), ANNA)).id
    assert quiet(store, second) == Synthesised(0, 2, 0)
    assert store.events.count() == before + 1, "the clustering that was kept"


def test_a_mixed_cluster_becomes_a_rule_for_each_label_or_is_flagged(store: SqliteStore) -> None:
    instruct(store, *TRAIN)
    mixed = cluster_as(store, all=list(TRAIN))
    assert run(store, ToldChat(first_only), mixed) == Synthesised(1, 0, 0)
    assert store.rules.summary("R1").uncovered == ("remove",)
    assert store.rules.summary("R1").contradictions == 3
    assert quiet(store, mixed) == Synthesised(0, 1, 0)


def test_rules_of_one_reply_are_all_made_or_none(store: SqliteStore) -> None:
    instruct(store, *TRAIN)
    mixed = cluster_as(store, all=list(TRAIN))
    assert run(store, ToldChat(merge), mixed) == Synthesised(2, 0, 0)
    assert [store.rules.summary(f"R{n}").uncovered for n in (1, 2)] == [(), ()]
    assert [store.rules.summary(f"R{n}").labels for n in (1, 2)] == [("keep",), ("remove",)]
    assert quiet(store, mixed) == Synthesised(0, 1, 0)
    assert {store.lineage.trace(f"R{n}").first.shown for n in (1, 2)} == {tuple(sorted(e.hash for e in TRAIN))}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (synthesis_json("burn"), "not a declared label"),
        (synthesis_json("remove"), "no example of the cluster"),
        ("{", "Invalid JSON"),
        (synthesis_json("keep").replace("the post is friendly", "x" * 1500), "at most 1,200"),
    ],
    ids=["undeclared", "other label", "json", "too long"],
)
def test_a_reply_that_cannot_be_used_is_a_recorded_failure_and_the_others_are_made(
    store: SqliteStore, clustering: int, text: str, word: str
) -> None:
    teacher = ToldChat(lambda r: text if labels_in(r) == ["keep"] else merge(r))
    assert run(store, teacher, clustering) == Synthesised(1, 0, 1)
    (failure,) = store.logic.failed_calls("posts")
    assert word in failure.problem
    assert failure.reply == text
    resumed = ToldChat(merge)
    assert run(store, resumed, clustering, retry_failed=False) == Synthesised(0, 1, 0, left=1)
    assert resumed.asked == []
    assert run(store, ToldChat(merge), clustering) == Synthesised(1, 1, 0)


def test_a_limit_asks_about_the_first_clusters(store: SqliteStore, clustering: int) -> None:
    assert run(store, ToldChat(merge), clustering, limit=1) == Synthesised(1, 0, 0)
    assert [s.labels for s in store.rules.queue("posts")] == [("keep",)]
    assert run(store, ToldChat(merge), clustering, limit=1) == Synthesised(1, 1, 0)


def test_a_stopped_synthesis_goes_on_and_repeats_no_reply(store: SqliteStore, clustering: int) -> None:
    with pytest.raises(JobCancelled):
        run(store, ToldChat(merge), clustering, stop_at(1, JobCancelled("cancelled")))
    assert store.rules.count("posts") == 1
    rest = ToldChat(merge)
    assert run(store, rest, clustering) == Synthesised(1, 1, 0)
    assert len(rest.asked) == 1


def test_a_reply_stored_by_a_process_that_was_killed_is_not_asked_for_again(
    store: SqliteStore, clustering: int
) -> None:
    first = asyncio.run(plan_synthesis(store, EMBEDDER, clustering)).asks()[0].request
    paid = TeacherCall(
        request_hash("told", first), "synthesis", first.subjects, "told", "sha256:t", merge(first), "", 1, 1, 1
    )
    store.logic.record_calls("posts", [(paid, None)])
    rest = ToldChat(merge)
    assert run(store, rest, clustering).made == 2
    assert len(rest.asked) == 1


def test_a_teacher_that_is_gone_stops_it_and_the_evidence_is_up_to_date_all_the_same(
    store: SqliteStore, clustering: int
) -> None:
    run(store, ToldChat(merge), clustering)
    fresh = make_example("train post number 6")
    store.tasks.import_examples("posts", [fresh, *(lone := make_examples(2))], "b.csv", ANNA)
    instruct(store, fresh)
    extra = [make_example("one more"), make_example("two more")]
    store.tasks.import_examples("posts", extra, "c.csv", ANNA)
    instruct(store, *extra)
    keep = [e for e in TRAIN if e.label == "keep"]
    other = cluster_as(store, kept=[*keep, fresh], new=extra)
    assert lone

    def gone(request: ChatRequest) -> str:
        raise BackendUnreachable("Nothing listens there.")

    given = Teaching(Limits(attempts=1, stop_after=1))
    with pytest.raises(CallsStopped):
        run(store, ToldChat(gone), other, teaching=given)
    assert fresh.hash in supports(store, "R1")
    assert [call.failure for call in store.logic.failed_calls("posts")] == [Failure.UNREACHABLE]


# --- new data ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def made(store: SqliteStore, clustering: int) -> SqliteStore:
    """R1 concludes keep, R2 remove; both in review."""
    run(store, ToldChat(merge), clustering)
    return store


def grown(store: SqliteStore) -> tuple[int, Example]:
    fresh = make_example("train post number 6")
    store.tasks.import_examples("posts", [fresh], "b.csv", ANNA)
    instruct(store, fresh)
    return asyncio.run(save_clustering(store, EMBEDDER, "posts", PARAMS, ANNA)).id, fresh


def test_a_rule_in_review_gets_the_new_evidence_and_stays_in_review(made: SqliteStore) -> None:
    number, fresh = grown(made)
    outcome = quiet(made, number)
    assert (outcome.made, outcome.already_there, outcome.stale) == (0, 2, 0)
    assert fresh.hash in supports(made, "R1")
    assert made.rules.summary("R1").state is S.IN_REVIEW
    (change,) = made.lineage.trace("R1").changes
    assert (change.added, change.number) == ((fresh.hash,), 2)
    assert change.reason == f"Clustering {number}: 1 example was added to its evidence"
    assert made.lineage.trace("R1").now.clustering_id == number
    assert quiet(made, number) == Synthesised(0, 2, 0)


def test_an_approved_rule_goes_stale_with_the_reason_and_can_be_approved_again(made: SqliteStore) -> None:
    made.rules.judge(verdict_on(made, "R1"), ANNA)
    made.rules.judge(verdict_on(made, "R2"), ANNA)
    decided = made.rules.dossier("R1", SYSTEM).decisions
    number, _ = grown(made)
    # The new example is a near miss of R2, which does not undo its approval.
    assert quiet(made, number).stale == 1
    assert (made.rules.summary("R1").state, made.rules.summary("R2").state) == (S.STALE, S.APPROVED)
    assert [entry.rule_id for _, entry, _ in made.rules.in_force("posts")] == ["R2"]
    assert made.rules.dossier("R1", SYSTEM).decisions == decided
    made.rules.judge(verdict_on(made, "R1"), BERT)
    after = made.rules.dossier("R1", SYSTEM)
    assert after.summary.state is S.APPROVED
    assert len({d.evidence_hash for d in after.decisions}) == 2
    assert len(made.rules.in_force("posts")) == 2
    assert quiet(made, number) == Synthesised(0, 2, 0)


def test_a_rejected_rule_keeps_its_evidence_and_is_not_asked_for_again(made: SqliteStore) -> None:
    made.rules.judge(verdict_on(made, "R1", Verdict.REJECT), ANNA)
    before = made.rules.dossier("R1", SYSTEM)
    number, _ = grown(made)
    assert quiet(made, number).made == 0
    assert made.rules.dossier("R1", SYSTEM) == before


def test_what_is_withdrawn_leaves_the_evidence_at_once(made: SqliteStore) -> None:
    made.rules.judge(verdict_on(made, "R1"), ANNA)
    keep = next(e for e in TRAIN if e.label == "keep")
    withdraw(made, keep)
    assert made.rules.summary("R1").state is S.STALE
    assert keep.hash not in supports(made, "R1")
    (change,) = made.lineage.trace("R1").changes
    assert change.removed == (keep.hash,)
    assert "1 example was taken out of its evidence" in change.reason
    assert made.rules.in_force("posts") == ()


def test_a_cluster_that_split_goes_on_as_its_rule_and_the_rest_is_asked_about(store: SqliteStore) -> None:
    keep = [make_example(f"kept {n}") for n in range(6)]
    store.tasks.import_examples("posts", keep, "b.csv", ANNA)
    instruct(store, *keep)
    run(store, ToldChat(merge), cluster_as(store, all=keep))
    teacher = ToldChat(merge)
    assert run(store, teacher, cluster_as(store, one=keep[:4], two=keep[4:])).made == 1
    assert [set(r.subjects) for r in teacher.asked] == [{e.hash for e in keep[4:]}]
    assert supports(store, "R1") == {e.hash for e in keep[:4]}
    assert supports(store, "R2") == {e.hash for e in keep[4:]}


# --- overlaps and coverage --------------------------------------------------------------------------------------------


def test_overlaps_are_right_after_an_edit(store: SqliteStore) -> None:
    for number, (label, words) in enumerate([("keep", "jokes are meant"), ("remove", "threats are made")]):
        text = make_text(words, label)
        supported = [e for e in TRAIN if e.label == label]
        rule_in_review(store, make_rule(text, supported, origin=f"o{number}"))
    assert store.lineage.uncompared("posts") == ("R1", "R2")
    asyncio.run(compare_rules(store, EMBEDDER, "posts"))
    assert (store.lineage.uncompared("posts"), store.lineage.overlaps("posts")) == ((), ())
    seen = store.rules.summary("R2")
    edited = make_text("jokes are no excuse", "remove")
    store.rules.edit("R2", seen.head, seen.state, edited, "clearer", ANNA)
    assert store.lineage.uncompared("posts") == ("R2",)
    asyncio.run(compare_rules(store, EMBEDDER, "posts"))
    assert [(p.low, p.high) for p in store.lineage.overlaps("posts")] == [("R1", "R2")]
    store.rules.judge(verdict_on(store, "R1", Verdict.REJECT), ANNA)
    assert store.lineage.overlaps("posts") == ()


def test_coverage_reads_the_newest_clustering(made: SqliteStore) -> None:
    found = coverage(made, "posts")
    assert (found.covered, found.examples, found.clusters) == (6, 6, ())
    made.rules.judge(verdict_on(made, "R1", Verdict.REJECT), ANNA)
    assert [c.closed for c in coverage(made, "posts").clusters] == [("R1",)]
    assert len(coverage(made, "posts").warnings) == 1


# --- whatever comes and goes ------------------------------------------------------------------------------------------


class DataComeAndGo(RuleBasedStateMachine):
    """Data are added and withdrawn, clusterings are kept and merged, people decide; in any order."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store = create_store(url_of(Path(self.folder.name) / "pld.db"), TickingClock())
        fill(self.store, make_task(), make_examples(8))
        self.pool = list(make_examples(8))
        instruct(self.store, *self.pool)
        self.decided: list[Decision] = []
        self.versions: dict[str, str] = {}

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    @rule(label=st.sampled_from(["keep", "remove"]))
    def add(self, label: str) -> None:
        example = make_example(f"post {len(self.pool)}", label)
        self.pool.append(example)
        self.store.tasks.import_examples("posts", [example], "more.csv", ANNA)
        instruct(self.store, example)

    @rule(pick=st.integers(0, 99))
    def take_out(self, pick: int) -> None:
        active = {e.hash for e in self.store.tasks.examples("posts")}
        there = [e for e in self.pool if e.hash in active]
        if there:
            withdraw(self.store, there[pick % len(there)])

    @rule(lots=st.lists(st.integers(-1, 3), min_size=20, max_size=20))
    def cluster_and_merge(self, lots: list[int]) -> None:
        points = [
            ClusterPoint(i.example_hash, i.label, lots[n % 20], 0.0, 0.0)
            for n, i in enumerate(self.store.logic.active_instructions("posts"))
        ]
        number = self.store.logic.add_clustering("posts", PARAMS, points, ANNA).id
        run(self.store, ToldChat(merge), number)
        plan = asyncio.run(plan_synthesis(self.store, EMBEDDER, number))
        assert plan.open == ()
        assert {p.cluster for p in points} - {NOISE} == {c.number for c in plan.clusters}
        before = self.store.events.count()
        again = quiet(self.store, number)
        assert (again.made, again.changed, again.stale) == (0, 0, 0)
        assert self.store.events.count() == before

    @rule(pick=st.integers(0, 99), verdict=st.sampled_from([Verdict.APPROVE, Verdict.APPROVE, Verdict.REJECT]))
    def decide(self, pick: int, verdict: Verdict) -> None:
        rules = self.store.lineage.standing("posts")
        if not rules:
            return
        try:
            given = verdict_on(self.store, rules[pick % len(rules)].id, verdict)
            self.decided.append(self.store.rules.judge(given, ANNA))
        except NotAllowed:
            return

    @invariant()
    def nothing_is_lost_doubled_or_in_force_unread(self) -> None:
        if not hasattr(self, "store"):
            return
        rules = self.store.lineage.standing("posts")
        dossiers = {r.id: self.store.rules.dossier(r.id, SYSTEM) for r in rules}
        kept = sorted((d for dossier in dossiers.values() for d in dossier.decisions), key=lambda d: d.id)
        assert kept == self.decided
        origins = [origin_of(r.members) for r in rules]
        assert len(set(origins)) == len(origins), "two rules rest on the same examples"
        assert self.store.rules.origins("posts") == frozenset(origins)
        active = {e.hash for e in self.store.tasks.examples("posts")}
        for r in rules:
            if r.is_live:
                # What somebody decided on keeps near misses that take no part any more: they bear on nothing.
                bearing = [
                    e for e in r.evidence if r.state not in DECIDED_STATES or e.role is not EvidenceRole.NEAR_MISS
                ]
                assert {e.example_hash for e in bearing} <= active
            if r.state is S.APPROVED:
                newest = dossiers[r.id].decisions[-1]
                assert newest.verdict is Verdict.APPROVE
        in_force = {entry.rule_id for _, entry, _ in self.store.rules.in_force("posts")}
        assert in_force == {r.id for r in rules if r.state is S.APPROVED}
        assert self.store.events.verify().intact


TestDataComeAndGo = DataComeAndGo.TestCase
TestDataComeAndGo.settings = settings(
    max_examples=10, stateful_step_count=12, deadline=None, derandomize=True, database=None
)
