"""Embedding models on any server that has OpenAI's `/v1/embeddings`."""

from __future__ import annotations

import json
import time
from typing import Any

import openai

from pld_core.backends.embedding_reply import unit_rows
from pld_core.backends.openai_server import CONNECTIONS, KEY_VARIABLE, READ_TIMEOUT_S, OpenAIServer
from pld_core.errors import BackendRefused, VectorsUnusable
from pld_core.model_ports import BackendStatus, EmbedReply, EmbedRequest

WHEN_TOO_LONG = "Set longest_text under [embedder] so that longer texts are cut, or choose a model with more room."


class OpenAIEmbeddings:
    """A model on an OpenAI-compatible server. See `pld_core.model_ports.EmbeddingModel` for what the methods promise.

    Attributes:
        name: `openai:` and the model, as settings spell it.
    """

    def __init__(
        self,
        model: str,
        base_url: str,
        api_key: str,
        timeout_s: float = READ_TIMEOUT_S,
        connections: int = CONNECTIONS,
        key_variable: str = KEY_VARIABLE,
    ) -> None:
        """Prepare the client; nothing is sent yet. The arguments are those of `OpenAIChat`."""
        self._server = OpenAIServer(
            model,
            base_url,
            api_key,
            WHEN_TOO_LONG,
            timeout_s=timeout_s,
            connections=connections,
            key_variable=key_variable,
        )
        self.name = self._server.name

    def __repr__(self) -> str:
        return f"OpenAIEmbeddings(name={self.name!r}, base_url={self._server.shown_url!r})"

    async def status(self) -> BackendStatus:
        """Ask the server for its list of models. Never raises."""
        return await self._server.status()

    async def complete(self, request: EmbedRequest) -> EmbedReply:
        """Return one vector for each text; for errors see `pld_core.model_ports.EmbeddingModel`."""
        self._server.check_key()
        started = time.monotonic()
        try:
            # Read as JSON here: the client's own parser breaks on a 200 that holds a web page. Floats are asked for
            # because not every compatible server knows the client's usual base64.
            response = await self._server.client.embeddings.with_raw_response.create(
                model=self._server.model, input=list(request.texts), encoding_format="float"
            )
            found = json.loads(response.content)
        except openai.OpenAIError as error:
            self._server.raise_translated(error, "")
        except ValueError as error:
            raise BackendRefused(self._server.not_compatible) from error
        listed = found.get("data") if isinstance(found, dict) else None
        if not isinstance(listed, list):
            raise BackendRefused(self._server.not_compatible)
        reply_model, usage = found.get("model"), found.get("usage")
        tokens = usage.get("prompt_tokens") if isinstance(usage, dict) else None
        return EmbedReply(
            vectors=unit_rows(_in_order(listed), len(request.texts)),
            model=reply_model if isinstance(reply_model, str) else self._server.model,
            latency_ms=round((time.monotonic() - started) * 1000),
            prompt_tokens=tokens if isinstance(tokens, int) else None,
        )

    async def aclose(self) -> None:
        """Close the connections. The object cannot be used afterwards."""
        await self._server.client.close()


def _in_order(listed: list[Any]) -> list[Any]:
    """Return the vectors in the order of the texts, which `index` tells and the order of the list need not."""
    entries = [entry if isinstance(entry, dict) else {} for entry in listed]
    indexes = [entry.get("index", at) for at, entry in enumerate(entries)]
    placed = {index: entry.get("embedding") for index, entry in zip(indexes, entries, strict=True)}
    if set(placed) != set(range(len(entries))):
        raise VectorsUnusable(
            "The server's vectors do not say which text each belongs to (`index` is wrong). "
            "Set batch_size = 1 under [embedder], or use another server."
        )
    return [placed[at] for at in range(len(entries))]
