"""Models on any server that speaks OpenAI's chat completions: OpenAI itself, vLLM, llama.cpp, LM Studio.

`/v1/chat/completions` is used and not `/v1/responses`, because compatible servers ignore schemas on the latter.
"""

from __future__ import annotations

import ipaddress
import json
import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from email.utils import parsedate_to_datetime
from typing import NoReturn
from urllib.parse import urlsplit

import aiohttp
import openai
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam
from openai.types.shared_params import ResponseFormatJSONSchema

from pld_core.backends.openai_answer import Heard
from pld_core.errors import (
    AccessRefused,
    BackendBusy,
    BackendError,
    BackendRefused,
    BackendUnreachable,
    Failure,
    ModelMissing,
    PromptTooLong,
    ReplyUnusable,
)
from pld_core.ports import BackendStatus, ChatReply, ChatRequest

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 120.0
STATUS_TIMEOUT_S = 10.0
RETRIES = 1
CONNECTIONS = 100
LONGEST_QUOTE = 300
NAMED_MODELS = 5
KEY_VARIABLE = "PLD_OPENAI_API_KEY"
BAD_REQUEST, UNAUTHORIZED, PAYMENT_REQUIRED, FORBIDDEN, NOT_FOUND, TOO_LARGE = 400, 401, 402, 403, 404, 413
REQUEST_TIMEOUT, CONFLICT, TOO_EARLY, TOO_MANY, INTERNAL = 408, 409, 425, 429, 500
QUOTA_CODES = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
FILTER_CODES = ("content_filter", "content_policy_violation")


