"""What is asked of models: chat and embeddings, as protocols with their requests and replies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from pld_core.canonical import Json


@dataclass(frozen=True)
class ChatRequest:
    """One call to a model.

    Attributes:
        system: the static part; comes first so that servers can keep its prefix.
        user: the changing part; comes last.
        purpose: `extraction`, `synthesis`, `pair`, `conflict` or `student`; recorded with the call.
        subjects: content hashes of the examples that the call is about.
        nearby: content hashes of examples that are only shown for contrast.
        schema: JSON schema that the reply must follow, or None for free text.
        max_tokens: most tokens of the reply, at least 1.
        seed, temperature: 0.0 and a fixed seed make a call repeatable where the server allows it.
    """

    system: str
    user: str
    purpose: str
    subjects: tuple[str, ...] = ()
    nearby: tuple[str, ...] = ()
    schema: Mapping[str, Json] | None = None
    max_tokens: int = 512
    temperature: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class ChatReply:
    """A whole reply and what the server said about it; None where it did not say.

    Attributes:
        finish: `stop`, or `length` when the reply was cut at `max_tokens`.
        latency_ms: wall time from sending to the last token.
        cached_tokens: tokens of the prompt that came from the server's prefix cache.
        context_size: tokens that the context window holds.
        load_ms, prompt_ms, output_ms: the server's own split of the time, a warm-up before the call included.
        unverified: why it cannot be told that the model read the whole request, in words; empty if it did. Such a
            reply is never used as an answer.
    """

    text: str
    model: str
    finish: str
    latency_ms: int
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    context_size: int | None = None
    load_ms: int | None = None
    prompt_ms: int | None = None
    output_ms: int | None = None
    unverified: str = ""


@dataclass(frozen=True)
class BackendStatus:
    """Whether a backend can answer right now, and what to do if it cannot.

    Attributes:
        name: as commands and settings spell it, such as `ollama:gemma3:4b`.
        title: for people.
        ready: a call can be made now.
        problem: one sentence, empty when ready.
        fix: the exact command that helps, empty if none does.
        model: the model's name on the server.
        digest: what identifies its weights, as exact as the server tells; empty if it does not.
        caution: a plain word on what to expect of it; empty if there is nothing to say.
        context_size: tokens that prompt, input and answer share; None if unknown.
        model_context: the longest context that the model was made for, in tokens; None if unknown.
        size_bytes: of the weights; None if unknown.
        loaded: the model is in memory, so that a question need not wait for it; None if unknown.
    """

    name: str
    title: str
    ready: bool
    model: str
    problem: str = ""
    fix: str = ""
    digest: str = ""
    caution: str = ""
    context_size: int | None = None
    model_context: int | None = None
    size_bytes: int | None = None
    loaded: bool | None = None


@dataclass(frozen=True)
class WarmUp:
    """What loading the model and the static part of a request took; None where the server does not say.

    Attributes:
        tokens: of the static part with an input of one character.
        load_ms, prompt_ms: loading the model, reading the static part.
    """

    tokens: int | None
    load_ms: int | None = None
    prompt_ms: int | None = None


class Chat(Protocol):
    """A model that answers. Built once, used for many calls, closed at the end.

    `complete` and `stream` raise `BackendUnreachable`, `ModelMissing`, `BackendBusy`, `BackendRefused`,
    `PromptTooLong` or `ReplyUnusable`, never the client library's own errors. A reply cut at `max_tokens` comes back
    with finish `length`.
    """

    @property
    def name(self) -> str: ...

    async def status(self) -> BackendStatus:
        """Look whether a call would work. Never raises for a server that is down; that is the answer."""
        ...

    async def complete(self, request: ChatRequest) -> ChatReply: ...

    def stream(self, request: ChatRequest) -> AsyncIterator[str | ChatReply]:
        """Yield pieces of text as they come, and the whole `ChatReply` last. Close it early to stop the server."""
        ...

    async def aclose(self) -> None: ...


@runtime_checkable
class TemplatedChat(Chat, Protocol):
    """A `Chat` whose server tells what its model reads. Errors as those of `complete`."""

    def body(self, request: ChatRequest) -> Mapping[str, Json]:
        """Return what is sent for a request, word for word."""
        ...

    async def rendered(self, request: ChatRequest) -> str:
        """Return the text that the model reads, in the template of the model. Nothing is generated."""
        ...

    async def warm_up(self, request: ChatRequest) -> WarmUp:
        """Load the model and the static part of a request, and have that part counted."""
        ...


Vectors = npt.NDArray[np.float32]
"""(rows, dimensions), each row of length 1, or zeros where there is nothing to compare by."""


class Embedder(Protocol):
    """Turns texts into vectors, one row a text in the order of the texts, L2-normalised.

    A text without any known word gives zeros. `embed` raises what `Chat.complete` raises, and keeps what it got.
    """

    @property
    def name(self) -> str: ...

    async def status(self) -> BackendStatus:
        """Look whether texts could be embedded now. Never raises for a server that is down; that is the answer."""
        ...

    async def embed(self, texts: Sequence[str]) -> Vectors: ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True)
class EmbedRequest:
    """One call to an embedding model: at least one text, none of them blank."""

    texts: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class EmbedReply:
    """The vectors of one call in the order of its texts, checked, and what the server said about it.

    Attributes:
        vectors: (texts, dimensions), rows of length 1.
        model: as the server named it.
        latency_ms: wall time from sending to the last byte.
        prompt_tokens: None if the server did not say.
        output_tokens: always 0; an embedding has none.
    """

    vectors: Vectors
    model: str
    latency_ms: int
    prompt_tokens: int | None = None
    output_tokens: int = 0


class EmbeddingModel(Protocol):
    """A model on a server that turns texts into vectors, one call at a time; `pld_core.embedding` makes an `Embedder`
    of it. Errors as those of `Chat`; an answer whose vectors cannot be used raises `VectorsUnusable`.
    """

    @property
    def name(self) -> str: ...
    async def status(self) -> BackendStatus: ...
    async def complete(self, request: EmbedRequest) -> EmbedReply: ...
    async def aclose(self) -> None: ...
