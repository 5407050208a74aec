"""The job that asks about many inputs: cancelled, resumed, killed, and no text is asked twice."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pld_app import live_batches, wiring
from pld_app.settings import load_settings
from pld_app.wiring import App
from pld_app.worker import LEASE_S, owner_name, run_one
from pld_core.live_batch import read_lines
from pld_core.models import AnswerStatus, Job, JobState
from storage import create_store, open_store
from tests.cli.fake_ollama import STUDENT, FakeOllama, fake_ollama, use_student
from tests.cli.running import clean_environment, start_pld, wait_until
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


def run_queued(app: App) -> Job:
    job = run_one(app, owner_name())
    assert job is not None
    return job


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
    reached, release = threading.Event(), threading.Event()

    def stop_at_the_eighth(number: int) -> None:
        if number == 8:
            reached.set()
            release.wait(60)

    ollama.before = stop_at_the_eighth
    victim = start_pld("worker", "--workspace", app.settings.workspace, environment=clean_environment())
    try:
        wait_until(reached.is_set, "the eighth question")
    finally:
        victim.kill()
        victim.communicate()
        release.set()
    assert victim.returncode == -signal.SIGKILL
    assert len(app.store.live_batches.answers(1)) == 7
    late = datetime.fromisoformat(app.store.jobs.get(ordered.id).heartbeat_at) + timedelta(seconds=LEASE_S + 1)
    ended = run_one(replace(app, store=open_store(app.settings.store_url, lambda: late)), owner_name())
    assert ended is not None
    assert (ended.state, ended.attempts) == (JobState.DONE, 2)
    assert len(ollama.asked) == len(TEXTS) + 1
    kinds = [event.kind for event in app.store.events.page()]
    assert kinds.count("student.asked_batch") == 1
    assert app.store.events.verify().intact
