"""One suite over every implementation of the `Store` port: what pages, commands and jobs may rely on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pld_core.canonical import hash_json
from pld_core.compilation import compile_prompt
from pld_core.errors import (
    Failure,
    IllegalTransition,
    InvalidInput,
    JobCancelled,
    JobLost,
    MissingEvidence,
    MissingReason,
    MissingRole,
    NotFound,
    RevisionMovedOn,
)
from pld_core.evaluation import failed_answer
from pld_core.models import (
    NOISE,
    SYSTEM,
    Algorithm,
    Answer,
    AnswerStatus,
    AuthorKind,
    ClusterParams,
    ClusterPoint,
    Evidence,
    EvidenceRole,
    Example,
    JobState,
    Judgement,
    Prediction,
    RejectCategory,
    RevisionState,
    Run,
    Split,
    Verdict,
    evidence_set_hash,
)
from pld_core.policy import Policy
from pld_core.ports import Store
from pld_core.publishing import PublishedModel
from pld_core.records import EventFilter, ExampleFilter, Page, RuleFilter, Spend, TeacherCall
from pld_core.synthesis import promoted_rule
from storage import create_store
from tests.factories import (
    ANNA,
    BERT,
    CLEO,
    READER,
    TickingClock,
    approved_rule,
    fill,
    make_example,
    make_examples,
    make_instruction,
    make_rule,
    make_task,
    make_text,
    rule_in_review,
    url_of,
    verdict_on,
)
from tests.releasing import LOOK

S = RevisionState
IMPLEMENTATIONS: dict[str, Callable[[Path, TickingClock], Store]] = {
    "sqlite": lambda folder, clock: create_store(url_of(folder / "pld.db"), clock),
}


@pytest.fixture(params=IMPLEMENTATIONS)
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: TickingClock) -> Store:
    return IMPLEMENTATIONS[request.param](tmp_path, clock)


def kinds(store: Store) -> list[str]:
    """Return the kinds of all events, oldest first."""
    return [event.kind for event in store.events.page()][::-1]


# --- tasks and examples -----------------------------------------------------------------------------------------------


def test_a_task_comes_back_as_it_went_in(store: Store) -> None:
    task = make_task(guideline="Line 1\n\n{curly} 'quoted' \"漢\"")
    store.tasks.add(task, ANNA)
    assert store.tasks.get("posts") == task
    assert store.tasks.all() == (task,)
    assert kinds(store) == ["task.created"]


def test_a_second_task_of_the_same_name_is_refused_and_changes_nothing(store: Store) -> None:
    store.tasks.add(make_task(), ANNA)
    with pytest.raises(InvalidInput, match="already a task 'posts'"):
        store.tasks.add(make_task(guideline="other"), ANNA)
    assert store.tasks.get("posts") == make_task()
    assert kinds(store) == ["task.created"]


def test_a_task_that_is_not_there_is_named_together_with_those_there_are(store: Store) -> None:
    with pytest.raises(NotFound, match=r"no task 'x'.*no task yet"):
        store.tasks.get("x")
    store.tasks.add(make_task("one"), ANNA)
    store.tasks.add(make_task("two"), ANNA)
    for ask in (store.tasks.get, store.tasks.counts, store.tasks.examples, store.rules.queue, store.rules.in_force):
        with pytest.raises(NotFound, match=r"no task 'x'.*There are: one, two"):
            ask("x")


def test_an_import_is_idempotent_and_counts_what_was_there(store: Store) -> None:
    store.tasks.add(make_task(), ANNA)
    examples = make_examples(5)
    first = store.tasks.import_examples("posts", examples, "a.csv", ANNA)
    again = store.tasks.import_examples("posts", [*examples, make_example("new")], "b.csv", BERT)
    assert (first.added, first.already_there) == (5, 0)
    assert (again.added, again.already_there) == (1, 5)
    assert store.tasks.examples("posts") == (*examples, make_example("new"))
    event = store.events.page()[0]
    assert (event.kind, event.actor) == ("examples.imported", "bert")
    assert event.payload == {"source": "b.csv", "added": 1, "already_there": 5}


def test_the_same_example_twice_in_one_file_is_one_example(store: Store) -> None:
    store.tasks.add(make_task(), ANNA)
    outcome = store.tasks.import_examples("posts", [make_example("x"), make_example("x")], "a.csv", ANNA)
    assert (outcome.added, outcome.already_there) == (1, 1)


def test_an_empty_import_adds_nothing(store: Store) -> None:
    store.tasks.add(make_task(), ANNA)
    assert store.tasks.import_examples("posts", [], "a.csv", ANNA).added == 0


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        (make_example("x", "burn", source="a.csv line 7"), r"'burn' \(a.csv line 7\) is not declared"),
        (
            replace(make_example("x", source="a.csv line 7"), fields=(("text", "x"),)),
            r"'post' is missing \(a.csv line 7",
        ),
    ],
)
def test_one_bad_row_and_nothing_is_imported(store: Store, bad: object, word: str) -> None:
    rows = [*make_examples(3), bad]
    with pytest.raises(InvalidInput, match=rf"{word}.*Nothing was imported"):
        store.tasks.create_with_examples(make_task(), rows, "a.csv", ANNA)  # type: ignore[arg-type]
    assert store.tasks.all() == ()
    store.tasks.add(make_task(), ANNA)
    with pytest.raises(InvalidInput, match=word):
        store.tasks.import_examples("posts", rows, "a.csv", ANNA)  # type: ignore[arg-type]
    assert store.tasks.count_examples("posts") == 0
    assert kinds(store) == ["task.created"]


def test_one_example_is_found_by_its_hash_in_its_task_only(store: Store) -> None:
    given = fill(store)
    store.tasks.add(make_task("other"), ANNA)
    assert store.tasks.example("posts", given[1].hash) == given[1]
    with pytest.raises(NotFound, match="has no example"):
        store.tasks.example("other", given[1].hash)


@pytest.fixture
def odd(store: Store) -> Store:
    texts = ["100% sure", "100 sure", "snake_case", "snakeXcase", 'it\'s "quoted"', "back\\slash", "Ends HERE"]
    fill(store, examples=[make_example(text) for text in texts])
    return store


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("100%", ["100% sure"]),
        ("%", ["100% sure"]),
        ("_", ["snake_case"]),
        ("e_c", ["snake_case"]),
        ("it's", ['it\'s "quoted"']),
        ('"quoted"', ['it\'s "quoted"']),
        ("\\", ["back\\slash"]),
        ("here", ["Ends HERE"]),
        ("' OR 1=1 --", []),
        ("sure", ["100% sure", "100 sure"]),
    ],
)
def test_a_search_takes_every_character_literally(odd: Store, search: str, found: list[str]) -> None:
    where = ExampleFilter(search=search)
    assert [e.text for e in odd.tasks.examples("posts", where)] == found
    assert odd.tasks.count_examples("posts", where) == len(found)


def test_filters_add_up_and_pages_cover_everything_once(store: Store) -> None:
    given = fill(store, examples=[*make_examples(7), *make_examples(6, Split.TEST)])
    where = ExampleFilter(split=Split.TRAIN, label="keep", search="NUMBER")
    assert [e.text for e in store.tasks.examples("posts", where)] == [f"train post number {i}" for i in (0, 2, 4, 6)]
    pages = [store.tasks.examples("posts", page=Page(at, 5)) for at in (0, 5, 10, 15)]
    assert [len(page) for page in pages] == [5, 5, 3, 0]
    assert tuple(e for page in pages for e in page) == given
    assert store.tasks.split_table("posts")[Split.TEST, "remove"] == 3


def test_counts_are_by_split_label_and_state(store: Store) -> None:
    fill(store, examples=[*make_examples(5), *make_examples(2, Split.TEST)])
    approved_rule(store)
    rule_in_review(store, make_rule(supports=make_examples(1), origin="o2"))
    counts = store.tasks.counts("posts")
    assert counts.examples == {Split.TRAIN: 5, Split.TEST: 2}
    assert counts.labels == {"keep": 4, "remove": 3}
    assert counts.rules == {S.APPROVED: 1, S.IN_REVIEW: 1}
    assert counts.prompts == 0


# --- teacher calls, instructions, clusterings -------------------------------------------------------------------------


def call(request: str, reply: str = "{}", problem: str = "") -> TeacherCall:
    return TeacherCall(request, "extraction", ("sha256:e",), "told", "sha256:t", reply, problem, 10, None, 5)


def test_a_paid_reply_is_found_by_its_request_and_a_failed_one_is_not(store: Store) -> None:
    fill(store)
    assert store.logic.stored_replies(["sha256:r"]).get("sha256:r") is None
    store.logic.record_calls("posts", [(call("sha256:r", "broken", "not JSON"), None)])
    assert store.logic.stored_replies(["sha256:r"]).get("sha256:r") is None
    store.logic.record_calls("posts", [(call("sha256:r", "good"), None)])
    assert store.logic.stored_replies(["sha256:r"]).get("sha256:r") == "good"
    assert store.logic.stored_replies(["sha256:other"]).get("sha256:other") is None


def test_failed_calls_are_those_not_answered_since(store: Store) -> None:
    fill(store)
    for given in (call("a", "x", "first"), call("b", "y", "second"), call("a", "z", "third"), call("b", "ok")):
        store.logic.record_calls("posts", [(given, None)])
    assert store.logic.failed_calls("posts") == (replace(call("a", "z", "third"), failure=Failure.UNUSABLE),)


def test_a_call_keeps_what_the_server_said_and_what_it_cost(store: Store) -> None:
    fill(store)
    given = replace(
        call("a", "half", "It was cut."),
        model="m-2026",
        finish="length",
        failure=Failure.LENGTH,
        attempts=3,
        cost=1234,
        run="job 7",
    )
    store.logic.record_calls("posts", [(given, None)])
    assert store.logic.failed_calls("posts") == (given,)


def test_calls_and_their_instructions_are_recorded_together_and_none_twice(store: Store) -> None:
    first, second, *_ = fill(store)
    made = [make_instruction(first), make_instruction(second)]
    store.logic.record_calls("posts", [(call("a"), made[0]), (call("b", "x", "bad"), None)])
    store.logic.record_calls("posts", [(call("a", "again"), replace(made[0], condition="other")), (call("c"), made[1])])
    assert store.logic.instructions("posts") == tuple(made)
    assert store.logic.stored_replies(["a", "b", "c", "d"]) == {"a": "again", "c": "{}"}
    assert store.logic.stored_replies([]) == {}
    assert [c.request_hash for c in store.logic.failed_calls("posts")] == ["b"]


def test_measured_calls_are_the_newest_usable_ones_of_teacher_and_template(store: Store) -> None:
    fill(store)
    others = [call("a", "x", "bad"), replace(call("b"), teacher="x"), replace(call("c"), template_hash="x")]
    for given in (*others, call("d"), call("e"), call("f")):
        store.logic.record_calls("posts", [(given, None)])
    assert store.logic.measured_calls("posts", "told", "sha256:t", 2) == (call("f"), call("e"))


def test_spend_is_summed_by_task_and_by_run(store: Store) -> None:
    fill(store)
    assert store.logic.spend("posts") == Spend()
    one = replace(call("a"), attempts=2, cost=5, run="job 1")
    store.logic.record_calls("posts", [(one, None), (replace(one, run="job 2", cost=2_000_000_000_000), None)])
    assert store.logic.spend("posts", "job 1") == Spend(2, 5, 10, 0)
    assert store.logic.spend("posts") == Spend(4, 2_000_000_000_005, 20, 0)
    assert store.logic.spend("other") == Spend()


def test_instructions_come_in_the_order_of_their_examples(store: Store) -> None:
    given = fill(store)
    made = [make_instruction(example) for example in given]
    for instruction in reversed(made):
        store.logic.add_instruction("posts", instruction)
    assert store.logic.instructions("posts") == tuple(made)


def test_the_instructions_to_cluster_are_those_of_examples_that_take_part(store: Store) -> None:
    given = fill(store)
    made = [make_instruction(example) for example in given]
    for instruction in made:
        store.logic.add_instruction("posts", instruction)
    assert store.logic.active_instructions("posts") == tuple(made)
    other = make_example(given[0].text, "remove")
    store.tasks.import_examples("posts", [other], "again.csv", ANNA)
    assert store.logic.active_instructions("posts") == tuple(made[1:]), "its label is in dispute"
    assert store.logic.instructions("posts") == tuple(made)


def test_a_clustering_comes_back_with_its_points_and_parameters(store: Store) -> None:
    given = fill(store)
    params = ClusterParams(0.3, 3, False, "first-word", 7, Algorithm.HDBSCAN)
    points = tuple(ClusterPoint(e.hash, e.label, i - 1, i / 3, -i / 7) for i, e in enumerate(given))
    made = store.logic.add_clustering("posts", params, points, BERT)
    assert store.logic.clustering(made.id) == made
    assert (made.params, made.points, made.clusters, made.noise, made.created_by) == (params, points, 3, 1, "bert")
    listed = store.logic.clusterings("posts")
    assert [c.id for c in listed] == [made.id, 1]
    assert listed[0] == replace(made, points=())
    with pytest.raises(NotFound, match="no clustering 99"):
        store.logic.clustering(99)


# --- rules ------------------------------------------------------------------------------------------------------------


def test_a_proposed_rule_waits_with_author_evidence_and_examples(store: Store) -> None:
    given = fill(store)
    rule = make_rule(supports=given[:2], contradicts=given[2:3])
    rule_id = store.rules.propose("posts", rule, ANNA)
    assert rule_id == "R1"
    dossier = store.rules.dossier("R1", SYSTEM)
    assert (dossier.summary.state, dossier.summary.in_force) == (S.PROPOSED, "")
    assert (dossier.summary.support, dossier.summary.contradictions) == (2, 1)
    assert (dossier.head.author, dossier.head.author_kind, dossier.head.number) == ("told", AuthorKind.TEACHER, 1)
    assert set(dossier.evidence) == set(rule.evidence)
    assert dossier.examples == {e.hash: e for e in given[:3]}
    assert dossier.decisions == ()
    event = store.events.page()[0]
    assert (event.kind, event.payload["evidence"]) == ("rule.proposed", evidence_set_hash(rule.evidence))


def test_a_second_rule_of_the_same_origin_is_not_made(store: Store) -> None:
    given = fill(store)
    assert store.rules.propose("posts", make_rule(supports=given[:1]), ANNA) == "R1"
    before = store.events.count()
    assert store.rules.propose("posts", make_rule(make_text("quite another"), given), ANNA) is None
    assert (store.rules.count("posts"), store.events.count()) == (1, before)
    assert store.rules.origins("posts") == {"origin-1"}


def test_a_proposed_rule_with_an_undeclared_label_is_refused_whole(store: Store) -> None:
    given = fill(store)
    with pytest.raises(InvalidInput, match="'burn'"):
        store.rules.propose("posts", make_rule(make_text(label="burn"), given), ANNA)
    assert store.rules.count("posts") == 0


def noise_clustering(store: Store, given: Sequence[Example]) -> int:
    """A clustering in which the first example is noise and the others are one cluster."""
    points = [ClusterPoint(e.hash, e.label, 0 if i else NOISE, 0.0, 0.0) for i, e in enumerate(given)]
    return store.logic.add_clustering("posts", ClusterParams(), points, ANNA).id


def test_a_person_makes_a_rule_of_a_noise_point_and_it_goes_into_review(store: Store) -> None:
    given = fill(store)
    rule = promoted_rule(make_instruction(given[0]), noise_clustering(store, given), BERT)
    before = store.events.count()
    rule_id = store.rules.promote("posts", rule, BERT)
    dossier = store.rules.dossier(rule_id, SYSTEM)
    assert (dossier.summary.state, dossier.summary.support, dossier.summary.changed_by) == (S.IN_REVIEW, 1, "bert")
    assert (dossier.head.author, dossier.head.author_kind, dossier.head.number) == ("bert", AuthorKind.PERSON, 1)
    assert dossier.evidence == rule.evidence
    assert dossier.examples == {given[0].hash: given[0]}
    assert store.events.count() == before + 1
    event = store.events.page()[0]
    assert (event.kind, event.actor, event.subject) == ("rule.promoted", "bert", rule_id)
    assert event.payload == {
        "task": "posts",
        "revision": dossier.head.hash,
        "evidence": evidence_set_hash(rule.evidence),
        "author": "bert",
        "cluster": NOISE,
        "clustering": rule.clustering_id,
        "uncovered": [],
        "shown": {"examples": 0, "hash": hash_json([])},
        "ignored": [],
    }


def test_with_four_eyes_whoever_promoted_a_noise_point_does_not_decide_on_it(store: Store) -> None:
    given = fill(store, policy=Policy(four_eyes=True))
    rule = promoted_rule(make_instruction(given[0]), noise_clustering(store, given), ANNA)
    rule_id = store.rules.promote("posts", rule, ANNA)
    store.rules.judge(verdict_on(store, rule_id), BERT)
    with pytest.raises(IllegalTransition, match="anna wrote this revision"):
        store.rules.judge(verdict_on(store, rule_id), ANNA)
    store.rules.judge(verdict_on(store, rule_id), CLEO)
    assert store.rules.summary(rule_id).state is S.APPROVED


def test_what_is_no_noise_cannot_be_promoted_and_nothing_is_left_behind(store: Store) -> None:
    given = fill(store)
    clustering = noise_clustering(store, given)
    good = promoted_rule(make_instruction(given[0]), clustering, ANNA)
    refused = [
        (promoted_rule(make_instruction(given[1]), clustering, ANNA), "is not noise of clustering 2"),
        (replace(good, clustering_id=1), "is not noise of clustering 1"),
        (replace(good, cluster=0), "is not noise of clustering 2"),
        (replace(good, evidence=(*good.evidence, Evidence(given[1].hash, EvidenceRole.SUPPORTS))), "is not noise"),
        (replace(good, author="bert"), "written by the person who acts"),
        (replace(good, author_kind=AuthorKind.TEACHER), "written by the person who acts"),
        (replace(good, text=make_text(label="burn")), "'burn'"),
    ]
    before = store.events.count()
    for rule, words in refused:
        with pytest.raises(InvalidInput, match=words):
            store.rules.promote("posts", rule, ANNA)
    with pytest.raises(MissingRole):
        store.rules.promote("posts", replace(good, author="rita"), READER)
    assert (store.rules.count("posts"), store.events.count()) == (0, before)
    assert store.rules.promote("posts", good, ANNA) == "R1"
    with pytest.raises(InvalidInput, match="R1 rests on this example alone already"):
        store.rules.promote("posts", good, ANNA)


def test_an_example_that_takes_no_part_any_more_cannot_be_promoted(store: Store) -> None:
    given = fill(store)
    rule = promoted_rule(make_instruction(given[0]), noise_clustering(store, given), ANNA)
    store.tasks.import_examples("posts", [make_example(given[0].text, "remove")], "again.csv", ANNA)
    with pytest.raises(InvalidInput, match="takes no part any more"):
        store.rules.promote("posts", rule, ANNA)


def test_a_verdict_is_bound_to_the_revision_and_the_evidence_as_it_was(store: Store) -> None:
    given = fill(store)
    rule = make_rule(supports=given[:2], contradicts=given[2:3])
    rule_id = rule_in_review(store, rule)
    sent = verdict_on(store, rule_id, Verdict.APPROVE, "  clear  ")
    decision = store.rules.judge(sent, BERT)
    dossier = store.rules.dossier(rule_id, SYSTEM)
    assert dossier.decisions == (decision,)
    assert (decision.revision_hash, decision.evidence_hash) == (dossier.head.hash, evidence_set_hash(rule.evidence))
    assert (decision.reviewer, decision.reason, decision.category) == ("bert", "clear", None)
    assert decision.opened_at == sent.opened_at
    assert dossier.summary.state is S.APPROVED
    event = store.events.page()[0]
    assert (event.kind, event.actor, event.subject) == ("rule.approved", "bert", rule_id)
    assert event.payload["revision"] == decision.revision_hash
    assert event.payload["evidence"] == decision.evidence_hash
    assert (event.payload["from"], event.payload["to"], event.payload["decision"]) == (
        "in_review",
        "approved",
        decision.id,
    )


@pytest.mark.parametrize(
    ("verdict", "state", "kind", "category"),
    [
        (Verdict.REJECT, S.REJECTED, "rule.rejected", RejectCategory.OVER_BROAD),
        (Verdict.REQUEST_CHANGES, S.CHANGES_REQUESTED, "rule.changes_requested", None),
    ],
)
def test_a_negative_verdict_keeps_reason_and_category(
    store: Store, verdict: Verdict, state: S, kind: str, category: RejectCategory | None
) -> None:
    fill(store)
    rule_id = rule_in_review(store)
    decision = store.rules.judge(verdict_on(store, rule_id, verdict, 'it\'s "too" 100% broad'), BERT)
    assert (decision.category, decision.reason) == (category, 'it\'s "too" 100% broad')
    assert store.rules.summary(rule_id).state is state
    assert store.rules.in_force("posts") == ()
    assert kinds(store)[-1] == kind
    for search in ("it's", '"too"', "100%"):
        assert [e.kind for e in store.events.page(EventFilter(search=search))] == [kind]


def test_a_refused_verdict_leaves_no_trace(store: Store) -> None:
    given = fill(store)
    rule_id = rule_in_review(store)
    bare = rule_in_review(store, make_rule(origin="bare"))
    near = make_rule(origin="near")
    near_only = rule_in_review(
        store,
        replace(near, evidence=(replace(make_rule(supports=given[:1]).evidence[0], role=EvidenceRole.NEAR_MISS),)),
    )
    before = store.events.count()
    with pytest.raises(MissingReason):
        store.rules.judge(verdict_on(store, rule_id, Verdict.REJECT, " "), BERT)
    with pytest.raises(MissingReason, match="category"):
        store.rules.judge(verdict_on(store, rule_id, Verdict.REJECT, "bad", None), BERT)
    with pytest.raises(MissingRole, match="rita may not decide on a rule: that takes the role lead or reviewer"):
        store.rules.judge(verdict_on(store, rule_id), READER)
    for without in (bare, near_only):
        with pytest.raises(MissingEvidence):
            store.rules.judge(verdict_on(store, without), BERT)
    with pytest.raises(IllegalTransition):
        store.rules.submit(rule_id, ANNA)
    with pytest.raises(NotFound, match="no rule 'R99'"):
        store.rules.judge(replace(verdict_on(store, rule_id), rule_id="R99"), BERT)
    assert store.events.count() == before
    assert store.rules.dossier(rule_id, SYSTEM).decisions == ()
    assert store.rules.summary(rule_id).state is S.IN_REVIEW


def test_a_verdict_on_an_old_revision_is_refused_with_both_revisions(store: Store) -> None:
    fill(store)
    rule_id = rule_in_review(store)
    old = verdict_on(store, rule_id)
    edited = store.rules.edit(rule_id, old.seen_revision, old.seen_state, make_text("the post is kind"), "why", BERT)
    for attempt in (
        lambda: store.rules.judge(old, CLEO),
        lambda: store.rules.edit(rule_id, old.seen_revision, old.seen_state, make_text("new"), "why", CLEO),
    ):
        with pytest.raises(RevisionMovedOn, match="newer revision 2 by bert, in review") as moved:
            attempt()
        assert (moved.value.seen.hash, moved.value.current) == (old.seen_revision, edited)
        assert (moved.value.state, moved.value.by) == (S.IN_REVIEW, "bert")
    assert store.rules.dossier(rule_id, SYSTEM).decisions == ()


def test_a_verdict_on_a_rule_decided_meanwhile_is_refused(store: Store) -> None:
    fill(store)
    rule_id = rule_in_review(store)
    seen = verdict_on(store, rule_id)
    store.rules.judge(replace(seen, verdict=Verdict.REJECT), BERT)
    with pytest.raises(RevisionMovedOn, match=r"is now rejected \(by bert\)") as moved:
        store.rules.judge(seen, CLEO)
    assert moved.value.seen == moved.value.current
    assert len(store.rules.dossier(rule_id, SYSTEM).decisions) == 1


def test_a_verdict_on_a_revision_that_never_was_is_refused(store: Store) -> None:
    fill(store)
    rule_id = rule_in_review(store)
    with pytest.raises(NotFound, match="has no revision sha256:none"):
        store.rules.judge(Judgement(rule_id, "sha256:none", S.IN_REVIEW, Verdict.APPROVE), BERT)


def test_four_eyes_takes_two_people_and_a_dispute_a_third(store: Store) -> None:
    fill(store, policy=Policy(four_eyes=True))
    rule_id = rule_in_review(store)
    store.rules.judge(verdict_on(store, rule_id), ANNA)
    assert store.rules.in_force("posts") == ()
    with pytest.raises(IllegalTransition, match="anna has already decided"):
        store.rules.judge(verdict_on(store, rule_id), ANNA)
    store.rules.judge(verdict_on(store, rule_id, Verdict.REJECT), BERT)
    assert store.rules.summary(rule_id).state is S.DISPUTED
    for party in (ANNA, BERT):
        with pytest.raises(IllegalTransition, match="disputed"):
            store.rules.judge(verdict_on(store, rule_id), party)
    settling = store.rules.judge(verdict_on(store, rule_id), CLEO)
    ((revision, entry, _),) = store.rules.in_force("posts")
    assert (revision.hash, entry.decision_id) == (settling.revision_hash, settling.id)


def test_an_edit_is_a_new_revision_in_review_with_the_same_evidence(store: Store) -> None:
    given = fill(store)
    rule_id = rule_in_review(store, make_rule(supports=given[:2]))
    before = store.rules.dossier(rule_id, SYSTEM)
    seen = before.summary
    made = store.rules.edit(
        rule_id, seen.head, seen.state, make_text("the post is kind", title="Kind"), "clearer", BERT
    )
    after = store.rules.dossier(rule_id, SYSTEM)
    assert after.revisions == (before.head, made)
    assert (made.parent, made.author, made.note) == (before.head.hash, "bert", "clearer")
    assert after.states == {before.head.hash: S.CHANGES_REQUESTED, made.hash: S.IN_REVIEW}
    assert after.evidence == before.evidence
    assert (after.summary.title, after.summary.revision, after.summary.changed_by) == ("Kind", 2, "bert")
    assert kinds(store)[-1] == "rule.edited"
    assert [s.id for s in store.rules.queue("posts", RuleFilter(search="kind"))] == [rule_id]


def test_an_edit_that_is_no_edit_leaves_no_trace(store: Store) -> None:
    fill(store)
    seen = store.rules.summary(rule_in_review(store))
    before = store.events.count()
    for text, note, error in (
        (make_text(), "why", InvalidInput),
        (make_text("new"), "", MissingReason),
        (make_text(label="burn"), "why", InvalidInput),
    ):
        with pytest.raises(error):
            store.rules.edit(seen.id, seen.head, seen.state, text, note, BERT)
    with pytest.raises(MissingRole):
        store.rules.edit(seen.id, seen.head, seen.state, make_text("new"), "why", READER)
    assert (store.rules.summary(seen.id), store.events.count()) == (seen, before)


def test_an_approved_revision_stays_in_force_until_its_replacement_is_approved(store: Store) -> None:
    fill(store)
    rule_id = approved_rule(store)
    old = store.rules.summary(rule_id)
    new = store.rules.edit(rule_id, old.head, old.state, make_text("the post is kind"), "clearer", BERT)
    assert [revision.hash for revision, _, _ in store.rules.in_force("posts")] == [old.head]
    assert store.rules.dossier(rule_id, SYSTEM).states[old.head] is S.APPROVED
    store.rules.judge(verdict_on(store, rule_id), CLEO)
    assert [revision for revision, _, _ in store.rules.in_force("posts")] == [new]
    assert store.rules.dossier(rule_id, SYSTEM).states == {old.head: S.SUPERSEDED, new.hash: S.APPROVED}
    assert kinds(store)[-2:] == ["rule.approved", "rule.superseded"]


def test_a_rejected_replacement_leaves_the_approved_revision_in_force(store: Store) -> None:
    fill(store)
    rule_id = approved_rule(store)
    old = store.rules.summary(rule_id)
    store.rules.edit(rule_id, old.head, old.state, make_text("the post is kind"), "clearer", BERT)
    store.rules.judge(verdict_on(store, rule_id, Verdict.REJECT), CLEO)
    assert [revision.hash for revision, _, _ in store.rules.in_force("posts")] == [old.head]


def test_rule_ids_are_found_in_either_case_by_every_method(store: Store) -> None:
    given = fill(store)
    rule_id = store.rules.propose("posts", make_rule(supports=given[:1]), ANNA)
    other = rule_in_review(store, make_rule(supports=given[:2], origin="o2"))
    assert (rule_id, other) == ("R1", "R2")
    store.rules.submit("r1", ANNA)
    seen = store.rules.summary("r1")
    made = store.rules.edit("r1", seen.head, seen.state, make_text("the post is kind"), "clearer", BERT)
    assert store.rules.summary("R1").head == made.hash
    assert store.rules.dossier("r1", SYSTEM) == store.rules.dossier("R1", SYSTEM)
    assert store.rules.neighbours("r1") == store.rules.neighbours("R1") == (None, "R2")
    store.rules.judge(replace(verdict_on(store, "R1"), rule_id="r1"), CLEO)
    assert store.rules.summary("R1").state is S.APPROVED
    assert {e.subject for e in store.events.page() if e.kind.startswith("rule.")} == {"R1", "R2"}


def test_the_queue_shows_the_urgent_first_then_contradicted_then_low_support(store: Store) -> None:
    given = fill(store, make_task(), make_examples(8), Policy(four_eyes=True))
    wanted: list[str] = []

    def rule(origin: str, supports: int, contradicts: int = 0) -> str:
        made = make_rule(supports=given[:supports], contradicts=given[6 : 6 + contradicts], origin=origin)
        return rule_in_review(store, made)

    strong, rejected, weak, contradicted = rule("a", 5), rule("b", 1), rule("c", 1), rule("d", 6, 2)
    first, disputed = rule("e", 4), rule("f", 4)
    store.rules.judge(verdict_on(store, rejected, Verdict.REJECT), ANNA)
    for rule_id in (first, disputed):
        store.rules.judge(verdict_on(store, rule_id), ANNA)
    store.rules.judge(verdict_on(store, disputed, Verdict.REJECT), BERT)
    wanted = [disputed, first, contradicted, weak, strong, rejected]
    assert [s.id for s in store.rules.queue("posts")] == wanted
    assert [s.id for s in store.rules.queue("posts", page=Page(2, 3))] == wanted[2:5]
    assert store.rules.neighbours(disputed) == (None, first)
    assert store.rules.neighbours(weak) == (contradicted, strong)
    assert store.rules.neighbours(rejected) == (strong, None)
    open_only = RuleFilter(states=(S.IN_REVIEW,))
    assert [s.id for s in store.rules.queue("posts", open_only)] == [contradicted, weak, strong]
    assert store.rules.neighbours(rejected, open_only) == (None, contradicted)
    assert store.rules.count("posts", open_only) == 3


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (RuleFilter(label="remove"), ["R2"]),
        (RuleFilter(label="keep"), ["R1", "R3"]),
        (RuleFilter(label="kee"), []),
        (RuleFilter(search="100%"), ["R3"]),
        (RuleFilter(search="_"), []),
        (RuleFilter(search="ADDRESS"), ["R2"]),
        (RuleFilter(search="irony"), ["R1", "R2", "R3"]),
        (RuleFilter(search="r2"), ["R2"]),
        (RuleFilter(search="harm nobody"), []),
        (RuleFilter(label="keep", search="100%", states=(S.APPROVED,)), []),
    ],
)
def test_rules_are_filtered_by_label_text_and_state(store: Store, where: RuleFilter, found: list[str]) -> None:
    given = fill(store)
    texts = [make_text(), make_text("it names an address", "remove", "T"), make_text("100% of it is kind")]
    for number, text in enumerate(texts):
        rule_in_review(store, make_rule(text, given[:1], origin=f"o{number}"))
    assert sorted(s.id for s in store.rules.queue("posts", where)) == found
    assert store.rules.count("posts", where) == len(found)


# --- prompts, runs, live tests ----------------------------------------------------------------------------------------


def test_an_equal_prompt_is_saved_once_and_a_changed_one_is_the_next_version(store: Store) -> None:
    given = fill(store)
    approved_rule(store, make_rule(supports=given[:2]))
    prompt = compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts"))
    one = store.prompts.save(prompt, ANNA)
    before = store.events.count()
    assert store.prompts.save(compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts")), BERT) == one
    assert store.events.count() == before
    assert store.prompts.get("posts", 1) == one
    approved_rule(store, make_rule(make_text("it is kind"), given[:1], origin="o2"))
    two = store.prompts.save(compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts")), BERT)
    assert (one.number, two.number, two.created_by) == (1, 2, "bert")
    assert store.prompts.all("posts") == (two, one)
    assert store.tasks.counts("posts").prompts == 2
    with pytest.raises(NotFound, match="no prompt version 3"):
        store.prompts.get("posts", 3)


def started(store: Store, job_id: int | None = None) -> Run:
    if not store.tasks.all():
        fill(store)
        approved_rule(store)
    prompt = store.prompts.save(compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts")), ANNA)
    wanted = Run(0, "posts", 1, prompt.prompt.sha256, "told", "sha256:d", Split.TEST, "", "anna", 2, job_id, LOOK)
    return store.runs.start(wanted, ANNA)


def test_a_resumed_job_gets_the_run_it_had_begun(store: Store) -> None:
    first, again, other = started(store, 7), started(store, 7), started(store, 8)
    assert first == again == store.runs.get(first.id)
    assert other.id != first.id
    assert [run.id for run in store.runs.all("posts")] == [other.id, first.id]
    assert kinds(store).count("run.started") == 2
    with pytest.raises(NotFound, match="no run 99"):
        store.runs.get(99)


def test_predictions_come_back_as_they_went_in_and_in_order(store: Store) -> None:
    run = started(store)
    given = (
        Prediction("sha256:b", "keep", Answer("keep", '{"label": "keep"}', AnswerStatus.OK, 3, 9, 4, None, 4096)),
        Prediction("sha256:a", "remove", failed_answer("it slept", "z z z")),
    )
    store.runs.add_predictions(run.id, given[:1])
    store.runs.add_predictions(run.id, [Prediction("sha256:b", "keep", failed_answer("late")), given[1]])
    assert store.runs.predictions(run.id) == given, "the first answer to an example stays"
    for _ in range(2):
        store.runs.finish(run.id, {"n": 2}, ANNA)
    assert kinds(store).count("run.finished") == 1
    event = store.events.page()[0]
    assert (event.kind, event.subject, event.payload) == ("run.finished", f"posts run {run.id}", {"n": 2})


def test_what_a_version_was_published_as_is_on_record_newest_first(store: Store) -> None:
    approved_rule(store, make_rule(supports=fill(store)[:2]))
    prompt = compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts"))
    number = store.prompts.save(prompt, ANNA).number
    first = PublishedModel(
        "m:v1", "sha256:1", "ollama:s", "sha256:s", {"num_ctx": 2048, "temperature": 0}, ("http://h",)
    )
    second = replace(first, digest="sha256:2")
    for made in (first, second):
        store.prompts.record_publication("posts", number, made, "for the pilot", ANNA)
    assert store.prompts.publications("posts", number) == (second, first)
    assert store.prompts.publications("posts", 9) == ()
    event = store.events.page()[0]
    assert (event.kind, event.subject) == ("prompt.published", f"posts v{number}")
    assert (event.payload["reason"], event.payload["digest"]) == ("for the pilot", "sha256:2")
    with pytest.raises(NotFound):
        store.prompts.record_publication("posts", 9, first, "for the pilot", ANNA)


def test_the_longest_input_counts_bytes_of_active_examples(store: Store) -> None:
    assert store.tasks.longest_input("nothing") == 0
    fill(store)
    longest = store.tasks.longest_input("posts")
    texts = [example.fields for example in store.tasks.examples("posts")]
    assert longest >= max(sum(len(value.encode()) for _, value in fields) for fields in texts)


def test_a_live_test_is_an_event_that_holds_hashes_and_the_outcome(store: Store) -> None:
    fill(store)
    store.runs.record_live_test("posts", "sha256:p", "told", {"user": "secret words"}, failed_answer("slept"), BERT)
    event = store.events.page()[0]
    assert (event.kind, event.actor, event.payload["status"]) == ("student.asked", "bert", "failed")
    assert "secret words" not in str(event.payload)


# --- jobs -------------------------------------------------------------------------------------------------------------


def test_jobs_are_claimed_oldest_first_and_once(store: Store) -> None:
    ids = [store.jobs.enqueue("extract", "posts", {"n": n}, ANNA).id for n in range(3)]
    claimed = [store.jobs.claim("w1", 60) for _ in range(4)]
    assert [job.id if job else None for job in claimed] == [*ids, None]
    first = store.jobs.get(ids[0])
    assert (first.state, first.owner, first.attempts, first.params) == (JobState.RUNNING, "w1", 1, {"n": 0})
    assert first.started_at
    assert [job.id for job in store.jobs.recent("posts", 2)] == ids[:0:-1]
    assert store.jobs.recent("other") == ()


def test_a_job_without_a_heartbeat_is_taken_over_and_its_old_owner_told(store: Store, clock: TickingClock) -> None:
    job = store.jobs.enqueue("extract", "posts", {}, ANNA)
    store.jobs.claim("w1", 60)
    clock.advance(50)
    store.jobs.beat(job.id, "w1")
    clock.advance(50)
    assert store.jobs.claim("w2", 60) is None
    clock.advance(50)
    taken = store.jobs.claim("w2", 60)
    assert taken is not None
    assert (taken.id, taken.owner, taken.attempts) == (job.id, "w2", 2)
    assert store.events.page()[0].payload == {"from": "w1", "to": "w2"}
    for attempt in (
        lambda: store.jobs.beat(job.id, "w1"),
        lambda: store.jobs.progress(job.id, "w1", 1, 2, "x"),
        lambda: store.jobs.finish(job.id, "w1", "done", "x"),
    ):
        with pytest.raises(JobLost, match="another one took it over"):
            attempt()
    store.jobs.finish(job.id, "w2", "done", "all well")
    assert store.jobs.get(job.id).state is JobState.DONE


def test_progress_is_kept_and_counts_as_a_heartbeat(store: Store, clock: TickingClock) -> None:
    job = store.jobs.enqueue("extract", "posts", {}, ANNA)
    store.jobs.claim("w1", 60)
    for done in range(3):
        clock.advance(50)
        store.jobs.progress(job.id, "w1", done, 9, "working")
    assert store.jobs.claim("w2", 60) is None
    now = store.jobs.get(job.id)
    assert (now.done, now.total, now.message) == (2, 9, "working")


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_a_finished_job_is_final_and_nobodys(store: Store, state: str, clock: TickingClock) -> None:
    job = store.jobs.enqueue("extract", "posts", {}, ANNA)
    store.jobs.claim("w1", 60)
    store.jobs.finish(job.id, "w1", state, "the end")
    done = store.jobs.get(job.id)
    assert (done.state, done.message, bool(done.finished_at)) == (JobState(state), "the end", True)
    clock.advance(1000)
    assert store.jobs.claim("w2", 60) is None
    with pytest.raises(JobLost):
        store.jobs.beat(job.id, "w1")
    assert kinds(store)[-1] == f"job.{state}"


def test_a_queued_job_is_cancelled_at_once(store: Store) -> None:
    job = store.jobs.enqueue("extract", "posts", {}, ANNA)
    store.jobs.request_cancel(job.id, BERT)
    assert store.jobs.get(job.id).state is JobState.CANCELLED
    assert store.jobs.claim("w1", 60) is None
    assert (store.events.page()[0].kind, store.events.page()[0].actor) == ("job.cancel_requested", "bert")


def test_a_running_job_is_told_at_its_next_step_and_its_progress_kept(store: Store) -> None:
    job = store.jobs.enqueue("extract", "posts", {}, ANNA)
    store.jobs.claim("w1", 60)
    store.jobs.request_cancel(job.id, BERT)
    before = store.events.count()
    store.jobs.request_cancel(job.id, BERT)
    assert store.events.count() == before
    assert store.jobs.get(job.id).state is JobState.RUNNING
    with pytest.raises(JobCancelled, match="after 3 of 9; what was done is kept"):
        store.jobs.progress(job.id, "w1", 3, 9, "working")
    assert store.jobs.get(job.id).done == 3


def test_a_failed_or_cancelled_job_can_be_resumed_and_another_cannot(store: Store) -> None:
    job = store.jobs.enqueue("extract", "posts", {}, ANNA)
    with pytest.raises(InvalidInput, match="nothing to resume"):
        store.jobs.resume(job.id, ANNA)
    store.jobs.request_cancel(job.id, ANNA)
    store.jobs.resume(job.id, BERT)
    queued = store.jobs.get(job.id)
    assert (queued.state, queued.cancel_requested, queued.finished_at) == (JobState.QUEUED, False, "")
    again = store.jobs.claim("w1", 60)
    assert again is not None
    store.jobs.progress(job.id, "w1", 1, 2, "goes on")
    store.jobs.finish(job.id, "w1", "done", "")
    with pytest.raises(InvalidInput, match="nothing to resume"):
        store.jobs.resume(job.id, ANNA)
    assert "job.resumed" in kinds(store)


@pytest.mark.parametrize("number", [99, 2**63, 10**30])
def test_a_job_that_is_not_there_is_not_found_however_large_its_number(store: Store, number: int) -> None:
    with pytest.raises(NotFound):
        store.jobs.get(number)
    with pytest.raises(NotFound):
        store.jobs.request_cancel(number, ANNA)


# --- events -----------------------------------------------------------------------------------------------------------


def test_events_are_filtered_by_actor_kind_and_text_newest_first(store: Store) -> None:
    fill(store)
    rule_id = rule_in_review(store)
    store.rules.judge(verdict_on(store, rule_id), BERT)
    assert store.events.actors() == ("anna", "bert")
    assert store.events.kinds() == tuple(sorted(set(kinds(store))))
    assert [e.kind for e in store.events.page(EventFilter(actor="bert"))] == ["rule.approved"]
    assert store.events.count(EventFilter(kind="rule.submitted")) == 1
    assert {e.kind for e in store.events.page(EventFilter(search="R1"))} == {
        "rule.proposed",
        "rule.submitted",
        "rule.approved",
    }
    assert store.events.count(EventFilter(search="%")) == 0
    whole = store.events.page()
    assert [e.seq for e in whole] == list(range(len(whole), 0, -1))
    assert store.events.page(page=Page(1, 2)) == whole[1:3]


def test_every_write_has_its_event_and_the_chain_verifies(store: Store) -> None:
    run = started(store, 3)
    store.runs.finish(run.id, {}, ANNA)
    counted = Counter(kinds(store))
    assert counted == {
        "task.created": 1,
        "examples.imported": 1,
        "clustering.saved": 1,
        "rule.proposed": 1,
        "rule.submitted": 1,
        "rule.approved": 1,
        "prompt.compiled": 1,
        "run.started": 1,
        "run.finished": 1,
    }
    report = store.events.verify()
    assert (report.intact, report.events, report.head) == (True, 9, store.events.page()[0].hash)
