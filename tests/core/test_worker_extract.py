"""The worker's `extract` job: done, failed, cancelled and continued; nothing that was answered is asked again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pld_app import batching
from pld_app.extract_order import Cap, Delivery, ExtractOrder
from pld_app.settings import load_settings
from pld_app.teacher_settings import TeacherSettings
from pld_app.wiring import App
from pld_app.worker import owner_name, run_one
from pld_core.errors import Failure, JobLost
from pld_core.models import Job, JobState
from storage import create_store, open_store
from tests.cli.running import wait_until
from tests.cli.worker_scenes import run_queued
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


# --- as a batch -------------------------------------------------------------------------------------------------------


def batch_order(app: App, **more: object) -> Job:
    return ordered(app, replace(ExtractOrder("posts", delivery=Delivery.BATCH), **more))  # type: ignore[arg-type]  # as given


def look_again(app: App, job: Job) -> Job:
    """Let the time pass that the job waits for, and run it."""
    waiting = app.store.jobs.get(job.id)
    assert waiting.not_before
    later = datetime.fromisoformat(waiting.not_before) + timedelta(seconds=1)
    store = open_store(app.settings.store_url, lambda: later)
    ended = run_one(replace(app, store=store), owner_name())
    assert ended is not None
    return ended


def test_a_batch_job_waits_without_holding_up_the_worker_and_ends_when_it_is_collected(
    app: App, stub: TeacherStub
) -> None:
    stub.desk.states = ["in_progress", "in_progress", "completed"]
    job = batch_order(app)
    waiting = run_queued(app)
    assert (waiting.state, waiting.total) == (JobState.QUEUED, N)
    assert f"of {N} requests answered so far" in waiting.message
    assert run_one(app, owner_name()) is None, "its time has not come"
    other = ordered(app)
    assert run_queued(app).id == other.id
    assert app.store.jobs.get(other.id).message.startswith(
        f"Instructions: 0 made, 0 already there, 0 failed, {N} in an"
    )
    first = datetime.fromisoformat(app.store.jobs.get(job.id).not_before)
    assert look_again(app, job).state is JobState.QUEUED
    assert datetime.fromisoformat(app.store.jobs.get(job.id).not_before) > first
    ended = look_again(app, job)
    assert ended.state is JobState.DONE
    assert ended.message == f"Batch 1: {N} of {N} requests were answered and are kept. {N} calls, 0.00 USD."
    assert len(app.store.logic.instructions("posts")) == N
    assert (stub.desk.steps["create"], set(stub.desk.submitted.values())) == (1, {1})


def test_a_cancelled_batch_job_cancels_at_the_provider_and_collects_what_is_done(app: App, stub: TeacherStub) -> None:
    stub.desk.states, stub.desk.most = ["in_progress"], 3
    job = batch_order(app)
    run_queued(app)
    app.store.jobs.request_cancel(job.id, ANNA)
    ended = run_queued(app)
    assert (ended.state, stub.desk.steps["cancel"]) == (JobState.CANCELLED, 1)
    assert f"Cancelled. 3 of {N} requests were answered and are kept." in ended.message
    assert len(app.store.logic.instructions("posts")) == 3
    assert app.store.logic.in_batches("posts") == frozenset()


def test_a_provider_that_takes_its_time_to_cancel_is_waited_for(app: App, stub: TeacherStub) -> None:
    stub.desk.states = ["in_progress"]
    job = batch_order(app)
    run_queued(app)
    app.store.jobs.request_cancel(job.id, ANNA)
    stub.desk.refusals = {"look": [503]}
    waiting = run_queued(app)
    assert (waiting.state, waiting.cancel_requested) == (JobState.QUEUED, True)
    assert look_again(app, job).state is JobState.CANCELLED


def test_a_provider_that_is_down_for_a_while_does_not_fail_the_job(app: App, stub: TeacherStub) -> None:
    stub.desk.refusals = {"upload": [503], "look": [500]}
    job = batch_order(app)
    waiting = run_queued(app)
    assert (waiting.state, waiting.message[-25:]) == (JobState.QUEUED, "It is tried again by itself."[-25:])
    assert look_again(app, job).state is JobState.QUEUED
    assert look_again(app, job).state is JobState.DONE
    assert set(stub.desk.submitted.values()) == {1}


def test_a_job_taken_over_after_its_batch_was_collected_submits_nothing_more(app: App, stub: TeacherStub) -> None:
    stub.desk.states, stub.desk.most = ["expired"], 5
    job = batch_order(app)
    dead = app.store.jobs.claim("dead", 60)
    assert dead is not None
    with pytest.raises(JobLost):
        # It did the work and was stopped before it could say so.
        app.store.jobs.finish(job.id, "nobody", "done", batching.run_job(app, dead, lambda *_: None))
    later = datetime.fromisoformat(app.store.jobs.get(job.id).heartbeat_at) + timedelta(hours=1)
    ended = run_one(replace(app, store=open_store(app.settings.store_url, lambda: later)), owner_name())
    assert ended is not None
    assert ended.state is JobState.DONE
    assert "5 of 20 requests were answered and are kept. Start again to ask the others." in ended.message
    assert stub.desk.steps["create"] == 1


def test_a_batch_above_its_cap_fails_the_job_before_anything_is_sent(app: App, stub: TeacherStub) -> None:
    batch_order(app, max_calls=5)
    ended = run_queued(app)
    assert ended.state is JobState.FAILED
    assert f"takes {N} calls, and the cap is 5" in ended.message
    assert not stub.desk.steps


def test_an_order_survives_the_job_table() -> None:
    full = ExtractOrder(
        "posts", 3, (Failure.REFUSED,), ("sha256:1",), Cap.NONE, Decimal("0.5"), 2, delivery=Delivery.BATCH
    )
    for order in (full, ExtractOrder("posts"), replace(full, max_calls=7, max_cost=Cap.NONE)):
        assert ExtractOrder.from_json("posts", json.loads(json.dumps(order.as_json()))) == order


def test_a_cap_of_an_order_goes_before_that_of_the_settings_and_none_lifts_it() -> None:
    own = TeacherSettings(max_calls=9, max_cost=Decimal(2))
    assert ExtractOrder("posts").settings(own) == own
    lifted = ExtractOrder("posts", max_calls=Cap.NONE, max_cost=Cap.NONE).settings(own)
    assert (lifted.max_calls, lifted.max_cost) == (None, None)
    assert ExtractOrder("posts", max_calls=3, in_flight=2).settings(own) == replace(own, max_calls=3, in_flight=2)
