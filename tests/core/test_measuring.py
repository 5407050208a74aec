"""Measuring an effect: each question is asked once, ever, and what got no answer is asked again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest

from pld_core.backends.tfidf import TfidfEmbedder
from pld_core.calls import Limits
from pld_core.effect import StoredEffect, Trial
from pld_core.errors import BackendError, BackendRefused, BackendUnreachable, CallsStopped, InvalidInput, JobCancelled
from pld_core.measuring import measure, open_questions, plan, standing_basis, student_key
from pld_core.model_ports import ChatRequest
from pld_core.models import AnswerStatus, Split
from pld_core.ports import Progress
from storage import SqliteStore
from tests.core.virtual_time import InstantClock
from tests.factories import (
    ANNA,
    ToldChat,
    approved_rule,
    fill,
    make_examples,
    make_rule,
    make_text,
    no_report,
    rule_in_review,
)

N = 6
RULE = "the post is rude"
KEEP, REMOVE = '{"label": "keep"}', '{"label": "remove"}'


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    """R1 approved, R2 in review, six validation examples, half of them to keep."""
    fill(sqlite_store, examples=[*make_examples(4), *make_examples(N, Split.VALIDATION)])
    approved_rule(sqlite_store)
    rule = make_rule(make_text(RULE, "remove"), sqlite_store.tasks.examples("posts")[2:4], origin="other")
    rule_in_review(sqlite_store, rule)
    return sqlite_store


def obedient(request: ChatRequest) -> str:
    """Keep everything, unless the rule under test is in the prompt."""
    return REMOVE if RULE in request.system else KEEP


def trial_of(store: SqliteStore, rule: str = "R2") -> Trial:
    return asyncio.run(plan(store, TfidfEmbedder(), store.rules.dossier(rule, ANNA)))


def measured(store: SqliteStore, chat: ToldChat, report: Progress = no_report, attempts: int = 1) -> StoredEffect:
    limits = Limits(in_flight=1, attempts=attempts)
    return asyncio.run(measure(store, chat, trial_of(store), report, ANNA, limits, InstantClock()))


@dataclass
class Failing:
    """Says what an obedient student says, and raises at some of its questions, counted from 1."""

    at: range
    error: BackendError
    asked: int = 0

    def __call__(self, request: ChatRequest) -> str:
        self.asked += 1
        if self.asked in self.at:
            raise self.error
        return obedient(request)


# --- what is to be measured -------------------------------------------------------------------------------------------


def test_the_plan_asks_nothing_and_says_what_it_takes(store: SqliteStore) -> None:
    trial = trial_of(store)
    assert {e.split for e in trial.examples} == {Split.VALIDATION}
    assert (len(trial.examples), trial.questions, trial.basis.validation) == (N, 2 * N, N)
    assert trial.basis == standing_basis(store, store.rules.dossier("R2", ANNA))


def test_without_validation_examples_there_is_nothing_to_measure(sqlite_store: SqliteStore) -> None:
    fill(sqlite_store)
    rule_in_review(sqlite_store)
    with pytest.raises(InvalidInput, match=r"no validation examples.*Nothing was changed"):
        trial_of(sqlite_store, "R1")


# --- measuring --------------------------------------------------------------------------------------------------------


def test_both_prompts_are_asked_about_each_example_and_the_answers_compared(store: SqliteStore) -> None:
    chat = ToldChat(obedient)
    stored = measured(store, chat)
    assert len(chat.asked) == 2 * N
    assert [RULE in request.system for request in chat.asked] == [False] * N + [True] * N
    assert (stored.effect.fixed, stored.effect.broken) == (N // 2, N // 2)
    assert stored.effect.manifest["rules"] == trial_of(store).prompts.with_rule.manifest()["rules"]
    assert store.effects.of_rule("R2") == (stored,)


def test_measuring_again_asks_nothing(store: SqliteStore) -> None:
    chat = ToldChat(obedient)
    first = measured(store, chat)
    assert measured(store, chat) == first
    assert len(chat.asked) == 2 * N
    assert [event.kind for event in store.events.page()].count("rule.effect_measured") == 1


def test_after_an_edit_only_the_prompt_with_the_rule_is_asked_again(store: SqliteStore) -> None:
    chat = ToldChat(obedient)
    first = measured(store, chat)
    before = store.rules.dossier("R2", ANNA)
    text = replace(before.head.text, condition=f"{RULE} or mean")
    store.rules.edit("R2", before.head.hash, before.summary.state, text, "wider", ANNA)
    now = standing_basis(store, store.rules.dossier("R2", ANNA))
    assert first.effect.basis.changes(now) == ("an earlier text of the rule",)
    second = measured(store, chat)
    assert len(chat.asked) == 3 * N
    assert second.effect.basis == now


def test_a_rule_that_came_into_force_makes_it_one_of_an_earlier_prompt(store: SqliteStore) -> None:
    first = measured(store, ToldChat(obedient))
    approved_rule(store, make_rule(make_text("it is spam", "remove"), make_examples(2), origin="third"))
    now = standing_basis(store, store.rules.dossier("R2", ANNA))
    assert first.effect.basis.changes(now) == ("an earlier prompt",)


def test_other_weights_answer_anew(store: SqliteStore) -> None:
    trial = trial_of(store)
    status = asyncio.run(ToldChat(obedient).status())
    measured(store, ToldChat(obedient))
    assert open_questions(store, student_key(trial.task, status), trial) == ()
    for other in (replace(status, digest="sha256:new"), replace(status, context_size=512)):
        assert len(open_questions(store, student_key(trial.task, other), trial)) == 2 * N


def test_progress_counts_what_was_answered_before(store: SqliteStore) -> None:
    told: list[tuple[int, int]] = []
    measured(store, ToldChat(obedient), lambda done, total, _: told.append((done, total)))
    assert (told[0], told[-1]) == ((0, 2 * N), (2 * N, 2 * N))
    told.clear()
    measured(store, ToldChat(obedient), lambda done, total, _: told.append((done, total)))
    assert set(told) == {(2 * N, 2 * N)}


# --- what goes wrong --------------------------------------------------------------------------------------------------


@dataclass
class Cancelling:
    """Stops the work once so much is done."""

    after: int

    def __call__(self, done: int, total: int, message: str) -> None:
        if done >= self.after:
            raise JobCancelled(f"cancelled after {done} of {total} {message}")


def test_a_cancelled_measurement_keeps_its_answers_and_the_next_asks_the_rest(store: SqliteStore) -> None:
    chat = ToldChat(obedient)
    with pytest.raises(JobCancelled):
        measured(store, chat, Cancelling(5))
    assert store.effects.of_rule("R2") == ()
    assert len(chat.asked) == 5
    measured(store, chat)
    asked = [(request.system, request.user) for request in chat.asked]
    assert len(asked) == len(set(asked)) == 2 * N


def test_a_student_that_is_not_ready_is_asked_nothing(store: SqliteStore) -> None:
    chat = ToldChat(obedient, ready=False)
    with pytest.raises(BackendError, match=r"It sleeps\. Wake it up\."):
        measured(store, chat)
    assert chat.asked == []


def test_an_answer_without_a_label_is_kept_as_what_it_is(store: SqliteStore) -> None:
    chat = ToldChat(lambda request: "Let me think." if RULE in request.system else KEEP)
    stored = measured(store, chat)
    assert stored.effect.unusable == {AnswerStatus.MALFORMED: N}
    assert (stored.effect.fixed, stored.effect.broken) == (0, N // 2)
    measured(store, chat)
    assert len(chat.asked) == 2 * N


def test_a_question_without_an_answer_counts_as_wrong_and_is_asked_again_next_time(store: SqliteStore) -> None:
    chat = ToldChat(Failing(range(3, 4), BackendRefused("It says no.")))
    first = measured(store, chat)
    assert first.effect.unusable == {AnswerStatus.FAILED: 1}
    second = measured(store, chat)
    assert second.effect.unusable == {}
    assert len(chat.asked) == 2 * N + 1
    assert store.effects.of_rule("R2") == (second, first)


def test_a_student_that_answers_nothing_leaves_no_effect(store: SqliteStore) -> None:
    chat = ToldChat(Failing(range(1, 99), BackendRefused("It says no.")))
    with pytest.raises(CallsStopped, match="It says no"):
        measured(store, chat)
    assert store.effects.of_rule("R2") == ()


def test_a_student_that_goes_away_stops_the_measurement_with_its_answers_kept(store: SqliteStore) -> None:
    chat = ToldChat(lambda _: KEEP)
    failing = Failing(range(4, 5), BackendUnreachable("It is gone."))

    def leave(request: ChatRequest) -> str:
        chat.ready = failing.asked < 3
        return failing(request)

    chat.say = leave
    with pytest.raises(BackendUnreachable, match="What was answered is kept"):
        measured(store, chat)
    chat.ready, chat.say = True, obedient
    measured(store, chat)
    assert len(chat.asked) == 2 * N + 1
