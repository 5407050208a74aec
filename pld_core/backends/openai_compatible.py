"""Models on any server that speaks OpenAI's chat completions: OpenAI itself, vLLM, llama.cpp, LM Studio.

`/v1/chat/completions` is used and not `/v1/responses`, because compatible servers ignore schemas on the latter.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

import openai
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam
from openai.types.shared_params import ResponseFormatJSONSchema

from pld_core.backends.openai_answer import Heard
from pld_core.backends.openai_server import CONNECTIONS, KEEPALIVE_S, KEY_VARIABLE, READ_TIMEOUT_S, OpenAIServer
from pld_core.errors import BackendRefused, ReplyUnusable
from pld_core.model_ports import BackendStatus, ChatReply, ChatRequest

WHEN_TOO_LONG = "Shorten the input or compile a prompt with fewer rules."


class OpenAIChat:
    """A model on an OpenAI-compatible server. See `pld_core.model_ports.Chat` for what the methods promise.

    Attributes:
        name: the prefix and the model, as commands spell it, such as `openai:gpt-4.1-mini`.
    """

    def __init__(
        self,
        model: str,
        base_url: str,
        api_key: str,
        name_prefix: str = "openai",
        context_size: int | None = None,
        timeout_s: float = READ_TIMEOUT_S,
        http_client: openai.DefaultAsyncHttpxClient | None = None,
        connections: int = CONNECTIONS,
        key_variable: str = KEY_VARIABLE,
        keepalive_s: float = KEEPALIVE_S,
    ) -> None:
        """Prepare the client; nothing is sent yet.

        Args:
            model: as the server's list of models spells it.
            base_url: address up to and including `/v1`.
            api_key: may be empty for a server on this machine; it never appears in a message.
            name_prefix: what stands before the colon in `name`.
            context_size: tokens of the context window where it is known; the protocol does not tell.
            timeout_s: longest silence while waiting for the next piece of the answer, in seconds.
            http_client: what carries the requests; None for the usual one.
            connections: how many requests can be under way at the same time; further ones wait for a connection.
            key_variable: the environment variable that the key came from, for messages.
            keepalive_s: for how long an idle connection is used again, in seconds; 0 for never.
        """
        self._server = OpenAIServer(
            model,
            base_url,
            api_key,
            WHEN_TOO_LONG,
            name_prefix=name_prefix,
            timeout_s=timeout_s,
            http_client=http_client,
            connections=connections,
            key_variable=key_variable,
            keepalive_s=keepalive_s,
        )
        self.name = self._server.name
        self._context_size = context_size

    def __repr__(self) -> str:
        return f"OpenAIChat(name={self.name!r}, base_url={self._server.shown_url!r})"

    async def status(self) -> BackendStatus:
        """Ask the server for its list of models. Never raises."""
        return await self._server.status(self._context_size)

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Return the whole reply; for errors see `pld_core.model_ports.Chat`."""
        async with aclosing(self.stream(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, ChatReply):
                    return piece
        raise ReplyUnusable("The model gave no answer. Try again.")

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """Yield pieces of text, then the `ChatReply`. Closing it early closes the connection, which stops the model."""
        self._server.check_key()
        started = time.monotonic()
        heard = Heard()
        try:
            async with await self._open(request) as chunks:
                self._check_is_event_stream(chunks.response.headers.get("content-type", ""))
                async for chunk in chunks:
                    piece = heard.take(chunk)
                    if piece:
                        yield piece
        except openai.OpenAIError as error:
            self._server.raise_translated(error, heard.text)
        except ValueError as error:
            raise ReplyUnusable("The server sent something that is not JSON. Try again.", raw=heard.text) from error
        reply = heard.reply(self._server.model, self._context_size, round((time.monotonic() - started) * 1000))
        try:
            heard.check()
        except ReplyUnusable as error:
            error.reply = reply
            raise
        yield reply

    async def aclose(self) -> None:
        """Close the connections. The object cannot be used afterwards."""
        await self._server.client.close()

    async def _open(self, request: ChatRequest) -> openai.AsyncStream[ChatCompletionChunk]:
        # Past the client, which holds each part against every type that it could be: a sixth of a call's work.
        body: dict[str, object] = {"messages": messages_of(request)}
        if request.schema is not None:
            body["response_format"] = answer_format(request.schema)
        return await self._server.client.chat.completions.create(
            model=self._server.model,
            messages=[],
            stream=True,
            stream_options={"include_usage": True},
            max_tokens=request.max_tokens,
            temperature=request.temperature,
            seed=request.seed,
            extra_body=body,
        )

    def _check_is_event_stream(self, content_type: str) -> None:
        if not content_type.startswith("text/event-stream"):
            raise BackendRefused(self._server.not_compatible)


def messages_of(request: ChatRequest) -> list[ChatCompletionMessageParam]:
    return [{"role": "system", "content": request.system}, {"role": "user", "content": request.user}]


def answer_format(schema: Mapping[str, object]) -> ResponseFormatJSONSchema:
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": dict(schema)}}
