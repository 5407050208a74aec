"""Asking a teacher many things: nothing is asked twice that was answered, and every answer is kept as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pld_core.budget import Budget
from pld_core.calls import Call, Limits, Settled
from pld_core.engine import Engine
from pld_core.errors import Failure, ReplyUnusable
from pld_core.extraction import request_hash
from pld_core.pace import Clock
from pld_core.ports import Chat, ChatRequest, Progress, Store, TeacherCall
from pld_core.pricing import FREE, Price

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
    """How the asking goes: usable answers, failures by kind, and earlier failures that were left alone."""

    made: int = 0
    failed: dict[Failure, int] = field(default_factory=dict)
    left: int = 0

    @property
    def settled(self) -> int:
        return self.made + sum(self.failed.values()) + self.left


@dataclass(frozen=True)
class Answered(Generic[Subject, Result]):
    """An answer to be kept; `call` is None where it was in the store already, `result` where it is of no use."""

    subject: Subject
    call: TeacherCall | None
    result: Result | None


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
        self, asks: Sequence[Ask[Subject]], retry_failed: bool, report: Progress, already: int, what: str
    ) -> None:
        """Ask what the store does not answer; a failure that would not pass by itself only with `retry_failed`.

        Raises:
            As `Engine.run`; what was answered is kept.
        """
        total = already + len(asks)

        def tell() -> None:
            report(already + self.tally.settled, total, what)

        tell()
        todo = self._open(asks, retry_failed)
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

    def _open(self, asks: Sequence[Ask[Subject]], retry_failed: bool) -> list[Ask[Subject]]:
        """Take over stored replies and return what has to be asked."""
        keys = [request_hash(self._chat.name, ask.request) for ask in asks]
        stored = self._store.logic.stored_replies(keys)
        failed = {
            call.request_hash
            for call in self._store.logic.failed_calls(self._task)
            if call.failure and not call.failure.is_passing
        }
        todo, known = [], []
        for key, ask in zip(keys, asks, strict=True):
            result = self._readable(ask.subject, stored[key]) if key in stored else None
            if result is not None:
                known.append(Answered(ask.subject, None, result))
            elif key in failed and not retry_failed:
                self.tally.left += 1
            else:
                todo.append(ask)
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
        subject, failure, problem = settled.call.subject.subject, settled.failure, settled.problem
        result: Result | None = None
        if failure is None:
            try:
                result = self._read(subject, settled.raw)
            except ReplyUnusable as error:
                failure, problem = error.kind, str(error)
        return Answered(subject, self._call(settled, failure, problem), result)

    def _call(self, settled: Settled[Ask[Subject]], failure: Failure | None, problem: str) -> TeacherCall:
        request, reply = settled.call.request, settled.reply
        return TeacherCall(
            request_hash=request_hash(self._chat.name, request),
            purpose=request.purpose,
            subjects=request.subjects,
            teacher=self._chat.name,
            template_hash=self._template,
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
            run=self._teaching.run,
        )
