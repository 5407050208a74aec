"""What a real Ollama server does with our calls: answers, streams, stops, refuses, breaks off, is full."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from pld_core.backends.ollama import OllamaChat
from pld_core.backends.ollama_warm import WarmPrompts
from pld_core.canonical import Json
from pld_core.errors import BackendBusy, BackendUnreachable, ModelMissing, PromptTooLong, ReplyUnusable
from pld_core.model_ports import ChatReply, ChatRequest
from tests.cli.running import wait_until
from tests.ollama.real_ollama import GEMMA, MISSING, SMOL, RealOllama, own_server

T = TypeVar("T")
WINDOW = 512
SCHEMA: dict[str, Json] = {
    "type": "object",
    "properties": {"label": {"type": "string", "enum": ["keep", "remove"]}},
    "required": ["label"],
    "additionalProperties": False,
}
RULES = 'Keep or remove the comment. Answer {"label":"keep"} or {"label":"remove"}.'
"""Short, and with an answer to copy: an older machine takes half a second for each token that a schema limits."""
LABELLED = ChatRequest(system=RULES, user="What a lovely day.", purpose="student", schema=SCHEMA, max_tokens=24)
STORY = ChatRequest(system="Tell a story.", user="Begin.", purpose="student", max_tokens=200)


class Counting(httpx.AsyncHTTPTransport):
    """The network, with a note of what was asked for."""

    def __init__(self, sent: list[str]) -> None:
        super().__init__()
        self._sent = sent

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._sent.append(request.url.path)
        return await super().handle_async_request(request)


def with_chat(url: str, use: Callable[[OllamaChat], Awaitable[T]], model: str = SMOL, num_ctx: int = WINDOW) -> T:
    async def run() -> T:
        chat = OllamaChat(model, url, num_ctx=num_ctx)
        try:
            return await use(chat)
        finally:
            await chat.aclose()

    return asyncio.run(run())


def complete(url: str, request: ChatRequest, model: str = SMOL, num_ctx: int = WINDOW) -> ChatReply:
    return with_chat(url, lambda chat: chat.complete(request), model, num_ctx)


# --- answers ----------------------------------------------------------------------------------------------------------


def test_a_schema_limits_the_answer_and_the_whole_prompt_is_read(server: RealOllama) -> None:
    reply = complete(server.url, LABELLED)

    assert json.loads(reply.text)["label"] in {"keep", "remove"}
    assert reply.unverified == ""
    assert reply.prompt_tokens is not None
    assert reply.context_size == WINDOW


def test_what_is_cached_is_counted_all_the_same_and_only_the_time_tells(server: RealOllama) -> None:
    async def twice(chat: OllamaChat) -> tuple[ChatReply, ChatReply]:
        return await chat.complete(LABELLED), await chat.complete(LABELLED)

    first, second = with_chat(server.url, twice)

    assert first.text == second.text
    assert first.prompt_tokens == second.prompt_tokens
    assert second.cached_tokens is None


def test_a_stream_comes_in_pieces_that_join_to_the_reply(server: RealOllama) -> None:
    async def use(chat: OllamaChat) -> list[str | ChatReply]:
        return [piece async for piece in chat.stream(replace(STORY, max_tokens=12))]

    *pieces, reply = with_chat(server.url, use)

    assert isinstance(reply, ChatReply)
    assert len(pieces) > 3
    assert "".join(str(piece) for piece in pieces) == reply.text
    assert (reply.finish, reply.output_tokens) == ("length", 12)


def test_a_stream_that_is_closed_stops_the_model_so_that_the_next_is_answered(server: RealOllama) -> None:
    endless = replace(STORY, max_tokens=400)

    async def use(chat: OllamaChat) -> ChatReply:
        async with aclosing(chat.stream(endless)) as pieces:
            assert isinstance(await anext(pieces), str)
        # The server answers one question at a time: this one would wait for 400 tokens if the first went on.
        return await chat.complete(replace(STORY, max_tokens=2))

    assert with_chat(server.url, use).output_tokens == 2


def test_a_backend_opened_later_warms_up_only_what_the_server_no_longer_holds(server: RealOllama) -> None:
    warm = WarmPrompts()
    short = replace(STORY, system="Tell a tale.", max_tokens=1)

    def ask() -> tuple[int, ChatReply]:
        sent: list[str] = []

        async def run() -> ChatReply:
            chat = OllamaChat(SMOL, server.url, num_ctx=WINDOW, transport=Counting(sent), warm=warm)
            try:
                return await chat.complete(short)
            finally:
                await chat.aclose()

        reply = asyncio.run(run())
        return sent.count("/api/chat"), reply

    (first, told), (second, again) = ask(), ask()
    assert (first, second) == (2, 1)
    assert (told.unverified, again.unverified) == ("", "")
    server.call("POST", "/api/generate", {"model": SMOL, "keep_alive": 0})
    wait_until(lambda: not server.loaded(), "the model to be unloaded")
    assert ask()[0] == 2


# --- the context window -----------------------------------------------------------------------------------------------


def test_too_long_a_prompt_is_refused(server: RealOllama) -> None:
    with pytest.raises(PromptTooLong, match=f"context window of {WINDOW} tokens"):
        complete(server.url, replace(LABELLED, user="It rains. " * WINDOW))


def test_what_the_server_cuts_without_a_word_fills_the_window_which_is_noticed(server: RealOllama) -> None:
    long = replace(STORY, user="It rains. " * 50, max_tokens=1)

    async def use(chat: OllamaChat) -> tuple[int, int]:
        warmed = await chat.warm_up(long)
        # As a client does that knows nothing of the two fields.
        body = {k: v for k, v in chat.body(long).items() if k not in {"truncate", "shift"}} | {"stream": False}
        answer = await asyncio.to_thread(server.call, "POST", "/api/chat", body)
        assert answer.status_code == 200
        assert warmed.tokens is not None
        return warmed.tokens, answer.json()["prompt_eval_count"]

    static, counted = with_chat(server.url, use, num_ctx=64)

    assert counted == 64
    assert static < 64


def test_another_window_loads_the_model_anew(server: RealOllama) -> None:
    short = replace(STORY, max_tokens=1)

    def window_after(num_ctx: int) -> int:
        complete(server.url, short, num_ctx=num_ctx)
        return server.loaded()[f"{SMOL}:latest"]

    assert [window_after(256), window_after(WINDOW)] == [256, WINDOW]


def test_a_window_longer_than_the_models_own_is_made_as_long_as_that(server: RealOllama) -> None:
    async def use(chat: OllamaChat) -> tuple[int | None, int | None]:
        found = await chat.status()
        return found.context_size, found.model_context

    assert with_chat(server.url, use, num_ctx=1_000_000) == (8192, 8192)


# --- what is read -----------------------------------------------------------------------------------------------------


def test_the_template_of_gemma_puts_the_system_text_into_the_question(server: RealOllama) -> None:
    read = with_chat(server.url, lambda chat: chat.rendered(replace(LABELLED, system="RULES", user="INPUT")), GEMMA)

    assert read == "<start_of_turn>user\nRULES\n\nINPUT<end_of_turn>\n<start_of_turn>model\n"


def test_a_student_with_that_template_answers_and_is_checked_too(server: RealOllama) -> None:
    reply = complete(server.url, LABELLED, GEMMA)

    assert reply.unverified == ""
    assert "label" in reply.text


def test_two_models_keep_their_own_names_and_digests(server: RealOllama) -> None:
    digests = {with_chat(server.url, lambda chat: chat.status(), model).digest for model in (SMOL, GEMMA)}

    assert digests == {server.digest(SMOL), server.digest(GEMMA)}
    assert len(digests) == 2


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_model_that_is_not_there_is_named_with_the_command_that_helps(server: RealOllama) -> None:
    with pytest.raises(ModelMissing, match=f"ollama pull {MISSING}"):
        complete(server.url, LABELLED, MISSING)

    found = with_chat(server.url, lambda chat: chat.status(), MISSING)
    assert not found.ready
    assert SMOL in found.problem


def test_a_server_killed_in_mid_answer_leaves_what_came_and_is_told(own_models: Path) -> None:
    with own_server(own_models) as doomed:

        async def use(chat: OllamaChat) -> str:
            pieces = chat.stream(replace(STORY, max_tokens=400))
            first = await anext(pieces)
            await asyncio.to_thread(doomed.kill)
            with pytest.raises(ReplyUnusable, match="broke in the middle") as caught:
                async for _ in pieces:
                    pass
            assert caught.value.raw.startswith(str(first))
            with pytest.raises(BackendUnreachable, match="ollama serve"):
                await chat.complete(STORY)
            return caught.value.raw

        assert with_chat(doomed.url, use)


def test_a_full_queue_is_busy_and_no_answer(own_models: Path) -> None:
    with own_server(own_models, OLLAMA_MAX_QUEUE="1", OLLAMA_NUM_PARALLEL="1") as narrow:
        replies: list[ChatReply | Exception] = []

        def ask(number: int) -> None:
            try:
                replies.append(complete(narrow.url, replace(STORY, user=f"Begin {number}.", max_tokens=20)))
            except Exception as error:  # noqa: BLE001 - collected and looked at below
                replies.append(error)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    refused = [reply for reply in replies if isinstance(reply, Exception)]
    assert refused
    assert {type(error) for error in refused} == {BackendBusy}
    assert all("busy" in str(error) for error in refused)
