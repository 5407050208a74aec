"""How fast calls may go out: requests and tokens a minute, and the pauses that a server asks for."""

from __future__ import annotations

import asyncio
from typing import Protocol

from aiolimiter import AsyncLimiter

MINUTE_S = 60.0


class Clock(Protocol):
    """Time in seconds from any start, and waiting. Tests wind their own."""

    def now(self) -> float: ...
    async def sleep(self, seconds: float) -> None: ...


class LoopClock:
    """The time of the running event loop."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def limiter_of(per_minute: float) -> AsyncLimiter:
    """Return a limiter without a burst at the beginning: it fills by the second, as servers count.

    A bucket of a whole minute would let twice the limit through in the first minute.
    """
    if per_minute >= MINUTE_S:
        return AsyncLimiter(per_minute / MINUTE_S, 1.0)
    return AsyncLimiter(1, MINUTE_S / per_minute)


class Pace:
    """Lets calls through one after another. Belongs to the event loop in which it is first used."""

    def __init__(self, requests_per_minute: int | None, tokens_per_minute: int | None, clock: Clock) -> None:
        self._requests = limiter_of(requests_per_minute) if requests_per_minute else None
        self._tokens = limiter_of(tokens_per_minute) if tokens_per_minute else None
        self._clock = clock
        self._turn = asyncio.Lock()
        self._not_before = 0.0

    def hold(self, seconds: float) -> None:
        """Let nothing through for this many seconds: the server said so to one call, and it holds for all."""
        self._not_before = max(self._not_before, self._clock.now() + seconds)

    async def enter(self, tokens: int) -> None:
        """Wait until a call of about so many tokens may go out."""
        if self._requests or self._tokens:
            # In turn: the limiter alone would prefer small calls, and a large one might never go out.
            async with self._turn:
                await self._take(tokens)
        while (left := self._not_before - self._clock.now()) > 0:
            await self._clock.sleep(left)

    async def _take(self, tokens: int) -> None:
        if self._requests:
            await self._requests.acquire()
        while self._tokens and tokens > 0:
            # More than a second's worth is taken in portions.
            portion = min(float(tokens), self._tokens.max_rate)
            await self._tokens.acquire(portion)
            tokens -= int(portion) or 1
