"""What a run will take, told before it starts: calls, tokens, cost and time, from calls that were made already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pld_core.calls import Limits
from pld_core.model_ports import ChatRequest, EmbedRequest
from pld_core.pace import MINUTE_S
from pld_core.pricing import Price, likely_tokens
from pld_core.records import TeacherCall


@dataclass(frozen=True)
class Estimate:
    """What a run is expected to take.

    Attributes:
        calls: without those tried again.
        cost: in micro-units; None where the model has no price.
        seconds: at the chosen concurrency and limits; None while nothing was measured.
        measured: how many calls the figures rest on; 0 means a rule of thumb over the length of the texts.
    """

    calls: int
    input_tokens: int
    output_tokens: int
    cost: int | None
    seconds: float | None
    measured: int


def estimate(
    requests: Sequence[ChatRequest | EmbedRequest],
    measured: Sequence[tuple[ChatRequest | EmbedRequest, TeacherCall]],
    price: Price | None,
    limits: Limits,
) -> Estimate:
    """Scale what measured calls took to the length of the requests that are to be made.

    Args:
        measured: calls that were answered, each with its request.
    """
    known = [(r, c) for r, c in measured if c.prompt_tokens is not None and c.output_tokens is not None]
    guessed_in, guessed_out = (sum(likely_tokens(r)[side] for r in requests) for side in (0, 1))
    if known:
        guessed_then = sum(likely_tokens(request)[0] for request, _ in known)
        taken_in = sum(call.prompt_tokens or 0 for _, call in known)
        taken_out = sum(call.output_tokens or 0 for _, call in known)
        guessed_in = round(guessed_in * taken_in / guessed_then)
        guessed_out = round(len(requests) * taken_out / len(known))
    return Estimate(
        calls=len(requests),
        input_tokens=guessed_in,
        output_tokens=guessed_out,
        cost=None if price is None else price.cost(guessed_in, guessed_out),
        seconds=_seconds(
            len(requests), guessed_in + guessed_out, [c.latency_ms for _, c in measured if c.latency_ms], limits
        ),
        measured=len(measured),
    )


def _seconds(calls: int, tokens: int, latencies_ms: Sequence[int], limits: Limits) -> float | None:
    """The slowest of the three decides: the calls themselves, requests a minute, tokens a minute."""
    if not latencies_ms:
        return None
    rounds = -(-calls // limits.in_flight)
    each_s = sum(latencies_ms) / len(latencies_ms) / 1000
    by_requests = calls / limits.requests_per_minute * MINUTE_S if limits.requests_per_minute else 0.0
    by_tokens = tokens / limits.tokens_per_minute * MINUTE_S if limits.tokens_per_minute else 0.0
    return max(rounds * each_s, by_requests, by_tokens)
