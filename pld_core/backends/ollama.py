"""Models on an Ollama server, through its own `/api/chat`.

Before the first call with a static part, a warm-up loads the model and that part, and has its tokens counted; each
answer's count is checked against it. A later backend of this process does without while the server holds
the model.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx

from pld_core.backends.ollama_facts import ModelFacts, whole
from pld_core.backends.ollama_request import chat_body, warm_up_body
from pld_core.backends.ollama_server import READ_TIMEOUT_S, OllamaServer, quote
from pld_core.backends.ollama_warm import WarmKey, WarmPrompts, shared_warm_prompts
from pld_core.canonical import Json, hash_text
from pld_core.cut_check import cut_problem
from pld_core.errors import BackendError, BackendRefused, Failure, PromptTooLong, ReplyUnusable
from pld_core.model_ports import BackendStatus, ChatReply, ChatRequest, WarmUp

NANOSECONDS_PER_MS = 1_000_000
NOT_FITTING = "The prompt and the input do not fit the context window of {num_ctx} tokens"
WHEN_TOO_LONG = "Shorten the input or compile a prompt with fewer rules."


class OllamaChat:
    """A model on an Ollama server. See `pld_core.model_ports.Chat` for what the methods promise.

    Attributes:
        name: `ollama:` and the model, as commands spell it.
    """

    def __init__(
        self,
        model: str,
        host: str,
        num_ctx: int = 8192,
        timeout_s: float = READ_TIMEOUT_S,
        keep_alive: str = "10m",
        transport: httpx.AsyncBaseTransport | None = None,
        warm: WarmPrompts | None = None,
    ) -> None:
        """Prepare the client; nothing is sent yet.

        Args:
            model: as `ollama list` spells it; without a tag Ollama takes `latest`.
            host: address of the server with its scheme, such as `http://127.0.0.1:11434`.
            num_ctx: tokens of the context window, the same in every call: a change makes Ollama load the model again.
            timeout_s: longest silence while waiting for the next piece of the answer, in seconds.
            keep_alive: how long the server keeps the model loaded after a call.
            transport: what carries the requests, for tests; None for the network.
            warm: what was warmed up before; None for what the whole process shares.
        """
        self._server = OllamaServer(
            model, host, f"{NOT_FITTING.format(num_ctx=num_ctx)} ({{words}}). {WHEN_TOO_LONG}", timeout_s, transport
        )
        self.name = self._server.name
        self._host = host
        self._num_ctx = num_ctx
        self._keep_alive = keep_alive
        self._warming = asyncio.Lock()
        self._static: dict[str, int | None] = {}
        self._warm = shared_warm_prompts() if warm is None else warm

    async def status(self) -> BackendStatus:
        """Ask the server whether it is there and holds the model. Never raises."""
        return await self._server.status(self._num_ctx)

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Return the whole reply; for errors see `pld_core.model_ports.Chat`."""
        async with aclosing(self.stream(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, ChatReply):
                    return piece
        raise ReplyUnusable("The model gave no answer. Try again.")

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """Yield pieces of text, then the `ChatReply`. Closing it early closes the connection, which stops the model."""
        started = time.monotonic()
        warmed = await self._warmed(request)
        text = ""
        try:
            async with self._open(request) as response:
                async for line in _lines(response):
                    part = self._part(line, text)
                    piece = _content(part)
                    if piece:
                        text += piece
                        yield piece
                    if part.get("done"):
                        yield self._checked(self._reply(text, part, started), request, warmed)
                        return
        except httpx.RequestError as error:
            raise self._server.for_transport(error, text) from error
        raise ReplyUnusable(
            "The Ollama server ended the answer before it was complete. Try again.", text, Failure.BROKEN
        )

    async def aclose(self) -> None:
        """Close the connections. The object cannot be used afterwards."""
        await self._server.client.aclose()

    def body(self, request: ChatRequest) -> dict[str, Json]:
        """Return what is sent for a request, word for word."""
        return chat_body(self._server.model, request, self._num_ctx, self._keep_alive)

    async def warm_up(self, request: ChatRequest) -> WarmUp:
        """Load the model and the static part of a request, and have that part counted; for errors see `complete`."""
        body = warm_up_body(self._server.model, request, self._num_ctx, self._keep_alive)
        answer = await self._server.post("/api/chat", body)
        tokens = whole(answer.get("prompt_eval_count"))
        self._warm.keep(self._key(request), await self._in_memory(), tokens)
        return WarmUp(
            tokens=tokens,
            load_ms=_milliseconds(answer.get("load_duration")),
            prompt_ms=_milliseconds(answer.get("prompt_eval_duration")),
        )

    async def rendered(self, request: ChatRequest) -> str:
        """Return the text that the model reads: the messages in its template. Nothing is generated.

        Raises:
            BackendRefused: the server does not tell.
        """
        answer = await self._server.post(
            "/api/chat", self.body(request) | {"stream": False, "_debug_render_only": True}
        )
        told = answer.get("_debug_info")
        text = told.get("rendered_template") if isinstance(told, dict) else None
        if not isinstance(text, str):
            raise BackendRefused(f"The Ollama server at {self._server.shown_host} does not tell what the model reads.")
        return text

    async def _warmed(self, request: ChatRequest) -> WarmUp:
        """Warm up before the first call with this static part; what was counted then is kept."""
        key = hash_text(request.system)
        async with self._warming:
            if key in self._static:
                return WarmUp(self._static[key])
            warmed = await self._known(request) or await self.warm_up(request)
            self._static[key] = warmed.tokens
            return warmed

    async def _known(self, request: ChatRequest) -> WarmUp | None:
        """Return what was counted before, None unless the server still has in memory what counted it."""
        key = self._key(request)
        tokens = self._warm.tokens(key, await self._in_memory()) if self._warm.may_know(key) else None
        return None if tokens is None else WarmUp(tokens)

    async def _in_memory(self) -> ModelFacts | None:
        try:
            return await self._server.in_memory()
        except BackendError:
            # A server that does not tell is warmed up each time; what is wrong with it, the call itself says.
            return None

    def _key(self, request: ChatRequest) -> WarmKey:
        return WarmKey(self._host, self._server.model, self._num_ctx, hash_text(request.system))

    def _checked(self, reply: ChatReply, request: ChatRequest, warmed: WarmUp) -> ChatReply:
        return replace(
            reply,
            load_ms=_sum(reply.load_ms, warmed.load_ms),
            prompt_ms=_sum(reply.prompt_ms, warmed.prompt_ms),
            unverified=cut_problem(reply.prompt_tokens, warmed.tokens, request.user, self._num_ctx),
        )

    @asynccontextmanager
    async def _open(self, request: ChatRequest) -> AsyncIterator[httpx.Response]:
        async with self._server.client.stream("POST", "/api/chat", json=self.body(request)) as response:
            if response.status_code != httpx.codes.OK:
                await response.aread()
                raise self._server.for_response(response)
            yield response

    def _part(self, line: bytes, text: str) -> dict[str, Any]:
        """Return one line of the stream as a dict, or raise for an error that the server reports inside it."""
        try:
            part = json.loads(line)
        except ValueError as error:
            if not text:
                raise BackendRefused(self._server.not_ollama) from error
            raise ReplyUnusable("The Ollama server sent a line that is not JSON. Try again.", raw=text) from error
        if not isinstance(part, dict):
            raise ReplyUnusable("The Ollama server sent an answer of an unknown shape. Try again.", raw=text)
        if "error" in part:
            words = quote(str(part["error"]))
            if "context" in words.lower():
                raise PromptTooLong(self._server.too_long(words))
            raise BackendRefused(f"The Ollama server stopped the answer: {words}. Try again.")
        return part

    def _reply(self, text: str, last: Mapping[str, Any], started: float) -> ChatReply:
        return ChatReply(
            text=text,
            model=str(last.get("model") or self._server.model),
            finish="length" if last.get("done_reason") == "length" else "stop",
            latency_ms=round((time.monotonic() - started) * 1000),
            prompt_tokens=whole(last.get("prompt_eval_count")),
            output_tokens=whole(last.get("eval_count")),
            context_size=self._num_ctx,
            load_ms=_milliseconds(last.get("load_duration")),
            prompt_ms=_milliseconds(last.get("prompt_eval_duration")),
            output_ms=_milliseconds(last.get("eval_duration")),
        )


async def _lines(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """Yield the lines that are not blank. The client's own `aiter_lines` also splits at U+0085 inside a JSON text."""
    rest = b""
    async for block in response.aiter_bytes():
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            if line.strip():
                yield line
    if rest.strip():
        yield rest


def _content(part: Mapping[str, Any]) -> str:
    message = part.get("message")
    piece = message.get("content") if isinstance(message, dict) else None
    return piece if isinstance(piece, str) else ""


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None else first + (second or 0)


def _milliseconds(nanoseconds: object) -> int | None:
    return round(nanoseconds / NANOSECONDS_PER_MS) if isinstance(nanoseconds, int) else None
