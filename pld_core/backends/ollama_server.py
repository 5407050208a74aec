"""An Ollama server: whether it is there and holds a model, and its errors in our words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from pld_core.backends.ollama_facts import ModelFacts, model_context, models_from, named
from pld_core.backends.retry_after import retry_after_s
from pld_core.canonical import Json
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
from pld_core.model_ports import BackendStatus

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 120.0
STATUS_TIMEOUT_S = 5.0
LONGEST_QUOTE = 300
NAMED_MODELS = 5
START_COMMAND = "ollama serve"


class OllamaServer:
    """One model on one server, as chat and embeddings share it.

    Attributes:
        name: `ollama:` and the model, as commands spell it.
        model: as `ollama list` spells it.
        shown_host: the address without a password.
        client: for requests that the client library has no method for.
    """

    def __init__(
        self,
        model: str,
        host: str,
        too_long: str,
        timeout_s: float = READ_TIMEOUT_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare the client; nothing is sent yet.

        Args:
            too_long: that an input does not fit, and what to do, with `{words}` for the server's own.
        """
        self.name = f"ollama:{model}"
        self.model = model
        self.shown_host = without_credentials(host)
        self._too_long = too_long
        self.client = httpx.AsyncClient(base_url=host, transport=transport, **connection(host, timeout_s))

    async def status(self, context_size: int | None = None) -> BackendStatus:
        """Ask the server whether it is there and holds the model. Never raises."""
        has = ""
        try:
            models = await self.models()
            has = _has_words(models)
            # The list may spell the model in another way than the server understands it; this asks the server.
            longest = model_context(await self.look("POST", "/api/show", {"model": self.model}))
        except BackendUnreachable:
            return self._not_ready(f"No Ollama server answers at {self.shown_host}.", START_COMMAND)
        except ModelMissing:
            return self._not_ready(f"The model {self.model} is not on the Ollama server.{has}", self._pull_command)
        except BackendError as error:
            return self._not_ready(str(error))
        facts = named(self.model, models)
        return BackendStatus(
            name=self.name,
            title=self._title,
            ready=True,
            model=self.model,
            digest=facts.digest if facts else "",
            # A window longer than the model's own is silently made as long as that.
            context_size=context_size if longest is None or context_size is None else min(context_size, longest),
            model_context=longest,
            size_bytes=facts.size_bytes if facts else None,
            loaded=facts.loaded_context is not None if facts else None,
        )

    async def models(self) -> tuple[ModelFacts, ...]:
        """Return the models that the server lists; for errors see `look`."""
        return models_from(await self.look("GET", "/api/tags"), await self.look("GET", "/api/ps"))

    async def in_memory(self) -> ModelFacts | None:
        """Return the model as the server holds it in memory, None while it does not; for errors see `look`."""
        loaded = await self.look("GET", "/api/ps")
        return named(self.model, models_from(loaded, loaded))

    @property
    def _title(self) -> str:
        return f"{self.model} (Ollama)"

    @property
    def _pull_command(self) -> str:
        return f"ollama pull {self.model}"

    def _not_ready(self, problem: str, fix: str = "") -> BackendStatus:
        return BackendStatus(name=self.name, title=self._title, ready=False, model=self.model, problem=problem, fix=fix)

    async def look(self, method: str, path: str, body: Mapping[str, Json] | None = None) -> dict[str, Any]:
        """Return the JSON object that the server answers at once, or raise the same errors as a call."""
        return await self._asked(self.client.build_request(method, path, json=body, timeout=STATUS_TIMEOUT_S))

    async def post(self, path: str, body: Mapping[str, Json]) -> dict[str, Any]:
        """Return the JSON object that the server answers when it is done, or raise the same errors as a call."""
        return await self._asked(self.client.build_request("POST", path, json=body))

    async def _asked(self, request: httpx.Request) -> dict[str, Any]:
        try:
            response = await self.client.send(request)
        except httpx.RequestError as error:
            raise self.for_transport(error, "") from error
        if response.status_code != httpx.codes.OK:
            raise self.for_response(response)
        try:
            found = response.json()
        except ValueError as error:
            raise BackendRefused(self.not_ollama) from error
        if not isinstance(found, dict):
            raise BackendRefused(self.not_ollama)
        return found

    @property
    def not_ollama(self) -> str:
        return f"{self.shown_host} answers, but not as an Ollama server. Check the address."

    def too_long(self, words: str) -> str:
        return self._too_long.format(words=words)

    def for_response(self, response: httpx.Response) -> BackendError:
        """Return the error that a response with a status other than 200 stands for; its body must have been read."""
        words, from_ollama = _server_words(response.text)
        return self.for_words(response.status_code, words, from_ollama, retry_after_s(response.headers))

    def for_words(self, status: int, words: str, from_ollama: bool, wait_s: float | None = None) -> BackendError:
        """Return the error for a status other than 200 and what the server said.

        Args:
            wait_s: after how many seconds it wants to be asked again, if it says.
            from_ollama: it said so in Ollama's own way, and is no web server that lacks the page.
        """
        if status == httpx.codes.NOT_FOUND and from_ollama:
            return ModelMissing(
                f"The model {self.model} is not on the Ollama server at {self.shown_host}. Run: {self._pull_command}"
            )
        if status == httpx.codes.NOT_FOUND:
            return BackendRefused(self.not_ollama)
        if status == httpx.codes.BAD_REQUEST and _says_too_long(words):
            return PromptTooLong(self.too_long(words))
        if status in {httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS}:
            return BackendBusy(f"The Ollama server is busy ({words}). Wait a moment and try again.", wait_s)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            words = f"The Ollama server could not answer (status {status}: {words}). Try again later."
            return BackendBusy(words, wait_s)
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            return AccessRefused(f"{self.shown_host} lets nobody in without a key ({words}). Check the address.")
        return BackendRefused(f"The Ollama server refused the request with status {status}: {words}")

    def for_transport(self, error: httpx.RequestError, text: str) -> BackendError:
        """Return the error that a lost connection stands for; `text` is what of the answer had come."""
        if text:
            return ReplyUnusable(
                f"The connection to {self.shown_host} broke in the middle of the answer. Try again.",
                text,
                Failure.BROKEN,
            )
        if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
            return BackendUnreachable(
                f"The Ollama server at {self.shown_host} did not answer in time. "
                "Try again, or choose a smaller model or a longer time limit.",
                sent=True,
            )
        return self.nobody()

    def nobody(self) -> BackendUnreachable:
        return BackendUnreachable(f"No Ollama server answers at {self.shown_host}. Start it with: {START_COMMAND}")


