"""Batches in the store: stored before they are sent, noted as they go, each answer recorded once."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pld_core.batches import BatchItem, BatchNote, BatchState, NewBatch
from pld_core.errors import BatchTaken, JobLost, NotFound
from pld_core.models import JobState
from pld_core.records import EventFilter, Spend, TeacherCall
from storage import SqliteStore
from tests.cli.running import ROOT
from tests.factories import ANNA, BERT, TickingClock, fill, make_instruction


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    fill(sqlite_store)
    return sqlite_store


def new_batch(*hashes: str, run: str = "job 1") -> NewBatch:
    items = tuple(BatchItem(key, (f"example of {key}",), 7) for key in hashes)
    return NewBatch("extraction", "openai:big", "sha256:t", run, 1000, items)


def call(key: str, problem: str = "") -> TeacherCall:
    return TeacherCall(key, "extraction", (), "openai:big", "sha256:t", "{}", problem, 1, 1, 0, cost=5, run="job 1")


def kinds(store: SqliteStore) -> list[str]:
    return [event.kind for event in reversed(store.events.page(EventFilter())) if event.kind.startswith("batch.")]


def test_batches_are_stored_together_with_a_key_of_their_own(store: SqliteStore) -> None:
    first, second = store.batches.add("posts", [new_batch("a", "b"), new_batch("c")], ANNA)
    assert (first.size, first.collected, first.state, first.created_by) == (2, 0, BatchState.PREPARED, "anna")
    assert first.key != second.key
    assert store.batches.items(first.id) == new_batch("a", "b").items
    assert store.batches.all("posts") == (second, first)
    assert store.batches.all("other") == ()
    assert store.logic.in_batches("posts") == {"a", "b", "c"}
    with pytest.raises(NotFound, match="no batch 9"):
        store.batches.get(9)


def test_a_request_in_an_open_batch_is_not_taken_twice_and_nothing_of_the_others_is_stored(store: SqliteStore) -> None:
    (first,) = store.batches.add("posts", [new_batch("a", "b")], ANNA)
    with pytest.raises(BatchTaken, match="collects it"):
        store.batches.add("posts", [new_batch("c"), new_batch("b")], ANNA)
    assert store.batches.all("posts") == (first,)
    store.batches.note(first.id, BatchNote(BatchState.CANCELLED), ANNA)
    assert store.logic.in_batches("posts") == frozenset()
    assert len(store.batches.add("posts", [new_batch("b")], ANNA)) == 1


def test_a_note_is_kept_if_it_says_something_new_and_an_event_tells_of_each_state(store: SqliteStore) -> None:
    (batch,) = store.batches.add("posts", [new_batch("a")], ANNA)
    running = BatchNote(BatchState.RUNNING, "batch_1", "file-1")
    store.batches.note(batch.id, BatchNote(file_id="file-1"), ANNA)
    noted = store.batches.note(batch.id, running, ANNA)
    assert store.batches.note(batch.id, running, BERT).noted_at == noted.noted_at
    further = store.batches.note(batch.id, replace(running, done=1), ANNA)
    assert (further.note.done, further.noted_at > noted.noted_at) == (1, True)
    ended = store.batches.note(batch.id, replace(running, state=BatchState.COMPLETED, message="All."), BERT)
    assert store.batches.note(batch.id, running, ANNA) == ended, "a closed batch stays closed"
    assert kinds(store) == ["batch.running", "batch.completed"]
    assert store.events.page()[0].payload == {
        "batch": batch.key,
        "remote": "batch_1",
        "requests": 1,
        "collected": 0,
        "message": "All.",
    }


def test_an_answer_is_recorded_once_however_often_it_is_collected(store: SqliteStore) -> None:
    example = store.tasks.examples("posts")[0]
    (batch,) = store.batches.add("posts", [new_batch("a", "b", "c")], ANNA)
    assert store.batches.record(batch.id, [(call("a"), make_instruction(example)), (call("b", "bad"), None)]) == 2
    assert store.batches.record(batch.id, [(call("a"), None), (call("b"), None), (call("c"), None)]) == 1
    assert store.logic.spend("posts", "job 1") == Spend(3, 15, 3, 3)
    assert store.logic.instructions("posts") == (make_instruction(example),)
    assert [c.request_hash for c in store.logic.failed_calls("posts")] == ["b"]
    assert store.batches.get(batch.id).collected == 3
    assert store.logic.in_batches("posts") == frozenset()
    assert store.batches.record(batch.id, []) == 0


def test_the_last_run_of_a_purpose_is_that_of_its_newest_call(store: SqliteStore) -> None:
    assert store.logic.last_run("posts", "extraction") is None
    store.logic.record_calls("posts", [(call("a"), None), (replace(call("b"), run="job 2"), None)])
    store.logic.record_calls("posts", [(replace(call("c"), purpose="synthesis", run="job 3"), None)])
    assert store.logic.last_run("posts", "extraction") == "job 2"
    assert store.logic.last_run("posts", "student") is None


HOLDING = """
import sys
from storage import open_store
with open_store(sys.argv[1]).batches.submitting():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_process_submits_and_a_killed_one_lets_go(store: SqliteStore, workspace: Path) -> None:
    with store.batches.submitting(), pytest.raises(BatchTaken), store.batches.submitting():
        pytest.fail("two had the right to submit at the same time")
    held = subprocess.Popen(
        [sys.executable, "-c", HOLDING, f"sqlite:///{workspace}"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert held.stdout is not None
    assert held.stdout.readline() == "held\n"
    with pytest.raises(BatchTaken, match="Another process is submitting"), store.batches.submitting():
        pytest.fail("two had the right to submit at the same time")
    held.kill()
    held.communicate()
    with store.batches.submitting():
        pass


# --- a job that waits -------------------------------------------------------------------------------------------------


def test_a_job_that_waits_is_claimed_when_its_time_has_come(store: SqliteStore, clock: TickingClock) -> None:
    job = store.jobs.enqueue("extract", "posts", {}, ANNA)
    other = store.jobs.enqueue("extract", "posts", {}, ANNA)
    store.jobs.claim("w1", 60)
    store.jobs.defer(job.id, "w1", 100, "At the provider.")
    waiting = store.jobs.get(job.id)
    assert (waiting.state, waiting.message, bool(waiting.not_before)) == (JobState.QUEUED, "At the provider.", True)
    taken = store.jobs.claim("w1", 60)
    assert taken is not None
    assert taken.id == other.id, "others do not wait for it"
    assert store.jobs.claim("w2", 60) is None
    clock.advance(100)
    again = store.jobs.claim("w2", 60)
    assert again is not None
    assert (again.id, again.attempts, again.not_before) == (job.id, 2, "")
    with pytest.raises(JobLost):
        store.jobs.defer(job.id, "w1", 1, "x")


def test_a_job_that_waits_is_run_once_more_when_it_is_cancelled(store: SqliteStore) -> None:
    job = store.jobs.enqueue("extract", "posts", {}, ANNA)
    store.jobs.claim("w1", 60)
    store.jobs.defer(job.id, "w1", 1000, "At the provider.")
    store.jobs.request_cancel(job.id, BERT)
    claimed = store.jobs.claim("w1", 60)
    assert claimed is not None
    assert (claimed.id, claimed.cancel_requested) == (job.id, True)
    store.jobs.finish(job.id, "w1", "cancelled", "Cancelled.")
    store.jobs.resume(job.id, ANNA)
    resumed = store.jobs.get(job.id)
    assert (resumed.state, resumed.not_before, resumed.cancel_requested) == (JobState.QUEUED, "", False)
