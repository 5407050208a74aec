"""The engine against a teacher on a real socket, with the faults that real ones have; waits pass at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from pld_core.backends.openai_compatible import OpenAIChat
from pld_core.calls import Call, Limits, Settled
from pld_core.engine import Engine
from pld_core.errors import AccessRefused, CallsStopped, Failure, PldError
from pld_core.model_ports import ChatRequest
from pld_core.pricing import Price, most_tokens
from tests.core.virtual_time import InstantClock
from tests.teacher_stub import GOOD, KEY, MODEL, Fault, Script, TeacherStub, teacher_stub

PRICE = Price(Decimal(1), Decimal(10))


@dataclass
class Ran:
    stub: TeacherStub
    clock: InstantClock
    settled: list[Settled[int]] = field(default_factory=list)
    error: PldError | None = None
    spent: int = 0

    @property
    def refused(self) -> int:
        """Requests whose key the stub refused; they are not among those sent."""
        return self.stub.refused

    @property
    def sent(self) -> int:
        return sum(self.stub.seen.values())


def run(script: Script, n: int = 1, limits: Limits | None = None, key: str = KEY) -> Ran:
    with teacher_stub(script) as stub:
        ran = Ran(stub, InstantClock())

        async def record(batch: Sequence[Settled[int]]) -> None:
            ran.settled.extend(batch)

        async def work() -> None:
            chat = OpenAIChat(MODEL, stub.url, key, connections=64)
            calls = [Call(ChatRequest("s", f"text {i} CORRECT LABEL: keep", "extraction"), i) for i in range(n)]
            engine: Engine[int] = Engine(chat, limits or Limits(in_flight=4), PRICE, clock=ran.clock)
            try:
                await engine.run(calls, record)
            except PldError as error:
                ran.error = error
            finally:
                ran.spent = engine.budget.cost
                await chat.aclose()

        asyncio.run(work())
        return ran


def first(fault: Fault, times: int = 1) -> Script:
    return lambda number, _text: fault if number <= times else GOOD


def always(fault: Fault) -> Script:
    return lambda _number, _text: fault


def test_all_are_answered_with_model_tokens_and_time() -> None:
    ran = run(always(GOOD), 20)
    assert sorted(s.call.subject for s in ran.settled) == list(range(20))
    replies = [s.reply for s in ran.settled]
    assert all(r and (r.model, r.prompt_tokens, r.output_tokens) == (f"{MODEL}-2026", 100, 20) for r in replies)
    assert set(ran.stub.seen.values()) == {1}


@pytest.mark.parametrize("header", [("retry-after", "7"), ("retry-after-ms", "7000")])
def test_too_many_requests_wait_as_long_as_the_server_says(header: tuple[str, str]) -> None:
    ran = run(first(Fault(429, (header,))))
    assert [(s.failure, s.attempts) for s in ran.settled] == [(None, 2)]
    assert max(ran.clock.waits) == 7


def test_a_date_in_retry_after_is_read_against_the_servers_own_clock() -> None:
    date = (("retry-after", "Fri, 02 Jan 2026 00:00:09 GMT"), ("date", "Fri, 02 Jan 2026 00:00:00 GMT"))
    ran = run(first(Fault(429, date)))
    assert [(s.failure, s.attempts) for s in ran.settled] == [(None, 2)]
    assert max(ran.clock.waits) == 9


@pytest.mark.parametrize("status", [500, 502, 503, 529, 408])
def test_a_server_error_is_tried_again(status: int) -> None:
    ran = run(first(Fault(status), times=2))
    assert [(s.failure, s.attempts) for s in ran.settled] == [(None, 3)]
    assert len(ran.clock.waits) == 2


@pytest.mark.parametrize("cut", [0, 1])
def test_a_connection_cut_in_the_answer_is_tried_again(cut: int) -> None:
    ran = run(first(Fault(cut=cut)))
    (settled,) = ran.settled
    assert (settled.failure, settled.attempts) == (None, 2)
    (wait,) = ran.clock.waits
    assert 0.5 <= wait <= 1
    # The cut attempt may have been billed, so it counts with the most it can cost; the answer with what it cost.
    most = PRICE.cost(*most_tokens(settled.call.request))
    assert settled.cost == ran.spent == most + PRICE.cost(100, 20)


def test_an_attempt_that_the_server_turned_down_costs_nothing() -> None:
    ran = run(first(Fault(500)))
    assert ran.settled[0].cost == ran.spent == PRICE.cost(100, 20)


def test_an_answer_that_trickles_on_is_cut_and_the_server_is_left() -> None:
    ran = run(first(Fault(trickle=True)), limits=Limits(in_flight=1, call_timeout_s=0.2))
    assert [(s.failure, s.attempts) for s in ran.settled] == [(None, 2)]


@pytest.mark.parametrize(
    ("fault", "failure", "raw"),
    [
        (Fault(text="", refusal="I will not."), Failure.REFUSED, "I will not."),
        (Fault(text="some", finish="content_filter"), Failure.REFUSED, "some"),
        (Fault(400, code="content_filter"), Failure.REFUSED, "scripted (content_filter)"),
        (Fault(text='{"half": ', finish="length"), Failure.LENGTH, '{"half": '),
        (Fault(text=""), Failure.EMPTY, ""),
        (Fault(400), Failure.REJECTED, ""),
    ],
    ids=["refusal", "filtered", "filtered input", "length", "empty", "bad request"],
)
def test_what_is_wrong_with_an_answer_is_kept_with_it_and_not_tried_again(
    fault: Fault, failure: Failure, raw: str
) -> None:
    ran = run(always(fault))
    (settled,) = ran.settled
    assert (settled.failure, settled.raw, settled.attempts, ran.sent) == (failure, raw, 1, 1)


def test_a_refusal_is_billed_by_what_the_server_counted() -> None:
    (settled,) = run(always(Fault(text="", refusal="No."))).settled
    assert settled.reply is not None
    assert settled.reply.prompt_tokens == 100


def test_a_wrong_key_is_sent_once_and_never_shown() -> None:
    ran = run(always(GOOD), 7000, Limits(in_flight=1), key="sk-wr0ng")
    assert isinstance(ran.error, AccessRefused)
    assert "sk-wr0ng" not in str(ran.error)
    assert (ran.refused, ran.sent, ran.spent) == (1, 0, 0)
    assert ran.settled == []


def test_a_wrong_key_is_sent_no_more_often_than_calls_are_under_way() -> None:
    ran = run(always(GOOD), 7000, Limits(in_flight=4), key="sk-wr0ng")
    assert 1 <= ran.refused <= 4


@pytest.mark.parametrize("fault", [Fault(429, code="insufficient_quota"), Fault(402)])
def test_a_quota_that_is_used_up_stops_the_run(fault: Fault) -> None:
    ran = run(always(fault), 7000)
    assert isinstance(ran.error, AccessRefused)
    assert ran.sent <= 4


def test_a_server_that_stays_down_stops_the_run_after_a_few_calls() -> None:
    ran = run(always(Fault(500)), 7000, Limits(in_flight=4, attempts=2, stop_after=5))
    assert isinstance(ran.error, CallsStopped)
    assert ran.sent < 30
