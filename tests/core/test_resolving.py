"""Loops on tasks with a known conflict: each ends in the known best state, or holds and says why."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pld_core.ablating import AblationOrder, ablate
from pld_core.ablation import Scope
from pld_core.asking import Evaluation, answer_run, start_run
from pld_core.attributing import attribute_run
from pld_core.compilation import compile_prompt
from pld_core.conflicts.acceptance import Verdict
from pld_core.conflicts.groups import Finding, Source
from pld_core.conflicts.people import FromPeople
from pld_core.conflicts.proposal import Refusal
from pld_core.conflicts.records import Stage as TrialStage
from pld_core.conflicts.rounds import Figure, Stop
from pld_core.errors import BudgetReached, InvalidInput, JobCancelled, MissingRole
from pld_core.loop_estimate import estimate_loop
from pld_core.model_ports import ChatRequest
from pld_core.models import AuthorKind, Split
from pld_core.overlaps import Overlap
from pld_core.pricing import FREE
from pld_core.resolving import LoopModels, Resolved, resolve
from storage import SqliteStore
from tests.conflict_models import action, block, text
from tests.core.conflict_parts import TASK, rule_text
from tests.factories import (
    ANNA,
    READER,
    FirstWordEmbedder,
    ToldChat,
    approved_rule,
    fill,
    make_example,
    make_rule,
    make_task,
    no_report,
    rule_in_review,
    verdict_on,
)
from tests.resolving import ORDER, SIZES, RuleSpec, Stage, conflicted, limited, posts, scripted, stage

INSULT = RuleSpec("insult is said", "remove", "insult")
PRAISE = RuleSpec("praise is said", "keep", "praise")
PLAIN = [("insult plain", "remove"), ("praise plain", "keep")]
JOKES = [*PLAIN, ("insult joke", "keep")]
"""Jokes hold insults, and stay: the rule on insults lacks an exception."""


def conditions(resolved: Resolved) -> list[tuple[str, str, tuple[str, ...]]]:
    found = [(r.text.condition, r.text.labels[0], r.text.exceptions) for r in resolved.best.rules.rules]
    return sorted(found)


def macro_f1(figure: Figure | None) -> float:
    assert figure is not None
    return figure.macro_f1


def excepting(request: ChatRequest) -> Sequence[dict[str, Any]]:
    if "EXCEPT" in block(request, "RULES"):
        return []
    return [action("add_exception", ["R1"], request, text("insult is said", "remove", ["joke is said"]))]


def spam_rule(request: ChatRequest) -> Sequence[dict[str, Any]]:
    return [action("new_rule", [], request, text("spam is said", "remove"))]


def leave_out_on_train(store: SqliteStore, student: ToldChat) -> None:
    """Run the approved rules on the training examples, and leave each rule out in turn."""

    async def work() -> None:
        run = await start_run(store, student, Evaluation("posts", compile_task(store), Split.TRAIN), ANNA)
        await answer_run(store, student, run, no_report)
        await attribute_run(store, run, [FirstWordEmbedder()], ANNA)
        await ablate(store, student, AblationOrder(run.id, scope=Scope.ALL), no_report, ANNA)

    asyncio.run(work())


def compile_task(store: SqliteStore) -> int:
    return store.prompts.save(compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts")), ANNA).number


@pytest.fixture
def joking(sqlite_store: SqliteStore) -> Stage:
    """R1 removes jokes; the teacher adds the exception."""
    conflicted(sqlite_store, JOKES, [INSULT, PRAISE])
    return scripted(sqlite_store, ("joke", excepting))


# --- known conflicts --------------------------------------------------------------------------------------------------


def test_a_missing_exception_is_added(joking: Stage) -> None:
    ended = joking.run()
    assert ("insult is said", "remove", ("joke is said",)) in conditions(ended)
    assert (ended.score.best_round, ended.rounds[-1].stop) == (1, Stop.NO_FAILURES)
    assert [macro_f1(f) for f in (ended.best.validation, ended.best.train, ended.score.best)] == [1.0, 1.0, 1.0]
    (tried,) = ended.rounds[1].trials
    assert tried.words.startswith("fixes 8, breaks 0 of 24 (net +8")
    revision = ended.best.rules.rule("R1").revision
    assert (revision.author, revision.author_kind, revision.number) == ("teacher", AuthorKind.CONFLICT_LOOP, 2)


def test_of_two_contradicting_rules_the_wrong_one_is_narrowed(sqlite_store: SqliteStore) -> None:
    wide = RuleSpec("insult or affront is said", "keep", "insult joke", priority=1)
    conflicted(sqlite_store, JOKES, [INSULT, PRAISE, wide])

    def narrow(request: ChatRequest) -> Sequence[dict[str, Any]]:
        text_ = text("insult and joke is said", "keep", priority=1)
        return [action("narrow", ["R3"], request, text_)] if "[R3]" in block(request, "RULES") else []

    ended = scripted(sqlite_store, ("insult", narrow)).run()
    assert ("insult and joke is said", "keep", ()) in conditions(ended)
    assert ended.rounds[1].groups[0].rules == ("R1", "R3")
    assert macro_f1(ended.best.validation) == 1.0


def test_a_swallowed_minority_gets_its_rule(sqlite_store: SqliteStore) -> None:
    conflicted(sqlite_store, [*PLAIN, ("spam offer", "remove")], [INSULT, PRAISE])
    ended = scripted(sqlite_store, ("spam", spam_rule)).run()
    assert ("spam is said", "remove", ()) in conditions(ended)
    new = next(rule for rule in ended.best.rules.rules if rule.text.condition == "spam is said")
    train = {e.hash for e in sqlite_store.tasks.examples("posts") if e.text.startswith("spam offer train")}
    assert set(new.supports) == train
    assert (new.id, new.decision_id) == ("R3", 0)


def test_a_repair_that_breaks_more_than_it_fixes_is_rolled_back(sqlite_store: SqliteStore) -> None:
    conflicted(sqlite_store, [*PLAIN, ("spam offer", "remove"), ("chat offer", "keep")], [INSULT, PRAISE])
    wide = text("insult or offer or plain is said", "remove")
    ended = scripted(sqlite_store, ("spam", lambda r: [action("new_rule", [], r, {**wide, "priority": 1})])).run()
    assert (ended.score.best_round, ended.rounds[-1].stop) == (0, Stop.REGRESSION)
    assert ended.best.rules == ended.resolution.basis.rules
    (tried,) = ended.rounds[1].trials
    assert tried.result.verdict in (Verdict.WORSE, Verdict.LOSES_EARLY)


def test_an_oscillation_is_noticed_and_the_best_round_stands(sqlite_store: SqliteStore) -> None:
    conflicted(sqlite_store, [*JOKES, ("insult rant", "keep")], [INSULT, PRAISE])

    def back_and_forth(request: ChatRequest) -> Sequence[dict[str, Any]]:
        if "EXCEPT" in block(request, "RULES"):
            return [action("widen", ["R1"], request, text("insult is said", "remove"))]
        return [action("add_exception", ["R1"], request, text("insult is said", "remove", ["joke is said"]))]

    ended = scripted(sqlite_store, ("rant", back_and_forth)).run()
    assert [[t.result.verdict for t in r.trials] for r in ended.rounds] == [
        [],
        [Verdict.PASSES],
        [Verdict.SEEN_BEFORE],
    ]
    assert (ended.score.best_round, ended.rounds[-1].stop) == (1, Stop.OSCILLATION)
    assert ("insult is said", "remove", ("joke is said",)) in conditions(ended)


def test_garbage_holds_the_loop_and_is_kept(sqlite_store: SqliteStore) -> None:
    conflicted(sqlite_store, JOKES, [INSULT, PRAISE])
    broken = stage(sqlite_store, lambda _: "Sure! Here is a better prompt.")
    ended = broken.run()
    assert (ended.score.best_round, ended.rounds[-1].stop) == (0, Stop.NO_PROPOSALS)
    (asked,) = ended.rounds[1].groups
    assert "cannot be used" in asked.problem
    assert ended.rounds[1].proposals == ()
    assert broken.run().rounds == ended.rounds
    assert len(broken.teacher.asked) == 1


def test_a_locked_rule_is_never_changed_and_the_argument_is_kept(joking: Stage) -> None:
    joking.store.locks.lock("R1", "The wording is from a settlement.", ANNA)
    ended = joking.run()
    assert (ended.score.best_round, ended.rounds[-1].stop) == (0, Stop.NO_PROPOSALS)
    (made,) = ended.rounds[1].proposals
    assert (made.proposal.refusal, made.proposal.reason) == (Refusal.LOCKED, "As the script says.")
    assert "LOCKED" in joking.teacher.asked[0].user


def test_actions_on_rules_outside_the_call_are_refused_and_recorded(sqlite_store: SqliteStore) -> None:
    conflicted(sqlite_store, JOKES, [INSULT, PRAISE])
    ended = scripted(sqlite_store, ("joke", lambda r: [action("retire", ["R77"], r)])).run()
    (made,) = ended.rounds[1].proposals
    assert made.proposal.refusal is Refusal.UNKNOWN_RULE
    assert ended.rounds[-1].stop is Stop.NO_PROPOSALS


# --- known traps ------------------------------------------------------------------------------------------------------


def test_zero_gain_is_not_a_gain(sqlite_store: SqliteStore) -> None:
    conflicted(sqlite_store, JOKES, [INSULT, PRAISE])
    other_words = text("insult or insulting is said", "remove")
    ended = scripted(sqlite_store, ("joke", lambda r: [action("widen", ["R1"], r, other_words)])).run()
    (tried,) = ended.rounds[1].trials
    assert (tried.result.verdict, ended.rounds[-1].stop) == (Verdict.NO_GAIN, Stop.NO_GAIN)
    assert ended.best.rules == ended.resolution.basis.rules


def test_a_change_of_no_word_of_the_prompt_is_told_as_that_and_asks_nothing(sqlite_store: SqliteStore) -> None:
    conflicted(sqlite_store, JOKES, [INSULT, PRAISE])
    retitled = {**text("insult is said", "remove"), "title": "Another title"}
    acting = scripted(sqlite_store, ("joke", lambda r: [action("widen", ["R1"], r, retitled)]))
    ended = acting.run()
    (tried,) = ended.rounds[1].trials
    assert tried.prompt_sha256 == tried.base_sha256
    assert tried.words == "It changes nothing in the prompt, so there was nothing to try."
    assert (tried.result.verdict, ended.rounds[-1].stop) == (Verdict.NO_CHANGE, Stop.NO_GAIN)
    assert len({request.system for request in acting.student.asked}) == 1


def test_nothing_is_accepted_for_what_it_does_on_training_data(sqlite_store: SqliteStore) -> None:
    conflicted(sqlite_store, JOKES, [INSULT, PRAISE])
    by_heart = text("insult is said", "remove", ["joke and train is said"])
    ended = scripted(sqlite_store, ("joke", lambda r: [action("add_exception", ["R1"], r, by_heart)])).run()
    assert (ended.score.best_round, ended.rounds[-1].stop) == (0, Stop.NO_GAIN)


def test_the_test_split_is_asked_once_after_the_last_choice_and_only_about_two_prompts(joking: Stage) -> None:
    ended = joking.run()
    asked = ["test" in request.user for request in joking.student.asked]
    first = asked.index(True)
    assert asked[first:] == [True] * (2 * 3 * SIZES[Split.TEST])
    prompts = {request.system for request, is_test in zip(joking.student.asked, asked, strict=True) if is_test}
    assert prompts == {r.rules.prompt(TASK).text for r in (ended.rounds[0], ended.best)}


def test_what_was_refined_is_what_was_scored(joking: Stage) -> None:
    for record in joking.run().rounds:
        assert record.rules.prompt(TASK).sha256 == record.prompt_sha256


def test_every_score_equals_a_recount_from_the_stored_answers(joking: Stage) -> None:
    ended = joking.run()
    key = ended.resolution.basis.student
    examples = joking.store.tasks.examples("posts")
    validation = [e for e in examples if e.split is Split.VALIDATION]
    for record in ended.rounds:
        for split, figure in [(Split.TRAIN, record.train), (Split.VALIDATION, record.validation)]:
            own = [e for e in examples if e.split is split]
            stored = joking.store.effects.answers(key, record.prompt_sha256, [e.hash for e in own])
            assert figure
            assert (figure.n, figure.right) == (len(own), sum(stored[e.hash].label == e.label for e in own))
        for tried in record.trials:
            own = [e for e in validation if not tried.examples or e.hash in tried.examples]
            before, after = (
                joking.store.effects.answers(key, sha, [e.hash for e in own])
                for sha in (tried.base_sha256, tried.prompt_sha256)
            )
            found = tried.result.comparison
            assert found
            assert found.fixed == sum(before[e.hash].label != e.label == after[e.hash].label for e in own)
            assert found.broken == sum(before[e.hash].label == e.label != after[e.hash].label for e in own)


def test_what_a_reviewer_has_to_look_at_first_is_tried_and_not_taken_up(sqlite_store: SqliteStore) -> None:
    conflicted(sqlite_store, JOKES, [INSULT, PRAISE])
    clashing = text("insult and joke is said", "keep", priority=1)
    ended = scripted(sqlite_store, ("joke", lambda r: [action("new_rule", [], r, clashing)])).run()
    (made,) = ended.rounds[1].proposals
    assert made.proposal.flags == ("It contradicts R1.",)
    assert ended.rounds[1].trials[0].result.passes
    assert (ended.score.best_round, ended.rounds[-1].stop) == (0, Stop.NO_GAIN)


def test_a_rule_that_was_measured_to_be_at_fault_is_asked_about_though_its_evidence_is_elsewhere(
    sqlite_store: SqliteStore,
) -> None:
    kinds = [*PLAIN, ("praise link", "keep"), ("spam link", "remove")]
    conflicted(sqlite_store, kinds, [INSULT, PRAISE, RuleSpec("link is said", "remove", "spam", priority=1)])

    def narrow(request: ChatRequest) -> Sequence[dict[str, Any]]:
        wanted = text("spam and link is said", "remove", priority=1)
        return [action("narrow", ["R3"], request, wanted)] if "[R3]" in block(request, "RULES") else []

    acting = scripted(sqlite_store, ("praise link", narrow))
    unmeasured = acting.run(limited(rounds=1))
    assert unmeasured.rounds[1].groups[0].rules == ("R2",)

    leave_out_on_train(sqlite_store, acting.student)

    ended = acting.run(replace(ORDER, key="job 8"))
    assert ended.rounds[1].groups[0].rules == ("R2", "R3")
    assert macro_f1(ended.best.validation) == 1.0


# --- together ---------------------------------------------------------------------------------------------------------


def both_needed(store: SqliteStore) -> Stage:
    """Jokes hold two insults, each with a rule of its own: one exception alone changes nothing."""
    kinds = [*PLAIN, ("slur plain", "remove"), ("insult slur joke", "keep"), ("slur insult joke", "keep")]
    conflicted(store, kinds, [INSULT, PRAISE, RuleSpec("slur is said", "remove", "slur")])

    def excepted(request: ChatRequest) -> Sequence[dict[str, Any]]:
        rules = block(request, "RULES")
        named = [(rule, word) for rule, word in (("R1", "insult"), ("R3", "slur")) if f"[{rule}]" in rules]
        return [
            action("add_exception", [rule], request, text(f"{word} is said", "remove", ["joke is said"]))
            for rule, word in named
            if "EXCEPT" not in rules
        ]

    return scripted(store, ("joke", excepted))


def test_what_only_helps_together_is_found_by_the_joint_trial(sqlite_store: SqliteStore) -> None:
    ended = both_needed(sqlite_store).run()
    stages = [(t.stage, t.result.passes) for t in ended.rounds[1].trials]
    assert stages == [(TrialStage.SINGLE, False), (TrialStage.SINGLE, False), (TrialStage.JOINT, True)]
    assert macro_f1(ended.best.validation) == 1.0


def test_an_equal_rule_for_two_groups_is_tried_once_and_rests_on_the_examples_of_both(
    sqlite_store: SqliteStore,
) -> None:
    conflicted(sqlite_store, [*PLAIN, ("spam offer", "remove"), ("insult spam", "keep")], [INSULT, PRAISE])
    wanted = text("spam is said", "keep", priority=1)

    def both(request: ChatRequest) -> Sequence[dict[str, Any]]:
        named = {**wanted, "title": f"Found in {len(request.subjects)}", "rationale": request.user[-40:]}
        return [action("new_rule", [], request, named)]

    acting = scripted(sqlite_store, ("spam", both))
    ended = acting.run(limited(rounds=1, greedy=True))
    first, second = (made.proposal for made in ended.rounds[1].proposals)
    assert first.texts[0].text.condition == second.texts[0].text.condition
    assert (first.refusal, second.refusal) == (None, Refusal.SAID_ALREADY)
    assert set(first.examples) != set(second.examples)
    assert {t.proposals for t in ended.rounds[1].trials} == {(first.hash,)}
    (evidence,) = ended.rounds[1].proposals[0].evidence
    assert {e.example_hash for e in evidence} == {*first.examples, *second.examples}
    assert len({request.system for request in acting.student.asked}) == 2
    assert acting.run(limited(rounds=1, greedy=True)).rounds == ended.rounds


def test_a_greedy_order_adds_up_one_by_one(sqlite_store: SqliteStore) -> None:
    kinds = [*JOKES, ("spam offer", "remove"), ("slur plain", "remove")]
    conflicted(sqlite_store, kinds, [INSULT, PRAISE])
    stage_ = scripted(
        sqlite_store,
        ("joke", excepting),
        ("spam", spam_rule),
    )
    ended = stage_.run(limited(greedy=True, rounds=1))
    greedy = [t for t in ended.rounds[1].trials if t.stage is TrialStage.GREEDY]
    assert [len(t.proposals) for t in greedy] == [1, 2]
    assert greedy[0].result.gain < greedy[1].result.gain
    assert ended.rounds[-1].stop is Stop.LIMIT


# --- people, limits, roles --------------------------------------------------------------------------------------------


def test_what_people_found_is_asked_about_first(sqlite_store: SqliteStore) -> None:
    conflicted(sqlite_store, JOKES, [INSULT, PRAISE])
    finding = Finding(make_example("insult among friends", "keep"), "remove", ("R1",))
    quiet = scripted(sqlite_store)
    quiet.run(people=FromPeople((finding,)))
    assert "insult among friends" in block(quiet.teacher.asked[0], "WRONG")


def test_close_rules_are_asked_about_before_any_answer_is_wrong(sqlite_store: SqliteStore) -> None:
    fill(sqlite_store, examples=posts(PLAIN))
    train = [e for e in sqlite_store.tasks.examples("posts") if e.split is Split.TRAIN and e.label == "remove"]
    given = [make_rule(rule_text("insult is said", label), train, origin=label) for label in ("remove", "keep")]
    rules = [rule_in_review(sqlite_store, rule) for rule in given]
    heads = [sqlite_store.rules.summary(rule_id).head for rule_id in rules]
    sqlite_store.lineage.note_overlaps("posts", heads, [Overlap(heads[0], heads[1], 0.9)])
    for rule_id in rules:
        sqlite_store.rules.judge(verdict_on(sqlite_store, rule_id), ANNA)
    quiet = scripted(sqlite_store)
    ended = quiet.run()
    assert [g.source for g in ended.rounds[1].groups] == [Source.RULES]
    assert "insult plain train 0" in block(quiet.teacher.asked[0], "MATCHES_BOTH")


def test_the_cap_on_questions_holds_over_all_starts(joking: Stage) -> None:
    order = limited(student_calls=60)
    for _ in range(2):
        with pytest.raises(BudgetReached, match="at most 60 questions"):
            joking.run(order)
        assert len(joking.student.asked) == 58
    ended = joking.run(limited(student_calls=1_000))
    assert ended.score.best_round == 1
    assert ended.resolution.order.limits.student_calls == 60
    assert len({(r.system, r.user) for r in joking.student.asked}) == len(joking.student.asked)


def test_no_validation_text_and_no_personal_data_is_sent_to_be_compared(sqlite_store: SqliteStore) -> None:
    examples = [replace(e, masked=True) for e in posts(JOKES)]
    mail = make_example("insult joke from a.b@example.org", "keep")
    fill(sqlite_store, examples=[*examples, replace(mail, masked=True)])
    train = [e for e in examples if e.split is Split.TRAIN and e.label == "remove"]
    approved_rule(sqlite_store, make_rule(rule_text("insult is said", "remove"), train))
    sent: list[str] = []

    class Listening(FirstWordEmbedder):
        async def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
            sent.extend(texts)
            return await super().embed(texts)

    stage_ = scripted(sqlite_store, ("joke", excepting))
    listening = LoopModels(stage_.teacher, stage_.student, Listening(), FirstWordEmbedder())
    asyncio.run(resolve(sqlite_store, listening, ORDER, ANNA, no_report))
    assert sent
    assert not any("validation" in text_ or "test" in text_ or "a.b@" in text_ for text_ in sent)


def test_a_cancelled_loop_asks_nothing_more(joking: Stage) -> None:
    def cancel(done: int, total: int, message: str) -> None:
        if message.startswith("round 1: trial"):
            raise JobCancelled("Somebody cancelled it.")

    with pytest.raises(JobCancelled):
        joking.run(report=cancel)
    before = joking.calls
    assert joking.run().score.best_round == 1
    assert before < joking.calls


def test_without_rules_or_examples_nothing_is_asked(sqlite_store: SqliteStore) -> None:
    conflicted(sqlite_store, PLAIN, [])
    empty = scripted(sqlite_store)
    with pytest.raises(InvalidInput, match="No rule of posts is in force"):
        empty.run()
    assert empty.calls == 0


def test_a_key_is_of_one_task(joking: Stage) -> None:
    joking.run()
    joking.store.tasks.add(make_task("other"), ANNA)
    with pytest.raises(InvalidInput, match="The loop job 7 is one of the task posts"):
        joking.run(replace(ORDER, task="other"))


def test_who_only_reads_orders_no_loop(joking: Stage) -> None:
    with pytest.raises(MissingRole, match="let a teacher propose"):
        joking.store.resolutions.begin(ORDER, None, READER)  # type: ignore[arg-type]


def test_no_trial_prompt_is_stored_as_a_version(joking: Stage) -> None:
    joking.run()
    assert joking.store.prompts.all("posts") == ()


# --- before and after -------------------------------------------------------------------------------------------------


def models(stage_: Stage) -> LoopModels:
    return LoopModels(stage_.teacher, stage_.student, FirstWordEmbedder(), FirstWordEmbedder())


def test_an_estimate_asks_nothing_and_is_exact_once_the_student_has_answered(joking: Stage) -> None:
    order = limited(rounds=1, groups=2, trials=3, greedy=True)
    before = asyncio.run(estimate_loop(joking.store, models(joking), order, FREE))
    assert (joking.calls, before.open_now, before.teacher_most, before.first_round) == (0, 42, 2, None)
    assert before.student_most == 42 + (3 + 2) * 24 + 18 + 2 * 24 + 2 * 12
    ended = joking.run(order)
    assert len(joking.student.asked) <= before.student_most
    again = asyncio.run(estimate_loop(joking.store, models(joking), replace(order, key="job 8"), FREE))
    assert again.open_now == 0
    assert again.first_round
    assert again.first_round.calls == 0
    assert again.as_json()["teacher_calls_at_most"] == 2
    assert len(ended.rounds[1].groups) == 1


def test_the_teachers_calls_are_told_before_they_are_made(joking: Stage) -> None:
    def stop(done: int, total: int, message: str) -> None:
        if message == "round 1: asking":
            raise JobCancelled("Somebody cancelled it.")

    with pytest.raises(JobCancelled):
        joking.run(report=stop)
    told = asyncio.run(estimate_loop(joking.store, models(joking), replace(ORDER, key="job 8"), FREE))
    assert told.first_round
    assert (told.first_round.calls, told.first_round.cost, told.open_now) == (1, 0, 0)
