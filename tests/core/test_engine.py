"""The engine: limits, retries, the stop on refusal, the budget, cancel; in virtual time, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

import pytest

from pld_core.budget import Budget
from pld_core.calls import Call, Limits, Settled
from pld_core.engine import Engine
from pld_core.errors import (
    AccessRefused,
    BackendBusy,
    BackendError,
    BackendRefused,
    BackendUnreachable,
    BudgetReached,
    CallsStopped,
    Failure,
    JobCancelled,
    JobLost,
    PromptTooLong,
    ReplyUnusable,
)
from pld_core.model_ports import BackendStatus, ChatReply, ChatRequest
from pld_core.pricing import Price, most_tokens
from tests.core.virtual_time import run_virtually

LIMITS = Limits()
PRICE = Price(Decimal(1), Decimal(2))
Say = Callable[[int, int], str | ChatReply | BackendError]


@dataclass
class SlowChat:
    """A model that takes `delay_s` for each call; `say(number of the call, attempt)` tells what comes then."""

    say: Say = lambda _number, _attempt: "fine"
    delay_s: float = 1.0
    name: str = "slow"
    sent: list[tuple[float, int]] = field(default_factory=list)
    now: int = 0
    most_at_once: int = 0

    async def status(self) -> BackendStatus:
        return BackendStatus(self.name, "Slow", True, self.name)

    async def complete(self, request: ChatRequest) -> ChatReply:
        number = int(request.user)
        attempt = sum(sent == number for _, sent in self.sent) + 1
        self.sent.append((asyncio.get_running_loop().time(), number))
        self.now += 1
        self.most_at_once = max(self.most_at_once, self.now)
        try:
            await asyncio.sleep(self.delay_s)
        finally:
            self.now -= 1
        said = self.say(number, attempt)
        if isinstance(said, BackendError):
            raise said
        return ChatReply(said, self.name, "stop", 1000, 10, 5) if isinstance(said, str) else said

    def stream(self, request: ChatRequest) -> object:
        raise NotImplementedError

    async def aclose(self) -> None:
        """Nothing is held open."""


@dataclass
class Kept:
    """What was recorded, and when the run ended."""

    settled: list[Settled[int]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    ended_at: float = 0.0
    error: Exception | None = None

    @property
    def numbers(self) -> list[int]:
        return [settled.call.subject for settled in self.settled]


def calls(n: int) -> list[Call[int]]:
    return [Call(ChatRequest("s", str(i), "extraction", max_tokens=8), i) for i in range(n)]


def run(
    chat: SlowChat,
    n: int,
    limits: Limits = LIMITS,
    budget: Budget | None = None,
    watch: Callable[[Kept], None] = lambda _: None,
    write_s: float = 0.0,
) -> Kept:
    kept = Kept()

    async def record(batch: Sequence[Settled[int]]) -> None:
        if write_s:
            await asyncio.sleep(write_s)
        kept.settled.extend(batch)
        kept.batches.append(len(batch))

    async def work() -> None:
        engine: Engine[int] = Engine(chat, limits, PRICE, budget)
        try:
            await engine.run(calls(n), record, lambda: watch(kept))
        except Exception as error:  # noqa: BLE001 - looked at by the tests
            kept.error = error
        kept.ended_at = asyncio.get_running_loop().time()

    run_virtually(work())
    return kept


# --- concurrency and pace ---------------------------------------------------------------------------------------------


def test_the_allowed_number_of_calls_is_in_flight_and_all_are_answered() -> None:
    chat = SlowChat()
    kept = run(chat, 20, Limits(in_flight=4))
    assert chat.most_at_once == 4
    assert sorted(kept.numbers) == list(range(20))
    assert kept.ended_at == pytest.approx(5.0, abs=0.01)
    assert kept.error is None


def test_nothing_to_do_is_done_at_once() -> None:
    assert run(SlowChat(), 0).ended_at == 0


@pytest.mark.parametrize("per_minute", [30, 60, 600])
def test_no_minute_sees_more_requests_than_allowed(per_minute: int) -> None:
    chat = SlowChat(delay_s=0.1)
    run(chat, 3 * per_minute, Limits(in_flight=50, requests_per_minute=per_minute))
    times = [at for at, _ in chat.sent]
    # The bucket holds one second's worth, at least one request.
    allowed = per_minute + max(1, per_minute // 60)
    assert max(sum(start <= at < start + 60 for at in times) for start in times) <= allowed
    assert times[-1] > 115


def test_tokens_a_minute_are_kept_by_the_mean_of_what_replies_took() -> None:
    chat = SlowChat(delay_s=0.1)
    run(chat, 200, Limits(in_flight=20, tokens_per_minute=600))
    # 15 tokens a reply and 600 a minute are 40 calls a minute.
    assert 4.5 * 60 < chat.sent[-1][0] < 6.5 * 60


def test_what_ends_while_a_batch_is_written_is_written_together() -> None:
    kept = run(SlowChat(), 64, Limits(in_flight=32), write_s=0.1)
    assert sum(kept.batches) == 64
    assert len(kept.batches) <= 6


# --- retries ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        BackendBusy("Busy."),
        BackendUnreachable("Gone."),
        ReplyUnusable("It broke.", "half", Failure.BROKEN),
    ],
    ids=["busy", "unreachable", "broken"],
)
def test_a_passing_failure_is_tried_again_with_growing_waits(error: BackendError) -> None:
    chat = SlowChat(lambda _number, attempt: error if attempt < 4 else "fine", delay_s=0)
    kept = run(chat, 1)
    (settled,) = kept.settled
    assert (settled.failure, settled.raw, settled.attempts) == (None, "fine", 4)
    times = [at for at, _ in chat.sent]
    waits = [after - before for before, after in pairwise(times)]
    for wait, whole in zip(waits, (1, 2, 4), strict=True):
        assert whole / 2 <= wait <= whole


def test_waits_are_drawn_by_seed() -> None:
    def times() -> list[float]:
        chat = SlowChat(lambda _number, attempt: BackendBusy("Busy.") if attempt < 3 else "fine")
        run(chat, 5)
        return [at for at, _ in chat.sent]

    assert times() == times()


def test_retry_after_holds_every_call_back() -> None:
    def say(number: int, attempt: int) -> str | BackendError:
        return BackendBusy("Slow down.", 30) if (number, attempt) == (0, 1) else "fine"

    chat = SlowChat(say)
    kept = run(chat, 10, Limits(in_flight=2))
    assert sorted(kept.numbers) == list(range(10))
    # The two under way at the time, then nothing for 30 s after the reply at 1 s.
    assert [at for at, _ in chat.sent if at < 31] == [0, 0]


def test_a_server_that_asks_to_wait_too_long_stops_the_run() -> None:
    kept = run(SlowChat(lambda _number, _attempt: BackendBusy("Slow down.", 3600)), 3)
    assert isinstance(kept.error, CallsStopped)
    assert "asks to wait 3,600 s" in str(kept.error)


def test_an_answer_that_trickles_is_cut_at_the_limit_and_tried_again() -> None:
    chat = SlowChat(delay_s=1000)
    kept = run(chat, 1, Limits(attempts=2, call_timeout_s=10))
    (settled,) = kept.settled
    assert (settled.failure, settled.attempts, len(chat.sent)) == (Failure.TIMEOUT, 2, 2)
    assert "not complete after 10 s" in settled.problem
    assert settled.cost == 2 * PRICE.cost(*most_tokens(calls(1)[0].request)), "it may have been billed"


@pytest.mark.parametrize(
    ("said", "failure", "raw"),
    [
        (ChatReply("half", "m", "length", 1, 1, 1), Failure.LENGTH, "half"),
        ("  ", Failure.EMPTY, "  "),
        (ReplyUnusable("It will not.", "no", Failure.REFUSED), Failure.REFUSED, "no"),
        (PromptTooLong("Too long."), Failure.TOO_LONG, ""),
        (BackendRefused("Bad request."), Failure.REJECTED, ""),
    ],
    ids=["length", "empty", "refused", "too long", "rejected"],
)
def test_a_failure_of_the_call_itself_is_kept_and_not_tried_again(
    said: str | ChatReply | BackendError, failure: Failure, raw: str
) -> None:
    chat = SlowChat(lambda number, _attempt: said if number == 1 else "fine")
    kept = run(chat, 3, Limits(in_flight=1))
    assert [settled.failure for settled in kept.settled] == [None, failure, None]
    assert kept.settled[1].raw == raw
    assert kept.settled[1].problem
    assert len(chat.sent) == 3


# --- stops ------------------------------------------------------------------------------------------------------------


def test_a_wrong_key_stops_at_once() -> None:
    chat = SlowChat(lambda _number, _attempt: AccessRefused("The key is wrong."))
    kept = run(chat, 7000, Limits(in_flight=8))
    assert isinstance(kept.error, AccessRefused)
    assert len(chat.sent) <= 8
    assert kept.settled == []


@pytest.mark.parametrize("error", [BackendUnreachable("Gone."), BackendRefused("Bad request.")])
def test_too_many_calls_without_an_answer_in_a_row_stop_the_run(error: BackendError) -> None:
    chat = SlowChat(lambda number, _attempt: "fine" if number < 3 else error)
    kept = run(chat, 7000, Limits(in_flight=1, attempts=2, stop_after=4))
    assert isinstance(kept.error, CallsStopped)
    assert str(error) in str(kept.error)
    assert "4 times in a row" in str(kept.error)
    assert len(kept.settled) == 7
    assert len(chat.sent) <= 11


def test_an_answer_in_between_starts_the_count_anew() -> None:
    chat = SlowChat(lambda number, _attempt: BackendRefused("Bad.") if number % 3 else "fine")
    kept = run(chat, 30, Limits(in_flight=1, stop_after=3))
    assert kept.error is None
    assert len(kept.settled) == 30


def cancel_after(n: int, error: Exception) -> Callable[[Kept], None]:
    def watch(kept: Kept) -> None:
        if len(kept.settled) >= n:
            raise error

    return watch


def test_a_cancelled_run_keeps_the_calls_that_were_under_way() -> None:
    chat = SlowChat()
    kept = run(chat, 100, Limits(in_flight=5), watch=cancel_after(5, JobCancelled("Cancelled.")))
    assert isinstance(kept.error, JobCancelled)
    assert len(chat.sent) <= 10
    assert len(kept.settled) == len(chat.sent), "what was sent was paid for"


def test_a_cancel_is_noticed_while_nothing_ends_and_waiting_calls_are_dropped() -> None:
    looks = 0

    def watch(kept: Kept) -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise JobCancelled("Cancelled.")

    chat = SlowChat(lambda _number, _attempt: BackendBusy("Slow down.", 100), delay_s=0)
    kept = run(chat, 3, watch=watch)
    assert isinstance(kept.error, JobCancelled)
    assert kept.ended_at < 5
    assert kept.settled == []


def test_a_lost_job_sends_and_waits_for_nothing_more() -> None:
    chat = SlowChat(delay_s=50)
    looks: list[int] = []

    def watch(kept: Kept) -> None:
        looks.append(1)
        raise JobLost("Lost.")

    kept = run(chat, 10, watch=watch)
    assert isinstance(kept.error, JobLost)
    assert kept.ended_at < 5
    assert kept.settled == []


def test_what_cannot_be_recorded_stops_the_run() -> None:
    async def record(batch: Sequence[Settled[int]]) -> None:
        raise OSError("The disk is full.")

    async def work() -> None:
        engine: Engine[int] = Engine(SlowChat())
        await engine.run(calls(10), record)

    with pytest.raises(OSError, match="disk is full"):
        run_virtually(work())


# --- budget -----------------------------------------------------------------------------------------------------------

MOST = PRICE.cost(*most_tokens(calls(1)[0].request))
COST = PRICE.cost(10, 5)


def test_calls_stop_before_the_cap_is_exceeded() -> None:
    chat = SlowChat()
    budget = Budget(max_calls=7)
    kept = run(chat, 100, Limits(in_flight=4), budget)
    assert isinstance(kept.error, BudgetReached)
    assert "cap of 7 calls" in str(kept.error)
    assert len(chat.sent) == len(kept.settled) == budget.calls == 7


def test_money_is_never_exceeded_and_used_up_to_the_last_call_that_is_sure_to_fit() -> None:
    cap = 10 * COST + MOST
    budget = Budget(max_cost=cap, currency="USD")
    kept = run(SlowChat(), 100, Limits(in_flight=8), budget)
    assert isinstance(kept.error, BudgetReached)
    assert "could exceed the cap" in str(kept.error)
    assert budget.cost <= cap
    assert cap - budget.cost <= MOST
    assert len(kept.settled) * COST == budget.cost


def test_what_earlier_starts_spent_counts() -> None:
    chat = SlowChat()
    run(chat, 10, budget=Budget(max_calls=7, calls=5))
    assert len(chat.sent) == 2


def test_each_attempt_is_a_call() -> None:
    chat = SlowChat(lambda _number, _attempt: BackendBusy("Busy."))
    run(chat, 10, Limits(in_flight=1, stop_after=100), Budget(max_calls=12))
    assert len(chat.sent) == 12


def test_a_reply_without_a_bill_counts_with_the_most_it_can_cost() -> None:
    budget = Budget()
    kept = run(SlowChat(lambda _number, _attempt: ChatReply("fine", "m", "stop", 1)), 1, budget=budget)
    assert kept.settled[0].cost == budget.cost == MOST
