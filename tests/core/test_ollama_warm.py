"""A prompt that was warmed up lately is not warmed up again while the server holds the model; the cut check goes on."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace

import httpx
import pytest

from pld_core.backends.ollama import OllamaChat
from pld_core.backends.ollama_facts import ModelFacts
from pld_core.backends.ollama_warm import LATELY_S, MOST, WarmKey, WarmPrompts
from pld_core.model_ports import ChatReply, ChatRequest

REQUEST = ChatRequest(system="the rules", user="the input", purpose="student")
KEY = WarmKey("http://h", "m", 512, "sha256:s")
LOADED = ModelFacts("m:latest", "sha256:1", 5, "", 512)


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Server:
    """Counts 20 tokens in a warm-up; holds the model with these facts, or not, or does not tell."""

    digest: str = "1"
    window: int = 512
    is_loaded: bool = True
    tells: bool = True
    counted: int = 25
    warm_ups: int = 0
    paths: list[str] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        if request.url.path == "/api/ps":
            model = {"name": "m:latest", "digest": self.digest, "context_length": self.window}
            return httpx.Response(200 if self.tells else 404, json={"models": [model] if self.is_loaded else []})
        if json.loads(request.content)["stream"] is False:
            self.warm_ups += 1
            return httpx.Response(200, json={"done": True, "prompt_eval_count": 20, "load_duration": 9_000_000})
        return httpx.Response(
            200,
            json={
                "message": {"content": "ok"},
                "done": True,
                "prompt_eval_count": self.counted,
                "load_duration": 1_000_000,
            },
        )


@dataclass
class Process:
    """Opens a backend for each question, as the Live test page does."""

    server: Server = field(default_factory=Server)
    clock: Clock = field(default_factory=Clock)
    num_ctx: int = 512
    host: str = "http://h"

    def __post_init__(self) -> None:
        self.warm = WarmPrompts(self.clock)

    def ask(self, request: ChatRequest = REQUEST) -> ChatReply:
        async def ask() -> ChatReply:
            transport = httpx.MockTransport(self.server)
            chat = OllamaChat("m", self.host, num_ctx=self.num_ctx, transport=transport, warm=self.warm)
            try:
                return await chat.complete(request)
            finally:
                await chat.aclose()

        return asyncio.run(ask())


def test_a_second_question_asks_what_is_in_memory_and_warms_up_nothing() -> None:
    process = Process()
    first, second = process.ask(), process.ask()
    assert process.server.warm_ups == 1
    assert process.server.paths == ["/api/chat", "/api/ps", "/api/chat", "/api/ps", "/api/chat"]
    assert (first.load_ms, second.load_ms) == (10, 1)
    assert (first.unverified, second.unverified) == ("", "")


def test_the_count_of_the_first_warm_up_finds_a_cut_in_a_later_question() -> None:
    process = Process()
    process.ask()
    process.server.counted = 12
    assert "the prompt alone has 20: part of it was cut" in process.ask().unverified


@pytest.mark.parametrize(
    "change",
    [{"is_loaded": False}, {"digest": "2"}, {"window": 256}, {"tells": False}],
    ids=["unloaded", "other weights", "other window", "untold"],
)
def test_what_changed_on_the_server_is_warmed_up_anew(change: dict[str, object]) -> None:
    process = Process()
    process.ask()
    process.server = replace(process.server, **change)  # type: ignore[arg-type]  # names and values fit
    process.ask()
    assert process.server.warm_ups == 2


def test_another_prompt_window_or_server_is_warmed_up() -> None:
    process = Process()
    process.ask()
    process.ask(replace(REQUEST, system="other rules"))
    process.num_ctx = 1024
    process.ask()
    process.host = "http://other"
    process.ask()
    assert process.server.warm_ups == 4


def test_what_was_asked_long_ago_is_warmed_up_anew_and_each_question_begins_the_time_again() -> None:
    process = Process()
    process.ask()
    process.clock.now = LATELY_S
    process.ask()
    process.clock.now = 2 * LATELY_S
    process.ask()
    assert process.server.warm_ups == 1
    process.clock.now = 3 * LATELY_S + 1
    process.ask()
    assert process.server.warm_ups == 2


def test_a_server_that_tells_no_digest_is_warmed_up_each_time() -> None:
    process = Process(Server(digest=""))
    process.ask()
    process.ask()
    assert process.server.warm_ups == 2


def test_what_was_counted_longest_ago_is_forgotten_first() -> None:
    warm = WarmPrompts(Clock())
    for number in range(MOST + 1):
        warm.keep(replace(KEY, static=str(number)), LOADED, 20)
    assert not warm.may_know(replace(KEY, static="0"))
    assert warm.tokens(replace(KEY, static=str(MOST)), LOADED) == 20


@pytest.mark.parametrize(("loaded", "tokens"), [(None, 20), (LOADED, None), (replace(LOADED, loaded_context=None), 20)])
def test_an_unknown_count_or_window_is_not_kept(loaded: ModelFacts | None, tokens: int | None) -> None:
    warm = WarmPrompts(Clock())
    warm.keep(KEY, loaded, tokens)
    assert not warm.may_know(KEY)
    assert warm.tokens(KEY, LOADED) is None
