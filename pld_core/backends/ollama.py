"""Models on an Ollama server, through its own `/api/chat`.

The request is posted as raw JSON because the client library has no arguments for `truncate` and `shift`; without them
a prompt that is longer than the window is cut silently and the answer still comes with status 200.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx

from pld_core.canonical import Json
from pld_core.errors import (
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
STATUS_TIMEOUT_S = 5.0
NANOSECONDS_PER_MS = 1_000_000
LONGEST_QUOTE = 300
START_COMMAND = "ollama serve"


class OllamaChat:
    """A model on an Ollama server. See `pld_core.ports.Chat` for what the methods promise.

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
    ) -> None:
        """Prepare the client; nothing is sent yet.

        Args:
            model: as `ollama list` spells it; without a tag Ollama takes `latest`.
            host: address of the server with its scheme, such as `http://127.0.0.1:11434`.
            num_ctx: tokens of the context window, the same in every call: a change makes Ollama load the model again.
            timeout_s: longest silence while waiting for the next piece of the answer, in seconds.
            keep_alive: how long the server keeps the model loaded after a call.
            transport: what carries the requests, for tests; None for the network.
        """
        self.name = f"ollama:{model}"
        self._model = model
        self._num_ctx = num_ctx
        self._keep_alive = keep_alive
        self._shown_host = _without_credentials(host)
        self._client = httpx.AsyncClient(
            base_url=host,
            timeout=httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
            transport=transport,
            # A proxy from the environment cannot reach a server on this very machine.
            trust_env=urlsplit(host).hostname not in {"127.0.0.1", "localhost", "::1"},
        )

    async def status(self) -> BackendStatus:
        """Ask the server whether it is there and holds the model. Never raises."""
        try:
            tags = await self._look("GET", "/api/tags")
            digest = _digest_of(self._model, tags)
            if not digest:
                # The list may spell the model in another way than the server understands it; this asks the server.
                await self._look("POST", "/api/show", {"model": self._model})
        except BackendUnreachable:
            return self._not_ready(f"No Ollama server answers at {self._shown_host}.", START_COMMAND)
        except ModelMissing:
            return self._not_ready(f"The model {self._model} is not on the Ollama server.", self._pull_command)
        except BackendError as error:
            return self._not_ready(str(error))
        return BackendStatus(
            name=self.name,
            title=self._title,
            ready=True,
            model=self._model,
            digest=digest,
            context_size=self._num_ctx,
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
        started = time.monotonic()
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
                        yield self._reply(text, part, started)
                        return
        except httpx.RequestError as error:
            self._raise_for_transport(error, text)
        raise ReplyUnusable(
            "The Ollama server ended the answer before it was complete. Try again.", text, Failure.BROKEN
        )

    async def aclose(self) -> None:
        """Close the connections. The object cannot be used afterwards."""
        await self._client.aclose()

    @property
    def _title(self) -> str:
        return f"{self._model} (Ollama)"

    @property
    def _pull_command(self) -> str:
        return f"ollama pull {self._model}"

    def _not_ready(self, problem: str, fix: str = "") -> BackendStatus:
        return BackendStatus(
            name=self.name, title=self._title, ready=False, model=self._model, problem=problem, fix=fix
        )

    def _body(self, request: ChatRequest) -> dict[str, Json]:
        body: dict[str, Json] = {
            "model": self._model,
            "messages": [
                {"role": "system", "content": request.system},
                {"role": "user", "content": request.user},
            ],
            "stream": True,
            # Too long a prompt is refused with a 400 instead of being cut without a word.
            "truncate": False,
            "shift": False,
            "keep_alive": self._keep_alive,
            "options": {
                "temperature": request.temperature,
                "seed": request.seed,
                "num_ctx": self._num_ctx,
                "num_predict": request.max_tokens,
            },
        }
        if request.schema is not None:
            body["format"] = dict(request.schema)
        return body

    @asynccontextmanager
    async def _open(self, request: ChatRequest) -> AsyncIterator[httpx.Response]:
        async with self._client.stream("POST", "/api/chat", json=self._body(request)) as response:
            if response.status_code != httpx.codes.OK:
                await response.aread()
                self._raise_for_status(response)
            yield response

    async def _look(self, method: str, path: str, body: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the JSON object that the server answers, or raise the same errors as a call."""
        try:
            response = await self._client.request(method, path, json=body, timeout=STATUS_TIMEOUT_S)
        except httpx.RequestError as error:
            self._raise_for_transport(error, "")
        if response.status_code != httpx.codes.OK:
            self._raise_for_status(response)
        try:
            found = response.json()
        except ValueError as error:
            raise BackendRefused(self._not_ollama) from error
        if not isinstance(found, dict):
            raise BackendRefused(self._not_ollama)
        return found

    @property
    def _not_ollama(self) -> str:
        return f"{self._shown_host} answers, but not as an Ollama server. Check the address."

    def _part(self, line: bytes, text: str) -> dict[str, Any]:
        """Return one line of the stream as a dict, or raise for an error that the server reports inside it."""
        try:
            part = json.loads(line)
        except ValueError as error:
            if not text:
                raise BackendRefused(self._not_ollama) from error
            raise ReplyUnusable("The Ollama server sent a line that is not JSON. Try again.", raw=text) from error
        if not isinstance(part, dict):
            raise ReplyUnusable("The Ollama server sent an answer of an unknown shape. Try again.", raw=text)
        if "error" in part:
            words = _quote(str(part["error"]))
            if "context" in words.lower():
                raise PromptTooLong(self._too_long(words))
            raise BackendRefused(f"The Ollama server stopped the answer: {words}. Try again.")
        return part

    def _reply(self, text: str, last: Mapping[str, Any], started: float) -> ChatReply:
        return ChatReply(
            text=text,
            model=str(last.get("model") or self._model),
            finish="length" if last.get("done_reason") == "length" else "stop",
            latency_ms=round((time.monotonic() - started) * 1000),
            prompt_tokens=_whole(last.get("prompt_eval_count")),
            output_tokens=_whole(last.get("eval_count")),
            context_size=self._num_ctx,
            load_ms=_milliseconds(last.get("load_duration")),
            prompt_ms=_milliseconds(last.get("prompt_eval_duration")),
            output_ms=_milliseconds(last.get("eval_duration")),
        )

    def _too_long(self, words: str) -> str:
        return (
            f"The prompt and the input do not fit the context window of {self._num_ctx} tokens ({words}). "
            "Shorten the input or compile a prompt with fewer rules."
        )

    def _raise_for_status(self, response: httpx.Response) -> NoReturn:
        """Raise the error that a response with a status other than 200 stands for; its body must have been read."""
        words, from_ollama = _server_words(response)
        status = response.status_code
        if status == httpx.codes.NOT_FOUND and from_ollama:
            raise ModelMissing(
                f"The model {self._model} is not on the Ollama server at {self._shown_host}. Run: {self._pull_command}"
            )
        if status == httpx.codes.NOT_FOUND:
            raise BackendRefused(self._not_ollama)
        if status == httpx.codes.BAD_REQUEST and _says_too_long(words):
            raise PromptTooLong(self._too_long(words))
        if status == httpx.codes.SERVICE_UNAVAILABLE:
            raise BackendBusy(f"The Ollama server is busy ({words}). Wait a moment and try again.")
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise BackendBusy(f"The Ollama server could not answer (status {status}: {words}). Try again later.")
        raise BackendRefused(f"The Ollama server refused the request with status {status}: {words}")

    def _raise_for_transport(self, error: httpx.RequestError, text: str) -> NoReturn:
        if text:
            raise ReplyUnusable(
                f"The connection to {self._shown_host} broke in the middle of the answer. Try again.",
                text,
                Failure.BROKEN,
            ) from error
        if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
            raise BackendUnreachable(
                f"The Ollama server at {self._shown_host} did not answer in time. "
                "Try again, or choose a smaller model or a longer time limit.",
                sent=True,
            ) from error
        raise BackendUnreachable(
            f"No Ollama server answers at {self._shown_host}. Start it with: {START_COMMAND}"
        ) from error


def _without_credentials(host: str) -> str:
    parts = urlsplit(host)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _digest_of(model: str, tags: Mapping[str, Any]) -> str:
    """Return `sha256:` and the digest that `/api/tags` lists for the model, or an empty text."""
    wanted = {model.casefold(), f"{model}:latest".casefold()}
    listed = tags.get("models")
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, dict) and str(entry.get("name", "")).casefold() in wanted:
            digest = str(entry.get("digest") or "")
            return digest if ":" in digest or not digest else f"sha256:{digest}"
    return ""


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


def _server_words(response: httpx.Response) -> tuple[str, bool]:
    """Return what the server said, shortened, and whether it said so in Ollama's own shape."""
    try:
        body = response.json()
    except ValueError:
        return _quote(response.text), False
    if isinstance(body, dict) and "error" in body:
        return _quote(str(body["error"])), True
    return _quote(response.text), False


def _quote(words: str) -> str:
    return " ".join(words.split())[:LONGEST_QUOTE].rstrip(". ") or "no reason given"


def _says_too_long(words: str) -> bool:
    lowered = words.lower()
    return "context" in lowered or "length" in lowered


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _milliseconds(nanoseconds: object) -> int | None:
    return round(nanoseconds / NANOSECONDS_PER_MS) if isinstance(nanoseconds, int) else None
