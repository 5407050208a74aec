"""Asking the student about every input of a batch: each text once, each answer kept as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from pld_core.asking import ONE_BY_ONE, answer_of, ready_status, student_request
from pld_core.calls import Call, Limits, Settled
from pld_core.canonical import Json
from pld_core.engine import Engine
from pld_core.errors import InvalidInput
from pld_core.held_back import HeldBack
from pld_core.live_batch import BatchAnswer, BatchInput, BatchOrder, LiveBatch, ReadInputs
from pld_core.live_batch_ports import LiveBatchStore
from pld_core.model_ports import BackendStatus, Chat
from pld_core.models import SYSTEM, CompiledPrompt, PromptVersion
from pld_core.pace import Clock
from pld_core.ports import Progress


def batch_order(version: PromptVersion, status: BackendStatus, read: ReadInputs) -> BatchOrder:
    """Return the order to ask a student, as it is now, about what was read."""
    prompt = version.prompt
    request = student_request(prompt, ())
    sent: dict[str, Json] = {
        "system": prompt.text,
        "schema": dict(request.schema or {}),
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
        "context_size": status.context_size,
    }
    return BatchOrder(prompt.task, version.number, prompt.sha256, status.name, status.digest, read, sent)


async def answer_batch(
    store: LiveBatchStore,
    student: Chat,
    batch: LiveBatch,
    prompt: CompiledPrompt,
    report: Progress,
    limits: Limits = ONE_BY_ONE,
    clock: Clock | None = None,
) -> None:
    """Ask about every text of a batch that has no answer yet.

    A question that got no answer after all attempts is held back; see `HeldBack`.

    Raises:
        BackendError: the student cannot be reached, refuses whoever asks, or answered nothing; the answers so far are
            kept.
        InvalidInput: the student holds other weights than the batch was ordered for.
    """
    status = await ready_status(student)
    if (status.name, status.digest) != (batch.order.student, batch.order.digest):
        raise InvalidInput(
            f"Batch {batch.id} was ordered with other weights of {batch.order.student} than are there now. Its answers "
            "are kept. Order a new batch."
        )
    asking = _Asking(store, student, batch, prompt, report)
    asking.tell()
    engine: Engine[BatchInput] = Engine(student, limits, clock=clock)
    await engine.run(asking.calls(), asking.held_back.record, asking.tell)
    await asking.held_back.close()
    store.finish(batch.id, SYSTEM)


class _Asking:
    """The texts of a batch that have no answer, and what becomes of theirs."""

    def __init__(
        self, store: LiveBatchStore, student: Chat, batch: LiveBatch, prompt: CompiledPrompt, report: Progress
    ) -> None:
        self._store, self._batch, self._prompt, self._report = store, batch, prompt, report
        have = store.answers(batch.id)
        different = {given.text_hash: given for given in batch.order.read.inputs}
        self._todo = [given for content, given in different.items() if content not in have]
        self._total, self._kept = len(different), len(different) - len(self._todo)
        self.held_back = HeldBack(student, self._keep, has_answers=self._kept > 0)

    def calls(self) -> Iterator[Call[BatchInput]]:
        for given in self._todo:
            yield Call(student_request(self._prompt, given.fields), given)

    def tell(self) -> None:
        self._report(self._kept, self._total, "inputs answered")

    async def _keep(self, settled: Sequence[Settled[BatchInput]]) -> None:
        answers = [BatchAnswer(one.call.subject.text_hash, answer_of(self._prompt.answer_form, one)) for one in settled]
        # In a thread: the disk must not hold up the calls under way.
        await asyncio.to_thread(self._store.keep, self._batch.id, answers)
        self._kept += len(answers)
