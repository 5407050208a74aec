"""Asking the student: retried while nothing was shown, kept as it comes, and no answer is asked for twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import pytest

from pld_core.asking import ONE_BY_ONE, Evaluation, answer_run, ask_streaming, start_run, student_request
from pld_core.calls import Limits
from pld_core.errors import (
    AccessRefused,
    BackendBusy,
    BackendError,
    BackendRefused,
    BackendUnreachable,
    CallsStopped,
    Failure,
    InvalidInput,
    JobCancelled,
    NotFound,
    PromptTooLong,
    ReplyUnusable,
)
from pld_core.model_ports import BackendStatus, ChatReply, ChatRequest
from pld_core.models import Answer, AnswerStatus, CompiledPrompt, Prediction, Run, Split
from pld_core.ports import Progress
from storage import SqliteStore
from tests.core.virtual_time import InstantClock
from tests.factories import ANNA, LABELS, ToldChat, approved_rule, fill, make_examples, no_report

FIELDS = (("post", "hello"),)
VALIDATION = make_examples(4, Split.VALIDATION)
KEEP = '{"label": "keep"}'


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    """A task with four validation examples and prompt version 1."""
    fill(sqlite_store, examples=[*make_examples(2), *VALIDATION])
    approved_rule(sqlite_store)
    ((_, entry, _),) = sqlite_store.rules.in_force("posts")
    prompt = CompiledPrompt("posts", "Decide.", "sha256:p", (replace(entry, number=1),), "sha256:t", 1, LABELS)
    sqlite_store.prompts.save(prompt, ANNA)
    return sqlite_store


# --- one question -----------------------------------------------------------------------------------------------------

PROMPT = CompiledPrompt("posts", "Decide.", "sha256:p", (), "sha256:t", 1, LABELS)


@dataclass
class Live:
    """What somebody saw who asked one question."""

    answer: Answer
    reply: ChatReply | None
    shown: list[str]
    waits: list[float]


def live(student: ToldChat) -> Live:
    shown: list[str] = []
    clock = InstantClock()
    answer, reply = asyncio.run(
        ask_streaming(student, PROMPT.answer_form, student_request(PROMPT, FIELDS), shown.append, clock)
    )
    return Live(answer, reply, shown, clock.waits)


def in_turn(*said: str | ChatReply | BackendError) -> ToldChat:
    """Return a student that says one after the other, and the last for ever."""
    left = list(said)

    def say(request: ChatRequest) -> str | ChatReply:
        now = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(now, BackendError):
            raise now
        return now

    return ToldChat(say)


class Breaking(ToldChat):
    """Its answers break after some text."""

    async def stream(self, request: ChatRequest) -> AsyncIterator[str | ChatReply]:
        self.asked.append(request)
        yield '{"la'
        raise ReplyUnusable("The connection broke in the middle.", '{"la', Failure.BROKEN)


class Refusing(ToldChat):
    """Its answers are cut by the content filter of its server after some text."""

    async def stream(self, request: ChatRequest) -> AsyncIterator[str | ChatReply]:
        self.asked.append(request)
        yield '{"la'
        raise ReplyUnusable("The filter cut the answer.", '{"la', Failure.REFUSED)


class Ending(ToldChat):
    """Its answers just end."""

    async def stream(self, request: ChatRequest) -> AsyncIterator[str | ChatReply]:
        self.asked.append(request)
        yield '{"la'


def test_the_student_gets_the_prompt_first_the_input_last_and_the_labels_as_schema() -> None:
    student = in_turn(KEEP)
    found = live(student)
    assert (found.answer.label, found.answer.status, found.answer.latency_ms) == ("keep", AnswerStatus.OK, 7)
    (request,) = student.asked
    assert (request.system, request.user, request.purpose) == ("Decide.", "POST:\nhello", "student")
    assert "enum" in str(request.schema)


def test_a_stream_shows_the_growing_text_and_ends_with_the_answer() -> None:
    found = live(in_turn(KEEP))
    assert found.shown == ['{"label"', KEEP]
    assert found.reply is not None
    assert (found.answer.label, found.reply.text) == ("keep", KEEP)


@pytest.mark.parametrize("error", [ReplyUnusable("It refused.", "no"), PromptTooLong("It does not fit.")])
def test_an_answer_that_cannot_be_had_is_a_failed_answer(error: BackendError) -> None:
    student = in_turn(error)
    found = live(student)
    assert (found.answer.label, found.answer.status, found.answer.problem) == (None, AnswerStatus.FAILED, str(error))
    assert found.reply is None
    assert len(student.asked) == 1


def test_a_refusal_is_told_from_a_failure() -> None:
    found = live(in_turn(ReplyUnusable("The model refused to answer.", "I cannot.", Failure.REFUSED)))
    assert (found.answer.status, found.answer.label, found.answer.raw) == (AnswerStatus.REFUSED, None, "I cannot.")
    shown = live(Refusing(lambda _: ""))
    assert (shown.answer.status, shown.answer.raw, shown.shown) == (AnswerStatus.REFUSED, '{"la', ['{"la'])


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (ChatReply('{"lab', "told", "length", 7), AnswerStatus.CUT),
        (ChatReply("  ", "told", "stop", 7), AnswerStatus.MALFORMED),
    ],
    ids=["cut", "empty"],
)
def test_a_whole_reply_without_a_label_keeps_its_figures(reply: ChatReply, status: AnswerStatus) -> None:
    found = live(in_turn(reply))
    assert (found.answer.status, found.answer.latency_ms, found.reply) == (status, 7, reply)


def test_a_busy_student_is_asked_again_while_nothing_was_shown() -> None:
    student = in_turn(BackendBusy("Busy.", 4), BackendUnreachable("Gone."), KEEP)
    found = live(student)
    assert (found.answer.label, len(student.asked)) == ("keep", 3)
    assert max(found.waits) >= 4, "the server said when it can"
    assert found.shown == ['{"label"', KEEP]


@pytest.mark.parametrize("error", [BackendUnreachable("Nothing listens."), BackendRefused("Bad request.")])
def test_a_student_that_stays_silent_is_an_error_in_words(error: BackendError) -> None:
    with pytest.raises(BackendError, match=str(error)):
        live(in_turn(error))


def test_a_key_that_is_refused_is_sent_once() -> None:
    student = in_turn(AccessRefused("The key is wrong."))
    with pytest.raises(AccessRefused):
        live(student)
    assert len(student.asked) == 1


@pytest.mark.parametrize(
    ("student", "words"),
    [(Breaking(lambda _: ""), "broke in the middle"), (Ending(lambda _: ""), "before it was complete")],
    ids=["breaks", "ends"],
)
def test_what_broke_after_some_of_it_was_shown_is_kept_and_not_asked_again(student: ToldChat, words: str) -> None:
    found = live(student)
    assert (found.answer.status, found.answer.raw, found.shown) == (AnswerStatus.FAILED, '{"la', ['{"la'])
    assert words in found.answer.problem
    assert len(student.asked) == 1


# --- every example of a split -----------------------------------------------------------------------------------------


class Leaving(ToldChat):
    """Says so when it is asked whether it is there, once it has stopped to answer."""

    async def status(self) -> BackendStatus:
        self.ready = len(self.asked) < 3
        return await super().status()


def run_evaluate(
    store: SqliteStore,
    student: ToldChat,
    job: int | None = 5,
    report: Progress = no_report,
    limits: Limits = ONE_BY_ONE,
) -> Run:
    async def work() -> Run:
        run = await start_run(store, student, Evaluation("posts", 1, Split.VALIDATION, job), ANNA)
        await answer_run(store, student, run, report, limits, InstantClock())
        return run

    return asyncio.run(work())


def kept(store: SqliteStore) -> tuple[Prediction, ...]:
    """Return the answers; there has to be one run."""
    (run,) = store.runs.all("posts")
    return store.runs.predictions(run.id)


def stop_at(limit: int) -> Callable[[int, int, str], None]:
    def report(done: int, total: int, message: str) -> None:
        if done >= limit:
            raise JobCancelled("cancelled")

    return report


def keep_unless(number: int, error: BackendError) -> Callable[[ChatRequest], str]:
    """Return what a student says that answers every post but one."""

    def say(request: ChatRequest) -> str:
        if request.user.endswith(f"number {number}"):
            raise error
        return KEEP

    return say


def test_an_evaluation_keeps_every_answer_and_appends_its_figures(store: SqliteStore) -> None:
    run = run_evaluate(store, in_turn("keep", "keep", "nonsense", '{"label": "remove"}'))
    assert [p.answer.status for p in kept(store)].count(AnswerStatus.MALFORMED) == 1
    assert {p.example_hash for p in kept(store)} == {e.hash for e in VALIDATION}
    assert (run.total, run.digest, run.student, run.prompt_sha256) == (4, "sha256:weights", "told", "sha256:p")
    last = store.events.page()[0]
    assert (last.kind, last.payload["n"], last.payload["correct"]) == ("run.finished", 4, 2)


def test_one_question_at_a_time_keeps_the_order_of_the_examples(store: SqliteStore) -> None:
    student = in_turn(KEEP)
    run_evaluate(store, student)
    assert [request.user for request in student.asked] == [f"POST:\n{example.text}" for example in VALIDATION]
    assert len({request.system for request in student.asked}) == 1


def test_a_student_gets_as_many_questions_at_a_time_as_it_has_slots(store: SqliteStore) -> None:
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

    run_evaluate(store, Slow(lambda _: KEEP), limits=Limits(in_flight=3))
    assert most == 3
    assert len(kept(store)) == 4


def test_progress_goes_from_nothing_to_all_and_never_back(store: SqliteStore) -> None:
    seen: list[tuple[int, int, str]] = []
    run_evaluate(store, in_turn(KEEP), report=lambda *figures: seen.append(figures))
    assert (seen[0], seen[-1]) == ((0, 4, "answered"), (4, 4, "answered, 2 right"))
    assert seen == sorted(seen)


def test_a_resumed_evaluation_asks_only_what_is_missing_and_goes_on_with_its_run(store: SqliteStore) -> None:
    first, second = in_turn(KEEP), in_turn(KEEP)
    with pytest.raises(JobCancelled):
        run_evaluate(store, first, report=stop_at(3))
    run_evaluate(store, second)
    assert (len(first.asked), len(second.asked), len(kept(store))) == (3, 1, 4)
    assert {r.user for r in first.asked}.isdisjoint(r.user for r in second.asked)


@pytest.mark.parametrize(
    "error",
    [BackendBusy("Busy.", 9), BackendUnreachable("Gone."), ReplyUnusable("It broke.", '{"la', Failure.BROKEN)],
    ids=["busy", "unreachable", "broken"],
)
def test_a_failure_that_passes_is_no_wrong_answer(store: SqliteStore, error: BackendError) -> None:
    student = in_turn(KEEP, error, error, KEEP)
    run_evaluate(store, student)
    assert {p.answer.status for p in kept(store)} == {AnswerStatus.OK}
    assert len(student.asked) == 6


@pytest.mark.parametrize("number", [1, 3], ids=["in between", "the last"])
def test_a_call_that_fails_to_the_end_is_a_failed_answer_once_the_student_is_known_to_be_there(
    store: SqliteStore, number: int
) -> None:
    run_evaluate(store, ToldChat(keep_unless(number, BackendBusy("Busy."))))
    by_hash = {p.example_hash: p.answer for p in kept(store)}
    assert len(by_hash) == 4
    failed = by_hash[VALIDATION[number].hash]
    assert (failed.status, failed.label, failed.problem) == (AnswerStatus.FAILED, None, "Busy.")
    assert store.events.page()[0].payload["invalid"] == {"failed": 1}


def test_an_answer_that_cannot_be_had_is_kept_as_failed_and_the_run_goes_on(store: SqliteStore) -> None:
    student = ToldChat(keep_unless(0, PromptTooLong("It does not fit.")))
    run_evaluate(store, student)
    assert [p.answer.status for p in kept(store)] == [AnswerStatus.FAILED, *[AnswerStatus.OK] * 3]
    assert len(student.asked) == 4


def test_a_student_that_goes_away_stops_the_evaluation_and_none_of_its_silence_is_kept(store: SqliteStore) -> None:
    gone = Leaving(keep_unless(2, BackendUnreachable("Nothing listens.")))
    with pytest.raises(BackendUnreachable, match=r"It sleeps\. Wake it up\. What was answered is kept\."):
        run_evaluate(store, gone)
    assert [p.answer.status for p in kept(store)] == [AnswerStatus.OK] * 2
    back = in_turn(KEEP)
    run_evaluate(store, back)
    assert len(back.asked) == 2
    assert {p.answer.status for p in kept(store)} == {AnswerStatus.OK}


def test_silence_to_every_question_in_a_row_stops_and_is_asked_again(store: SqliteStore) -> None:
    busy = in_turn(BackendBusy("Busy."))
    with pytest.raises(CallsStopped, match="3 times in a row"):
        run_evaluate(store, busy, limits=replace(ONE_BY_ONE, stop_after=3))
    assert kept(store) == ()
    run_evaluate(store, in_turn(KEEP))
    assert {p.answer.status for p in kept(store)} == {AnswerStatus.OK}


def test_a_run_in_which_nothing_was_answered_has_no_figures(store: SqliteStore) -> None:
    with pytest.raises(CallsStopped, match="Nothing was answered"):
        run_evaluate(store, in_turn(BackendBusy("Busy.")), limits=replace(ONE_BY_ONE, stop_after=9))
    assert kept(store) == ()
    assert store.events.page()[0].kind == "run.started"


def test_a_refused_key_stops_at_once(store: SqliteStore) -> None:
    student = in_turn(AccessRefused("The key is wrong."))
    with pytest.raises(AccessRefused):
        run_evaluate(store, student)
    assert len(student.asked) == 1
    assert kept(store) == ()


def test_a_student_that_is_not_ready_begins_no_run_and_tells_the_fix(store: SqliteStore) -> None:
    with pytest.raises(BackendError, match=r"It sleeps\. Wake it up\."):
        run_evaluate(store, ToldChat(lambda _: KEEP, ready=False))
    assert store.runs.all("posts") == ()


def test_a_run_is_not_gone_on_with_by_other_weights(store: SqliteStore) -> None:
    class Newer(ToldChat):
        async def status(self) -> BackendStatus:
            return replace(await super().status(), digest="sha256:newer")

    with pytest.raises(JobCancelled):
        run_evaluate(store, in_turn(KEEP), report=stop_at(2))
    newer = Newer(lambda _: KEEP)
    with pytest.raises(InvalidInput, match="other weights of told"):
        run_evaluate(store, newer)
    assert newer.asked == []


def test_without_a_job_every_evaluation_is_a_run_of_its_own(store: SqliteStore) -> None:
    one, two = (run_evaluate(store, in_turn(KEEP), job=None) for _ in range(2))
    assert one.id != two.id


def test_a_prompt_version_that_is_not_there_is_refused(store: SqliteStore) -> None:
    with pytest.raises(NotFound, match="no prompt version 7"):
        asyncio.run(start_run(store, in_turn(KEEP), Evaluation("posts", 7, Split.TEST), ANNA))
