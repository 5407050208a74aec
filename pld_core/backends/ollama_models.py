"""The models of an Ollama server: which there are, getting one, and making one of a student and its prompt."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from pld_core.backends.ollama_facts import ModelFacts, named, whole
from pld_core.backends.ollama_server import READ_TIMEOUT_S, OllamaServer, quote
from pld_core.canonical import Json
from pld_core.errors import BackendRefused, ModelMissing, ReplyUnusable

PullProgress = Callable[[int, int, str], None]
"""Told how many bytes of how many have come, and of what; 0 of 0 for a step without any."""


@dataclass(frozen=True)
class Publication:
    """A model to be made: a student that always has this prompt.

    Attributes:
        name: of the new model, such as `nda-review:v3`.
        student: the model that it is made of, with its template.
        system: the prompt, word for word.
        parameters: such as `num_ctx` and `temperature`; in force for whoever asks without options.
        notice: what `ollama show` tells of it beside the licence of the student; no model reads it. Empty for none.
    """

    name: str
    student: str
    system: str
    parameters: Mapping[str, int | float]
    notice: str = ""


class OllamaModels:
    """The models on one server. Errors are those of `pld_core.ports.Chat`."""

    def __init__(
        self, host: str, timeout_s: float = READ_TIMEOUT_S, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Prepare the client; nothing is sent yet. Arguments as for `OllamaChat`."""
        self._host, self._timeout_s, self._transport = host, timeout_s, transport

    async def all(self) -> tuple[ModelFacts, ...]:
        """Return the models on the server by name."""
        async with self._about("") as server:
            return await server.models()

    async def pull(self, model: str, report: PullProgress) -> ModelFacts:
        """Get a model from Ollama's library, telling how far it is. What has come is kept, so that it can go on.

        Raises:
            BackendRefused: the library has no such model, or cannot be reached.
        """
        async with self._about(model) as server:
            await _follow(server, "/api/pull", {"model": model}, report)
            return await _facts_of(model, server)

    async def publish(self, wanted: Publication) -> ModelFacts:
        """Make the model and read it back; a model of that name is replaced.

        Raises:
            ModelMissing: the student is not on the server.
            ReplyUnusable: what is there afterwards is not what was to be made.
        """
        body: dict[str, Json] = {
            "model": wanted.name,
            "from": wanted.student,
            "system": wanted.system,
            "parameters": dict(wanted.parameters),
        }
        if wanted.notice:
            # The one field for people: the server adds it to the licences that the student brings along.
            body["license"] = [wanted.notice]
        async with self._about(wanted.student) as server:
            await _follow(server, "/api/create", body, lambda _done, _total, _what: None)
        return await self.verified(wanted)

    async def verified(self, wanted: Publication) -> ModelFacts:
        """Read a model back.

        Raises:
            ModelMissing: it is not on the server.
            ReplyUnusable: it holds another prompt or other parameters, or lacks the notice.
        """
        async with self._about(wanted.name) as server:
            _check(wanted, await server.look("POST", "/api/show", {"model": wanted.name}))
            return await _facts_of(wanted.name, server)

    async def remove(self, model: str) -> None:
        """Delete a model from the server."""
        async with self._about(model) as server:
            response = await server.client.request("DELETE", "/api/delete", json={"model": model})
            if response.status_code != httpx.codes.OK:
                raise server.for_response(response)

    @asynccontextmanager
    async def _about(self, model: str) -> AsyncGenerator[OllamaServer, None]:
        server = OllamaServer(model, self._host, "{words}", self._timeout_s, self._transport)
        try:
            yield server
        finally:
            await server.client.aclose()


async def _follow(server: OllamaServer, path: str, body: Mapping[str, Json], report: PullProgress) -> None:
    """Ask for something that takes long, and hand on how far it is until it is done."""
    told = ""
    try:
        async with server.client.stream("POST", path, json=dict(body)) as response:
            if response.status_code != httpx.codes.OK:
                await response.aread()
                raise server.for_response(response)
            async for line in response.aiter_lines():
                if line.strip():
                    told = _step(server, line, report)
    except httpx.RequestError as error:
        raise server.for_transport(error, told) from error
    if told != "success":
        raise ReplyUnusable(f"The Ollama server ended before it was done. The last it said: {told or 'nothing'}.")


def _step(server: OllamaServer, line: str, report: PullProgress) -> str:
    """Report one line of the answer, and return what it says."""
    try:
        part = json.loads(line)
    except ValueError as error:
        raise BackendRefused(server.not_ollama) from error
    if not isinstance(part, dict):
        raise BackendRefused(server.not_ollama)
    if "error" in part:
        # It comes with status 200: by then the answer had begun.
        raise BackendRefused(f"The Ollama server refused: {quote(str(part['error']))}. Nothing was changed.")
    status = str(part.get("status") or "")
    report(whole(part.get("completed")) or 0, whole(part.get("total")) or 0, status)
    return status


async def _facts_of(model: str, server: OllamaServer) -> ModelFacts:
    found = named(model, await server.models())
    if found is None:
        raise ModelMissing(
            f"The model {model} is not on the Ollama server at {server.shown_host}, although it said so."
        )
    return found


def _check(wanted: Publication, show: Mapping[str, Any]) -> None:
    """Compare what the server holds with what was to be made."""
    if show.get("system") != wanted.system:
        raise ReplyUnusable(
            f"{wanted.name} holds another prompt on the server than the one published. Do not use it. Publish anew."
        )
    if wanted.notice not in str(show.get("license") or ""):
        raise ReplyUnusable(
            f"{wanted.name} does not state on the server by which exception it is released. Do not use it. "
            "Publish anew."
        )
    held = _parameters(str(show.get("parameters") or ""))
    wrong = [name for name, value in wanted.parameters.items() if held.get(name) != float(value)]
    if wrong:
        raise ReplyUnusable(
            f"{wanted.name} has other values on the server than it was published with: {', '.join(sorted(wrong))}."
        )


def _parameters(text: str) -> dict[str, float]:
    """Return the numbers among parameters as `/api/show` writes them: a name, blanks and a value on each line."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        try:
            found[name] = float(value)
        except ValueError:
            # Texts, such as `stop`, are not among what is set here.
            continue
    return found
