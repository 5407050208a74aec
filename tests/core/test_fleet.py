"""Several servers as one: who gets a question, and what happens to one that is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import pytest

from pld_core.backends.fleet import FleetChat
from pld_core.canonical import Json
from pld_core.errors import BackendUnreachable
from pld_core.model_ports import BackendStatus, ChatReply, ChatRequest, WarmUp

REQUEST = ChatRequest("rules", "input", "student")


@dataclass
class Told:
    """A server that answers when the test lets it."""

    digest: str = "sha256:1"
    is_there: bool = True
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0
    closed: bool = False
    load_ms: int = 1
    name: str = "ollama:told"

    async def status(self) -> BackendStatus:
        problem = "" if self.is_there else "No Ollama server answers."
        return BackendStatus(
            self.name, "told", self.is_there, "told", problem, digest=self.digest, context_size=100, loaded=True
        )

    async def complete(self, request: ChatRequest) -> ChatReply:
        raise NotImplementedError

    async def stream(self, request: ChatRequest) -> AsyncIterator[str | ChatReply]:
        assert request == REQUEST
        self.asked += 1
        if not self.is_there:
            raise BackendUnreachable("No Ollama server answers.")
        await self.gate.wait()
        yield "keep"
        yield ChatReply("keep", "told", "stop", 1)

    def body(self, request: ChatRequest) -> Mapping[str, Json]:
        return {"user": request.user}

    async def rendered(self, request: ChatRequest) -> str:
        return f"{request.system} {request.user}"

    async def warm_up(self, request: ChatRequest) -> WarmUp:
        return WarmUp(len(request.system), self.load_ms)

    async def aclose(self) -> None:
        self.closed = True


def test_each_question_goes_to_the_server_with_the_fewest_under_way() -> None:
    first, second, third = Told(), Told(), Told()

    async def run() -> None:
        fleet = FleetChat([first, second, third])
        asking = [asyncio.create_task(fleet.complete(REQUEST)) for _ in range(7)]
        await asyncio.sleep(0)
        assert (first.asked, second.asked, third.asked) == (3, 2, 2)
        second.gate.set()
        await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        more = [asyncio.create_task(fleet.complete(REQUEST)) for _ in range(2)]
        await asyncio.gather(*more)
        assert (first.asked, second.asked, third.asked) == (3, 4, 2)
        first.gate.set()
        third.gate.set()
        assert {reply.text for reply in await asyncio.gather(*asking)} == {"keep"}

    asyncio.run(run())


def test_a_server_that_is_gone_fails_one_question_and_gets_no_more_until_it_is_back() -> None:
    gone, there = Told(is_there=False), Told()

    async def run() -> None:
        there.gate.set()
        gone.gate.set()
        fleet = FleetChat([gone, there])
        with pytest.raises(BackendUnreachable):
            await fleet.complete(REQUEST)
        for _ in range(3):
            await fleet.complete(REQUEST)
        assert (gone.asked, there.asked) == (1, 3)
        gone.is_there = True
        assert (await fleet.status()).ready
        await fleet.complete(REQUEST)
        assert gone.asked == 2

    asyncio.run(run())


def status(*servers: Told) -> BackendStatus:
    return asyncio.run(FleetChat(servers).status())


def test_a_fleet_is_ready_when_one_server_is_and_names_what_is_wrong_with_the_others() -> None:
    found = status(Told(), Told(is_there=False))

    assert found.ready
    assert found.caution == "1 of 2 servers answer. No Ollama server answers."
    assert not status(Told(is_there=False), Told(is_there=False)).ready


def test_different_weights_under_one_name_are_no_fleet() -> None:
    found = status(Told(), Told(digest="sha256:2"))

    assert not found.ready
    assert "different weights" in found.problem


def test_a_fleet_has_its_servers_name_and_closes_them() -> None:
    servers = (Told(), Told())

    async def run() -> str:
        fleet = FleetChat(servers)
        await fleet.aclose()
        return fleet.name

    assert asyncio.run(run()) == "ollama:told"
    assert all(server.closed for server in servers)


def test_a_fleet_warms_up_every_server_and_tells_what_the_slowest_took() -> None:
    fleet = FleetChat([Told(load_ms=3), Told(load_ms=9), Told(load_ms=5)])

    assert asyncio.run(fleet.warm_up(REQUEST)) == WarmUp(5, 9)
    assert asyncio.run(fleet.rendered(REQUEST)) == "rules input"
    assert fleet.body(REQUEST) == {"user": "input"}
