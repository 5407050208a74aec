"""Runs and the cache of answers: what the same weights were asked before in just this way is not asked again."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pld_core.asking import ONE_BY_ONE, Evaluation, answer_run, start_run
from pld_core.compilation import compile_prompt
from pld_core.effect_ports import KeptAnswer
from pld_core.errors import BackendBusy, InvalidInput
from pld_core.measuring import student_key
from pld_core.model_ports import BackendStatus, ChatRequest
from pld_core.models import Answer, AnswerStatus, PromptVersion, Run, Split
from pld_core.rule_shuffle import shuffled_prompt
from pld_core.run_estimate import RunEstimate, estimate_run
from pld_core.run_setup import PLAIN_SETUP, RunSetup
from storage import SqliteStore
from tests.core.virtual_time import InstantClock
from tests.factories import (
    ANNA,
    ToldChat,
    approved_rule,
    fill,
    make_example,
    make_examples,
    make_rule,
    make_text,
    no_report,
)

VALIDATION = make_examples(4, Split.VALIDATION)
KEEP = '{"label": "keep"}'


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    """A task with four validation examples and prompt version 1."""
    fill(sqlite_store, examples=[*make_examples(2), *VALIDATION])
    approved_rule(sqlite_store)
    compiled(sqlite_store)
    return sqlite_store


def compiled(store: SqliteStore) -> PromptVersion:
    return store.prompts.save(compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts")), ANNA)


def keeping() -> ToldChat:
    return ToldChat(lambda _: KEEP)


def evaluated(
    store: SqliteStore,
    student: ToldChat,
    setup: RunSetup = PLAIN_SETUP,
    prompt: int = 1,
    split: Split = Split.VALIDATION,
) -> Run:
    """Evaluate without a job: each is a run of its own."""

    async def work() -> Run:
        run = await start_run(store, student, Evaluation("posts", prompt, split, setup=setup), ANNA)
        await answer_run(store, student, run, no_report, ONE_BY_ONE, InstantClock())
        return run

    return asyncio.run(work())


# --- what was answered before is not asked again ----------------------------------------------------------------------


def test_a_second_run_costs_no_call_and_has_the_same_answers(store: SqliteStore) -> None:
    student = keeping()
    first = evaluated(store, student)
    assert len(student.asked) == 4
    second = evaluated(store, student)
    assert len(student.asked) == 4
    assert store.runs.predictions(second.id) == store.runs.predictions(first.id)
    assert (store.runs.from_cache(first.id), store.runs.from_cache(second.id)) == (0, 4)
    last = store.events.page()[0]
    assert (last.kind, last.payload["from_cache"], last.payload["n"]) == ("run.finished", 4, 4)


def test_a_hundred_examples_more_cost_a_hundred_calls(store: SqliteStore) -> None:
    student = keeping()
    evaluated(store, student)
    added = [make_example(f"added {i}", split=Split.VALIDATION) for i in range(100)]
    store.tasks.import_examples("posts", added, "more.csv", ANNA)
    run = evaluated(store, student)
    assert len(student.asked) == 104
    assert {request.user for request in student.asked[4:]} == {f"POST:\n{example.text}" for example in added}
    assert (run.total, store.runs.from_cache(run.id)) == (104, 4)


def test_a_call_that_failed_is_made_again_by_the_next_run(store: SqliteStore) -> None:
    def say(request: ChatRequest) -> str:
        if request.user.endswith("number 1"):
            raise BackendBusy("Busy.")
        return KEEP

    evaluated(store, ToldChat(say))
    student = keeping()
    run = evaluated(store, student)
    assert [request.user for request in student.asked] == [f"POST:\n{VALIDATION[1].text}"]
    assert {p.answer.status for p in store.runs.predictions(run.id)} == {AnswerStatus.OK}


def test_what_the_effect_of_a_rule_was_measured_with_is_known_to_a_run(store: SqliteStore) -> None:
    student = keeping()
    prompt = store.prompts.get("posts", 1).prompt
    key = student_key(store.tasks.get("posts"), asyncio.run(student.status()))
    answer = Answer("remove", "remove", AnswerStatus.OK, 5)
    store.effects.keep(key, [KeptAnswer(prompt.sha256, VALIDATION[0].hash, answer)])
    run = evaluated(store, student)
    assert len(student.asked) == 3
    assert store.runs.predictions(run.id)[0].answer == answer


@pytest.mark.parametrize("setup", [RunSetup(temperature=0.7), RunSetup(seed=3), RunSetup(temperature=0.7, seed=3)])
def test_another_temperature_or_seed_is_another_question_and_is_sent(store: SqliteStore, setup: RunSetup) -> None:
    student = keeping()
    evaluated(store, student)
    evaluated(store, student, setup)
    assert len(student.asked) == 8
    assert {(r.temperature, r.seed) for r in student.asked[4:]} == {(setup.temperature, setup.seed)}
    evaluated(store, student, setup)
    assert len(student.asked) == 8


def test_a_run_is_not_gone_on_with_in_another_window(store: SqliteStore) -> None:
    class Wider(ToldChat):
        async def status(self) -> BackendStatus:
            return replace(await super().status(), context_size=9_000)

    run = asyncio.run(start_run(store, keeping(), Evaluation("posts", 1, Split.VALIDATION), ANNA))
    wider = Wider(lambda _: KEEP)
    with pytest.raises(InvalidInput, match=r"another context window.*Its answers are kept\. Start a new run"):
        asyncio.run(answer_run(store, wider, run, no_report))
    assert wider.asked == []


def test_a_run_over_nothing_ends_without_a_question(store: SqliteStore) -> None:
    student = keeping()

    evaluated(store, student, RunSetup(reason="is it empty"), split=Split.TEST)
    assert student.asked == []


# --- rules in another order -------------------------------------------------------------------------------------------


def test_shuffled_rules_are_asked_with_their_own_prompt_which_is_kept(store: SqliteStore) -> None:
    for number in range(2, 6):
        approved_rule(store, make_rule(make_text(f"the post is of kind {number}"), VALIDATION[:2], origin=f"o{number}"))
    version = compiled(store)
    student, setup = keeping(), RunSetup(seed=1, shuffled=True)

    run = evaluated(store, student, setup, version.number)
    trial = store.runs.trial_prompt(run.id)
    assert trial is not None
    assert trial == shuffled_prompt(version.prompt, 1)
    assert (run.prompt_number, run.prompt_sha256) == (version.number, trial.sha256)
    assert {request.system for request in student.asked} == {trial.text} != {version.prompt.text}
    assert store.runs.all("posts") == ()


# --- what it will cost ------------------------------------------------------------------------------------------------


def cost(store: SqliteStore, setup: RunSetup = PLAIN_SETUP, in_flight: int = 1) -> str:
    status = asyncio.run(keeping().status())
    return estimate_run(store, status, Evaluation("posts", 1, Split.VALIDATION, setup=setup), in_flight).words


def test_before_the_first_answer_the_calls_are_known_and_the_time_is_not(store: SqliteStore) -> None:
    assert cost(store) == "4 questions: 4 calls; how long that takes is known after the student's first answers"


def test_what_was_answered_before_costs_nothing_and_tells_how_long_the_rest_takes(store: SqliteStore) -> None:
    evaluated(store, keeping())
    assert cost(store) == "4 questions, 4 answered before: 0 calls"
    slow = [KeptAnswer("p", f"e{i}", Answer("keep", "keep", AnswerStatus.OK, 30_000)) for i in range(9)]
    store.effects.keep(student_key(store.tasks.get("posts"), asyncio.run(keeping().status())), slow)
    assert cost(store, RunSetup(seed=1)) == "4 questions: 4 calls, about 2 min"
    assert cost(store, RunSetup(seed=1), in_flight=2) == "4 questions: 4 calls, about 60 s"


def test_estimates_add_up_and_one_that_is_not_known_makes_the_sum_unknown() -> None:
    known, unknown = RunEstimate(4, 2, 30.0), RunEstimate(4, 4, None)
    assert known + known == RunEstimate(8, 4, 60.0)
    assert known + unknown == RunEstimate(8, 6, None)
