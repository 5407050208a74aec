"""The jobs that try edited texts and add up proposals: done, continued after a kill, and no question is asked twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pld_app import edited_trials, greedy_orders
from pld_app.greedy_orders import GreedyOrder
from pld_app.wiring import App
from pld_core.conflicts.proposal import Proposal
from pld_core.conflicts.records import Fate, Stage
from pld_core.conflicts.running_score import running_score
from pld_core.greedy_order import greedy_most
from pld_core.models import Job, JobState
from tests.cli.fake_ollama import FakeOllama, fake_ollama
from tests.cli.worker_scenes import kill_worker_at, run_queued, run_taken_over
from tests.factories import ANNA, BERT, no_report
from tests.loops_on_ollama import VALIDATION, looped_on


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with fake_ollama() as server:
        yield server


@pytest.fixture
def app(tmp_path: Path, ollama: FakeOllama) -> App:
    return looped_on(tmp_path / "space", ollama)


def made(app: App) -> Proposal:
    return app.store.resolutions.rounds(1)[1].proposals[0].proposal


def ordered(app: App) -> Job:
    """Order the trial of another exception, in the name of Bert."""
    better = replace(made(app).texts[0].text, exceptions=("joke is said",))
    return edited_trials.order(replace(app, actor=BERT), 1, made(app).hash, (better,))


# --- edited texts -----------------------------------------------------------------------------------------------------


def test_edited_texts_are_tried_in_the_name_of_who_ordered_it_and_go_to_review(app: App, ollama: FakeOllama) -> None:
    ordered(app)
    ended = run_queued(app)
    assert (ended.state, ended.done, ended.total) == (JobState.DONE, VALIDATION, VALIDATION)
    assert ended.message.startswith("fixes 8, breaks 0 of 24 (net +8")
    assert len(ollama.asked) == VALIDATION
    (edited,) = app.store.proposals.edits(1)
    tried = app.store.proposals.trials(1, made(app).hash)[-1]
    assert (tried.stage, tried.texts, edited.by) == (Stage.EDITED, edited.hash, "bert")
    outcome, problem = edited_trials.accept(app, 1, made(app).hash, edited.texts, "")
    assert (outcome.fate, outcome.rules, problem) == (Fate.EDITED, ("R1",), "")
    assert app.store.rules.dossier("R1", ANNA).head.text == edited.texts[0]


def test_the_same_texts_ordered_again_ask_nothing(app: App, ollama: FakeOllama) -> None:
    for _ in range(2):
        ordered(app)
        assert run_queued(app).state is JobState.DONE
    assert len(ollama.asked) == VALIDATION
    assert len([one for one in app.store.proposals.trials(1, made(app).hash) if one.stage is Stage.EDITED]) == 1


def test_a_cancelled_trial_is_not_kept_and_goes_on_with_what_was_answered(app: App, ollama: FakeOllama) -> None:
    job, choose = ordered(app), ollama.before

    def cancel(number: int) -> None:
        choose(number)
        if number == 5:
            app.store.jobs.request_cancel(job.id, ANNA)

    ollama.before = cancel
    assert run_queued(app).state is JobState.CANCELLED
    assert not [one for one in app.store.proposals.trials(1, made(app).hash) if one.stage is Stage.EDITED]
    app.store.jobs.resume(job.id, ANNA)
    assert run_queued(app).state is JobState.DONE
    assert len(ollama.asked) == len(set(ollama.asked)) == VALIDATION


def test_a_killed_worker_is_relieved_and_only_the_open_question_of_a_trial_is_asked_twice(
    app: App, ollama: FakeOllama
) -> None:
    job = ordered(app)
    kill_worker_at(app, ollama, 8)
    assert not [one for one in app.store.proposals.trials(1, made(app).hash) if one.stage is Stage.EDITED]
    ended = run_taken_over(app, job.id)
    assert (ended.state, ended.attempts, len(ollama.asked)) == (JobState.DONE, 2, VALIDATION + 1)
    assert ended.message.startswith("fixes 8, breaks 0 of 24")
    assert len([one for one in app.store.proposals.trials(1, made(app).hash) if one.stage is Stage.EDITED]) == 1
    assert app.store.events.verify().intact


# --- added up ---------------------------------------------------------------------------------------------------------


def test_a_killed_worker_adds_up_to_the_same_steps_and_repeats_only_the_open_question(
    app: App, ollama: FakeOllama
) -> None:
    job = app.store.jobs.enqueue(greedy_orders.KIND, "posts", GreedyOrder("posts", 1, 1).as_json(), BERT)
    most = greedy_most(app.store, app.store.resolutions.get(1), app.store.resolutions.rounds(1), 1)
    kill_worker_at(app, ollama, VALIDATION + 6)
    ended = run_taken_over(app, job.id)
    steps = running_score(app.store.resolutions.rounds(1)[1].trials)
    assert [step.stays for step in steps] == [True, False, False]
    assert (ended.state, len(ollama.asked)) == (JobState.DONE, most + 1)
    assert ended.message.startswith("Loop 1, round 1: 1 of 3 proposals stay in; fixes 8, breaks 0 of 24")
    again = greedy_orders.add_up(app, GreedyOrder("posts", 1, 1), no_report)
    assert (again.steps, len(ollama.asked)) == (tuple(step.tried for step in steps), most + 1)
    kinds = [event.kind for event in app.store.events.page()]
    assert kinds.count("resolution.added_up") == 1
