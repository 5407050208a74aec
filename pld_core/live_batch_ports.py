"""What is needed of a store for batches of live questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pld_core.live_batch import BatchAnswer, BatchOrder, LiveBatch
from pld_core.models import Actor, Answer


class LiveBatchStore(Protocol):
    """Batches and the student's answers to them; both are only added to."""

    def order(self, order: BatchOrder, actor: Actor) -> LiveBatch:
        """Store a batch that is to be asked.

        Raises:
            MissingRole: the actor may not ask a student.
        """
        ...

    def get(self, number: int) -> LiveBatch:
        """Return a batch.

        Raises:
            NotFound: there is none of that number.
        """
        ...

    def all(self, task: str) -> tuple[LiveBatch, ...]:
        """Return the batches of a task, newest first."""
        ...

    def answers(self, number: int) -> dict[str, Answer]:
        """Return the answers of a batch so far, by hash of the text."""
        ...

    def keep(self, number: int, answers: Sequence[BatchAnswer]) -> None:
        """Keep answers in one transaction; the first to a text stays."""
        ...

    def finish(self, number: int, actor: Actor) -> None:
        """Append to the audit chain what came of a batch, once."""
        ...
