"""Asking a teacher many things: nothing is asked twice that was answered, and every answer is kept as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pld_core.budget import Budget
from pld_core.calls import Call, Limits, Settled
from pld_core.engine import Engine
from pld_core.errors import Failure, ReplyUnusable
from pld_core.extraction import request_hash
from pld_core.model_ports import Chat, ChatRequest
from pld_core.pace import Clock
from pld_core.ports import Progress, Store
from pld_core.pricing import FREE, Price
from pld_core.records import TeacherCall

Subject = TypeVar("Subject")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Teaching:
    """How a teacher is worked in one run.

    Attributes:
        price: of its tokens; `FREE` also where it is not known.
        max_calls, max_cost: the run's cap; None for none. Cost in micro-units.
        currency: for messages.
        run: name of the run, such as `job 7`: what earlier starts of it spent counts against the cap.
        seed: of the lots that spread retries.
        clock: for back-off; None for the event loop's.
    """

    limits: Limits = field(default_factory=Limits)
    price: Price = FREE
    max_calls: int | None = None
    max_cost: int | None = None
    currency: str = ""
    run: str = ""
    seed: int = 0
    clock: Clock | None = None

    def budget(self, store: Store, task: str) -> Budget:
        """Return the run's budget with what it spent so far."""
        spent = store.logic.spend(task, self.run) if self.run else None
        calls, cost = (spent.calls, spent.cost) if spent else (0, 0)
        return Budget(self.max_calls, self.max_cost, calls, cost, self.currency)


@dataclass(frozen=True)
class Ask(Generic[Subject]):
    """One thing to ask: what it is about, and the request."""

    subject: Subject
    request: ChatRequest


@dataclass
class Tally:
    """How the asking goes: usable answers, failures by kind, what was left alone and what waits in an open batch."""

    made: int = 0
    failed: dict[Failure, int] = field(default_factory=dict)
    left: int = 0
    in_batches: int = 0

    @property
    def settled(self) -> int:
        return self.made + sum(self.failed.values()) + self.left + self.in_batches


@dataclass(frozen=True)
class Answered(Generic[Subject, Result]):
    """An answer to be kept; `call` is None where it was in the store already, `result` where it is of no use."""

    subject: Subject
    call: TeacherCall | None
    result: Result | None


@dataclass(frozen=True)
class SortedAsks(Generic[Subject]):
    """What is to be done with asks: `todo` is to be sent, `stored` has a reply already, the rest is left alone."""

    todo: list[Ask[Subject]]
    stored: list[tuple[Ask[Subject], str]]
    left: int
    in_batches: int


def sort_asks(
    store: Store, teacher: str, task: str, asks: Sequence[Ask[Subject]], retry_failed: bool, run: str = ""
) -> SortedAsks[Subject]:
    """Say which asks would be sent, in their order.

    Args:
        retry_failed: also those whose call failed in a way that does not pass by itself, unless in this very run.
        run: the run that asks, empty for none.
    """
    keys = [request_hash(teacher, ask.request) for ask in asks]
    replies = store.logic.stored_replies(keys)
    in_batches = store.logic.in_batches(task)
    failed = {
        call.request_hash
        for call in store.logic.failed_calls(task)
        if call.failure and not call.failure.is_passing and not (retry_failed and (not run or call.run != run))
    }
    found: SortedAsks[Subject] = SortedAsks(
        [a for k, a in zip(keys, asks, strict=True) if not (k in replies or k in failed or k in in_batches)],
        [(a, replies[k]) for k, a in zip(keys, asks, strict=True) if k in replies],
        sum(k in failed for k in keys if k not in replies),
        sum(k in in_batches for k in keys if not (k in replies or k in failed)),
    )
    return found


