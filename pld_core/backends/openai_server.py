"""A server that speaks OpenAI's protocol: the client for it, whether it is there, and its errors in our words."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import urlsplit

import aiohttp
import openai

from pld_core.backends.retry_after import retry_after_s
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
STATUS_TIMEOUT_S = 10.0
CONNECTIONS = 100
KEEPALIVE_S = 3.0
"""Shorter than the 5 s of usual servers: a request on a connection that the server is closing would be lost."""
LONGEST_QUOTE = 300
NAMED_MODELS = 5
KEY_VARIABLE = "PLD_OPENAI_API_KEY"
BAD_REQUEST, UNAUTHORIZED, PAYMENT_REQUIRED, FORBIDDEN, NOT_FOUND, TOO_LARGE = 400, 401, 402, 403, 404, 413
REQUEST_TIMEOUT, CONFLICT, TOO_EARLY, TOO_MANY, INTERNAL = 408, 409, 425, 429, 500
QUOTA_CODES = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
LOST = (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, ConnectionResetError)
"""How a connection ends over which a request went out: before the answer's head, in its body, or anywhere."""
FILTER_CODES = ("content_filter", "content_policy_violation")


@dataclass(frozen=True)
class Refusal:
    """An answer with an error status: the object under `error` where there is one, else the words around it."""

    status: int
    body: object
    message: str = ""
    retry_after_s: float | None = None

    @property
    def words(self) -> str:
        """The server's own message where it gave one in the usual shape."""
        if isinstance(self.body, dict) and self.body.get("message"):
            # Some servers are terse in the message and clear in the code, such as `context_length_exceeded`.
            code = self.body.get("code")
            return f"{self.body['message']} ({code})" if isinstance(code, str) else str(self.body["message"])
        return self.message

    def says(self, codes: tuple[str, ...]) -> bool:
        """Return whether the server's error is of one of these codes, which some servers put in the type."""
        return isinstance(self.body, dict) and any(self.body.get(name) in codes for name in ("code", "type"))


