"""Waiting for batches, in virtual time: how often is looked, what a server that is down does, and who may stop it."""

# ruff: noqa: ARG002 - the port has these parameters
from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from pld_core.batch_extraction import batch_teacher
from pld_core.batch_run import TROUBLES, Batching, BatchTeacher
from pld_core.batches import BatchAnswer, BatchState, RemoteBatch, look_after_s
from pld_core.errors import (
    AccessRefused,
    BackendBusy,
    BackendError,
    BackendRefused,
    BackendUnreachable,
    BatchesMissing,
    JobCancelled,
)
from pld_core.extraction import extraction_request, request_hash
from pld_core.model_ports import BackendStatus, ChatReply, ChatRequest
from pld_core.models import Example, Label
from pld_core.pace import LoopClock
from storage import SqliteStore
from tests.contracts.data_sets import about, numbered
from tests.core.virtual_time import run_virtually
from tests.factories import ANNA, extraction_json, fill, make_example, make_examples, make_task

N = 4
Step = RemoteBatch | BackendError


@dataclass
class ToldBatches:
    """A provider that says, look by look, what a test tells it to say."""

    looks: list[Step] = field(default_factory=list)
    creates: list[Step] = field(default_factory=list)
    found: RemoteBatch | None = None
    files: dict[str, list[BatchAnswer]] = field(default_factory=dict)
    name: str = "openai:big"
    asked: list[str] = field(default_factory=list)
    uploaded: list[bytes] = field(default_factory=list)

    async def status(self) -> BackendStatus:
        return BackendStatus(self.name, "Big", True, "big")

    async def complete(self, request: ChatRequest) -> ChatReply:
        raise NotImplementedError

    def stream(self, request: ChatRequest) -> AsyncIterator[str | ChatReply]:
        raise NotImplementedError

    async def aclose(self) -> None:
        """Nothing is held open."""

    def line(self, key: str, request: ChatRequest) -> bytes:
        return key.encode() + b"\n"

    async def upload(self, lines: Sequence[bytes]) -> str:
        self.asked.append("upload")
        self.uploaded += lines
        return "file-1"

    async def create(self, file_id: str, key: str) -> RemoteBatch:
        self.asked.append("create")
        return self._say(self.creates.pop(0) if self.creates else RUNNING)

    async def find(self, key: str, since: str) -> RemoteBatch | None:
        self.asked.append("find")
        return self.found

    async def look(self, remote_id: str) -> RemoteBatch:
        self.asked.append("look")
        return self._say(self.looks.pop(0))

    async def cancel(self, remote_id: str) -> RemoteBatch:
        self.asked.append("cancel")
        return RUNNING

    async def answers(self, file_id: str) -> AsyncIterator[BatchAnswer]:
        for answer in self.files[file_id]:
            yield answer

    def _say(self, step: Step) -> RemoteBatch:
        if isinstance(step, BackendError):
            raise step
        return step


RUNNING = RemoteBatch("batch_1", BatchState.RUNNING)
DONE = RemoteBatch("batch_1", BatchState.COMPLETED, done=N, output_file="out")


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    fill(sqlite_store, make_task(), make_examples(N))
    return sqlite_store


def answers_to(chat: ToldBatches, examples: Sequence[Example]) -> None:
    """Put the right answers into the file `out`."""
    chat.files["out"] = [
        BatchAnswer(
            request_hash(chat.name, extraction_request(make_task(), example)),
            ChatReply(extraction_json(example.label), "big", "stop", 0, 10, 5),
        )
        for example in examples
    ]


def prepared(store: SqliteStore, chat: ToldBatches) -> BatchTeacher:
    """Store one batch of all examples, whose answers lie in the file `out`."""
    teacher = batch_teacher(store, chat, "posts", Batching(ANNA, run="job 1"))
    requests = [extraction_request(make_task(), example) for example in store.tasks.examples("posts")]
    answers_to(chat, store.tasks.examples("posts"))
    teacher.prepare([*requests, requests[0]], "sha256:t")
    return teacher


@dataclass
class Waited:
    seconds: float
    reports: list[tuple[int, int, str]]


def waited(teacher: BatchTeacher, stop_after: int | None = None) -> Waited:
    seen: list[tuple[int, int, str]] = []

    def report(done: int, total: int, message: str) -> None:
        seen.append((done, total, message))
        if len(seen) == stop_after:
            raise JobCancelled("Cancelled.")

    async def work() -> float:
        clock = LoopClock()
        await teacher.wait(report, clock)
        return clock.now()

    return Waited(run_virtually(work()), seen)


def test_a_batch_is_waited_for_with_growing_pauses_and_its_progress_told(store: SqliteStore) -> None:
    halfway = RemoteBatch("batch_1", BatchState.RUNNING, done=2)
    chat = ToldBatches([RUNNING, halfway, halfway, DONE])
    found = waited(prepared(store, chat))
    assert found.seconds == pytest.approx(sum(look_after_s(n) for n in range(3)), abs=0.1)
    assert [report[:2] for report in found.reports] == [(0, N), (2, N), (2, N)]
    assert chat.asked == ["upload", "create", *["look"] * 4]
    assert len(chat.uploaded) == N, "one line a request, though one was given twice"
    assert len(store.logic.instructions("posts")) == N
    assert {i.template_hash for i in store.logic.instructions("posts")} == {"sha256:t"}
    assert store.logic.spend("posts", "job 1").calls == N


def test_a_server_that_is_down_for_a_while_is_waited_for(store: SqliteStore) -> None:
    busy = BackendBusy("Restarting.", 500)
    chat = ToldBatches([RUNNING, busy, BackendUnreachable("Gone."), BackendBusy("Restarting."), DONE])
    assert waited(prepared(store, chat)).seconds > 500
    assert len(store.logic.instructions("posts")) == N


