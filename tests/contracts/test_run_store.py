"""Runs on the store: what the cache answers, what it keeps, which runs speak for a version, looks at test."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pld_core.effect import StudentKey
from pld_core.effect_ports import KeptAnswer
from pld_core.errors import MissingReason, MissingRole, WorkspaceError
from pld_core.evaluation import failed_answer
from pld_core.metrics import cells_of
from pld_core.models import Answer, AnswerStatus, Example, Prediction, Run, Split
from pld_core.records import ExampleFilter
from pld_core.run_setup import PLAIN_SETUP, RunSetup
from storage import SqliteStore as Store
from tests.factories import ANNA, READER
from tests.releasing import LOOK, TASK, one_version

KEY = StudentKey("told", "sha256:weights", "sha256:o")
KEEP, REMOVE = (Answer(label, label, AnswerStatus.OK, 7) for label in ("keep", "remove"))


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """A task with version 1, evaluated on its 24 test examples by run 1."""
    one_version(sqlite_store)
    return sqlite_store


def begin(store: Store, split: Split = Split.TRAIN, setup: RunSetup = PLAIN_SETUP) -> Run:
    sha256 = store.prompts.get(TASK, 1).prompt.sha256
    wanted = Run(0, TASK, 1, sha256, "told", "sha256:weights", split, "", "", 4, None, setup)
    return store.runs.start(wanted, ANNA)


def train(store: Store) -> tuple[Example, ...]:
    return store.tasks.examples(TASK, ExampleFilter(split=Split.TRAIN))


# --- the cache --------------------------------------------------------------------------------------------------------


def test_an_answer_is_kept_for_the_run_and_for_the_next_one(store: Store) -> None:
    first, (one, two, *_) = begin(store), train(store)
    store.runs.add_predictions(first.id, [Prediction(one.hash, one.label, REMOVE)], KEY)
    second = begin(store)
    assert store.runs.take_cached(second, KEY, [one, two]) == 1
    assert store.runs.predictions(second.id) == (Prediction(one.hash, one.label, REMOVE),)
    assert (store.runs.from_cache(first.id), store.runs.from_cache(second.id)) == (0, 1)


def test_what_got_no_answer_is_the_run_s_and_not_the_cache_s(store: Store) -> None:
    first, (one, *_) = begin(store), train(store)
    store.runs.add_predictions(first.id, [Prediction(one.hash, one.label, failed_answer("Busy."))], KEY)
    assert len(store.runs.predictions(first.id)) == 1
    assert store.effects.answers(KEY, first.prompt_sha256, [one.hash]) == {}
    assert store.runs.take_cached(begin(store), KEY, [one]) == 0


def test_both_are_kept_in_one_transaction(store: Store) -> None:
    first, (one, *_) = begin(store), train(store)
    with store.database.write() as write:
        write.conn.execute("CREATE TRIGGER full BEFORE INSERT ON student_answer BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(WorkspaceError, match="full"):
        store.runs.add_predictions(first.id, [Prediction(one.hash, one.label, KEEP)], KEY)
    assert store.runs.predictions(first.id) == ()


def test_an_answer_that_the_run_has_is_not_taken_again(store: Store) -> None:
    first, (one, *_) = begin(store), train(store)
    store.effects.keep(KEY, [KeptAnswer(first.prompt_sha256, one.hash, KEEP)])
    store.runs.add_predictions(first.id, [Prediction(one.hash, one.label, REMOVE)])
    assert store.runs.take_cached(first, KEY, [one]) == 0
    assert store.runs.predictions(first.id)[0].answer == REMOVE


@pytest.mark.parametrize("part", ["name", "digest", "options"])
def test_another_student_finds_nothing(store: Store, part: str) -> None:
    first, (one, *_) = begin(store), train(store)
    store.runs.add_predictions(first.id, [Prediction(one.hash, one.label, KEEP)], KEY)
    other = replace(KEY, **{part: "another"})
    assert store.runs.take_cached(begin(store), other, [one]) == 0
    assert store.runs.known(other, first.prompt_sha256, TASK, Split.TRAIN) == 0


def test_known_answers_are_counted_over_the_split(store: Store) -> None:
    first, (one, two, *_) = begin(store), train(store)
    answers = [KeptAnswer(first.prompt_sha256, example.hash, KEEP) for example in (one, two)]
    store.effects.keep(KEY, [*answers, KeptAnswer(first.prompt_sha256, "sha256:gone", KEEP)])
    assert store.runs.known(KEY, first.prompt_sha256, TASK, Split.TRAIN) == 2
    assert store.runs.known(KEY, first.prompt_sha256, TASK, Split.TEST) == 0
    assert store.runs.known(KEY, "sha256:other", TASK, Split.TRAIN) == 0


def test_the_latency_is_the_median_of_a_student_s_answers(store: Store) -> None:
    assert store.runs.latency_ms("told") is None
    answers = [replace(KEEP, latency_ms=ms) for ms in (10, 900, 20)]
    store.effects.keep(KEY, [KeptAnswer("p", f"e{i}", answer) for i, answer in enumerate(answers)])
    assert (store.runs.latency_ms("told"), store.runs.latency_ms("else")) == (20, None)


def test_answers_are_counted_by_kind_as_reading_each_would(store: Store) -> None:
    run, (one, two, three, four) = begin(store), train(store)
    given = [(one, KEEP), (two, REMOVE), (three, KEEP), (four, failed_answer("Busy."))]
    store.runs.add_predictions(run.id, [Prediction(e.hash, e.label, answer) for e, answer in given])
    assert store.runs.counted(run.id) == cells_of(store.runs.predictions(run.id))
    assert store.runs.counted(run.id).total() == 4
    assert not store.runs.counted(99)


# --- trials -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setup", [RunSetup(0.7, 1, group="g"), RunSetup(seed=1, shuffled=True, group="g")])
def test_a_trial_is_kept_apart_and_gates_do_not_see_it(store: Store, setup: RunSetup) -> None:
    before = store.releases.gates(TASK, 1)
    run = begin(store, Split.VALIDATION, setup)
    # The newest run of this very text, and all of it wrong: a gate that looked at it would be red.
    trial = replace(run, split=Split.TEST, setup=replace(setup, reason="how stable is it"), total=24)
    trial = store.runs.start(trial, ANNA)
    answers = [
        Prediction(e.hash, e.label, failed_answer("no"))
        for e in store.tasks.examples(TASK, ExampleFilter(split=Split.TEST))
    ]
    store.runs.add_predictions(trial.id, answers)
    assert [one.id for one in store.runs.all(TASK)] == [1]
    assert store.runs.trials(TASK) == (trial, run)
    assert store.runs.repeats("g") == (run, trial)
    after = {gate.key: gate for gate in store.releases.gates(TASK, 1)}
    assert {gate.key: gate.state for gate in before} == {key: gate.state for key, gate in after.items()}
    assert "run 1:" in after["evaluated"].figure


def test_the_prompt_of_a_trial_is_kept_word_for_word(store: Store) -> None:
    version = store.prompts.get(TASK, 1).prompt
    trial = replace(version, text=version.text + " ", sha256="sha256:trial")
    wanted = Run(0, TASK, 1, trial.sha256, "told", "", Split.TRAIN, "", "", 4, None, RunSetup(shuffled=True))
    run = store.runs.start(wanted, ANNA, trial)
    assert store.runs.trial_prompt(run.id) == trial
    assert store.runs.trial_prompt(1) is None


def test_the_setup_of_a_run_comes_back_as_it_was_given(store: Store) -> None:
    setup = RunSetup(0.5, 3, True, "g", "sha256:o", "")
    assert store.runs.get(begin(store, setup=setup).id).setup == setup


# --- the locked split -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["", " \n "])
def test_a_look_at_the_test_split_needs_a_reason(store: Store, reason: str) -> None:
    before = store.events.count()
    with pytest.raises(MissingReason, match=r"Nothing was asked\. Say why"):
        begin(store, Split.TEST, RunSetup(reason=reason))
    assert (len(store.runs.all(TASK)), store.events.count()) == (1, before)


def test_each_look_is_counted_and_recorded_with_its_reason(store: Store) -> None:
    run = begin(store, Split.TEST, RunSetup(reason="  before\n the release "))
    begin(store, Split.VALIDATION)
    assert [(one.id, one.created_by, one.setup.reason) for one in store.runs.looks(TASK)] == [
        (run.id, "anna", "before the release"),
        (1, "anna", LOOK.reason),
    ]
    event = store.events.page()[1]
    assert (event.kind, event.payload["look"], event.payload["reason"]) == ("run.started", 2, "before the release")
    assert "look" not in store.events.page()[0].payload


def test_a_run_that_its_job_had_begun_is_no_new_look(store: Store) -> None:
    wanted = replace(begin(store, Split.TEST, LOOK), job_id=9)
    first = store.runs.start(wanted, ANNA)
    again = store.runs.start(replace(wanted, setup=PLAIN_SETUP), ANNA)
    assert first == again
    assert len(store.runs.looks(TASK)) == 3


def test_who_may_not_evaluate_begins_nothing(store: Store) -> None:
    with pytest.raises(MissingRole):
        store.runs.start(store.runs.get(1), READER)
