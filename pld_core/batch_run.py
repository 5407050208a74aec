"""Submits batches, looks at them, collects what came: nothing is submitted twice, and nothing that came is lost.

A batch is stored before anything is sent, and the name of its uploaded file before it is created. So a process that
finds a stored batch with a file and without the provider's name for it cannot know whether it was created, and looks
for it among the provider's batches by its key. What is collected is recorded once a request, whoever collects it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pld_core.batches import (
    BatchAnswer,
    BatchChat,
    BatchedStore,
    BatchItem,
    BatchNote,
    BatchState,
    NewBatch,
    RemoteBatch,
    StoredBatch,
    divide,
    look_after_s,
)
from pld_core.calls import Call, Settled, billed, settled_of
from pld_core.errors import (
    AccessRefused,
    BackendBusy,
    BackendError,
    BackendRefused,
    BackendUnreachable,
    BatchOverCap,
    BatchUnknown,
    InvalidInput,
    ModelMissing,
)
from pld_core.estimate import Estimate
from pld_core.extraction import request_hash
from pld_core.model_ports import ChatRequest
from pld_core.models import Actor, MicroInstruction
from pld_core.pace import Clock
from pld_core.ports import Progress
from pld_core.pricing import FREE, Price, likely_tokens, money, most_tokens
from pld_core.records import TeacherCall

PORTION = 50
"""Answers that are recorded in one transaction: a kill loses no more than these, and they are collected again."""
TROUBLES = 5
"""Looks in a row that may fail in passing before waiting is given up: a day is long, and servers restart."""

Recorded = tuple[TeacherCall, MicroInstruction | None]


@dataclass(frozen=True)
class Batching:
    """How batches are worked.

    Attributes:
        price: of the teacher's tokens in a batch.
        tokens: most tokens in batches that are under way at the same time; None for no limit.
        run: name of the run, kept with the batches and their calls.
    """

    actor: Actor
    price: Price = FREE
    tokens: int | None = None
    run: str = ""


class BatchTeacher:
    """The batches of one task and one teacher.

    `request_of` makes the request of a stored item anew, None if it cannot; `take` makes of a call that ended its
    record and what was read from it.
    """

    def __init__(
        self,
        store: BatchedStore,
        chat: BatchChat,
        task: str,
        request_of: Callable[[BatchItem], ChatRequest | None],
        take: Callable[[StoredBatch, Settled[BatchItem]], Recorded],
        batching: Batching,
    ) -> None:
        self._store, self._chat, self._task = store, chat, task
        self._request_of, self._take, self._batching = request_of, take, batching

    @property
    def open(self) -> list[StoredBatch]:
        """The open batches, oldest first."""
        found = self._store.batches.all(self._task)
        return [batch for batch in reversed(found) if batch.teacher == self._chat.name and not batch.state.is_final]

    def prepare(self, requests: Sequence[ChatRequest], template_hash: str) -> tuple[StoredBatch, ...]:
        """Store the requests as batches that are to be submitted; sends nothing.

        Raises:
            BatchTaken: one of them is in an open batch already.
        """
        # Two examples may look the same to a teacher; the second then finds the reply to the first.
        by_key = {request_hash(self._chat.name, request): request for request in reversed(requests)}
        keyed = list(reversed(by_key.items()))
        sizes = [(len(self._chat.line(key, request)), sum(likely_tokens(request))) for key, request in keyed]
        parts = [
            NewBatch(
                purpose=keyed[part.start][1].purpose,
                teacher=self._chat.name,
                template_hash=template_hash,
                run=self._batching.run,
                tokens=sum(sizes[place][1] for place in part),
                items=tuple(self._item(*keyed[place]) for place in part),
            )
            for part in divide(sizes, self._batching.tokens)
        ]
        return self._store.batches.add(self._task, parts, self._batching.actor)

    async def round(self) -> list[StoredBatch]:
        """Submit what waits, look at what runs, collect what ended; return what is still open.

        Raises:
            BackendError: of the first batch that met one, after the others were seen to.
            BatchTaken: another process is submitting.
        """
        first: BackendError | None = None
        for batch in self.open:
            try:
                await self._see_to(batch)
            except BackendError as error:
                first = first or error
        if first is not None:
            raise first
        return self.open

    async def wait(self, report: Progress, clock: Clock) -> None:
        """Go on until no batch is open; a server that is down for a while is waited for.

        Raises:
            As `round`; whatever `report` raises. What was collected is kept.
        """
        looks, troubles = 0, 0
        while True:
            pause = look_after_s(looks)
            try:
                if not await self.round():
                    return
                looks, troubles = looks + 1, 0
            except (BackendBusy, BackendUnreachable) as error:
                troubles += 1
                if troubles == TROUBLES:
                    raise
                pause = max(pause, getattr(error, "retry_after_s", None) or 0.0)
            tell(self.open, report)
            await clock.sleep(pause)

    async def cancel(self, batches: Sequence[StoredBatch]) -> None:
        """Have batches cancelled at the provider; what was answered by then is collected by the next round.

        Raises:
            BatchTaken: another process is submitting just now.
        """
        for batch in batches:
            if batch.state is BatchState.PREPARED:
                batch = await self._cancel_here(batch)  # noqa: PLW2901 - where it stands now
            if not batch.state.is_final:
                await self._cancel_there(batch)

    async def _cancel_here(self, batch: StoredBatch) -> StoredBatch:
        with self._store.batches.submitting():
            batch = await self._found(self._store.batches.get(batch.id))
            if batch.state is not BatchState.PREPARED:
                return batch
            return self._close(batch, BatchState.CANCELLED, "Cancelled before it was submitted. Nothing was asked.")

    async def _cancel_there(self, batch: StoredBatch) -> None:
        try:
            await self._chat.cancel(batch.note.remote_id)
        except BatchUnknown as error:
            # The way out where the provider knows nothing of it any more.
            self._close(batch, BatchState.CANCELLED, f"Given up. {error} {_answered(batch)}")
            return
        except AccessRefused:
            raise
        except (BackendBusy, BackendRefused):
            # One that has ended meanwhile cannot be cancelled, and servers say so in different ways.
            if not (await self._chat.look(batch.note.remote_id)).state.is_final:
                raise
        # Whatever it says now: the next look tells, and takes what is there even if it is less than was told.
        self._note(batch, replace(batch.note, state=BatchState.CANCELLING))

    async def _see_to(self, batch: StoredBatch) -> None:
        if batch.state is not BatchState.PREPARED:
            await self._look(batch)
            return
        limit = self._batching.tokens
        under_way = sum(b.tokens for b in self.open if b.state is not BatchState.PREPARED)
        if limit is not None and under_way and under_way + batch.tokens > limit:
            return
        with self._store.batches.submitting():
            batch = await self._submit(self._store.batches.get(batch.id))
        if batch.state is BatchState.RUNNING:
            await self._look(batch)

    async def _submit(self, batch: StoredBatch) -> StoredBatch:
        batch = await self._found(batch)
        if batch.state is not BatchState.PREPARED:
            return batch
        try:
            if not batch.note.file_id:
                lines = self._lines(batch)
                if lines is None:
                    changed = "The task was changed before it was submitted. Nothing was asked. Start again."
                    return self._close(batch, BatchState.CANCELLED, changed)
                batch = self._note(batch, BatchNote(file_id=await self._chat.upload(lines)))
            remote = await self._chat.create(batch.note.file_id, batch.key)
        except (BackendRefused, ModelMissing) as error:
            self._close(batch, BatchState.FAILED, f"{error} Nothing was asked.")
            raise
        return self._note(batch, replace(batch.note, state=BatchState.RUNNING, remote_id=remote.id))

    async def _found(self, batch: StoredBatch) -> StoredBatch:
        """Look for a batch that may have been created by a process that was stopped before it could note so."""
        if batch.state is not BatchState.PREPARED or not batch.note.file_id:
            return batch
        remote = await self._chat.find(batch.key, batch.created_at)
        if remote is None:
            return batch
        return self._note(batch, replace(batch.note, state=BatchState.RUNNING, remote_id=remote.id))

    def _lines(self, batch: StoredBatch) -> list[bytes] | None:
        """Return the lines of the file, None if one of the requests cannot be made as it was stored."""
        lines = []
        for item in self._store.batches.items(batch.id):
            request = self._request_of(item)
            if request is None or request_hash(self._chat.name, request) != item.request_hash:
                return None
            lines.append(self._chat.line(item.request_hash, request))
        return lines

    async def _look(self, batch: StoredBatch) -> None:
        remote = await self._chat.look(batch.note.remote_id)
        if not remote.state.is_final:
            # Once somebody cancelled it, it stays so until it ends.
            state = BatchState.CANCELLING if batch.state is BatchState.CANCELLING else remote.state
            self._note(batch, replace(batch.note, state=state, done=remote.done, failed=remote.failed))
            return
        await self._collect(batch, remote)
        batch = self._store.batches.get(batch.id)
        if batch.collected < remote.done and batch.state is not BatchState.CANCELLING:
            raise BackendBusy(
                f"The provider says that {remote.done:,} requests of batch {batch.id} were answered, but its files "
                f"hold {batch.collected:,} so far. Those are kept. Look again later, or cancel the batch to leave it "
                "at that."
            )
        noted = self._note(batch, replace(batch.note, done=remote.done, failed=remote.failed))
        self._close(noted, remote.state, _ending(batch, remote))

    async def _collect(self, batch: StoredBatch, remote: RemoteBatch) -> None:
        items = {item.request_hash: item for item in self._store.batches.items(batch.id)}
        portion: list[Recorded] = []
        for file in (remote.output_file, remote.error_file):
            if not file:
                continue
            try:
                async for answer in self._chat.answers(file):
                    if (item := items.get(answer.request_hash)) is not None:
                        portion.append(self._recorded(batch, item, answer))
                    if len(portion) == PORTION:
                        await asyncio.to_thread(self._store.batches.record, batch.id, portion)
                        portion = []
            except BatchUnknown:
                # Whoever cancels a batch leaves it at what can still be had.
                if batch.state is not BatchState.CANCELLING:
                    raise
        await asyncio.to_thread(self._store.batches.record, batch.id, portion)

    def _recorded(self, batch: StoredBatch, item: BatchItem, answer: BatchAnswer) -> Recorded:
        # The texts are with the provider; the record needs what it was for and what it was about.
        request = ChatRequest("", "", batch.purpose, item.subjects)
        cost = billed(answer.answered, self._batching.price, item.most)
        return self._take(batch, settled_of(Call(request, item), answer.answered, 1, cost))

    def _item(self, key: str, request: ChatRequest) -> BatchItem:
        return BatchItem(key, request.subjects, self._batching.price.cost(*most_tokens(request)))

    def _note(self, batch: StoredBatch, note: BatchNote) -> StoredBatch:
        return self._store.batches.note(batch.id, note, self._batching.actor)

    def _close(self, batch: StoredBatch, state: BatchState, message: str) -> StoredBatch:
        return self._note(batch, replace(batch.note, state=state, message=message))


def check_cap(
    found: Estimate, max_calls: int | None, max_cost: int | None, calls: int, cost: int, currency: str
) -> None:
    """Refuse a submission whose estimate does not fit the cap: a batch cannot be stopped half-way.

    Args:
        max_calls, max_cost: the cap of the run; None for none. Money in micro-units.
        calls, cost: what earlier starts of the run spent.

    Raises:
        BatchOverCap: it does not fit.
        InvalidInput: there is a cap in money, and no price.
    """
    ways_out = "Nothing was sent. Raise the cap, or ask about fewer examples."
    if max_calls is not None and calls + found.calls > max_calls:
        raise BatchOverCap(f"The batch takes {found.calls:,} calls, and the cap is {max_calls:,}. {ways_out}")
    if max_cost is None:
        return
    if found.cost is None:
        raise InvalidInput("There is a cap in money, but no price for the teacher. Nothing was sent. Set its price.")
    if cost + found.cost > max_cost:
        told, most = money(found.cost, currency), money(max_cost, currency)
        raise BatchOverCap(f"The batch would cost about {told}, and the cap is {most}. {ways_out}")


def tell(batches: Sequence[StoredBatch], report: Progress) -> None:
    """Report how far open batches are."""
    done = sum(batch.note.done + batch.note.failed for batch in batches)
    report(done, sum(batch.size for batch in batches), "answered at the provider")


def _answered(batch: StoredBatch) -> str:
    return f"{batch.collected:,} of {batch.size:,} requests were answered and are kept."


def _ending(batch: StoredBatch, remote: RemoteBatch) -> str:
    words, rest = _answered(batch), " Start again to ask the others." if batch.collected < batch.size else ""
    if remote.state is BatchState.EXPIRED:
        return f"The provider's 24 hours were over. {words}{rest}"
    if remote.state is BatchState.CANCELLED:
        return f"Cancelled. {words}{rest}"
    if remote.state is BatchState.FAILED:
        return (
            f"The provider refused the batch: {remote.problem or 'no reason given'}. {words} Correct that, start again."
        )
    return f"{words}{rest}"
