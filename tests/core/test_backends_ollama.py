"""What is sent to Ollama, and how its odd answers are read; `tests/contracts/test_chat.py` has the rest."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pld_core.backends.ollama import OllamaChat
from pld_core.canonical import Json
from pld_core.errors import AccessRefused, BackendBusy, BackendError, BackendUnreachable, ModelMissing, PromptTooLong
from pld_core.model_ports import BackendStatus, ChatReply, ChatRequest

HOST = "http://ollama.test:11434"
SCHEMA: dict[str, Json] = {"type": "object", "properties": {"label": {"enum": ["a", "b"]}}}
REQUEST = ChatRequest(
    system="the rules", user="the input", purpose="student", schema=SCHEMA, max_tokens=7, temperature=0.5, seed=3
)
DONE = {"model": "gemma3:4b", "message": {"role": "assistant", "content": "ok"}, "done": True, "done_reason": "stop"}
WARMED = {"done": True, "prompt_eval_count": 20, "load_duration": 3_000_000, "prompt_eval_duration": 4_000_000}
Handler = Callable[[httpx.Request], httpx.Response]


def answering(*lines: dict[str, Any]) -> Handler:
    """Answer a warm-up with a count, and everything else with these lines."""
    content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()

    def answer(request: httpx.Request) -> httpx.Response:
        if is_warm_up(request):
            return httpx.Response(200, json=WARMED)
        return httpx.Response(200, content=content)

    return answer


def is_warm_up(request: httpx.Request) -> bool:
    return request.method == "POST" and json.loads(request.content)["stream"] is False


def complete(handler: Handler, request: ChatRequest = REQUEST, num_ctx: int = 8192) -> ChatReply:
    async def run() -> ChatReply:
        chat = OllamaChat("gemma3:4b", HOST, num_ctx=num_ctx, transport=httpx.MockTransport(handler))
        try:
            return await chat.complete(request)
        finally:
            await chat.aclose()

    return asyncio.run(run())


def status(handler: Handler, model: str = "gemma3:4b", host: str = HOST) -> BackendStatus:
    async def run() -> BackendStatus:
        chat = OllamaChat(model, host, transport=httpx.MockTransport(handler))
        try:
            return await chat.status()
        finally:
            await chat.aclose()

    return asyncio.run(run())


def sent_for(request: ChatRequest, num_ctx: int = 8192) -> dict[str, Any]:
    seen: list[httpx.Request] = []

    def handler(sent: httpx.Request) -> httpx.Response:
        seen.append(sent)
        return answering(DONE)(sent)

    complete(handler, request, num_ctx)
    assert [str(sent.url) for sent in seen] == [f"{HOST}/api/chat", f"{HOST}/api/ps", f"{HOST}/api/chat"]
    warm_up: dict[str, Any] = json.loads(seen[0].content)
    body: dict[str, Any] = json.loads(seen[2].content)
    assert warm_up["options"] == body["options"] | {"num_predict": 1}
    assert warm_up["messages"] == [body["messages"][0], {"role": "user", "content": "."}]
    assert "format" not in warm_up
    return body


def test_a_request_forbids_silent_cutting_and_fixes_the_window() -> None:
    body = sent_for(REQUEST, num_ctx=4096)

    assert body["truncate"] is False
    assert body["shift"] is False
    assert body["options"] == {"temperature": 0.5, "seed": 3, "num_ctx": 4096, "num_predict": 7}
    assert body["format"] == SCHEMA
    assert body["stream"] is True
    assert body["keep_alive"] == "10m"
    assert body["model"] == "gemma3:4b"


def test_the_static_part_comes_first_and_the_input_last() -> None:
    assert sent_for(REQUEST)["messages"] == [
        {"role": "system", "content": "the rules"},
        {"role": "user", "content": "the input"},
    ]


def test_free_text_sends_no_format() -> None:
    assert "format" not in sent_for(ChatRequest(system="s", user="u", purpose="student"))


def test_figures_that_the_server_leaves_out_stay_unknown() -> None:
    reply = complete(answering(DONE))

    assert reply.text == "ok"
    assert (reply.prompt_tokens, reply.output_tokens, reply.load_ms, reply.cached_tokens) == (None, None, None, None)
    assert reply.context_size == 8192


@pytest.mark.parametrize("odd", ["\u0085", "\u2028", "\r", "é🙂"])
def test_odd_characters_inside_an_answer_do_not_split_it(odd: str) -> None:
    reply = complete(answering({"message": {"content": f"a{odd}b"}, "done": False}, DONE))

    assert reply.text == f"a{odd}bok"


def test_a_window_exceeded_inside_the_stream_is_told_as_such() -> None:
    with pytest.raises(PromptTooLong, match="8192 tokens"):
        complete(answering({"error": "prompt exceeds the context size"}))


def test_a_long_message_of_the_server_is_shortened() -> None:
    with pytest.raises(BackendBusy) as caught:
        complete(lambda _request: httpx.Response(500, json={"error": "x" * 5000}))

    assert 300 < len(str(caught.value)) < 400


@pytest.mark.parametrize("status", [429, 503, 500])
def test_a_busy_server_may_say_when_it_can(status: int) -> None:
    with pytest.raises(BackendBusy) as caught:
        complete(lambda _request: httpx.Response(status, json={"error": "full"}, headers={"Retry-After": "7"}))
    assert caught.value.retry_after_s == 7


@pytest.mark.parametrize("status", [401, 403])
def test_a_server_that_lets_nobody_in_is_told_apart_from_one_bad_request(status: int) -> None:
    with pytest.raises(AccessRefused, match="without a key"):
        complete(lambda _request: httpx.Response(status, text="who are you?"))


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (httpx.ConnectError("refused"), "ollama serve"),
        (httpx.ConnectTimeout("slow"), "ollama serve"),
        (httpx.ReadTimeout("slow"), "in time"),
    ],
)
def test_a_failed_connection_says_where_and_what_helps(failure: httpx.TransportError, words: str) -> None:
    def handler(_request: httpx.Request) -> httpx.Response:
        raise failure

    with pytest.raises(BackendUnreachable, match=words) as caught:
        complete(handler)

    assert HOST in str(caught.value)
    assert caught.value.__cause__ is failure


@pytest.mark.parametrize("content", [b"[]\n", b'"text"\n', b"<html>", b"\xff\xfe\n", b'{"message": 1}\n', b""])
def test_an_answer_of_another_shape_is_an_error_of_ours(content: bytes) -> None:
    with pytest.raises(BackendError):
        complete(lambda _request: httpx.Response(200, content=content))


def test_a_model_that_the_list_spells_differently_is_asked_for() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"models": []} if request.url.path == "/api/tags" else {"details": {}})

    found = status(handler)

    assert found.ready
    assert found.digest == ""


def test_a_model_without_a_tag_means_latest() -> None:
    listed = {"models": [{"name": "gemma3:4b", "digest": "1"}, {"name": "gemma3:latest", "digest": "2"}]}

    assert status(lambda _request: httpx.Response(200, json=listed), model="gemma3").digest == "sha256:2"


def test_a_password_in_the_address_is_not_shown() -> None:
    def handler(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    found = status(handler, host="http://anna:geheim@ollama.test:11434")

    assert HOST in found.problem
    assert "geheim" not in repr(found)


# --- whether the whole request was read -------------------------------------------------------------------------------


def counted(count: int | None) -> ChatReply:
    return complete(answering(DONE if count is None else DONE | {"prompt_eval_count": count}), num_ctx=100)


def test_a_count_between_the_bounds_is_an_answer() -> None:
    assert counted(20 + len(REQUEST.user)).unverified == ""


@pytest.mark.parametrize(
    ("count", "words"),
    [(17, "was cut"), (100, "fill the context window"), (60, "something else"), (None, "did not say")],
)
def test_a_count_outside_of_them_is_unverified(count: int | None, words: str) -> None:
    assert words in counted(count).unverified


def test_the_time_of_the_warm_up_is_part_of_the_servers_split() -> None:
    reply = complete(answering(DONE | {"load_duration": 1_000_000, "prompt_eval_duration": 2_000_000}))

    assert (reply.load_ms, reply.prompt_ms) == (4, 6)


def test_one_static_part_is_warmed_up_once_however_many_ask_at_a_time() -> None:
    warm_ups: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if is_warm_up(request):
            warm_ups.append(request)
        return answering(DONE)(request)

    async def run() -> None:
        chat = OllamaChat("gemma3:4b", HOST, transport=httpx.MockTransport(handler))
        try:
            await asyncio.gather(*(chat.complete(REQUEST) for _ in range(3)))
        finally:
            await chat.aclose()

    asyncio.run(run())

    assert len(warm_ups) == 1


def test_a_model_that_is_missing_is_told_by_the_warm_up() -> None:
    with pytest.raises(ModelMissing, match=r"ollama pull gemma3:4b"):
        complete(lambda _request: httpx.Response(404, json={"error": "model 'gemma3:4b' not found"}))


# --- what the server tells of its models ------------------------------------------------------------------------------


def test_the_status_tells_size_context_and_whether_it_is_loaded() -> None:
    model = {"name": "gemma3:4b", "digest": "1", "size": 3_300_000_000}
    answers = {
        "/api/tags": {"models": [model]},
        "/api/ps": {"models": [model | {"context_length": 8192}]},
        "/api/show": {"model_info": {"general.architecture": "gemma3", "gemma3.context_length": 4096}},
    }

    found = status(lambda request: httpx.Response(200, json=answers[request.url.path]))

    assert (found.size_bytes, found.loaded, found.model_context) == (3_300_000_000, True, 4096)
    assert found.context_size == 4096
