"""One call to a model and how it ended; how hard a model may be worked. Pure; `engine.py` makes the calls.

A call asks a model for text unless its types say otherwise: the same engine asks embedding models for vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, cast

from typing_extensions import TypeVar

from pld_core.errors import (
    BackendBusy,
    BackendError,
    BackendRefused,
    BackendUnreachable,
    Failure,
    PromptTooLong,
    ReplyUnusable,
)
from pld_core.model_ports import ChatReply, ChatRequest, EmbedReply, EmbedRequest
from pld_core.pricing import Price

Subject = TypeVar("Subject")
Request = TypeVar("Request", bound=ChatRequest | EmbedRequest, default=ChatRequest)
Reply = TypeVar("Reply", bound=ChatReply | EmbedReply, default=ChatReply)
_Asked = TypeVar("_Asked", bound=ChatRequest | EmbedRequest, contravariant=True)
_Said = TypeVar("_Said", bound=ChatReply | EmbedReply, covariant=True)


class Model(Protocol[_Asked, _Said]):
    """What the engine needs of a model: `Chat` and `EmbeddingModel` alike."""

    async def complete(self, request: _Asked) -> _Said: ...


@dataclass(frozen=True)
class Limits:
    """How hard a model may be worked.

    Attributes:
        in_flight: most calls under way at the same time.
        requests_per_minute, tokens_per_minute: as the provider allows; None for none. Tokens go by the mean so far.
        attempts: how often one call is sent at most.
        first_wait_s, longest_wait_s: back-off before the second attempt and before any; doubled each time, and
            drawn between half and all of it. A server that asks for more than the longest wait stops the run.
        call_timeout_s: longest time one attempt may take in all, however slowly its answer trickles.
        stop_after: calls in a row without an answer after which the run stops.
        drain_s: how long a stopped run waits for the calls under way.
        tick_s: how often `watch` is called while nothing ends.
    """

    in_flight: int = 8
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    attempts: int = 5
    first_wait_s: float = 1.0
    longest_wait_s: float = 120.0
    call_timeout_s: float = 300.0
    stop_after: int = 5
    drain_s: float = 60.0
    tick_s: float = 1.0


@dataclass(frozen=True)
class Call(Generic[Subject, Request]):
    """One call to be made; `subject` is whatever the caller wants back with it."""

    request: Request
    subject: Subject


@dataclass(frozen=True)
class Settled(Generic[Subject, Request, Reply]):
    """A call that ended, with a reply or with a failure.

    Attributes:
        reply: what came; also there for a reply that cannot be used, where the server told of it.
        failure: what went wrong, None for a whole reply.
        problem: the same in a sentence, empty for a whole reply.
        raw: the text that came, as far as it came.
        attempts: how often it was sent.
        cost: of all attempts, in micro-units; an attempt whose bill is unknown counts with the most it can cost.
    """

    call: Call[Subject, Request]
    reply: Reply | None
    failure: Failure | None
    problem: str
    raw: str
    attempts: int
    cost: int

    @property
    def has_no_answer(self) -> bool:
        """Whether no answer came, so that nothing is known of the model but that it did not give one."""
        return self.failure is not None and (self.failure.is_passing or self.failure is Failure.REJECTED)


class TookTooLong(BackendUnreachable):
    """An attempt that outlasted its limit."""


_FAILURES: tuple[tuple[type[BackendError], Failure], ...] = (
    (TookTooLong, Failure.TIMEOUT),
    (BackendUnreachable, Failure.UNREACHABLE),
    (BackendBusy, Failure.BUSY),
    (PromptTooLong, Failure.TOO_LONG),
    (BackendRefused, Failure.REJECTED),
)


def settled_of(
    call: Call[Subject, Request], answered: Reply | BackendError, attempts: int, cost: int
) -> Settled[Subject, Request, Reply]:
    """Say how a call ended: a whole reply, or what kind of failure."""
    if isinstance(answered, ReplyUnusable):
        # Whoever raises it for a call puts in what the call would have returned.
        reply = cast("Reply | None", answered.reply)
        raw = answered.raw or (reply.text if isinstance(reply, ChatReply) else "")
        return Settled(call, reply, answered.kind, str(answered), raw, attempts, cost)
    if isinstance(answered, BackendError):
        kind = next((kind for error, kind in _FAILURES if isinstance(answered, error)), Failure.UNUSABLE)
        return Settled(call, None, kind, str(answered), "", attempts, cost)
    if not isinstance(answered, ChatReply):
        return Settled(call, answered, None, "", "", attempts, cost)
    if answered.unverified:
        return Settled(call, answered, Failure.UNVERIFIED, answered.unverified, answered.text, attempts, cost)
    if answered.finish == "length":
        problem = "The reply was cut at its length limit."
        return Settled(call, answered, Failure.LENGTH, problem, answered.text, attempts, cost)
    if not answered.text.strip():
        return Settled(call, answered, Failure.EMPTY, "The reply was empty.", answered.text, attempts, cost)
    return Settled(call, answered, None, "", answered.text, attempts, cost)


def billed(answered: ChatReply | EmbedReply | BackendError, price: Price, most: int) -> int:
    """Return what one attempt cost, in micro-units; `most`, the most it can cost, where the bill is not known."""
    reply = answered.reply if isinstance(answered, ReplyUnusable) else answered
    if isinstance(reply, ChatReply | EmbedReply):
        if reply.prompt_tokens is None or reply.output_tokens is None:
            return most
        return price.cost(reply.prompt_tokens, reply.output_tokens)
    unknown = isinstance(answered, ReplyUnusable) or (isinstance(answered, BackendUnreachable) and answered.sent)
    return most if unknown else 0