class OpenAIChat:
    """A model on an OpenAI-compatible server. See `pld_core.ports.Chat` for what the methods promise.

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
        retries: int = RETRIES,
        connections: int = CONNECTIONS,
        key_variable: str = KEY_VARIABLE,
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
            retries: how often the client itself tries again; 0 where the caller does that.
            connections: how many requests can be under way at the same time; further ones wait for a connection.
            key_variable: the environment variable that the key came from, for messages.
        """
        key = api_key.strip()
        on_this_machine = _is_loopback(base_url)
        self.name = f"{name_prefix}:{model}"
        self._model = model
        self._context_size = context_size
        self._key = key
        self._key_variable = key_variable
        self._key_problem = _key_problem(key, key_variable, needed=not on_this_machine)
        self._shown_url = _without_credentials(base_url)
        if http_client is None:
            http_client = openai.DefaultAioHttpClient(
                # A proxy from the environment cannot reach a server on this very machine.
                trust_env=not on_this_machine,
                limits=type(openai.DEFAULT_CONNECTION_LIMITS)(
                    max_connections=connections, max_keepalive_connections=connections
                ),
            )
        self._client = openai.AsyncOpenAI(
            base_url=base_url,
            # The client refuses an empty key; a server on this machine that wants none ignores this one.
            api_key=key if key and not self._key_problem else "none",
            timeout=openai.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
            max_retries=retries,
            http_client=http_client,
        )

    def __repr__(self) -> str:
        return f"OpenAIChat(name={self.name!r}, base_url={self._shown_url!r})"

    async def status(self) -> BackendStatus:
        """Ask the server for its list of models. Never raises."""
        if self._key_problem:
            return self._not_ready(f"{self._key_problem}.", f"export {self._key_variable}=<your key>")
        try:
            models = await self._models()
        except BackendError as error:
            return self._not_ready(str(error))
        if models and self._model not in models:
            some = ", ".join(models[:NAMED_MODELS]) + (", …" if len(models) > NAMED_MODELS else "")
            return self._not_ready(f"The server does not offer the model {self._model}. It offers: {some}.")
        if not models:
            return self._not_ready(f"The server at {self._shown_url} offers no model. Load one there.")
        return BackendStatus(
            name=self.name, title=self._title, ready=True, model=self._model, context_size=self._context_size
        )

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Return the whole reply; for errors see `pld_core.ports.Chat`."""
        async with aclosing(self.stream(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, ChatReply):
                    return piece
        raise ReplyUnusable("The model gave no answer. Try again.")

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """Yield pieces of text, then the `ChatReply`. Closing it early closes the connection, which stops the model."""
        if self._key_problem:
            raise AccessRefused(f"{self._key_problem}.")
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
            self._raise_translated(error, heard.text)
        except ValueError as error:
            raise ReplyUnusable("The server sent something that is not JSON. Try again.", raw=heard.text) from error
        reply = heard.reply(self._model, self._context_size, round((time.monotonic() - started) * 1000))
        try:
            heard.check()
        except ReplyUnusable as error:
            error.reply = reply
            raise
        yield reply

    async def aclose(self) -> None:
        """Close the connections. The object cannot be used afterwards."""
        await self._client.close()

    @property
    def _title(self) -> str:
        return f"{self._model} at {urlsplit(self._shown_url).netloc}"

    @property
    def _not_compatible(self) -> str:
        return (
            f"{self._shown_url} answers, but not as an OpenAI-compatible server. "
            "Check the address; it usually ends in /v1."
        )

    def _not_ready(self, problem: str, fix: str = "") -> BackendStatus:
        return BackendStatus(
            name=self.name, title=self._title, ready=False, model=self._model, problem=problem, fix=fix
        )

    async def _models(self) -> tuple[str, ...]:
        client = self._client.with_options(max_retries=0, timeout=STATUS_TIMEOUT_S)
        try:
            # Read as JSON here, because the client's own parser breaks on a 200 that holds a web page.
            response = await client.models.with_raw_response.list()
            found = json.loads(response.content)
        except openai.OpenAIError as error:
            self._raise_translated(error, "")
        except ValueError as error:
            raise BackendRefused(self._not_compatible) from error
        listed = found.get("data") if isinstance(found, dict) else None
        if not isinstance(listed, list):
            raise BackendRefused(self._not_compatible)
        return tuple(str(entry["id"]) for entry in listed if isinstance(entry, dict) and "id" in entry)

    async def _open(self, request: ChatRequest) -> openai.AsyncStream[ChatCompletionChunk]:
        messages: list[ChatCompletionMessageParam] = [
            {"role": "system", "content": request.system},
            {"role": "user", "content": request.user},
        ]
        return await self._client.chat.completions.create(
            model=self._model,
            messages=messages,
            stream=True,
            stream_options={"include_usage": True},
            max_tokens=request.max_tokens,
            temperature=request.temperature,
            seed=request.seed,
            # Past the client's own look at every branch of the schema, which took a quarter of a call's time.
            extra_body=None if request.schema is None else {"response_format": _answer_format(request.schema)},
        )

    def _check_is_event_stream(self, content_type: str) -> None:
        if not content_type.startswith("text/event-stream"):
            raise BackendRefused(self._not_compatible)

    def _raise_translated(self, error: openai.OpenAIError, text: str) -> NoReturn:
        """Raise the error of ours that a client error stands for; `text` is what of the answer had come."""
        # The cause is kept for the log, unless its words would carry the key there.
        cause = None if self._key and self._key in str(error) else error
        if isinstance(error, openai.APIStatusError):
            raise self._for_status(error) from cause
        if isinstance(error, openai.APIConnectionError):
            raise self._for_connection(error, text) from cause
        words = self._quote(str(error))
        if _says_too_long(words):
            raise PromptTooLong(self._too_long(words)) from cause
        raise BackendRefused(f"The server stopped the answer: {words}. Try again.") from cause

    def _for_connection(self, error: openai.APIConnectionError, text: str) -> BackendError:
        if text:
            return ReplyUnusable(
                f"The connection to {self._shown_url} broke in the middle of the answer. Try again.",
                text,
                Failure.BROKEN,
            )
        # The transport calls every lost connection a timeout; what really happened stands below.
        causes = tuple(_causes(error))
        if any(isinstance(cause, aiohttp.ServerDisconnectedError) for cause in causes):
            words = f"{self._shown_url} closed the connection without an answer. Try again."
            return BackendUnreachable(words, sent=True)
        never_there = any(isinstance(c, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError) for c in causes)
        if isinstance(error, openai.APITimeoutError) and not never_there:
            return BackendUnreachable(f"{self._shown_url} did not answer in time. Try again later.", sent=True)
        return BackendUnreachable(
            f"No server answers at {self._shown_url}. Check the address and that the server runs."
        )

    def _for_status(self, error: openai.APIStatusError) -> BackendError:
        words, status = self._quote(_server_words(error)), error.status_code
        if status in {UNAUTHORIZED, FORBIDDEN}:
            return AccessRefused(f"The server refused the key ({words}). Set the right one in {self._key_variable}.")
        if status == PAYMENT_REQUIRED or _says(error, QUOTA_CODES):
            return AccessRefused(f"The account's quota is used up ({words}). Top it up at the provider, then continue.")
        if status == NOT_FOUND and "model" in words.lower() and isinstance(error.body, dict):
            return ModelMissing(f"The server does not offer the model {self._model}: {words}. Choose another one.")
        if status == NOT_FOUND:
            return BackendRefused(self._not_compatible)
        if status in {BAD_REQUEST, TOO_LARGE} and _says_too_long(words):
            return PromptTooLong(self._too_long(words))
        if status == BAD_REQUEST and _says(error, FILTER_CODES):
            return ReplyUnusable(f"The server's content filter refused the input: {words}.", words, Failure.REFUSED)
        if status == TOO_MANY:
            return BackendBusy(
                f"The server's limit is reached: {words}. Wait, or raise the limit there.", _retry_after_s(error)
            )
        if status >= INTERNAL or status in {REQUEST_TIMEOUT, CONFLICT, TOO_EARLY}:
            return BackendBusy(
                f"The server could not answer (status {status}: {words}). Try again later.", _retry_after_s(error)
            )
        return BackendRefused(f"The server refused the request with status {status}: {words}")

    def _too_long(self, words: str) -> str:
        return (
            f"The prompt and the input do not fit the model's context window ({words}). "
            "Shorten the input or compile a prompt with fewer rules."
        )

    def _quote(self, words: str) -> str:
        safe = words.replace(self._key, "[key]") if self._key else words
        return " ".join(safe.split())[:LONGEST_QUOTE].rstrip(". ") or "no reason given"


def _answer_format(schema: Mapping[str, object]) -> ResponseFormatJSONSchema:
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": dict(schema)}}


def _key_problem(key: str, variable: str, *, needed: bool) -> str:
    if not key:
        return f"No key: set {variable}" if needed else ""
    # Such a key would be refused by the HTTP library, in an error that quotes it.
    if key.isascii() and key.isprintable():
        return ""
    return f"The key in {variable} holds characters that no key has: copy it again"


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _server_words(error: openai.APIStatusError) -> str:
    """Return the server's own message where it gave one in the usual shape."""
    body = error.body
    if isinstance(body, dict) and body.get("message"):
        # Some servers are terse in the message and clear in the code, such as `context_length_exceeded`.
        code = body.get("code")
        return f"{body['message']} ({code})" if isinstance(code, str) else str(body["message"])
    return error.message


def _says(error: openai.APIStatusError, codes: tuple[str, ...]) -> bool:
    """Return whether the server's error is of one of these codes, which some servers put in the type."""
    return any(word in codes for word in (error.code, error.type))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield what an error arose from, the nearest first."""
    below = error.__cause__ or error.__context__
    while below is not None:
        yield below
        below = below.__cause__ or below.__context__


def _retry_after_s(error: openai.APIStatusError) -> float | None:
    """Return the seconds of Retry-After; its other form, a date, is read against the server's own clock."""
    headers = error.response.headers
    if (exact := headers.get("retry-after-ms", "")).isdecimal():
        return int(exact) / 1000
    told = headers.get("retry-after", "")
    try:
        return max(0.0, float(told)) if told else None
    except ValueError:
        pass
    try:
        until, now = (parsedate_to_datetime(text) for text in (told, headers.get("date", "")))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):
        return None


def _says_too_long(words: str) -> bool:
    return "context" in words.lower()
