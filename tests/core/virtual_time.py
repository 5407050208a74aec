"""An event loop whose time jumps to the next timer: minutes of pacing and back-off pass at once, and exactly."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

Result = TypeVar("Result")


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        super().__init__()
        self._virtual_now = 0.0

    def time(self) -> float:
        return self._virtual_now

    def _run_once(self) -> None:
        timers: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]  # the base class keeps it
        while timers and timers[0].cancelled():
            heapq.heappop(timers)._scheduled = False  # type: ignore[attr-defined]  # as the base class does it
            self._timer_cancelled_count -= 1
        if timers and not self._ready:  # type: ignore[attr-defined]  # the base class keeps it
            # A little late, as real timers are: to the bit in time, a limiter may find that it lacks the last bit.
            self._virtual_now = max(self._virtual_now, timers[0].when() + 1e-6)
        super()._run_once()  # type: ignore[misc]  # the base class has it

    _timer_cancelled_count: int


def run_virtually(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine that waits for time only, not for sockets or threads."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


@dataclass
class InstantClock:
    """Waiting only moves the hand."""

    at: float = 0.0
    waits: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.at += seconds
        await asyncio.sleep(0)
