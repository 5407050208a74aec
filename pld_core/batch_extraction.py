"""Phase 1 in batches: the same requests, records and instructions as those of `pipeline.extract`, a day later."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from pld_core.batch_run import Batching, BatchTeacher, Recorded
from pld_core.batches import BatchChat, BatchedStore, BatchItem, StoredBatch
from pld_core.calls import Settled
from pld_core.errors import NotFound, ReplyUnusable
from pld_core.extraction import extraction_request, read_extraction
from pld_core.model_ports import ChatRequest
from pld_core.models import Example, MicroInstruction
from pld_core.pipeline import open_extractions
from pld_core.teaching import answer_of, sort_asks


def batch_teacher(store: BatchedStore, chat: BatchChat, task_name: str, batching: Batching) -> BatchTeacher:
    """Return what submits and collects the extraction batches of a task."""
    task = store.tasks.get(task_name)

    def example_of(item: BatchItem) -> Example | None:
        try:
            return store.tasks.example(task_name, item.subjects[0])
        except NotFound:
            # Its data set was deleted meanwhile.
            return None

    def request_of(item: BatchItem) -> ChatRequest | None:
        example = example_of(item)
        return None if example is None else extraction_request(task, example)

    def take(batch: StoredBatch, settled: Settled[BatchItem]) -> Recorded:
        def read(example: Example | None, text: str) -> MicroInstruction | None:
            if example is None:
                return None
            # Of the template that was sent: this version may have another.
            return replace(read_extraction(example, text, batch.teacher), template_hash=batch.template_hash)

        item = settled.call.subject
        key, template = item.request_hash, batch.template_hash
        return answer_of(settled, example_of(item), read, batch.teacher, template, key, batch.run)

    return BatchTeacher(store, chat, task_name, request_of, take, batching)


def to_ask(
    store: BatchedStore, teacher: str, task_name: str, run: str, only: Collection[str] | None, limit: int | None
) -> Sequence[ChatRequest]:
    """Return the requests that a batch would hold; replies that are stored already become instructions at once.

    Args:
        only, limit: as `pipeline.extract` has them.
    """
    asks, _ = open_extractions(store, task_name, only)
    found = sort_asks(store, teacher, task_name, asks, only is not None, run)
    todo = [ask.request for ask in found.todo]
    for ask, text in found.stored:
        try:
            store.logic.add_instruction(task_name, read_extraction(ask.subject, text, teacher))
        except ReplyUnusable:
            # An older version took what this one cannot read; then only a new reply helps.
            todo.append(ask.request)
    return todo[:limit]
