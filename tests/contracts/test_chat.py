"""One suite over every implementation of the `Chat` port: what a caller may rely on, whichever model answers."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, cast

import pytest

from pld_core.backends.embedded import EmbeddedChat, EmbeddedServer, missing_part
from pld_core.backends.ollama import OllamaChat
from pld_core.backends.openai_compatible import OpenAIChat
from pld_core.errors import (
    BackendBusy,
    BackendError,
    BackendRefused,
    BackendUnreachable,
    ModelMissing,
    PromptTooLong,
    ReplyUnusable,
)
from pld_core.model_ports import BackendStatus, Chat, ChatReply, ChatRequest

from .servers import DIGEST, KEY, FakeServer, nobody_listening, ollama_server, openai_server

T = TypeVar("T")
LABELS = ("keep", "remove")
REQUEST = ChatRequest(
    system="You classify comments.", user="It was a fine day and we all went out.", purpose="student", max_tokens=64
)
LABELLED = ChatRequest(
    system="You classify comments.",
    user="What a lovely day.",
    purpose="student",
    schema={
        "type": "object",
        "properties": {"label": {"enum": list(LABELS)}},
        "required": ["label"],
        "additionalProperties": False,
    },
    max_tokens=64,
)


class Kind(Protocol):
    """How the suite gets one implementation into each situation."""

    def good(self) -> Chat: ...
    def unreachable(self) -> Chat: ...


@dataclass
class OllamaKind:
    server: FakeServer
    nobody: str

    def model(self, name: str) -> Chat:
        return OllamaChat(name, self.server.url)

    def good(self) -> Chat:
        return self.model("good")

    def unreachable(self) -> Chat:
        return OllamaChat("good", self.nobody)


@dataclass
class OpenAIKind:
    server: FakeServer
    nobody: str

    def model(self, name: str) -> Chat:
        return OpenAIChat(name, f"{self.server.url}/v1", KEY, context_size=100)

    def good(self) -> Chat:
        return self.model("good")

    def unreachable(self) -> Chat:
        return OpenAIChat("good", f"{self.nobody}/v1", KEY)


@dataclass
class EmbeddedKind:
    server: EmbeddedServer
    nowhere: Path

    def good(self) -> Chat:
        return EmbeddedChat(self.server)

    def unreachable(self) -> Chat:
        return EmbeddedChat(EmbeddedServer(str(self.nowhere / "no-weights.gguf")))


@pytest.fixture(scope="session")
def nobody() -> Iterator[str]:
    with nobody_listening() as url:
        yield url


@pytest.fixture(scope="session")
def ollama(nobody: str) -> Iterator[OllamaKind]:
    with ollama_server() as server:
        yield OllamaKind(server, nobody)


@pytest.fixture(scope="session")
def openai(nobody: str) -> Iterator[OpenAIKind]:
    with openai_server() as server:
        yield OpenAIKind(server, nobody)


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKind]:
    problem = missing_part()
    if problem and os.environ.get("PLD_REQUIRE_STUDENT") == "1":
        pytest.fail(problem)
    if problem:
        pytest.skip(problem)
    server = EmbeddedServer()
    try:
        yield EmbeddedKind(server, tmp_path_factory.mktemp("nowhere"))
    finally:
        server.close()


@pytest.fixture(params=["ollama", "openai", pytest.param("embedded", marks=pytest.mark.student)])
def kind(request: pytest.FixtureRequest) -> Kind:
    return cast(Kind, request.getfixturevalue(request.param))


@pytest.fixture(params=["ollama", "openai"])
def faulty(request: pytest.FixtureRequest) -> OllamaKind | OpenAIKind:
    """The implementations whose server can be told to misbehave."""
    return cast("OllamaKind | OpenAIKind", request.getfixturevalue(request.param))


def with_chat(chat: Chat, use: Callable[[Chat], Awaitable[T]]) -> T:
    async def run() -> T:
        try:
            return await use(chat)
        finally:
            await chat.aclose()

    return asyncio.run(run())


def complete(chat: Chat, request: ChatRequest = REQUEST) -> ChatReply:
    return with_chat(chat, lambda opened: opened.complete(request))


def status(chat: Chat) -> BackendStatus:
    return with_chat(chat, lambda opened: opened.status())


async def pieces_of(chat: Chat, request: ChatRequest) -> list[str | ChatReply]:
    return [piece async for piece in chat.stream(request)]


async def first_piece(chat: Chat) -> str | ChatReply:
    stream = cast("AsyncGenerator[str | ChatReply, None]", chat.stream(REQUEST))
    async with aclosing(stream) as pieces:
        return await anext(pieces)


# --- every implementation ---------------------------------------------------------------------------------------------


def test_a_reply_has_text_and_figures(kind: Kind) -> None:
    reply = complete(kind.good())

    assert reply.text
    assert reply.model
    assert reply.finish == "stop" or reply.output_tokens == REQUEST.max_tokens
    assert reply.latency_ms >= 0
    assert reply.prompt_tokens is not None
    assert reply.prompt_tokens > 0
    assert reply.output_tokens is not None
    assert reply.output_tokens > 0
    assert reply.context_size is not None


def test_the_pieces_of_a_stream_join_to_the_reply(kind: Kind) -> None:
    *pieces, reply = with_chat(kind.good(), lambda chat: pieces_of(chat, REQUEST))

    assert isinstance(reply, ChatReply)
    assert len(pieces) > 1
    assert "".join(cast("list[str]", pieces)) == reply.text


def test_a_schema_limits_the_answer_to_the_labels(kind: Kind) -> None:
    answer = json.loads(complete(kind.good(), LABELLED).text)

    assert set(answer) == {"label"}
    assert answer["label"] in LABELS


def test_an_answer_cut_at_max_tokens_says_so(kind: Kind) -> None:
    short = ChatRequest(system="Continue.", user="one two three four five six", purpose="student", max_tokens=3)

    reply = complete(kind.good(), short)

    assert reply.finish == "length"
    assert reply.output_tokens == 3


def test_the_same_request_gives_the_same_answer(kind: Kind) -> None:
    async def twice(chat: Chat) -> tuple[ChatReply, ChatReply]:
        return await chat.complete(LABELLED), await chat.complete(LABELLED)

    first, second = with_chat(kind.good(), twice)

    assert first.text == second.text


def test_a_ready_backend_names_its_model(kind: Kind) -> None:
    found = status(kind.good())

    assert found.ready
    assert found.model
    assert found.problem == ""
    assert found.fix == ""
    assert found.name
    assert found.title
    assert found.context_size is not None


def test_a_closed_stream_leaves_the_backend_usable(kind: Kind) -> None:
    async def use(chat: Chat) -> ChatReply:
        assert isinstance(await first_piece(chat), str)
        return await chat.complete(LABELLED)

    assert with_chat(kind.good(), use).text


def test_calls_at_the_same_time_do_not_mix(kind: Kind) -> None:
    async def use(chat: Chat) -> list[ChatReply]:
        return await asyncio.gather(*(chat.complete(LABELLED) for _ in range(3)))

    replies = with_chat(kind.good(), use)

    assert {json.loads(reply.text)["label"] for reply in replies} <= set(LABELS)


def test_a_prompt_longer_than_the_window_is_refused(kind: Kind) -> None:
    long = ChatRequest(system="Classify.", user="many words here " * 4000, purpose="student")

    with pytest.raises(PromptTooLong, match="context window"):
        complete(kind.good(), long)


def test_nothing_there_is_unreachable_in_a_call_and_a_problem_in_the_status(kind: Kind) -> None:
    with pytest.raises(BackendUnreachable):
        complete(kind.unreachable())

    found = status(kind.unreachable())
    assert not found.ready
    assert found.problem


# --- servers that misbehave -------------------------------------------------------------------------------------------


def test_a_missing_model_is_told_by_name(faulty: OllamaKind | OpenAIKind) -> None:
    with pytest.raises(ModelMissing, match="nowhere:7b"):
        complete(faulty.model("nowhere:7b"))

    found = status(faulty.model("nowhere:7b"))
    assert not found.ready
    assert "nowhere:7b" in found.problem


@pytest.mark.parametrize("model", ["drops", "cut"])
def test_an_answer_that_breaks_off_keeps_what_came(faulty: OllamaKind | OpenAIKind, model: str) -> None:
    with pytest.raises(ReplyUnusable) as caught:
        complete(faulty.model(model))

    assert caught.value.raw == "half an "


def test_an_error_inside_the_stream_is_a_refusal(faulty: OllamaKind | OpenAIKind) -> None:
    with pytest.raises(BackendRefused, match=r"error was encountered|out of memory"):
        complete(faulty.model("fails"))


def test_a_busy_server_is_told_in_its_own_words(faulty: OllamaKind | OpenAIKind) -> None:
    with pytest.raises(BackendBusy, match=r"busy|overloaded"):
        complete(faulty.model("busy"))


def test_a_web_page_is_not_an_answer(faulty: OllamaKind | OpenAIKind) -> None:
    with pytest.raises(BackendRefused, match="answers, but not as an"):
        complete(faulty.model("html"))


def test_closing_a_stream_stops_the_server(faulty: OllamaKind | OpenAIKind) -> None:
    faulty.server.client_left.clear()

    assert with_chat(faulty.model("endless"), first_piece)

    assert faulty.server.client_left.wait(10)


# --- Ollama -----------------------------------------------------------------------------------------------------------


def test_ollama_tells_digest_and_the_split_of_the_time(ollama: OllamaKind) -> None:
    found, reply = status(ollama.good()), complete(ollama.good())

    assert found.digest == f"sha256:{DIGEST}"
    assert (reply.load_ms, reply.prompt_ms, reply.output_ms) == (2, 30, 40)


def test_ollama_names_the_commands_that_help(ollama: OllamaKind) -> None:
    assert status(ollama.model("gemma3:4b")).fix == "ollama pull gemma3:4b"
    assert status(ollama.unreachable()).fix == "ollama serve"
    with pytest.raises(ModelMissing, match="ollama pull gemma3:4b"):
        complete(ollama.model("gemma3:4b"))


def test_a_web_server_is_not_taken_for_ollama(openai: OpenAIKind) -> None:
    found = status(OllamaChat("good", f"{openai.server.url}"))

    assert not found.ready
    assert found.problem


# --- OpenAI-compatible ------------------------------------------------------------------------------------------------


def test_openai_tells_cached_tokens(openai: OpenAIKind) -> None:
    assert complete(openai.good()).cached_tokens == 1


def test_openai_names_models_that_are_there(openai: OpenAIKind) -> None:
    assert "good, endless, drops, cut, busy, …" in status(openai.model("gpt-9")).problem


def test_a_web_server_is_not_taken_for_openai(openai: OpenAIKind) -> None:
    found = status(OpenAIChat("good", f"{openai.server.url}/elsewhere", KEY))

    assert not found.ready
    assert "not as an OpenAI-compatible server" in found.problem


def test_the_key_never_shows(openai: OpenAIKind) -> None:
    secret = "sk-wrong-0123456789"
    chat = OpenAIChat("good", f"{openai.server.url}/v1", secret)

    async def use(opened: Chat) -> tuple[BackendStatus, BackendError]:
        found = await opened.status()
        try:
            await opened.complete(REQUEST)
        except BackendError as error:
            return found, error
        raise AssertionError("the wrong key was taken")

    found, error = with_chat(chat, use)

    assert not found.ready
    assert "PLD_OPENAI_API_KEY" in found.problem
    assert "PLD_OPENAI_API_KEY" in str(error)
    shown = f"{found!r} {error!r} {error} {error.__cause__!r} {error.__cause__} {chat!r} {chat}"
    assert secret not in shown


# --- embedded ---------------------------------------------------------------------------------------------------------


@pytest.mark.student
def test_the_embedded_student_warns_and_identifies_its_weights(embedded: EmbeddedKind) -> None:
    found = status(embedded.good())

    assert found.name == "embedded"
    assert found.digest.startswith("sha256:")
    assert "weak" in found.caution
