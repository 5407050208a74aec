"""The job that measures an effect: cancelled, resumed, killed, and no question is asked twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pld_app.settings import load_settings
from pld_app.wiring import App
from pld_core.models import Job, JobState, Split
from storage import create_store
from tests.cli.fake_ollama import STUDENT, FakeOllama, fake_ollama, use_student
from tests.cli.worker_scenes import kill_worker_at, run_queued, run_taken_over
from tests.factories import ANNA, BERT, fill, make_examples, rule_in_review, url_of

QUESTIONS = 12


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with fake_ollama() as server:
        yield server


@pytest.fixture
def app(tmp_path: Path, ollama: FakeOllama) -> App:
    """A workspace with R1 in review, six validation examples, and the fake Ollama as student."""
    space = tmp_path / "space"
    use_student(space, ollama.url)
    store = create_store(url_of(space / "pld.db"))
    fill(store, examples=(*make_examples(4), *make_examples(QUESTIONS // 2, Split.VALIDATION)))
    rule_in_review(store)
    return App(load_settings(space, {}), store, ANNA)


def order(app: App) -> Job:
    return app.store.jobs.enqueue("effect", "posts", {"rule": "R1", "student": STUDENT}, BERT)


def test_the_job_measures_in_the_name_of_who_ordered_it(app: App, ollama: FakeOllama) -> None:
    order(app)
    ended = run_queued(app)
    assert (ended.state, ended.done, ended.total) == (JobState.DONE, QUESTIONS, QUESTIONS)
    assert ended.message == "R1: fixed 0, broken 0 of 6 affected validation examples."
    (stored,) = app.store.effects.of_rule("R1")
    assert (stored.by, stored.effect.student.name) == (BERT.name, STUDENT)
    assert len(ollama.asked) == QUESTIONS


def test_a_cancelled_job_goes_on_where_it_was(app: App, ollama: FakeOllama) -> None:
    ordered = order(app)
    ollama.before = lambda number: app.store.jobs.request_cancel(ordered.id, ANNA) if number == 5 else None
    assert run_queued(app).state is JobState.CANCELLED
    assert app.store.effects.of_rule("R1") == ()
    app.store.jobs.resume(ordered.id, ANNA)
    assert run_queued(app).state is JobState.DONE
    assert len(ollama.asked) == QUESTIONS
    assert len(app.store.effects.of_rule("R1")) == 1


def test_a_rule_that_is_not_there_fails_the_job_in_words(app: App) -> None:
    app.store.jobs.enqueue("effect", "posts", {"rule": "R9", "student": STUDENT}, BERT)
    ended = run_queued(app)
    assert ended.state is JobState.FAILED
    assert "There is no rule 'R9'" in ended.message


def test_a_killed_worker_is_relieved_and_only_the_open_question_is_asked_twice(app: App, ollama: FakeOllama) -> None:
    ordered = order(app)
    kill_worker_at(app, ollama, 8)
    dead = app.store.jobs.get(ordered.id)
    assert (dead.state, dead.done) == (JobState.RUNNING, 7)
    ended = run_taken_over(app, ordered.id)
    assert (ended.id, ended.state, ended.attempts) == (ordered.id, JobState.DONE, 2)
    assert len(ollama.asked) == QUESTIONS + 1
    assert len(app.store.effects.of_rule("R1")) == 1
    kinds = [event.kind for event in app.store.events.page()]
    assert kinds.count("rule.effect_measured") == 1
    assert app.store.events.verify().intact
