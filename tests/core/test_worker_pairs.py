"""The worker's `judge_pairs` job: done, cancelled, killed and taken over; no pair is asked about twice."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pld_app.pair_work import PairOrder
from pld_app.settings import load_settings
from pld_app.wiring import App
from pld_core.models import Job, JobState
from storage import create_store
from tests.cli.running import clean_environment, start_pld, wait_until
from tests.cli.worker_scenes import run_queued, run_taken_over
from tests.factories import ANNA, BERT, make_task, url_of
from tests.overlapping import SUBJECTS, judging_script, rules_by_subject
from tests.teacher_stub import KEY, Fault, TeacherStub, teacher_stub

N = len(SUBJECTS)
SCRIPT = judging_script({"insult": "duplicate", "praise": "contradiction", "spam": "different_scope"})


@pytest.fixture
def stub() -> Iterator[TeacherStub]:
    with teacher_stub(SCRIPT) as running:
        yield running


@pytest.fixture
def app(tmp_path: Path, stub: TeacherStub, monkeypatch: pytest.MonkeyPatch) -> App:
    """Three pairs of rules that overlap; the teacher is the stub, asked once at a time."""
    space = tmp_path / "space"
    store = create_store(url_of(space / "pld.db"))
    rules_by_subject(store, task=replace(make_task(), teacher="openai:big"))
    (space / "settings.toml").write_text(f'[teacher]\nbase_url = "{stub.url}"\nin_flight = 1\n', encoding="utf-8")
    monkeypatch.setenv("PLD_TEACHER_API_KEY", KEY)
    return App(load_settings(space, {}), store, ANNA)


def ordered(app: App, order: PairOrder | None = None) -> Job:
    wanted = order or PairOrder("posts")
    return app.store.jobs.enqueue("judge_pairs", "posts", wanted.as_json(), BERT)


def asked(stub: TeacherStub) -> int:
    return sum(stub.seen.values())


def judged_by(app: App) -> list[str]:
    """Return who let each word be given, by the record."""
    return [event.actor for event in app.store.events.page() if event.kind == "pair.judged"]


def test_the_job_judges_every_pair_in_the_name_of_who_ordered_it(app: App, stub: TeacherStub) -> None:
    ordered(app)
    ended = run_queued(app)
    assert (ended.state, ended.done, ended.total) == (JobState.DONE, N, N)
    assert ended.message == "Pairs: 3 judged, 0 judged before, 0 without a usable reply."
    assert len(app.store.pairs.judged("posts")) == N == asked(stub)
    assert judged_by(app) == [BERT.name] * N
    ordered(app)
    assert run_queued(app).message == "Pairs: 0 judged, 3 judged before, 0 without a usable reply."
    assert asked(stub) == N


def test_at_its_cap_the_job_fails_and_its_continuation_counts_against_the_same_cap(app: App, stub: TeacherStub) -> None:
    job = ordered(app, PairOrder("posts", max_calls=2))
    assert run_queued(app).state is JobState.FAILED
    app.store.jobs.resume(job.id, ANNA)
    again = run_queued(app)
    assert (again.state, again.attempts) == (JobState.FAILED, 2)
    assert "cap of 2 calls is reached" in again.message
    assert asked(stub) == 2 == len(app.store.pairs.judged("posts"))


def test_a_cancelled_job_keeps_its_words_and_goes_on_where_it_was(app: App, stub: TeacherStub) -> None:
    job = ordered(app)

    def cancel_at_the_second(number: int, text: str) -> Fault:
        before = asked(stub) - 1
        if before == 1:
            app.store.jobs.request_cancel(job.id, ANNA)
            # The first report after the cancellation stops the run; the call under way is waited for and kept.
            wait_until(lambda: app.store.jobs.get(job.id).done >= before, "the report that notices it")
        return SCRIPT(number, text)

    stub.script = cancel_at_the_second
    assert run_queued(app).state is JobState.CANCELLED
    assert len(app.store.pairs.judged("posts")) == asked(stub) == 2
    stub.script = SCRIPT
    app.store.jobs.resume(job.id, ANNA)
    assert run_queued(app).state is JobState.DONE
    assert len(app.store.pairs.judged("posts")) == N
    assert set(stub.seen.values()) == {1}, "what was answered is not asked again"


def test_a_killed_worker_is_relieved_and_only_the_call_in_flight_is_made_again(app: App, stub: TeacherStub) -> None:
    job = ordered(app)
    stub.release = threading.Semaphore(1)
    environment = clean_environment(PLD_TEACHER_API_KEY=KEY)
    victim = start_pld("worker", "--workspace", app.settings.workspace, environment=environment)
    try:
        wait_until(lambda: len(app.store.pairs.judged("posts")) == 1 and asked(stub) == 2, "the second call")
    finally:
        victim.kill()
        victim.communicate()
    assert victim.returncode == -signal.SIGKILL
    stored = {text for text in stub.seen if stub.answered[text]}
    stub.release = None
    stub.gate.set()
    ended = run_taken_over(app, job.id)
    assert (ended.state, ended.attempts, ended.message) == (
        JobState.DONE,
        2,
        "Pairs: 2 judged, 1 judged before, 0 without a usable reply.",
    )
    assert {stub.seen[text] for text in stored} == {1}, "a stored word was asked for again"
    assert asked(stub) == N + 1
    assert len(judged_by(app)) == N
    assert app.store.events.verify().intact


def test_an_order_survives_the_job_table() -> None:
    for order in (PairOrder("posts"), PairOrder("posts", 3, 7)):
        assert PairOrder.from_json("posts", order.as_json()) == order
    assert PairOrder("posts", 3, 7).words == "at most 3 pairs, at most 7 calls"