class Teacher(Generic[Subject, Result]):
    """Asks for one purpose of one task.

    `read` makes something of a reply or raises `ReplyUnusable`; `keep` stores answers, in a thread of its own.
    """

    def __init__(
        self,
        store: Store,
        chat: Chat,
        task: str,
        template_hash: str,
        read: Callable[[Subject, str], Result],
        keep: Callable[[Sequence[Answered[Subject, Result]]], None],
        teaching: Teaching,
    ) -> None:
        self._store, self._chat, self._task, self._template = store, chat, task, template_hash
        self._read, self._keep, self._teaching = read, keep, teaching
        self.tally = Tally()

    async def ask(
        self,
        asks: Sequence[Ask[Subject]],
        retry_failed: bool,
        report: Progress,
        already: int,
        what: str,
        limit: int | None = None,
    ) -> None:
        """Ask what the store does not answer; a failure that would not pass by itself only with `retry_failed`.

        Args:
            limit: make at most so many calls; None for all that are needed.

        Raises:
            As `Engine.run`; what was answered is kept.
        """
        todo = self.open_asks(asks, retry_failed)[:limit]
        total = already + self.tally.settled + len(todo)

        def tell() -> None:
            report(already + self.tally.settled, total, what)

        tell()
        engine: Engine[Ask[Subject]] = Engine(
            self._chat,
            self._teaching.limits,
            self._teaching.price,
            self._teaching.budget(self._store, self._task),
            self._teaching.seed,
            self._teaching.clock,
        )
        await engine.run([Call(ask.request, ask) for ask in todo], self._record, tell)
        tell()

    def open_asks(self, asks: Sequence[Ask[Subject]], retry_failed: bool) -> list[Ask[Subject]]:
        """Take over stored replies and return what has to be asked."""
        found = sort_asks(self._store, self._chat.name, self._task, asks, retry_failed, self._teaching.run)
        self.tally.left, self.tally.in_batches = found.left, found.in_batches
        todo, known = list(found.todo), []
        for ask, text in found.stored:
            result = self._readable(ask.subject, text)
            if result is None:
                todo.append(ask)
            else:
                known.append(Answered(ask.subject, None, result))
        if known:
            self._keep(known)
            self.tally.made += len(known)
        return todo

    def _readable(self, subject: Subject, text: str) -> Result | None:
        try:
            return self._read(subject, text)
        except ReplyUnusable:
            # An older version took what this one cannot read; then only a new reply helps.
            return None

    async def _record(self, batch: Sequence[Settled[Ask[Subject]]]) -> None:
        answers = [self._answered(settled) for settled in batch]
        # In a thread: the disk must not hold up the calls under way.
        await asyncio.to_thread(self._keep, answers)
        for answer in answers:
            if answer.call is not None and answer.call.failure:
                failed = self.tally.failed
                failed[answer.call.failure] = failed.get(answer.call.failure, 0) + 1
            else:
                self.tally.made += 1

    def _answered(self, settled: Settled[Ask[Subject]]) -> Answered[Subject, Result]:
        ask = settled.call.subject
        key = request_hash(self._chat.name, ask.request)
        run = self._teaching.run
        return Answered(
            ask.subject, *answer_of(settled, ask.subject, self._read, self._chat.name, self._template, key, run)
        )


def answer_of(
    settled: Settled[Any],
    subject: Subject,
    read: Callable[[Subject, str], Result],
    teacher: str,
    template_hash: str,
    key: str,
    run: str,
) -> tuple[TeacherCall, Result | None]:
    """Make of a call that ended its record, and of its reply what `read` makes of it; `key` is the request's hash."""
    failure, problem = settled.failure, settled.problem
    result: Result | None = None
    if failure is None:
        try:
            result = read(subject, settled.raw)
        except ReplyUnusable as error:
            failure, problem = error.kind, str(error)
    request, reply = settled.call.request, settled.reply
    call = TeacherCall(
        request_hash=key,
        purpose=request.purpose,
        subjects=request.subjects,
        teacher=teacher,
        template_hash=template_hash,
        reply=settled.raw,
        problem=problem,
        prompt_tokens=reply.prompt_tokens if reply else None,
        output_tokens=reply.output_tokens if reply else None,
        latency_ms=reply.latency_ms if reply else 0,
        model=reply.model if reply else "",
        finish=reply.finish if reply else "",
        failure=failure,
        attempts=settled.attempts,
        cost=settled.cost,
        run=run,
    )
    return call, result
