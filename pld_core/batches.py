"""Batches: many calls handed to a provider at once, for less money, answered within a day. Words and ports; pure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pld_core.errors import BackendError
from pld_core.model_ports import Chat, ChatReply, ChatRequest
from pld_core.models import Actor, MicroInstruction
from pld_core.ports import Store
from pld_core.records import TeacherCall

MOST_REQUESTS = 50_000
MOST_BYTES = 200_000_000
"""What one batch of OpenAI's may hold; a larger submission is divided."""
FIRST_LOOK_S = 10.0
LONGEST_LOOK_S = 300.0
"""A batch is looked at soon, for small ones end in a minute, and then ever more rarely: large ones take hours."""


class BatchState(StrEnum):
    """Where a batch stands: `prepared` is stored here and not known to be at the provider."""

    PREPARED = "prepared"
    RUNNING = "running"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether everything that came of it is stored and nothing more will come."""
        return self not in (BatchState.PREPARED, BatchState.RUNNING, BatchState.CANCELLING)


@dataclass(frozen=True)
class BatchItem:
    """One request of a batch.

    Attributes:
        request_hash: what identifies the call, here and at the provider.
        subjects: content hashes of the examples that it is about.
        most: what it can cost at most, in micro-units.
    """

    request_hash: str
    subjects: tuple[str, ...]
    most: int = 0


@dataclass(frozen=True)
class NewBatch:
    """A batch that is to be submitted; `tokens` is how many its requests take in all, as far as can be told."""

    purpose: str
    teacher: str
    template_hash: str
    run: str
    tokens: int
    items: tuple[BatchItem, ...]


@dataclass(frozen=True)
class BatchNote:
    """Where a batch stood when somebody looked.

    Attributes:
        remote_id, file_id: the provider's names of the batch and of the uploaded requests; empty until it has them.
        done, failed: requests that the provider says it answered, and that failed there.
        message: in words what came of it and what to do; empty while there is nothing to say.
    """

    state: BatchState = BatchState.PREPARED
    remote_id: str = ""
    file_id: str = ""
    done: int = 0
    failed: int = 0
    message: str = ""


@dataclass(frozen=True)
class StoredBatch:
    """A batch as the store holds it.

    Attributes:
        key: the name that the provider is given for it, by which it is found again.
        size: how many requests it holds.
        collected: how many of them have their record here.
        note, noted_at: where it stood last, and since when.
    """

    id: int
    task: str
    key: str
    purpose: str
    teacher: str
    template_hash: str
    run: str
    tokens: int
    size: int
    collected: int
    created_at: str
    created_by: str
    note: BatchNote
    noted_at: str

    @property
    def state(self) -> BatchState:
        return self.note.state


@dataclass(frozen=True)
class RemoteBatch:
    """A batch as the provider tells of it; file names are empty where there is no such file."""

    id: str
    state: BatchState
    done: int = 0
    failed: int = 0
    output_file: str = ""
    error_file: str = ""
    problem: str = ""


@dataclass(frozen=True)
class BatchAnswer:
    """What came of one request of a batch."""

    request_hash: str
    answered: ChatReply | BackendError


class BatchChat(Chat, Protocol):
    """A model that also takes batches.

    Raises what `Chat` does, and `BatchesMissing` where the server has none.
    """

    def line(self, request_hash: str, request: ChatRequest) -> bytes:
        """Return one request as the uploaded file holds it, with its line end."""
        ...

    async def upload(self, lines: Sequence[bytes]) -> str:
        """Upload requests and return the file's name; nothing is asked yet."""
        ...

    async def create(self, file_id: str, key: str) -> RemoteBatch:
        """Have the requests of a file answered; `key` is kept with the batch."""
        ...

    async def find(self, key: str, since: str) -> RemoteBatch | None:
        """Return the batch that was created with this key, if any was; `since` is the time before which none was."""
        ...

    async def look(self, remote_id: str) -> RemoteBatch: ...
    async def cancel(self, remote_id: str) -> RemoteBatch: ...
    def answers(self, file_id: str) -> AsyncIterator[BatchAnswer]:
        """Yield the answers of a file; a request that was never asked (expired, cancelled) has none."""
        ...


class BatchStore(Protocol):
    """Batches of teacher calls: what was handed over, where it stands, what came of it."""

    def add(self, task: str, batches: Sequence[NewBatch], actor: Actor) -> tuple[StoredBatch, ...]:
        """Store batches before anything is sent, all or none.

        Raises:
            BatchTaken: one of the requests is in an open batch already.
        """
        ...

    def get(self, batch_id: int) -> StoredBatch: ...
    def all(self, task: str) -> tuple[StoredBatch, ...]:
        """Return the batches of a task, newest first."""
        ...

    def items(self, batch_id: int) -> tuple[BatchItem, ...]:
        """Return the requests of a batch in their order."""
        ...

    def note(self, batch_id: int, note: BatchNote, actor: Actor) -> StoredBatch:
        """Note where a batch stands; a note equal to the last one is not written, nor one on a closed batch."""
        ...

    def record(self, batch_id: int, calls: Sequence[tuple[TeacherCall, MicroInstruction | None]]) -> int:
        """Record calls of a batch in one transaction, and return how many were new: each request is recorded once."""
        ...

    def submitting(self) -> AbstractContextManager[None]:
        """Hold the right to submit; it ends with the process, however that ends.

        Raises:
            BatchTaken: another process has it.
        """
        ...


class BatchedStore(Store, Protocol):
    """A store that also keeps batches."""

    @property
    def batches(self) -> BatchStore: ...


def look_after_s(looks: int) -> float:
    """Return how long to wait after so many looks at a batch.

    >>> [look_after_s(n) for n in (0, 1, 5, 1000)]
    [10.0, 20.0, 300.0, 300.0]
    """
    return min(LONGEST_LOOK_S, FIRST_LOOK_S * 2.0 ** min(looks, 16))


def divide(
    sizes: Sequence[tuple[int, int]],
    most_tokens: int | None = None,
    most_requests: int = MOST_REQUESTS,
    most_bytes: int = MOST_BYTES,
) -> list[range]:
    """Divide requests, in their order, into as few batches as their limits allow.

    Args:
        sizes: (bytes, tokens) of each request.
        most_tokens: of one batch; a request above it stands alone. None for no limit.

    Returns:
        the places of the requests of each batch.
    """
    parts: list[range] = []
    start, bytes_, tokens = 0, 0, 0
    for place, (more_bytes, more_tokens) in enumerate(sizes):
        full = place - start >= most_requests or bytes_ + more_bytes > most_bytes
        full = full or (most_tokens is not None and tokens + more_tokens > most_tokens)
        if full and place > start:
            parts.append(range(start, place))
            start, bytes_, tokens = place, 0, 0
        bytes_ += more_bytes
        tokens += more_tokens
    return [*parts, range(start, len(sizes))] if len(sizes) > start else parts