class OpenAIServer:
    """One model on one server, as chat and embeddings share it.

    Attributes:
        name: the prefix and the model, as commands spell it.
        model: as the server's list of models spells it.
        client: the library's own; its errors go through `raise_translated`.
        shown_url: the address without a password.
        key_problem: why no request can be sent, empty if one can.
    """

    def __init__(
        self,
        model: str,
        base_url: str,
        api_key: str,
        when_too_long: str,
        name_prefix: str = "openai",
        timeout_s: float = READ_TIMEOUT_S,
        http_client: openai.DefaultAsyncHttpxClient | None = None,
        connections: int = CONNECTIONS,
        key_variable: str = KEY_VARIABLE,
        keepalive_s: float = KEEPALIVE_S,
    ) -> None:
        """Prepare the client; nothing is sent yet.

        Args:
            when_too_long: what to do about an input that does not fit, in one sentence.
        """
        key = api_key.strip()
        on_this_machine = _is_loopback(base_url)
        self.name = f"{name_prefix}:{model}"
        self.model = model
        self.shown_url = _without_credentials(base_url)
        self.key_problem = _key_problem(key, key_variable, needed=not on_this_machine)
        self._key = key
        self._key_variable = key_variable
        self._when_too_long = when_too_long
        if http_client is None:
            http_client = openai.DefaultAioHttpClient(
                # A proxy from the environment cannot reach a server on this very machine.
                trust_env=not on_this_machine,
                limits=type(openai.DEFAULT_CONNECTION_LIMITS)(
                    max_connections=connections,
                    max_keepalive_connections=connections,
                    keepalive_expiry=keepalive_s,
                ),
            )
        self.client = openai.AsyncOpenAI(
            base_url=base_url,
            # The client refuses an empty key; a server on this machine that wants none ignores this one.
            api_key=key if key and not self.key_problem else "none",
            timeout=openai.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
            # The call engine tries again, and counts.
            max_retries=0,
            http_client=http_client,
        )

    async def status(self, context_size: int | None = None) -> BackendStatus:
        """Ask the server for its list of models. Never raises."""
        if self.key_problem:
            return self._not_ready(f"{self.key_problem}.", f"export {self._key_variable}=<your key>")
        try:
            models = await self._models()
        except BackendError as error:
            return self._not_ready(str(error))
        if models and self.model not in models:
            some = ", ".join(models[:NAMED_MODELS]) + (", …" if len(models) > NAMED_MODELS else "")
            return self._not_ready(f"The server does not offer the model {self.model}. It offers: {some}.")
        if not models:
            return self._not_ready(f"The server at {self.shown_url} offers no model. Load one there.")
        return BackendStatus(name=self.name, title=self._title, ready=True, model=self.model, context_size=context_size)

    def check_key(self) -> None:
        """Raise `AccessRefused` if no request can be sent."""
        if self.key_problem:
            raise AccessRefused(f"{self.key_problem}.")

    @property
    def _title(self) -> str:
        return f"{self.model} at {urlsplit(self.shown_url).netloc}"

    @property
    def not_compatible(self) -> str:
        return (
            f"{self.shown_url} answers, but not as an OpenAI-compatible server. "
            "Check the address; it usually ends in /v1."
        )

    def _not_ready(self, problem: str, fix: str = "") -> BackendStatus:
        return BackendStatus(name=self.name, title=self._title, ready=False, model=self.model, problem=problem, fix=fix)

    async def _models(self) -> tuple[str, ...]:
        client = self.client.with_options(timeout=STATUS_TIMEOUT_S)
        try:
            # Read as JSON here, because the client's own parser breaks on a 200 that holds a web page.
            response = await client.models.with_raw_response.list()
            found = json.loads(response.content)
        except openai.OpenAIError as error:
            self.raise_translated(error, "")
        except ValueError as error:
            raise BackendRefused(self.not_compatible) from error
        listed = found.get("data") if isinstance(found, dict) else None
        if not isinstance(listed, list):
            raise BackendRefused(self.not_compatible)
        return tuple(str(entry["id"]) for entry in listed if isinstance(entry, dict) and "id" in entry)

    def raise_translated(self, error: openai.OpenAIError, text: str) -> NoReturn:
        """Raise the error of ours that a client error stands for; `text` is what of the answer had come."""
        # The cause is kept for the log, unless its words would carry the key there.
        cause = None if self._key and self._key in str(error) else error
        if isinstance(error, openai.APIStatusError):
            raise self.for_status(
                Refusal(error.status_code, error.body, error.message, retry_after_s(error.response.headers))
            ) from cause
        if isinstance(error, openai.APIConnectionError):
            raise self._for_connection(error, text) from cause
        words = self.quote(str(error))
        if _says_too_long(words):
            raise PromptTooLong(self._too_long(words)) from cause
        raise BackendRefused(f"The server stopped the answer: {words}. Try again.") from cause

    def _for_connection(self, error: openai.APIConnectionError, text: str) -> BackendError:
        if text:
            return ReplyUnusable(
                f"The connection to {self.shown_url} broke in the middle of the answer. Try again.",
                text,
                Failure.BROKEN,
            )
        # The transport calls every lost connection a timeout; what really happened stands below.
        causes = tuple(_causes(error))
        if any(isinstance(cause, LOST) for cause in causes):
            words = f"{self.shown_url} closed the connection without an answer. Try again."
            return BackendUnreachable(words, sent=True)
        never_there = any(isinstance(c, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError) for c in causes)
        if isinstance(error, openai.APITimeoutError) and not never_there:
            return BackendUnreachable(f"{self.shown_url} did not answer in time. Try again later.", sent=True)
        return BackendUnreachable(f"No server answers at {self.shown_url}. Check the address and that the server runs.")

    def for_status(self, error: Refusal) -> BackendError:
        """Return the error of ours that an answer with an error status stands for."""
        words, status, wait_s = self.quote(error.words), error.status, error.retry_after_s
        if status in {UNAUTHORIZED, FORBIDDEN}:
            return AccessRefused(f"The server refused the key ({words}). Set the right one in {self._key_variable}.")
        if status == PAYMENT_REQUIRED or error.says(QUOTA_CODES):
            return AccessRefused(f"The account's quota is used up ({words}). Top it up at the provider, then continue.")
        if status == NOT_FOUND and "model" in words.lower() and isinstance(error.body, dict):
            return ModelMissing(f"The server does not offer the model {self.model}: {words}. Choose another one.")
        if status == NOT_FOUND:
            return BackendRefused(self.not_compatible)
        if status in {BAD_REQUEST, TOO_LARGE} and _says_too_long(words):
            return PromptTooLong(self._too_long(words))
        if status == BAD_REQUEST and error.says(FILTER_CODES):
            return ReplyUnusable(f"The server's content filter refused the input: {words}.", words, Failure.REFUSED)
        if status == TOO_MANY:
            return BackendBusy(
                f"The server's limit is reached: {words}. Wait, or raise the limit there.", error.retry_after_s
            )
        if status >= INTERNAL or status in {REQUEST_TIMEOUT, CONFLICT, TOO_EARLY}:
            words = f"The server could not answer (status {status}: {words}). Try again later."
            return BackendBusy(words, wait_s)
        return BackendRefused(f"The server refused the request with status {status}: {words}")

    def _too_long(self, words: str) -> str:
        return f"The prompt and the input do not fit the model's context window ({words}). {self._when_too_long}"

    def quote(self, words: str) -> str:
        """Return the server's words on one line, shortened, without the key."""
        safe = words.replace(self._key, "[key]") if self._key else words
        return " ".join(safe.split())[:LONGEST_QUOTE].rstrip(". ") or "no reason given"


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


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield what an error arose from, the nearest first."""
    below = error.__cause__ or error.__context__
    while below is not None:
        yield below
        below = below.__cause__ or below.__context__


def _says_too_long(words: str) -> bool:
    return "context" in words.lower()
