"""Several servers that hold the same model, as one: each question goes to the one with the fewest under way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import cast

from pld_core.canonical import Json
from pld_core.errors import BackendUnreachable, ReplyUnusable
from pld_core.model_ports import BackendStatus, ChatReply, ChatRequest, TemplatedChat, WarmUp


class FleetChat:
    """Servers as one `Chat`. See `pld_core.ports.Chat` for what the methods promise.

    A server that could not be reached gets questions again when every other is out of reach too, or when the status
    finds it ready.
    """

    def __init__(self, servers: Sequence[TemplatedChat]) -> None:
        """Take over servers of the same name; they are closed with the fleet."""
        self._servers = tuple(servers)
        self._under_way = [0] * len(self._servers)
        self._is_out = [False] * len(self._servers)
        self.name = self._servers[0].name

    async def status(self) -> BackendStatus:
        """Look at every server: ready if one of them is, and all that are hold the same weights. Never raises."""
        found = await asyncio.gather(*(server.status() for server in self._servers))
        self._is_out = [not status.ready for status in found]
        ready = [status for status in found if status.ready]
        if not ready:
            return found[0]
        if len({status.digest for status in ready}) > 1:
            problem = "The servers hold different weights under this name, so their answers cannot be taken together."
            return replace(ready[0], ready=False, problem=problem, fix=f"ollama pull {ready[0].model}")
        missing = " ".join(status.problem for status in found if not status.ready)
        words = f"{len(ready)} of {len(found)} servers answer."
        contexts = [status.context_size for status in ready if status.context_size is not None]
        return replace(
            ready[0],
            title=f"{ready[0].title}, {len(ready)} servers",
            caution=f"{words} {missing}" if missing else "",
            context_size=min(contexts, default=None),
            loaded=all(status.loaded for status in ready),
        )

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Return the whole reply; for errors see `pld_core.ports.Chat`."""
        async with aclosing(self.stream(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, ChatReply):
                    return piece
        raise ReplyUnusable("The model gave no answer. Try again.")

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """Yield pieces of text, then the `ChatReply`, all from one server."""
        with self._taken() as server:
            stream: AsyncIterator[str | ChatReply] = server.stream(request)
            async with aclosing(cast("AsyncGenerator[str | ChatReply, None]", stream)) as pieces:
                async for piece in pieces:
                    yield piece

    def body(self, request: ChatRequest) -> Mapping[str, Json]:
        """Return what is sent for a request, to whichever server."""
        return self._servers[0].body(request)

    async def rendered(self, request: ChatRequest) -> str:
        """Return the text that the model reads."""
        with self._taken() as server:
            return await server.rendered(request)

    async def warm_up(self, request: ChatRequest) -> WarmUp:
        """Warm up every server, and return what the slowest took.

        Raises:
            BackendError: one of them cannot; the others are warm.
        """
        warmed = await asyncio.gather(*(server.warm_up(request) for server in self._servers))
        return max(warmed, key=lambda one: (one.load_ms or 0) + (one.prompt_ms or 0))

    async def aclose(self) -> None:
        """Close all servers' connections."""
        await asyncio.gather(*(server.aclose() for server in self._servers))

    @contextmanager
    def _taken(self) -> Generator[TemplatedChat, None, None]:
        """Choose the server with the fewest questions under way, the first of equals, and count this one."""
        at = min(range(len(self._servers)), key=lambda n: (self._is_out[n], self._under_way[n], n))
        self._under_way[at] += 1
        try:
            yield self._servers[at]
            self._is_out[at] = False
        except BackendUnreachable:
            self._is_out[at] = True
            raise
        finally:
            self._under_way[at] -= 1
