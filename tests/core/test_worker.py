"""The worker: every job comes to an end that is recorded, and no answer is asked for or kept twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pld_app import wiring
from pld_app.settings import load_settings
from pld_app.wiring import App
from pld_app.worker import HANDLERS, HEARTBEAT_S, LEASE_S, owner_name, run_one, work
from pld_core.canonical import Json
from pld_core.errors import InvalidInput
from pld_core.models import Job, JobState, Split
from storage import create_store
from tests.cli.fake_ollama import STUDENT, FakeOllama, fake_ollama, use_student
from tests.cli.running import wait_until
from tests.cli.worker_scenes import kill_worker_at, run_queued, run_taken_over, seen_after
from tests.factories import ANNA, BERT, approved_rule, fill, make_examples, url_of

EXAMPLES = 6
PARAMS: dict[str, Json] = {"prompt": 1, "student": STUDENT, "split": "validation"}


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with fake_ollama() as server:
        yield server


@pytest.fixture
def app(tmp_path: Path, ollama: FakeOllama) -> App:
    """A workspace with prompt version 1, six validation examples, and the fake Ollama as student."""
    space = tmp_path / "space"
    use_student(space, ollama.url)
    store = create_store(url_of(space / "pld.db"))
    fill(store, examples=(*make_examples(4), *make_examples(EXAMPLES, Split.VALIDATION)))
    approved_rule(store)
    made = App(load_settings(space, {}), store, ANNA)
    wiring.compile_task(made, "posts")
    return made


def order(app: App, params: dict[str, Json] | None = None, kind: str = "evaluate") -> Job:
    return app.store.jobs.enqueue(kind, "posts", PARAMS if params is None else params, BERT)


def answered(app: App) -> list[str]:
    """Return the hashes of the answered examples; there has to be one run, whoever worked on it."""
    (run,) = app.store.runs.all("posts")
    return [prediction.example_hash for prediction in app.store.runs.predictions(run.id)]


def kinds_of_events(app: App) -> list[str]:
    return [event.kind for event in reversed(app.store.events.page())]


# --- the ends a job can come to ---------------------------------------------------------------------------------------


def test_a_queued_job_runs_to_its_end_in_the_name_of_who_ordered_it(app: App, ollama: FakeOllama) -> None:
    ordered = order(app)
    assert ordered.state is JobState.QUEUED
    ended = run_queued(app)
    assert (ended.id, ended.state, ended.message) == (ordered.id, JobState.DONE, "Run 1 is complete.")
    assert (ended.done, ended.total, ended.attempts) == (EXAMPLES, EXAMPLES, 1)
    assert ended.finished_at
    assert len(set(answered(app))) == EXAMPLES == len(ollama.asked)
    assert app.store.runs.get(1).created_by == BERT.name
    assert app.store.events.verify().intact


def test_jobs_run_in_the_order_in_which_they_came_and_none_is_left(app: App) -> None:
    ordered = [order(app).id, order(app).id]
    assert [run_queued(app).id, run_queued(app).id] == ordered
    assert run_one(app, owner_name()) is None


def test_a_domain_error_fails_the_job_with_its_sentence(app: App) -> None:
    order(app, {**PARAMS, "prompt": 9})
    ended = run_queued(app)
    assert (ended.state, ended.message) == (
        JobState.FAILED,
        "Task posts has no prompt version 9. The Prompt page lists those there are.",
    )


def test_a_student_that_is_down_fails_the_job_with_the_command_that_helps(app: App) -> None:
    order(app, {**PARAMS, "student": "ollama:absent:1b"})
    ended = run_queued(app)
    assert ended.state is JobState.FAILED
    assert "ollama pull absent:1b" in ended.message


def test_a_crash_fails_the_job_and_is_raised_for_the_log(app: App) -> None:
    ordered = order(app, {})
    with pytest.raises(KeyError, match="prompt"):
        run_one(app, owner_name())
    ended = app.store.jobs.get(ordered.id)
    assert (ended.state, ended.message) == (
        JobState.FAILED,
        "Internal error: KeyError: 'prompt'. What was done is kept.",
    )
    assert "job.failed" in kinds_of_events(app)
    assert run_one(app, owner_name()) is None


def test_a_job_of_an_unknown_kind_does_not_run_for_ever(app: App) -> None:
    ordered = order(app)
    # As another version may have left it: this one lets nobody order such a job.
    with app.store.database.write() as write:
        write.conn.execute("UPDATE job SET kind = 'nonsense' WHERE id = ?", (ordered.id,))
    with pytest.raises(KeyError, match="nonsense"):
        run_one(app, owner_name())
    assert app.store.jobs.get(ordered.id).state is JobState.FAILED


def test_synthesis_without_a_teacher_that_can_be_opened_fails_in_words(app: App) -> None:
    order(app, {"clustering": 1}, kind="synthesise")
    ended = run_queued(app)
    assert ended.state is JobState.FAILED
    assert "There is no backend 'told'" in ended.message


# --- cancel and resume ------------------------------------------------------------------------------------------------


def test_a_queued_job_is_cancelled_before_it_begins(app: App, ollama: FakeOllama) -> None:
    ordered = order(app)
    app.store.jobs.request_cancel(ordered.id, ANNA)
    assert app.store.jobs.get(ordered.id).state is JobState.CANCELLED
    assert run_one(app, owner_name()) is None
    assert ollama.asked == []


def test_cancelling_a_running_job_keeps_the_answers_so_far(app: App, ollama: FakeOllama) -> None:
    ordered = order(app)
    ollama.before = lambda number: app.store.jobs.request_cancel(ordered.id, ANNA) if number == 3 else None
    ended = run_queued(app)
    assert (ended.state, ended.done) == (JobState.CANCELLED, 3)
    assert f"cancelled after 3 of {EXAMPLES}; what was done is kept." in ended.message
    assert len(answered(app)) == 3
    assert "run.finished" not in kinds_of_events(app)


def test_a_resumed_job_asks_only_what_is_missing(app: App, ollama: FakeOllama) -> None:
    ordered = order(app)
    ollama.before = lambda number: app.store.jobs.request_cancel(ordered.id, ANNA) if number == 3 else None
    run_queued(app)
    first = list(ollama.asked[:3])
    app.store.jobs.resume(ordered.id, ANNA)
    ended = run_queued(app)
    assert (ended.state, ended.done, ended.attempts) == (JobState.DONE, EXAMPLES, 2)
    assert len(ollama.asked) == EXAMPLES
    assert not set(first) & set(ollama.asked[3:])
    assert len(answered(app)) == len(set(answered(app))) == EXAMPLES


def test_a_job_that_failed_half_way_goes_on_where_it_was(app: App, ollama: FakeOllama) -> None:
    ordered, models = order(app), list(ollama.models)

    def gone(number: int) -> None:
        if number == 3:
            ollama.models.clear()

    ollama.before = gone
    failed = run_queued(app)
    assert (failed.state, failed.done) == (JobState.FAILED, 3)
    assert "ollama pull" in failed.message
    ollama.models.extend(models)
    app.store.jobs.resume(ordered.id, ANNA)
    assert run_queued(app).state is JobState.DONE
    assert len(ollama.asked) == EXAMPLES
    assert len(answered(app)) == len(set(answered(app))) == EXAMPLES


def test_a_job_that_is_done_cannot_be_resumed(app: App) -> None:
    ordered = order(app)
    run_queued(app)
    with pytest.raises(InvalidInput, match="nothing to resume"):
        app.store.jobs.resume(ordered.id, ANNA)


# --- several workers --------------------------------------------------------------------------------------------------


def test_a_lease_outlives_several_missed_heartbeats() -> None:
    assert LEASE_S >= 3 * HEARTBEAT_S


def test_no_two_workers_have_the_same_name() -> None:
    assert owner_name() != owner_name()


def test_a_worker_whose_job_was_taken_over_writes_nothing_more(app: App, ollama: FakeOllama) -> None:
    ordered = order(app)

    def taken_over(number: int) -> None:
        if number == 2:
            late = seen_after(app, ordered.id, LEASE_S + 1)
            assert late.store.jobs.claim("another", LEASE_S) is not None

    ollama.before = taken_over
    left = run_queued(app)
    assert (left.state, left.owner, left.done) == (JobState.RUNNING, "another", 1)
    assert len(ollama.asked) == 2


def test_a_slow_worker_that_comes_back_leaves_the_finished_job_alone(app: App, ollama: FakeOllama) -> None:
    ordered = order(app)
    relieved: list[Job | None] = []
    done = threading.Event()

    def relieve(number: int) -> None:
        if number == 2:
            late = seen_after(app, ordered.id, LEASE_S + 1)
            relieved.append(run_one(late, "another"))
            done.set()

    ollama.before = relieve
    run_queued(app)
    # A worker that notices at its heartbeat gives up before the one that took over has finished.
    assert done.wait(60)
    left = app.store.jobs.get(ordered.id)
    assert relieved == [left]
    assert (left.state, left.owner, left.done) == (JobState.DONE, "another", EXAMPLES)
    assert len(answered(app)) == len(set(answered(app))) == EXAMPLES


def test_an_answer_that_a_slow_worker_brings_late_does_not_stop_the_one_that_took_over(
    app: App, ollama: FakeOllama
) -> None:
    ordered, same_question = order(app), threading.Event()
    relief: list[threading.Thread] = []

    def meet_at_the_same_example(number: int) -> None:
        if number == 2:
            late = seen_after(app, ordered.id, LEASE_S + 1)
            relief.append(threading.Thread(target=run_one, args=(late, "another")))
            relief[0].start()
            same_question.wait(60)
        if number == 3:
            same_question.set()
            wait_until(lambda: len(answered(app)) == 2, "the late answer")

    ollama.before = meet_at_the_same_example
    run_queued(app)
    relief[0].join()
    ended = app.store.jobs.get(ordered.id)
    assert (ended.state, ended.owner, ended.message) == (JobState.DONE, "another", "Run 1 is complete.")
    assert len(answered(app)) == len(set(answered(app))) == EXAMPLES


def test_work_runs_jobs_until_it_is_stopped(app: App) -> None:
    ordered, stop = order(app), threading.Event()
    worker = threading.Thread(target=work, args=(app, stop))
    worker.start()
    try:
        wait_until(lambda: app.store.jobs.get(ordered.id).state.is_final, "the job's end")
        second = order(app)
        wait_until(lambda: app.store.jobs.get(second.id).state.is_final, "the second job's end")
    finally:
        stop.set()
        worker.join()
    assert app.store.jobs.get(second.id).state is JobState.DONE


def test_a_killed_worker_is_relieved_after_its_lease_and_every_example_is_answered_once(
    app: App, ollama: FakeOllama
) -> None:
    ordered = order(app)
    kill_worker_at(app, ollama, 4)
    dead = app.store.jobs.get(ordered.id)
    assert (dead.state, dead.done) == (JobState.RUNNING, 3)
    assert run_one(seen_after(app, ordered.id, LEASE_S - 1), owner_name()) is None

    ended = run_taken_over(app, ordered.id)

    assert (ended.id, ended.state, ended.attempts) == (ordered.id, JobState.DONE, 2)
    assert ended.owner != dead.owner
    assert len(answered(app)) == len(set(answered(app))) == EXAMPLES
    # Only the question that was open when the worker died is asked twice.
    assert len(ollama.asked) == EXAMPLES + 1
    assert len(set(ollama.asked)) == EXAMPLES
    assert kinds_of_events(app).count("job.taken_over") == 1
    assert app.store.events.verify().intact


# --- what runs know of each other -------------------------------------------------------------------------------------


def test_a_second_run_of_the_same_asks_nothing(app: App, ollama: FakeOllama) -> None:
    order(app)
    run_queued(app)
    order(app)
    ended = run_queued(app)
    assert ended.message == f"Run 2 is complete. {EXAMPLES} of {EXAMPLES} answers were known already."
    assert len(ollama.asked) == EXAMPLES
    assert (ended.done, ended.total) == (EXAMPLES, EXAMPLES)


def test_the_answers_of_a_cancelled_run_are_known_to_the_next_one(app: App, ollama: FakeOllama) -> None:
    ordered = order(app)
    ollama.before = lambda number: app.store.jobs.request_cancel(ordered.id, ANNA) if number == 3 else None
    run_queued(app)
    order(app)
    assert run_queued(app).message.endswith(f" 3 of {EXAMPLES} answers were known already.")
    assert len(ollama.asked) == EXAMPLES


def test_progress_tells_the_score_so_far(app: App) -> None:
    app.store.tasks.import_examples("posts", make_examples(20, Split.VALIDATION), "more.csv", ANNA)
    order(app)
    ended = run_queued(app)
    assert ended.done == 20
    said: list[str] = []
    order(app)
    job = app.store.jobs.claim("watcher", LEASE_S)
    assert job is not None
    HANDLERS["evaluate"](app, job, lambda _done, _total, message: said.append(message))
    assert said == ["answered, 10 right (50%, 30 to 70%)"]


def test_a_look_at_test_without_a_reason_fails_and_a_resumed_one_is_no_new_look(app: App, ollama: FakeOllama) -> None:
    app.store.tasks.import_examples("posts", make_examples(4, Split.TEST), "test.csv", ANNA)
    order(app, {**PARAMS, "split": "test"})
    ended = run_queued(app)
    assert ended.state is JobState.FAILED
    assert "needs a reason" in ended.message
    assert app.store.runs.looks("posts") == ()
    ordered = order(app, {**PARAMS, "split": "test", "reason": "before the release"})
    ollama.before = lambda number: app.store.jobs.request_cancel(ordered.id, ANNA) if number == 2 else None
    assert run_queued(app).state is JobState.CANCELLED
    app.store.jobs.resume(ordered.id, ANNA)
    assert run_queued(app).state is JobState.DONE
    (look,) = app.store.runs.looks("posts")
    assert (look.created_by, look.setup.reason) == (BERT.name, "before the release")
