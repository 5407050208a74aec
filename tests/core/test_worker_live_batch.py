"""The job that asks about many inputs: cancelled, resumed, killed, and no text is asked twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pld_app import live_batches, wiring
from pld_app.settings import load_settings
from pld_app.wiring import App
from pld_core.live_batch import read_lines
from pld_core.models import AnswerStatus, Job, JobState
from storage import create_store
from tests.cli.fake_ollama import STUDENT, FakeOllama, fake_ollama, use_student
from tests.cli.worker_scenes import kill_worker_at, run_queued, run_taken_over
from tests.factories import ANNA, BERT, approved_rule, fill, url_of

TEXTS = [f"text {number}" for number in range(12)]


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with fake_ollama() as server:
        yield server


@pytest.fixture
def app(tmp_path: Path, ollama: FakeOllama) -> App:
    """A workspace with prompt version 1 and the fake Ollama as student."""
    space = tmp_path / "space"
    use_student(space, ollama.url)
    store = create_store(url_of(space / "pld.db"))
    fill(store)
    approved_rule(store)
    app = App(load_settings(space, {}), store, ANNA)
    wiring.compile_task(app, "posts")
    return app


def order(app: App, lines: list[str] = TEXTS) -> Job:
    read = read_lines(app.store.tasks.get("posts"), "\n".join(lines))
    batch = live_batches.order(app, app.store.prompts.get("posts", 1), STUDENT, read)
    return app.store.jobs.enqueue("live_batch", "posts", {"batch": batch.id}, BERT)


def test_every_text_is_asked_once_and_the_outcome_is_told(app: App, ollama: FakeOllama) -> None:
    order(app, [*TEXTS, *TEXTS[:3]])
    ended = run_queued(app)
    assert (ended.state, ended.done, ended.total) == (JobState.DONE, 12, 12)
    assert ended.message == "Batch 1: 15 of 15 inputs answered; 0 without a label."
    assert sorted(ollama.asked) == sorted(f"POST:\n{text}" for text in TEXTS)


def test_a_cancelled_batch_goes_on_where_it_was(app: App, ollama: FakeOllama) -> None:
    ordered = order(app)
    ollama.before = lambda number: app.store.jobs.request_cancel(ordered.id, ANNA) if number == 5 else None
    assert run_queued(app).state is JobState.CANCELLED
    kept = app.store.live_batches.answers(1)
    assert 0 < len(kept) < len(TEXTS)
    app.store.jobs.resume(ordered.id, ANNA)
    assert run_queued(app).state is JobState.DONE
    assert len(ollama.asked) == len(TEXTS)


def test_other_weights_do_not_go_on_with_a_batch(app: App, ollama: FakeOllama) -> None:
    read = read_lines(app.store.tasks.get("posts"), "one\ntwo")
    asked = live_batches.order(app, app.store.prompts.get("posts", 1), STUDENT, read)
    earlier = app.store.live_batches.order(replace(asked.order, digest="sha256:earlier"), ANNA)
    app.store.jobs.enqueue("live_batch", "posts", {"batch": earlier.id}, BERT)
    ended = run_queued(app)
    assert ended.state is JobState.FAILED
    assert "was ordered with other weights" in ended.message
    assert ollama.asked == []


def test_a_question_without_an_answer_is_a_failed_line_and_the_others_go_on(app: App, ollama: FakeOllama) -> None:
    ollama.label = "not declared"
    order(app, ["one", "two"])
    assert run_queued(app).message == "Batch 1: 2 of 2 inputs answered; 2 without a label."
    assert {answer.status for answer in app.store.live_batches.answers(1).values()} == {AnswerStatus.MALFORMED}


def test_a_killed_worker_is_relieved_and_only_the_open_question_is_asked_twice(app: App, ollama: FakeOllama) -> None:
    ordered = order(app)
    kill_worker_at(app, ollama, 8)
    assert len(app.store.live_batches.answers(1)) == 7
    ended = run_taken_over(app, ordered.id)
    assert (ended.state, ended.attempts) == (JobState.DONE, 2)
    assert len(ollama.asked) == len(TEXTS) + 1
    kinds = [event.kind for event in app.store.events.page()]
    assert kinds.count("student.asked_batch") == 1
    assert app.store.events.verify().intact
