"""The worker's `extract` job: done, failed, cancelled and continued; nothing that was answered is asked again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pld_app.extract_order import ExtractOrder
from pld_app.settings import load_settings
from pld_app.wiring import App
from pld_app.worker import owner_name, run_one
from pld_core.models import Job, JobState
from storage import create_store
from tests.cli.running import wait_until
from tests.factories import ANNA, BERT, fill, make_examples, make_task, url_of
from tests.teacher_stub import GOOD, KEY, Fault, TeacherStub, teacher_stub

N = 20


@pytest.fixture
def stub() -> Iterator[TeacherStub]:
    with teacher_stub() as running:
        yield running


@pytest.fixture
def app(tmp_path: Path, stub: TeacherStub, monkeypatch: pytest.MonkeyPatch) -> App:
    """Twenty training examples; the teacher is the stub, asked once at a time."""
    space = tmp_path / "space"
    store = create_store(url_of(space / "pld.db"))
    fill(store, replace(make_task(), teacher="openai:big"), make_examples(N))
    (space / "settings.toml").write_text(f'[teacher]\nbase_url = "{stub.url}"\nin_flight = 1\n', encoding="utf-8")
    monkeypatch.setenv("PLD_TEACHER_API_KEY", KEY)
    return App(load_settings(space, {}), store, ANNA)


def ordered(app: App, order: ExtractOrder | None = None) -> Job:
    wanted = order or ExtractOrder("posts")
    return app.store.jobs.enqueue("extract", "posts", wanted.as_json(), BERT)


def run_queued(app: App) -> Job:
    job = run_one(app, owner_name())
    assert job is not None
    return job


def test_an_extraction_ends_with_an_instruction_for_each_example(app: App, stub: TeacherStub) -> None:
    ordered(app)
    ended = run_queued(app)
    assert (ended.state, ended.done, ended.total) == (JobState.DONE, N, N)
    assert ended.message == f"Instructions: {N} made, 0 already there, 0 failed. {N} calls, 0.00 USD."
    assert len(app.store.logic.instructions("posts")) == N == sum(stub.seen.values())


def test_a_refused_key_fails_the_job_with_its_sentence(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLD_TEACHER_API_KEY", "sk-wr0ng")
    ordered(app)
    ended = run_queued(app)
    assert ended.state is JobState.FAILED
    assert "refused the key" in ended.message
    assert "sk-wr0ng" not in ended.message


def test_a_run_over_its_cap_fails_and_its_continuation_counts_against_the_same_cap(app: App, stub: TeacherStub) -> None:
    job = ordered(app, ExtractOrder("posts", max_calls=6))
    assert run_queued(app).state is JobState.FAILED
    app.store.jobs.resume(job.id, ANNA)
    again = run_queued(app)
    assert (again.state, again.attempts) == (JobState.FAILED, 2)
    assert "cap of 6 calls is reached" in again.message
    assert sum(stub.seen.values()) == 6 == len(app.store.logic.instructions("posts"))


def test_a_cancelled_run_keeps_its_answers_and_goes_on_where_it_was(app: App, stub: TeacherStub) -> None:
    job = ordered(app)

    def cancel_at_the_ninth(_number: int, _text: str) -> Fault:
        before = sum(stub.seen.values()) - 1
        if before == 8:
            app.store.jobs.request_cancel(job.id, ANNA)
        if before >= 8:
            # The first report after the cancellation stops the run; the call under way is waited for and kept.
            wait_until(lambda: app.store.jobs.get(job.id).done >= before, "the report that notices it")
        return GOOD

    stub.script = cancel_at_the_ninth
    ended = run_queued(app)
    assert ended.state is JobState.CANCELLED
    assert len(app.store.logic.instructions("posts")) == sum(stub.seen.values()) in (9, 10)
    assert "what was done is kept" in ended.message
    stub.script = lambda _number, _text: GOOD
    app.store.jobs.resume(job.id, ANNA)
    assert run_queued(app).state is JobState.DONE
    assert len(app.store.logic.instructions("posts")) == N
    assert set(stub.seen.values()) == {1}, "what was answered is not asked again"