def test_a_server_that_stays_down_ends_the_waiting_and_the_batch_stays_open(store: SqliteStore) -> None:
    chat = ToldBatches([RUNNING, *[BackendBusy("Restarting.")] * TROUBLES])
    with pytest.raises(BackendBusy):
        waited(prepared(store, chat))
    assert [batch.state for batch in store.batches.all("posts")] == [BatchState.RUNNING]


def test_a_key_that_is_refused_ends_the_waiting_at_once(store: SqliteStore) -> None:
    chat = ToldBatches([RUNNING, AccessRefused("The key is wrong.")])
    with pytest.raises(AccessRefused):
        waited(prepared(store, chat))
    assert [batch.state for batch in store.batches.all("posts")] == [BatchState.RUNNING]


def test_whoever_reports_can_stop_the_waiting(store: SqliteStore) -> None:
    teacher = prepared(store, ToldBatches([RUNNING] * 9))
    with pytest.raises(JobCancelled):
        waited(teacher, stop_after=2)
    assert len(teacher.open) == 1


@pytest.mark.parametrize("error", [BatchesMissing("No batches."), BackendRefused("No."), AccessRefused("Wrong key.")])
def test_a_submission_that_is_refused_closes_the_batch_so_that_its_requests_are_free(
    store: SqliteStore, error: BackendError
) -> None:
    chat = ToldBatches(creates=[error])
    with pytest.raises(type(error)):
        waited(prepared(store, chat))
    (batch,) = store.batches.all("posts")
    assert (batch.state, batch.note.message) == (BatchState.FAILED, f"{error} Nothing was asked.")
    assert store.logic.in_batches("posts") == frozenset()


def test_a_submission_whose_outcome_is_unknown_is_looked_for_before_it_is_made_again(store: SqliteStore) -> None:
    chat = ToldBatches([DONE], [BackendUnreachable("Cut.", sent=True)], found=RUNNING)
    waited(prepared(store, chat))
    assert chat.asked == ["upload", "create", "find", "look"]
    assert len(store.logic.instructions("posts")) == N


def test_a_submission_that_is_not_found_is_made_again_over_the_same_file(store: SqliteStore) -> None:
    chat = ToldBatches([DONE], [BackendUnreachable("Cut.", sent=True)])
    waited(prepared(store, chat))
    assert chat.asked == ["upload", "create", "find", "create", "look"]
    assert len(store.logic.instructions("posts")) == N


def test_a_task_that_changed_before_the_submission_is_not_submitted(store: SqliteStore) -> None:
    chat = ToldBatches()
    teacher = prepared(store, chat)
    seen = store.tasks.get("posts").labels
    store.labels.change("posts", seen, (Label("keep", "Another meaning."), seen[1]), "clearer", ANNA)
    again = batch_teacher(store, chat, "posts", Batching(ANNA))
    assert teacher.open
    waited(again)
    (batch,) = store.batches.all("posts")
    assert (batch.state, chat.asked) == (BatchState.CANCELLED, [])
    assert "The task was changed" in batch.note.message


def test_files_that_hold_less_than_was_told_do_not_close_the_batch_until_somebody_cancels_it(
    store: SqliteStore,
) -> None:
    chat = ToldBatches([RUNNING, *[DONE] * 9])
    teacher = prepared(store, chat)
    del chat.files["out"][2:]
    with pytest.raises(BackendBusy, match="its files hold 2 so far"):
        waited(teacher)
    assert len(store.logic.instructions("posts")) == 2
    chat.looks = [DONE]

    async def cancel() -> None:
        await teacher.cancel(teacher.open)

    run_virtually(cancel())
    waited(teacher)
    (batch,) = store.batches.all("posts")
    assert (batch.state, batch.collected) == (BatchState.COMPLETED, 2)
    assert "Start again to ask the others" in batch.note.message


def test_a_batch_that_was_never_submitted_is_cancelled_without_a_word_to_the_provider(store: SqliteStore) -> None:
    chat = ToldBatches()
    teacher = prepared(store, chat)

    async def cancel() -> None:
        await teacher.cancel(teacher.open)

    run_virtually(cancel())
    assert (teacher.open, chat.asked) == ([], [])


def test_an_answer_that_nobody_asked_for_is_passed_over(store: SqliteStore) -> None:
    chat = ToldBatches([RUNNING, DONE])
    teacher = prepared(store, chat)
    chat.files["out"].append(BatchAnswer("sha256:of another batch", ChatReply("x", "big", "stop", 0)))
    waited(teacher)
    assert store.logic.spend("posts").calls == N == len(store.logic.instructions("posts"))


def test_an_answer_to_an_example_that_was_deleted_meanwhile_is_recorded_without_an_instruction(
    store: SqliteStore,
) -> None:
    late = make_example("a late post")
    dataset, _ = store.data.add(make_task(), about(), numbered([late]), ANNA)
    chat = ToldBatches([RUNNING, replace(DONE, done=N + 1)])
    teacher = batch_teacher(store, chat, "posts", Batching(ANNA))
    examples = store.tasks.examples("posts")
    answers_to(chat, examples)
    teacher.prepare([extraction_request(make_task(), example) for example in examples], "sha256:t")
    run_virtually(teacher.round())
    store.data.delete(dataset.id, "", ANNA)
    waited(teacher)
    assert len(store.logic.instructions("posts")) == N
    key = request_hash(chat.name, extraction_request(make_task(), late))
    assert key in store.logic.stored_replies([key]), "it was paid for"
