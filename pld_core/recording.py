"""Settled calls on their way into the store: those that come while a batch is written are written together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Recorder(Generic[Item]):
    """Hands settled calls to `record`, those that come meanwhile together: one transaction for all of them."""

    def __init__(self, record: Callable[[Sequence[Item]], Awaitable[None]]) -> None:
        self._record = record
        self._waiting: list[tuple[Item, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._closing = False

    async def keep(self, settled: Item) -> None:
        """Return when the call is kept, or raise what `record` raised."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((settled, kept))
        self._wake.set()
        await kept

    def close(self) -> None:
        self._closing = True
        self._wake.set()

    async def run(self) -> None:
        while not self._closing or self._waiting:
            await self._wake.wait()
            self._wake.clear()
            batch, self._waiting = self._waiting, []
            if batch:
                await self._keep(batch)

    async def _keep(self, batch: list[tuple[Item, asyncio.Future[None]]]) -> None:
        try:
            await self._record([settled for settled, _ in batch])
        except Exception as error:  # noqa: BLE001 - handed to every worker of the batch, which raises it
            for _, kept in batch:
                if not kept.done():
                    kept.set_exception(error)
            return
        for _, kept in batch:
            if not kept.done():
                kept.set_result(None)