def connection(host: str, timeout_s: float) -> dict[str, Any]:
    """Return how any client is to reach the server, as httpx spells it."""
    return {
        "timeout": httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
        # How many go out at a time is for the caller to say; the usual 100 would let further ones fail.
        "limits": httpx.Limits(max_connections=None),
        # A proxy from the environment cannot reach a server on this very machine.
        "trust_env": urlsplit(host).hostname not in {"127.0.0.1", "localhost", "::1"},
    }


def without_credentials(host: str) -> str:
    """Return an address without a name and a password in it."""
    parts = urlsplit(host)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _has_words(models: tuple[ModelFacts, ...]) -> str:
    """Return a sentence on the models that there are, with a space in front; empty if there are none."""
    names = ", ".join(facts.name for facts in models[:NAMED_MODELS])
    return f" It has: {names}{', …' if len(models) > NAMED_MODELS else ''}." if names else ""


def _server_words(text: str) -> tuple[str, bool]:
    """Return what the server said, shortened, and whether it said so in Ollama's own shape."""
    try:
        body = json.loads(text)
    except ValueError:
        return quote(text), False
    if isinstance(body, dict) and "error" in body:
        return quote(str(body["error"])), True
    return quote(text), False


def quote(words: str) -> str:
    return " ".join(words.split())[:LONGEST_QUOTE].rstrip(". ") or "no reason given"


def _says_too_long(words: str) -> bool:
    lowered = words.lower()
    return "context" in lowered or "length" in lowered
