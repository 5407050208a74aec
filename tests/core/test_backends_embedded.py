"""The child process of the embedded student: when it starts, and that it never outlives its parent."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pld_core.backends.embedded import (
    EmbeddedChat,
    EmbeddedServer,
    find_weights,
    missing_part,
    shared_server,
    weights_digest,
)
from pld_core.backends.openai_compatible import OpenAIChat
from pld_core.errors import BackendUnreachable, ReplyUnusable
from pld_core.model_ports import BackendStatus, ChatReply, ChatRequest

PARENT = """
import sys
from pld_core.backends.embedded import EmbeddedServer
server = EmbeddedServer()
server.endpoint()
print(server.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def _installed() -> None:
    problem = missing_part()
    if problem and os.environ.get("PLD_REQUIRE_STUDENT") == "1":
        pytest.fail(problem)
    if problem:
        pytest.skip(problem)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "Tiny.gguf"
    path.write_bytes(b"abc")
    return path


def status(server: EmbeddedServer) -> BackendStatus:
    async def run() -> BackendStatus:
        chat = EmbeddedChat(server)
        found = await chat.status()
        await chat.aclose()
        return found

    return asyncio.run(run())


async def rest_of(stream: AsyncIterator[str | ChatReply]) -> None:
    async for _ in stream:
        pass


def test_weights_that_are_not_there_are_a_problem_with_a_fix(tmp_path: Path) -> None:
    found = status(EmbeddedServer(str(tmp_path / "none.gguf")))

    assert not found.ready
    assert found.problem
    assert found.fix == "make setup"
    assert found.digest == ""


def test_weights_can_be_named(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLD_EMBEDDED_WEIGHTS", str(weights))

    assert find_weights() == weights


def test_the_digest_is_that_of_the_file_as_it_is_now(weights: Path) -> None:
    before = weights_digest(weights)
    weights.write_bytes(b"abcd")

    assert before == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert weights_digest(weights) != before


def test_a_process_has_one_shared_server() -> None:
    assert shared_server() is shared_server()


@pytest.mark.student
@pytest.mark.usefixtures("_installed")
def test_looking_at_the_status_starts_nothing() -> None:
    server = EmbeddedServer()

    assert status(server).ready
    assert server.pid is None


@pytest.mark.student
@pytest.mark.usefixtures("_installed")
def test_weights_that_cannot_be_loaded_are_told(weights: Path) -> None:
    with pytest.raises(BackendUnreachable, match="did not start"):
        EmbeddedServer(str(weights)).endpoint()


@pytest.mark.student
@pytest.mark.usefixtures("_installed")
def test_threads_that_ask_at_once_get_one_child_and_closing_ends_it() -> None:
    server = EmbeddedServer()
    try:
        with ThreadPoolExecutor(4) as threads:
            endpoints = set(threads.map(lambda _: server.endpoint(), range(4)))
        assert len(endpoints) == 1
        assert endpoints.pop().key not in repr(server.endpoint())
        assert server.pid is not None
    finally:
        server.close()
    assert server.pid is None


@pytest.mark.student
@pytest.mark.usefixtures("_installed")
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux tells when a process that is not ours ends")
def test_the_child_dies_with_a_killed_parent() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        try:
            parent.send_signal(signal.SIGKILL)
            ended, _, _ = select.select([child], [], [], 10)
        finally:
            os.close(child)
    assert ended


@pytest.mark.student
@pytest.mark.usefixtures("_installed")
def test_the_student_keeps_the_prefix_of_the_prompt() -> None:
    requests = [
        ChatRequest(system="You are a careful classifier. " * 30, user=user, purpose="student", max_tokens=2)
        for user in ("It rains.", "The sun shines.")
    ]
    server = EmbeddedServer()

    async def run() -> ChatReply:
        chat = EmbeddedChat(server)
        try:
            return [await chat.complete(request) for request in requests][-1]
        finally:
            await chat.aclose()
            server.close()

    again = asyncio.run(run())

    assert again.cached_tokens is not None
    assert again.prompt_tokens is not None
    assert again.cached_tokens > again.prompt_tokens // 2


@pytest.mark.student
@pytest.mark.usefixtures("_installed")
def test_a_student_killed_while_it_answers_is_an_error_and_comes_back() -> None:
    story = ChatRequest(system="Tell a long story.", user="Begin.", purpose="student", max_tokens=2000)
    server = EmbeddedServer()

    async def run() -> ChatReply:
        chat = EmbeddedChat(server)
        try:
            stream = chat.stream(story)
            came = await anext(stream)
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
            with pytest.raises(ReplyUnusable) as caught:
                await rest_of(stream)
            assert caught.value.raw.startswith(str(came))
            return await chat.complete(ChatRequest(system="Answer.", user="Hello.", purpose="student", max_tokens=4))
        finally:
            await chat.aclose()
            server.close()

    assert asyncio.run(run()).text


EVENTS = (
    b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    b'"delta":{"content":"keep"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)


async def _answer_one_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the first request of a connection, and close it when a second one comes, as the student's server does."""
    for number in range(2):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            break
        if number == 1:
            break
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        status = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(status + b"%x\r\n%s\r\n0\r\n\r\n" % (len(EVENTS), EVENTS))
        await writer.drain()
    writer.close()


def test_no_request_goes_out_on_a_connection_that_the_server_closes_after_each_answer() -> None:
    async def run() -> list[str]:
        server = await asyncio.start_server(_answer_one_request, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        chat = OpenAIChat("m", f"http://127.0.0.1:{port}/v1", "", keepalive_s=0)
        try:
            return [(await chat.complete(ChatRequest("s", "u", "student"))).text for _ in range(3)]
        finally:
            await chat.aclose()
            server.close()

    assert asyncio.run(run()) == ["keep"] * 3


@pytest.mark.student
@pytest.mark.usefixtures("_installed")
def test_tokens_are_counted_without_an_answer_as_an_answer_counts_them() -> None:
    server = EmbeddedServer()
    chat = EmbeddedChat(server)
    request = ChatRequest("You are careful. <|im_end|> Größe", "hello", "student", max_tokens=2)

    async def both() -> tuple[int, int | None]:
        try:
            return await chat.count_tokens(request), (await chat.complete(request)).prompt_tokens
        finally:
            await chat.aclose()

    try:
        counted, told = asyncio.run(both())
    finally:
        server.close()
    assert counted == told
