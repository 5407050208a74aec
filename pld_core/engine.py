"""Makes many calls to one model: paced, retried, within a budget, each settled call handed over the moment it ends.

The engine knows nothing of stores or of what a reply means. `record` gets settled calls in small batches (those that
ended while the batch before was written) and has kept them when it returns; only then is the next call sent. So a kill
at any moment loses the calls in flight and nothing else.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Generic

from pld_core.budget import Budget
from pld_core.calls import (
    Call,
    Limits,
    Model,
    Reply,
    Request,
    Settled,
    Subject,
    TookTooLong,
    billed,
    settled_of,
)
from pld_core.errors import (
    AccessRefused,
    BackendBusy,
    BackendError,
    BudgetReached,
    CallsStopped,
    JobCancelled,
    ModelMissing,
)
from pld_core.model_ports import ChatReply, EmbedReply
from pld_core.pace import Clock, LoopClock, Pace
from pld_core.pricing import FREE, Price, likely_tokens, most_tokens
from pld_core.recording import Recorder

GENTLE_STOPS = (JobCancelled, BudgetReached, BackendError)
"""After these the calls under way are waited for: they are paid for already."""


class Engine(Generic[Subject, Request, Reply]):
    """Makes the calls of one run. Build one a run, inside the event loop."""

    def __init__(
        self,
        model: Model[Request, Reply],
        limits: Limits = Limits(),  # noqa: B008 - frozen
        price: Price = FREE,
        budget: Budget | None = None,
        seed: int = 0,
        clock: Clock | None = None,
    ) -> None:
        """Prepare a run; nothing is sent yet.

        Args:
            price: of the model's tokens; `FREE` also where it is not known.
            budget: what may be spent; None for no cap.
            seed: of the lots that spread the retries.
            clock: for back-off and pauses; None for the event loop's.
        """
        self.budget = budget or Budget()
        self._model, self._limits, self._price = model, limits, price
        self._clock = clock or LoopClock()
        self._pace = Pace(limits.requests_per_minute, limits.tokens_per_minute, self._clock)
        self._lots = random.Random(seed)  # noqa: S311 - spreads retries
        self._freed = asyncio.Event()
        self._sending: set[asyncio.Task[None] | None] = set()
        self._stopping = False
        self._in_a_row = 0
        self._tokens_seen, self._replies_seen = 0, 0

    async def run(
        self,
        calls: Iterable[Call[Subject, Request]],
        record: Callable[[Sequence[Settled[Subject, Request, Reply]]], Awaitable[None]],
        watch: Callable[[], None] = lambda: None,
    ) -> None:
        """Make the calls, in their order as far as several at a time have one.

        Args:
            calls: drawn from one by one, as places become free.
            record: keeps settled calls; never called twice at the same time.
            watch: called after each batch and each tick; what it raises stops the run.

        Raises:
            AccessRefused, ModelMissing: no call can succeed; raised at the first.
            CallsStopped: too many calls in a row got no answer.
            BudgetReached: the next call could exceed the budget.
            Whatever `record` and `watch` raise.
        """

        async def record_and_look(batch: Sequence[Settled[Subject, Request, Reply]]) -> None:
            await record(batch)
            # Before the places become free: a cancelled run sends nothing more.
            watch()

        recorder = Recorder(record_and_look)
        writing = asyncio.create_task(recorder.run())
        remaining = iter(calls)
        workers = {asyncio.create_task(self._work(remaining, recorder)) for _ in range(self._limits.in_flight)}
        try:
            await self._oversee(workers, watch)
        except GENTLE_STOPS:
            await self._drain(workers)
            raise
        finally:
            await _end(workers)
            recorder.close()
            await writing

    async def settle(self, call: Call[Subject, Request]) -> Settled[Subject, Request, Reply]:
        """Send one call until it is answered or may not be sent again.

        Raises:
            AccessRefused, ModelMissing, BudgetReached: no call can succeed.
            CallsStopped: the server asks for a longer wait than the longest allowed.
        """
        cost, attempt = 0, 1
        while True:
            answered, billed = await self._attempt(call.request)
            cost += billed
            settled = settled_of(call, answered, attempt, cost)
            again = settled.failure is not None and settled.failure.is_passing
            if not again or attempt == self._limits.attempts or self._stopping:
                return settled
            await self._clock.sleep(self._wait_after(attempt, answered))
            attempt += 1

    async def _oversee(self, workers: set[asyncio.Task[None]], watch: Callable[[], None]) -> None:
        everyone: asyncio.Future[list[None]] = asyncio.gather(*workers)
        # Whoever stops the run looks at the first error only; the others are not to be complained of.
        everyone.add_done_callback(lambda all_: all_.cancelled() or all_.exception())
        while not everyone.done():
            await asyncio.wait({everyone}, timeout=self._limits.tick_s)
            if not everyone.done():
                watch()
        everyone.result()

    async def _drain(self, workers: set[asyncio.Task[None]]) -> None:
        """Wait for the calls under way, and for nothing else."""
        self._stopping = True
        for task in workers - self._sending:
            task.cancel()
        await asyncio.wait(workers, timeout=self._limits.drain_s)

    async def _work(
        self, remaining: Iterator[Call[Subject, Request]], recorder: Recorder[Settled[Subject, Request, Reply]]
    ) -> None:
        for call in remaining:
            if self._stopping:
                return
            settled = await self.settle(call)
            self._sending.add(asyncio.current_task())
            await recorder.keep(settled)
            self._sending.discard(asyncio.current_task())
            self._check_row(settled)

    async def _attempt(self, request: Request) -> tuple[Reply | BackendError, int]:
        """Send once; return the reply or the error, and the cost in micro-units.

        Raises:
            AccessRefused, ModelMissing, BudgetReached: nothing more is to be sent.
        """
        most = self._price.cost(*most_tokens(request))
        await self._set_aside(most)
        spent: int | None = None
        try:
            await self._pace.enter(self._expected_tokens(request))
            spent = most
            answered = await self._send(request)
            spent = billed(answered, self._price, most)
        finally:
            # An attempt that was cut off after it went out may have been billed.
            if spent is None:
                self.budget.give_back(most)
            else:
                self.budget.settle(most, spent)
            self._freed.set()
        self._learn(answered)
        if isinstance(answered, AccessRefused | ModelMissing):
            raise answered
        return answered, spent

    async def _send(self, request: Request) -> Reply | BackendError:
        task = asyncio.current_task()
        self._sending.add(task)
        try:
            async with asyncio.timeout(self._limits.call_timeout_s):
                return await self._model.complete(request)
        except TimeoutError:
            limit = self._limits.call_timeout_s
            return TookTooLong(f"The answer was not complete after {limit:g} s. Raise the limit, or try again.", True)
        except BackendError as error:
            return error
        finally:
            self._sending.discard(task)

    async def _set_aside(self, most: int) -> None:
        while not self.budget.set_aside(most):
            if self.budget.is_idle:
                raise self.budget.reached(most)
            # Calls under way have more set aside than they will cost.
            self._freed.clear()
            await self._freed.wait()

    def _learn(self, answered: Reply | BackendError) -> None:
        if isinstance(answered, ChatReply | EmbedReply) and answered.prompt_tokens is not None:
            self._tokens_seen += answered.prompt_tokens + (answered.output_tokens or 0)
            self._replies_seen += 1

    def _expected_tokens(self, request: Request) -> int:
        return self._tokens_seen // self._replies_seen if self._replies_seen else sum(likely_tokens(request))

    def _wait_after(self, attempt: int, answered: Reply | BackendError) -> float:
        longest = self._limits.longest_wait_s
        wait = min(longest, self._limits.first_wait_s * 2.0 ** (attempt - 1)) * self._lots.uniform(0.5, 1.0)
        told = answered.retry_after_s if isinstance(answered, BackendBusy) else None
        if told is None:
            return wait
        if told > longest:
            raise CallsStopped(
                f"{answered} The server asks to wait {told:,.0f} s. What was answered is kept. "
                "Start again after that time."
            )
        self._pace.hold(told)
        return max(wait, told)

    def _check_row(self, settled: Settled[Subject, Request, Reply]) -> None:
        """Count calls without an answer, and stop when too many of them follow each other."""
        self._in_a_row = self._in_a_row + 1 if settled.has_no_answer else 0
        if self._in_a_row >= self._limits.stop_after:
            raise CallsStopped(
                f"{settled.problem} So it went {self._in_a_row} times in a row, and the run was stopped. "
                "What was answered is kept. Start again to go on."
            )


async def _end(workers: Iterable[asyncio.Task[None]]) -> None:
    for task in workers:
        task.cancel()
    for task in workers:
        with suppress(asyncio.CancelledError, Exception):
            await task
