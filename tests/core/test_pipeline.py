"""Long work stores each result at once, pays for nothing twice, and goes on where it was stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace

import pytest

from pld_core.calls import Limits
from pld_core.errors import (
    BackendUnreachable,
    BudgetReached,
    CallsStopped,
    Failure,
    JobCancelled,
    NotFound,
    ReplyUnusable,
)
from pld_core.extraction import extraction_request, request_hash
from pld_core.model_ports import ChatReply, ChatRequest
from pld_core.models import (
    ClusterParams,
    Split,
)
from pld_core.pipeline import (
    Outcome,
    extract,
    save_clustering,
)
from pld_core.ports import Progress
from pld_core.records import TeacherCall
from pld_core.teaching import Teaching
from storage import SqliteStore
from tests.factories import (
    ANNA,
    FirstWordEmbedder,
    ToldChat,
    extraction_json,
    fill,
    make_examples,
    make_instruction,
    make_task,
    no_report,
)

TRAIN = make_examples(6)


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    fill(sqlite_store, examples=[*TRAIN, *make_examples(4, Split.VALIDATION)])
    return sqlite_store


def label_of(request: ChatRequest) -> str:
    return request.user.rsplit("CORRECT LABEL: ", 1)[1]


def right(request: ChatRequest) -> str:
    return extraction_json(label_of(request))


def run_extract(
    store: SqliteStore,
    teacher: ToldChat,
    report: Progress = no_report,
    in_flight: int = 1,
    teaching: Teaching | None = None,
    limit: int | None = None,
    only: Collection[str] | None = None,
) -> Outcome:
    given = teaching or Teaching(Limits(in_flight=in_flight, attempts=1, stop_after=1))
    return asyncio.run(extract(store, teacher, "posts", report, given, limit, only))


def stop_at(limit: int, error: Exception) -> Callable[[int, int, str], None]:
    def report(done: int, total: int, message: str) -> None:
        if done >= limit:
            raise error

    return report


# --- extraction -------------------------------------------------------------------------------------------------------


def test_every_training_example_and_no_other_gets_an_instruction(store: SqliteStore) -> None:
    teacher = ToldChat(right)
    outcome = run_extract(store, teacher, in_flight=3)
    assert outcome == Outcome(6, 0, 0)
    assert outcome.words == "6 made, 0 already there, 0 failed"
    made = store.logic.instructions("posts")
    assert [i.example_hash for i in made] == [e.hash for e in TRAIN]
    assert {r.subjects for r in teacher.asked} == {(e.hash,) for e in TRAIN}


def test_a_second_extraction_asks_nothing(store: SqliteStore) -> None:
    run_extract(store, ToldChat(right))
    again = ToldChat(right)
    assert run_extract(store, again) == Outcome(0, 6, 0)
    assert again.asked == []


def test_progress_goes_from_nothing_to_all_and_never_back(store: SqliteStore) -> None:
    seen: list[tuple[int, int, str]] = []
    run_extract(store, ToldChat(right), lambda *figures: seen.append(figures), in_flight=4)
    assert seen[0] == (0, 6, "instructions extracted")
    assert seen[-1] == (6, 6, "instructions extracted")
    assert seen == sorted(seen)


def test_at_most_the_allowed_number_of_calls_is_in_flight(store: SqliteStore) -> None:
    now, most = 0, 0

    class Slow(ToldChat):
        async def complete(self, request: ChatRequest) -> ChatReply:
            nonlocal now, most
            now += 1
            most = max(most, now)
            for _ in range(5):
                await asyncio.sleep(0)
            now -= 1
            return await super().complete(request)

    run_extract(store, Slow(right), in_flight=2)
    assert most == 2


def test_a_reply_that_was_paid_for_before_a_crash_is_not_paid_for_again(store: SqliteStore) -> None:
    request = extraction_request(make_task(), TRAIN[0])
    paid = extraction_json(TRAIN[0].label, "paid for already")
    call = TeacherCall(
        request_hash("told", request), "extraction", request.subjects, "told", "sha256:t", paid, "", 1, 1, 1
    )
    store.logic.record_calls("posts", [(call, None)])
    teacher = ToldChat(right)
    assert run_extract(store, teacher).made == 6
    assert len(teacher.asked) == 5
    assert store.logic.instructions("posts")[0].condition == "paid for already"


def test_a_stored_reply_that_cannot_be_read_any_more_is_asked_for_anew(store: SqliteStore) -> None:
    request = extraction_request(make_task(), TRAIN[0])
    old = TeacherCall(
        request_hash("told", request), "extraction", request.subjects, "told", "sha256:t", "old shape", "", 1, 1, 1
    )
    store.logic.record_calls("posts", [(old, None)])
    teacher = ToldChat(right)
    assert run_extract(store, teacher) == Outcome(6, 0, 0)
    assert len(teacher.asked) == 6


@pytest.mark.parametrize(
    ("bad", "word", "kind"),
    [
        ("not json", "Invalid JSON", Failure.BAD_JSON),
        (extraction_json("burn"), "concluded 'burn'", Failure.WRONG_LABEL),
        (ChatReply(extraction_json("keep"), "told", "length", 1), "cut at its length limit", Failure.LENGTH),
        (ReplyUnusable("The server refused to say it.", "raw", Failure.REFUSED), "refused to say it", Failure.REFUSED),
    ],
    ids=["json", "label", "cut", "refused"],
)
def test_a_reply_that_cannot_be_used_is_a_recorded_failure_and_the_run_goes_on(
    store: SqliteStore, bad: str | ChatReply | Exception, word: str, kind: Failure
) -> None:
    def say(request: ChatRequest) -> str | ChatReply:
        if request.subjects == (TRAIN[2].hash,):
            if isinstance(bad, Exception):
                raise bad
            return bad
        return right(request)

    assert run_extract(store, ToldChat(say)) == Outcome(5, 0, 1)
    (failure,) = store.logic.failed_calls("posts")
    assert failure.subjects == (TRAIN[2].hash,)
    assert word in failure.problem
    assert failure.reply
    assert failure.failure is kind
    left = ToldChat(right)
    assert run_extract(store, left) == Outcome(0, 5, 0, left=1)
    assert left.asked == [], "a reply that was paid for is asked for again by choice only"
    teacher = ToldChat(right)
    assert run_extract(store, teacher, only={TRAIN[0].hash, TRAIN[2].hash}) == Outcome(1, 1, 0)
    assert [r.subjects for r in teacher.asked] == [(TRAIN[2].hash,)]
    assert store.logic.failed_calls("posts") == ()


def test_a_teacher_that_is_gone_stops_the_run_and_what_was_stored_stays(store: SqliteStore) -> None:
    def say(request: ChatRequest) -> str:
        if request.subjects == (TRAIN[3].hash,):
            raise BackendUnreachable("Nothing listens there.")
        return right(request)

    teacher = ToldChat(say)
    with pytest.raises(CallsStopped, match="Nothing listens"):
        run_extract(store, teacher)
    assert len(store.logic.instructions("posts")) == 3
    assert len(teacher.asked) == 4
    assert [call.failure for call in store.logic.failed_calls("posts")] == [Failure.UNREACHABLE]
    back = ToldChat(right)
    assert run_extract(store, back) == Outcome(3, 3, 0)
    assert len(back.asked) == 3


def test_a_cancelled_extraction_keeps_what_was_done(store: SqliteStore) -> None:
    teacher = ToldChat(right)
    with pytest.raises(JobCancelled):
        run_extract(store, teacher, stop_at(2, JobCancelled("cancelled")))
    assert len(store.logic.instructions("posts")) == len(teacher.asked) == 2
    assert run_extract(store, ToldChat(right)) == Outcome(4, 2, 0)


def test_a_reply_about_the_answers_format_is_dropped_and_counted(store: SqliteStore) -> None:
    def say(request: ChatRequest) -> str:
        format_only = extraction_json(label_of(request), "the answer must be a JSON object")
        return format_only if request.subjects == (TRAIN[0].hash,) else right(request)

    outcome = run_extract(store, ToldChat(say))
    assert outcome == Outcome(5, 0, 0, dropped=1)
    assert "1 dropped" in outcome.words
    assert [call.failure for call in store.logic.failed_calls("posts")] == [Failure.FORMAT_ONLY]


def test_a_limit_takes_the_first_examples(store: SqliteStore) -> None:
    assert run_extract(store, ToldChat(right), limit=2) == Outcome(2, 0, 0)
    assert [i.example_hash for i in store.logic.instructions("posts")] == [e.hash for e in TRAIN[:2]]
    assert run_extract(store, ToldChat(right), limit=2) == Outcome(2, 2, 0)


def test_the_cap_of_a_run_holds_over_its_starts_and_another_run_has_its_own(store: SqliteStore) -> None:
    capped = Teaching(max_calls=2, run="job 1")
    with pytest.raises(BudgetReached, match="cap of 2 calls"):
        run_extract(store, ToldChat(right), teaching=capped)
    again = ToldChat(right)
    with pytest.raises(BudgetReached):
        run_extract(store, again, teaching=capped)
    assert again.asked == []
    with pytest.raises(BudgetReached):
        run_extract(store, ToldChat(right), teaching=replace(capped, run="job 2"))
    assert store.logic.spend("posts").calls == 4
    assert store.logic.spend("posts", "job 2").calls == 2


def test_an_unknown_task_is_refused_before_anything_is_asked(store: SqliteStore) -> None:
    teacher = ToldChat(right)
    with pytest.raises(NotFound, match="no task 'nope'"):
        asyncio.run(extract(store, teacher, "nope", no_report))
    assert teacher.asked == []


# --- clustering -------------------------------------------------------------------------------------------------------

EMBEDDER = FirstWordEmbedder()
PARAMS = ClusterParams(0.05, 2)


def test_a_clustering_is_kept_with_its_parameters_and_the_embedders_name(store: SqliteStore) -> None:
    for example in TRAIN:
        store.logic.add_instruction("posts", make_instruction(example, f"{example.label} the post is of that kind"))
    kept = asyncio.run(save_clustering(store, EMBEDDER, "posts", PARAMS, ANNA))
    assert kept.params == replace(PARAMS, embedder="first-word")
    assert (kept.clusters, kept.noise, len(kept.points)) == (2, 0, 6)
    assert store.logic.clustering(kept.id) == kept
